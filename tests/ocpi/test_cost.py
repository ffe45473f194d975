"""The cost of a session, by the vectors of the OCPI contract (section 6) and by properties that hold for any tariff."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocpi.cost import Bill, Dimension, Restriction, Segment, Terms, price

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FLAT = {"type": "FLAT", "price": 0.50, "vat": 20, "step_size": 1}
ENERGY = {"type": "ENERGY", "price": 0.25, "vat": 10, "step_size": 1}


def tariff(*elements, **bounds):
    return {
        "elements": [one if "price_components" in one else {"price_components": [one]} for one in elements],
        **bounds,
    }


def element(*components, **restrictions):
    return {"price_components": list(components), "restrictions": restrictions}


def component(kind, amount, step=1, vat=None):
    return {"type": kind, "price": amount, "step_size": step} | ({} if vat is None else {"vat": vat})


class Use:
    """A session told in words; local time of Amsterdam."""

    def __init__(self, clock="12:00"):
        hour, minute = map(int, clock.split(":"))
        self.now = datetime(2026, 6, 3, hour, minute, tzinfo=AMSTERDAM).astimezone(UTC)
        self.segments = []

    def _add(self, minutes, kwh, charging, power=None, reserved=None):
        end = self.now + timedelta(minutes=minutes)
        known = None if power is None else Decimal(str(power))
        self.segments.append(Segment(self.now, end, Decimal(str(kwh)), charging, power=known, reserved=reserved))
        self.now = end
        return self

    def charge(self, minutes, kwh=0, power=None):
        return self._add(minutes, kwh, True, power)

    def idle(self, minutes):
        return self._add(minutes, 0, False)

    def reserve(self, minutes, kind=Restriction.RESERVATION):
        return self._add(minutes, 0, False, reserved=kind)


TWO = tariff(element(FLAT, ENERGY))
FOUR = tariff(element(FLAT, ENERGY, component("PARKING_TIME", 2, 900, 20)))
FIVE = tariff(
    element(FLAT, ENERGY),
    min_price={"excl_vat": 0, "incl_vat": 0},
    max_price={"excl_vat": 10, "incl_vat": 11},
)
THREE = tariff(ENERGY, min_price={"excl_vat": 0.50, "incl_vat": 0.55})
SIX = tariff(element(component("TIME", 3, 60, 10), component("PARKING_TIME", 5, 300, 20)))
SEVEN = tariff(
    element(component("TIME", 1.20, 1800), end_time="17:00"),
    element(component("TIME", 2.40, 900), start_time="17:00"),
    element(component("PARKING_TIME", 1, 900), end_time="20:00"),
)
TEN = tariff(
    element(component("ENERGY", 0.20, 500), end_time="17:00"),
    element(component("ENERGY", 0.27, 500), start_time="17:00"),
)
ELEVEN = tariff(
    element(component("TIME", 5, 600), end_time="17:00"), element(component("TIME", 7, 600), start_time="17:00")
)
TWELVE = tariff(element(component("TIME", 1, 600), component("PARKING_TIME", 2, 600)))
THIRTEEN = tariff(
    element(component("ENERGY", 0.20), max_power=16),
    element(component("ENERGY", 0.35), max_power=32),
    component("ENERGY", 0.50),
)
FOURTEEN = tariff(
    element(component("ENERGY", 0), max_duration=1800),
    element(component("ENERGY", 0.25), max_duration=3600),
    component("ENERGY", 0.40),
)
SEVENTEEN = tariff(
    element(component("TIME", 5, 60, 20), reservation="RESERVATION"),
    element(FLAT, ENERGY),
)
EIGHTEEN = tariff(
    element(component("FLAT", 4, 1, 20), reservation="RESERVATION_EXPIRES"),
    element(component("TIME", 2, 600, 20), reservation="RESERVATION"),
)


def energy_step(step):
    return tariff(component("ENERGY", 0.25, step))


VECTORS = [
    ("1", tariff(component("TIME", 2, 60, 10)), Use().charge(150), "5.00", "5.50"),
    ("2", TWO, Use().charge(60, 20), "5.50", "6.10"),
    ("3 above the minimum", THREE, Use().charge(60, 20), "5.00", "5.50"),
    ("3 below the minimum", THREE, Use().charge(5, 1), "0.50", "0.55"),
    ("4", FOUR, Use().charge(60, 20).idle(40), "7.00", "7.90"),
    ("5 above the maximum", FIVE, Use().charge(60, 50), "10.00", "11.00"),
    ("5 below the maximum", FIVE, Use().charge(60, 30), "8.00", "8.85"),
    ("6", SIX, Use().charge(150).idle(42), "11.25", "12.75"),
    ("7", SEVEN, Use("16:55").charge(10).idle(2), "0.55", None),
    ("8", SEVEN, Use("16:35").charge(35), "1.30", None),
    ("9", SEVEN, Use("19:40").charge(12).idle(20), "0.73", None),
    ("10", TEN, Use("16:17").charge(43, 4.3).charge(11, 1.1), "1.184", None),
    ("11", ELEVEN, Use("16:54").charge(28), "3.30", None),
    ("12", TWELVE, Use().charge(21).idle(16), "1.0167", None),
    ("13", THIRTEEN, Use().charge(10, 1, 6).charge(50, 40, 48).charge(8, 0.5, 4), "20.30", None),
    ("14", FOURTEEN, Use().charge(30, 5).charge(10, 1.2), "0.30", None),
    ("15 step 1", energy_step(1), Use().charge(5, 0.1152), "0.029", None),
    ("15 step 25", energy_step(25), Use().charge(5, 0.1152), "0.0313", None),
    ("15 step 500", energy_step(500), Use().charge(5, 0.1152), "0.125", None),
    ("16", tariff(component("FLAT", 0)), Use().charge(90, 33).idle(15), "0.00", None),
    ("17", SEVENTEEN, Use().reserve(15).charge(60, 20), "6.75", "7.60"),
    ("18", EIGHTEEN, Use().reserve(60, Restriction.RESERVATION_EXPIRES), "6.00", "7.20"),
]


DAYS = tariff(element(component("ENERGY", 0.20), day_of_week=["WEDNESDAY"]), component("ENERGY", 0.50))
PAUSES = tariff(element(component("TIME", 3, 600), component("PARKING_TIME", 6, 600)))
TIERS = tariff(
    element(component("ENERGY", 0.10), max_kwh=5),
    element(component("ENERGY", 0.40), min_kwh=5),
    element(component("PARKING_TIME", 4), min_duration=1800),
)
EVENING = tariff(element(component("FLAT", 1, 1, 21), start_time="18:00"), component("ENERGY", 0.30, 1, 21))
BOUNDED = tariff(
    element(component("FLAT", 1, 1, 20), component("ENERGY", 0.30, 1, 10)),
    max_price={"excl_vat": 5, "incl_vat": 7},
)
NIGHT = tariff(
    element(component("TIME", 1.20), start_time="22:00", end_time="06:00"),
    element(component("TIME", 2.40), start_time="06:00", end_time="22:00"),
)
# Calculated by hand, of what the contract's vectors leave out.
VECTORS += [
    ("a day ends at midnight", DAYS, Use("23:30").charge(60, 10), "3.50", None),  # 5 x 0.20 + 5 x 0.50
    ("a pause, and charging again", PAUSES, Use().charge(21).idle(7).charge(4), "2.20", None),  # 30 min, 7 min
    ("tiers, and half an hour free", TIERS, Use().charge(20, 12).idle(25), "4.30", None),  # 0.50 + 2.80 + 15 min
    ("a fee that begins at six", EVENING, Use("17:50").charge(30, 10), "4.00", "4.84"),
    ("a fee that is over before", EVENING, Use("17:20").charge(30, 10), "3.00", "3.63"),
    ("a bound for each of both", BOUNDED, Use().charge(60, 20), "5.00", "7.00"),  # of 7.00 and 7.80
    ("a bound without VAT only", BOUNDED, Use().charge(60, 15), "5.00", "6.15"),  # of 5.50; 1.20 + 4.95 stays
    ("a whole night", NIGHT, Use("21:30").charge(540), "12.00", None),  # 8 h x 1.20 + 1 h x 2.40
]


@pytest.mark.parametrize(
    ("terms", "use", "excl", "incl"), [one[1:] for one in VECTORS], ids=[one[0] for one in VECTORS]
)
def test_a_vector_of_the_contract(terms, use, excl, incl):
    cost = price(terms, use.segments, AMSTERDAM)
    assert cost.total.excl_vat == Decimal(excl)
    assert cost.total.incl_vat == (None if incl is None else Decimal(incl))


def test_the_parts_are_those_that_the_tariff_has():
    cost = price(FOUR, Use().charge(60, 20).idle(40).segments, AMSTERDAM)
    excl = {name: part.excl_vat for name, part in cost.parts.items()}
    assert excl == {"fixed": Decimal("0.5"), "energy": Decimal(5), "parking": Decimal("1.5")}
    assert not cost.clamped
    assert price(FIVE, Use().charge(60, 50).segments, AMSTERDAM).clamped


def test_a_reservation_that_led_to_a_session_costs_the_reservation_and_the_session():
    parts = price(SEVENTEEN, Use().reserve(15).charge(60, 20).segments, AMSTERDAM).parts
    assert parts["reservation"].excl_vat == Decimal("1.25")
    assert parts["energy"].excl_vat == Decimal(5)


def pieces_of(terms, use, zone=AMSTERDAM):
    bill = Bill(Terms(terms), zone)
    return [piece for segment in use.segments for piece in bill.add(segment)]


def test_a_price_change_within_a_stretch_cuts_it():
    first, second = pieces_of(ELEVEN, Use("16:54").charge(28, 7))
    assert first.end == second.start == datetime(2026, 6, 3, 15, 0, tzinfo=UTC)
    assert (first.active, second.active) == ({Dimension.TIME: 0}, {Dimension.TIME: 1})
    assert (first.kwh, second.kwh) == (Decimal("1.5"), Decimal("5.5"))


def test_an_energy_limit_cuts_where_the_energy_reaches_it():
    terms = tariff(element(component("ENERGY", 0.1), max_kwh=10), component("ENERGY", 0.2))
    cheap, dear = pieces_of(terms, Use().charge(60, 40))
    assert cheap.end - cheap.start == timedelta(minutes=15)
    assert (cheap.kwh, dear.kwh) == (10, 30)


def test_a_window_over_midnight_holds_on_both_sides_of_it():
    night = tariff(element(component("TIME", 6), start_time="22:00", end_time="06:00"), component("TIME", 60))
    cost = price(night, Use("21:30").charge(9 * 60).segments, AMSTERDAM)
    assert cost.total.excl_vat == 30 + 8 * 6 + 30


def test_the_weekday_and_the_date_are_those_of_the_place():
    thursday = tariff(element(component("TIME", 6), day_of_week=["THURSDAY"]), component("TIME", 60))
    # 3 June 2026 is a Wednesday: in Amsterdam Thursday begins at 22:00 UTC.
    assert price(thursday, Use("23:00").charge(120).segments, AMSTERDAM).total.excl_vat == 66
    assert price(thursday, Use("23:00").charge(120).segments, ZoneInfo("UTC")).total.excl_vat == 120
    dated = tariff(element(component("TIME", 6), start_date="2026-06-04", end_date="2026-06-05"), component("TIME", 60))
    assert price(dated, Use("23:00").charge(27 * 60).segments, AMSTERDAM).total.excl_vat == 60 + 24 * 6 + 2 * 60


@pytest.mark.parametrize(
    ("start", "hours"),
    [(datetime(2026, 3, 28, 23, tzinfo=UTC), 2), (datetime(2026, 10, 24, 22, tzinfo=UTC), 4)],
    ids=["the night that lacks an hour", "the night that has one twice"],
)
def test_clock_changes_are_seen(start, hours):
    """From 0:00 to 3:00 of the local clock: two hours in March, four in October."""
    night = tariff(element(component("TIME", 1), start_time="00:00", end_time="03:00"))
    segment = Segment(start, start + timedelta(hours=8), Decimal(0), charging=True)
    assert price(night, [segment], AMSTERDAM).total.excl_vat == hours


def test_a_current_that_was_not_measured_meets_no_limit():
    terms = tariff(element(component("TIME", 6), min_current=10), component("TIME", 60))
    start = datetime(2026, 6, 3, tzinfo=UTC)
    unknown = Segment(start, start + timedelta(hours=1), Decimal(1), charging=True)
    known = Segment(start, start + timedelta(hours=1), Decimal(1), charging=True, current=Decimal(10))
    assert price(terms, [unknown], AMSTERDAM).total.excl_vat == 60
    assert price(terms, [known], AMSTERDAM).total.excl_vat == 6


# --- properties -------------------------------------------------------------------------------------------------------

amounts = st.integers(0, 500).map(lambda cents: cents / 100)
vats = st.none() | st.integers(0, 25)
clock_times = st.sampled_from(["00:00", "06:30", "12:00", "17:00", "22:00"])


@st.composite
def components(draw):
    kind = draw(st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]))
    return component(kind, draw(amounts), draw(st.sampled_from([1, 60, 300, 500, 900])), draw(vats))


@st.composite
def tariffs(draw):
    optional = {
        "start_time": clock_times,
        "end_time": clock_times,
        "max_kwh": st.integers(1, 60),
        "min_duration": st.integers(0, 7200),
        "max_power": st.integers(1, 50),
        "day_of_week": st.lists(st.sampled_from(["MONDAY", "WEDNESDAY", "SUNDAY"]), unique=True),
    }
    restrictions = st.fixed_dictionaries({}, optional=optional)
    parts = st.lists(components(), min_size=1, max_size=3)
    return tariff(*(element(*draw(parts), **draw(restrictions)) for _ in range(draw(st.integers(1, 4)))))


@st.composite
def uses(draw):
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 525_000)))
    segments = []
    for _ in range(draw(st.integers(1, 6))):
        end = start + timedelta(seconds=draw(st.integers(0, 6 * 3600)))
        charging = draw(st.booleans())
        kwh = Decimal(draw(st.integers(0, 60_000)) if charging else 0) / 1000
        segments.append(Segment(start, end, kwh, charging))
        start = end
    return segments


@settings(max_examples=60, deadline=None)
@given(tariffs(), uses())
def test_parts_add_up_and_pieces_lose_nothing(terms, use):
    bill = Bill(Terms(terms), AMSTERDAM)
    pieces = [piece for segment in use for piece in bill.add(segment)]
    cost = bill.cost()
    assert sum((part.excl_vat for part in cost.parts.values()), Decimal(0)) == cost.total.excl_vat
    if cost.total.incl_vat is not None:
        assert sum((part.incl_vat for part in cost.parts.values()), Decimal(0)) == cost.total.incl_vat
        assert cost.total.incl_vat >= cost.total.excl_vat
    assert sum(piece.kwh for piece in pieces) == sum(segment.kwh for segment in use)
    assert (pieces[0].start, pieces[-1].end) == (use[0].start, use[-1].end)
    assert all(one.end == other.start for one, other in pairwise(pieces))


@settings(max_examples=60, deadline=None)
@given(tariffs(), uses(), st.integers(0, 6))
def test_a_bill_survives_a_restart_at_any_point(terms, use, cut):
    def carried():
        bill = Bill(Terms(terms), AMSTERDAM)
        for number, segment in enumerate(use):
            if number == cut:
                bill = Bill.recalled(Terms(terms), AMSTERDAM, json.loads(json.dumps(bill.memory())))
            bill.add(segment)
        return bill.cost()

    assert carried() == price(terms, use, AMSTERDAM)


@settings(max_examples=60, deadline=None)
@given(amounts, st.sampled_from([1, 25, 500]), st.lists(st.integers(0, 20_000), min_size=2, max_size=6))
def test_more_energy_never_costs_less(amount, step, watt_hours):
    use = Use()
    costs = []
    for wh in watt_hours:
        use.charge(10, wh / 1000)
        costs.append(price(tariff(component("ENERGY", amount, step)), use.segments, AMSTERDAM).total.excl_vat)
    assert costs == sorted(costs)


@settings(max_examples=60, deadline=None)
@given(tariffs(), uses(), st.integers(0, 20), st.integers(0, 20))
def test_the_total_stays_between_minimum_and_maximum(terms, use, low, more):
    bounded = terms | {"min_price": {"excl_vat": low}, "max_price": {"excl_vat": low + more}}
    free, held = price(terms, use, AMSTERDAM), price(bounded, use, AMSTERDAM)
    assert held.total.excl_vat == min(max(free.total.excl_vat, low), low + more)


@settings(max_examples=60, deadline=None)
@given(tariffs(), uses(), st.integers(1, 9))
def test_cutting_a_stretch_in_two_changes_no_price(terms, use, tenths):
    """Where power is what it is: an average over a cut stretch is the same on both sides."""
    share = Decimal(tenths) / 10
    cut = []
    for segment in use:
        middle = segment.start + (segment.end - segment.start) * tenths / 10
        cut.append(Segment(segment.start, middle, segment.kwh * share, segment.charging))
        cut.append(Segment(middle, segment.end, segment.kwh * (1 - share), segment.charging))
    assert abs(price(terms, cut, AMSTERDAM).total.excl_vat - price(terms, use, AMSTERDAM).total.excl_vat) < Decimal(
        "0.01"
    )
