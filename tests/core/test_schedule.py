"""The composite schedule: which profile gives the limit, when, and how outlets share it (behaviour contract, 7)."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.physical.schedule import (
    AMPERE,
    DEFAULT,
    EXTERNAL,
    MOST_STEPS,
    STATION,
    TRANSACTION,
    WATT,
    Period,
    Profile,
    Schedules,
    Seat,
    Supply,
)
from simulator.core.physical.sharing import Claim, shared

T0 = 1_775_121_300  # a Thursday, 09:15 UTC
DAY = 86_400
THREE_PHASE = Supply(230.0, 3, 32.0, 22_080.0)
BOTH = Supply(230.0, 3, 64.0, 29_440.0)
ONE_PHASE = Supply(230.0, 1, 32.0, 7_360.0)
FAST = Supply(500.0, 1, 300.0, 150_000.0, direct=True)
Periods = list[tuple[int, float]]


def profile(purpose: str, periods: Periods, **fields: Any) -> Profile:
    usual: dict[str, Any] = {
        "profile_id": 1,
        "place": 0 if purpose in (STATION, EXTERNAL) else 1,
        "kind": "Absolute",
        "stack_level": 0,
        "unit": AMPERE,
        "accepted_at": T0,
        "transaction": "tx" if purpose == TRANSACTION else "",
    }
    made = tuple(Period(start, limit, fields.get("phases", 3)) for start, limit in periods)
    fields.pop("phases", None)
    return Profile(purpose=purpose, periods=made, **(usual | fields))


def seat(supply: Supply = THREE_PHASE, *, transaction: str = "tx", since: int = T0) -> Seat:
    return Seat(1, supply, since, transaction)


def composite(profiles: list[Profile], duration: int, unit: str = AMPERE, **where: Any) -> Periods:
    own_first = where.pop("own_default_first", True)
    start = where.pop("start", T0)
    schedules = Schedules(profiles, own_default_first=own_first)
    steps, covered = schedules.composite(seat(**where), start, duration, unit)
    assert covered == duration
    return [(step.start, step.limit) for step in steps]


def test_the_worked_check_of_the_contract() -> None:
    profiles = [
        profile(STATION, [(0, 20)]),
        profile(DEFAULT, [(0, 16), (120, 10), (300, 25)], duration=600),
        profile(TRANSACTION, [(0, 12), (60, 32)], duration=200),
    ]
    assert composite(profiles, 500) == [(0, 12), (60, 20), (200, 10), (300, 20)]


def test_without_a_profile_the_outlet_offers_what_it_is_rated_for() -> None:
    assert composite([], 60) == [(0, 32)]
    assert composite([], 60, WATT) == [(0, 22_080)]
    assert composite([], 60, WATT, supply=FAST) == [(0, 150_000)]


def test_current_is_per_phase_and_power_is_a_total() -> None:
    assert composite([profile(DEFAULT, [(0, 10)])], 60, WATT) == [(0, 6_900)]
    assert composite([profile(DEFAULT, [(0, 11_040)], unit=WATT)], 60) == [(0, 16)]
    assert composite([profile(DEFAULT, [(0, 10)], phases=1)], 60, WATT) == [(0, 2_300)]
    assert composite([profile(DEFAULT, [(0, 50_000)], unit=WATT)], 60, supply=FAST) == [(0, 100)]


def test_more_phases_than_there_are_keep_the_current_of_each() -> None:
    assert composite([profile(DEFAULT, [(0, 16)])], 60, supply=ONE_PHASE) == [(0, 16)]
    assert composite([profile(DEFAULT, [(0, 16)])], 60, WATT, supply=ONE_PHASE) == [(0, 3_680)]


def test_units_are_mixed_before_the_lowest_wins() -> None:
    profiles = [profile(STATION, [(0, 6_900), (30, 20_000)], unit=WATT), profile(DEFAULT, [(0, 16)])]
    assert composite(profiles, 60) == [(0, 10), (30, 16)]
    assert composite(profiles, 60, WATT) == [(0, 6_900), (30, 11_040)]


def test_a_limit_is_told_in_tenths_and_never_too_high() -> None:
    assert composite([profile(DEFAULT, [(0, 7_361)], unit=WATT)], 60) == [(0, 10.6)]
    assert composite([profile(DEFAULT, [(0, 21.4)])], 60) == [(0, 21.4)]


def test_the_higher_stack_level_wins_while_it_lives_and_the_next_takes_over() -> None:
    low, high = profile(DEFAULT, [(0, 10)]), profile(DEFAULT, [(0, 20), (30, 15)], stack_level=1, duration=60)
    assert composite([low, high], 100) == [(0, 20), (30, 15), (60, 10)]


def test_a_high_one_without_an_end_hides_the_lower_ones_for_ever() -> None:
    low, high = profile(DEFAULT, [(0, 10)]), profile(DEFAULT, [(0, 20)], stack_level=1)
    assert composite([low, high], 10 * DAY) == [(0, 20)]


def test_a_profile_lives_from_valid_from_to_before_valid_to() -> None:
    one = profile(DEFAULT, [(0, 10)], valid_from=T0 + 20, valid_to=T0 + 50)
    assert composite([one], 100) == [(0, 32), (20, 10), (50, 32)]


def test_an_absolute_one_counts_from_its_start_and_the_past_collapses() -> None:
    one = profile(DEFAULT, [(0, 10), (60, 12), (120, 14)], starts_at=T0 - 90)
    assert composite([one], 100) == [(0, 12), (30, 14)]
    assert composite([profile(DEFAULT, [(0, 10)], starts_at=T0 + 40)], 100) == [(0, 32), (40, 10)]


def test_a_period_beyond_the_duration_never_counts() -> None:
    assert composite([profile(DEFAULT, [(0, 10), (60, 12)], duration=60)], 100) == [(0, 10), (60, 32)]


@pytest.mark.parametrize(("recurrence", "length"), [("Daily", DAY), ("Weekly", 7 * DAY)])
def test_a_recurring_one_begins_again(recurrence: str, length: int) -> None:
    one = profile(
        DEFAULT, [(0, 10), (3600, 16)], kind="Recurring", recurrence=recurrence, starts_at=T0 - 3 * length - 1800
    )
    assert composite([one], length) == [(0, 10), (1800, 16), (length - 1800, 10)]


def test_a_recurring_one_never_runs_longer_than_its_recurrence() -> None:
    one = profile(DEFAULT, [(0, 10), (DAY, 6)], kind="Recurring", recurrence="Daily", starts_at=T0, duration=2 * DAY)
    assert composite([one], 3 * DAY) == [(0, 10)]
    short = profile(DEFAULT, [(0, 10)], kind="Recurring", recurrence="Daily", starts_at=T0, duration=3600)
    assert composite([short], DAY + 60) == [(0, 10), (3600, 32), (DAY, 10)]


def test_a_relative_one_counts_from_the_transaction_or_from_the_question() -> None:
    one = profile(DEFAULT, [(0, 10), (60, 16)], kind="Relative")
    assert composite([one], 100, since=T0 - 20) == [(0, 10), (40, 16)]
    assert composite([one], 100, start=T0 + 500, since=T0 + 500, transaction="") == [(0, 10), (60, 16)]


def test_a_transaction_profile_is_only_for_its_transaction() -> None:
    one = profile(TRANSACTION, [(0, 10)])
    assert composite([one], 60, transaction="another") == [(0, 32)]
    assert composite([one], 60, transaction="") == [(0, 32)]


def test_an_outlets_own_default_beats_the_stations_in_one_version_and_the_stack_level_in_the_other() -> None:
    station = profile(DEFAULT, [(0, 20)], place=0, stack_level=5)
    own = profile(DEFAULT, [(0, 10)], place=1, stack_level=1, duration=30)
    assert composite([station, own], 60, own_default_first=True) == [(0, 10), (30, 20)]
    assert composite([station, own], 60, own_default_first=False) == [(0, 20)]


def test_an_external_limit_counts_beside_the_stations() -> None:
    profiles = [profile(STATION, [(0, 20)]), profile(EXTERNAL, [(0, 16)], duration=30)]
    assert composite(profiles, 60) == [(0, 16), (30, 20)]


def test_the_station_offers_the_sum_capped_by_its_own_limit() -> None:
    profiles = [
        profile(DEFAULT, [(0, 10)], place=1, duration=60),
        profile(STATION, [(0, 50)]),
    ]
    schedules = Schedules(profiles, own_default_first=True)
    seats = [Seat(1, THREE_PHASE, T0), Seat(2, ONE_PHASE, T0)]
    main = Seat(0, BOTH, T0)
    steps, _ = schedules.composite_of_all(main, seats, T0, 100, AMPERE)
    assert [(step.start, step.limit) for step in steps] == [(0, 42), (60, 50)]


def test_the_unit_is_that_of_the_profile_that_ranks_highest() -> None:
    def unit(profiles: list[Profile], supply: Supply = THREE_PHASE) -> str:
        return Schedules(profiles, own_default_first=True).usual_unit([seat(supply)], T0)

    assert unit([]) == AMPERE
    assert unit([], FAST) == WATT
    assert unit([profile(STATION, [(0, 20)], unit=WATT), profile(DEFAULT, [(0, 20)])]) == AMPERE
    assert unit([profile(STATION, [(0, 20)], unit=WATT)]) == WATT


def test_an_answer_has_a_bound() -> None:
    periods = [(minute * 60, 10.0 + minute % 2) for minute in range(48)]
    one = profile(DEFAULT, periods, kind="Recurring", recurrence="Daily", starts_at=T0)
    schedules = Schedules([one], own_default_first=True)
    steps, covered = schedules.composite(seat(), T0, 2**31 - 1, AMPERE)
    assert len(steps) <= MOST_STEPS
    assert steps[-1].start < covered < 2**31 - 1


# --- any profiles at all ----------------------------------------------------------------------------------------------


def naive(profiles: list[Profile], where: Seat, at: int, purpose: str, own_first: bool) -> float | None:
    """Contract 7, steps 1 to 5, word by word and without any cleverness: the A value of one purpose, or None."""
    candidates = []
    for one in profiles:
        if one.purpose != purpose or (purpose == TRANSACTION and one.transaction != where.transaction):
            continue
        begins = one.accepted_at if one.starts_at is None else one.starts_at
        if one.starts_at is None and one.valid_from is not None:
            begins = max(begins, one.valid_from)
        if one.kind == "Relative":
            begins = one.accepted_at if purpose in (STATION, EXTERNAL) else where.since
        length = one.duration if one.duration is not None else 10**12
        if one.kind == "Recurring":
            again = DAY if one.recurrence == "Daily" else 7 * DAY
            length = min(length, again)
            while begins + again <= at:
                begins += again
        alive = (one.valid_from or 0) <= at < (one.valid_to or 10**12)
        if alive and 0 <= at - begins < length:
            limit = [period.limit for period in one.periods if period.start <= at - begins][-1]
            amps = limit if one.unit == AMPERE else limit / (230 * 3)
            candidates.append((own_first and one.place != 0, one.stack_level, amps))
    return max(candidates, key=lambda one: one[:2])[2] if candidates else None


moments = st.integers(T0 - 2000, T0 + 2000)
starts = st.lists(st.integers(1, 1500), max_size=5, unique=True).map(lambda tail: [0, *sorted(tail)])


@st.composite
def any_profile(draw: st.DrawFn) -> Profile:
    purpose = draw(st.sampled_from([STATION, DEFAULT, TRANSACTION, EXTERNAL]))
    unit = draw(st.sampled_from([AMPERE, WATT]))
    factor = 1 if unit == AMPERE else 690
    periods = [(start, draw(st.integers(0, 40)) * factor) for start in draw(starts)]
    kind = draw(st.sampled_from(["Absolute", "Recurring", "Relative"]))
    return profile(
        purpose,
        periods,
        unit=unit,
        kind=kind,
        recurrence=draw(st.sampled_from(["Daily", "Weekly"])) if kind == "Recurring" else "",
        place=draw(st.sampled_from([0, 1])) if purpose == DEFAULT else 0 if purpose in (STATION, EXTERNAL) else 1,
        starts_at=None if kind == "Relative" else draw(st.none() | moments | st.integers(T0 - 9 * DAY, T0)),
        duration=draw(st.none() | st.integers(1, 2000)),
        valid_from=draw(st.none() | moments),
        valid_to=draw(st.none() | moments),
    )


def numbered(profiles: list[Profile]) -> list[Profile]:
    """Stack levels without a tie, as the rules for setting them see to."""
    return [
        Profile(**{name: getattr(one, name) for name in one.__struct_fields__} | {"stack_level": level})
        for level, one in enumerate(profiles)
    ]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    profiles=st.lists(any_profile(), max_size=8).map(numbered),
    ats=st.lists(st.integers(0, 3000), min_size=1, max_size=20),
    own_first=st.booleans(),
    since=st.integers(T0 - 1000, T0),
)
def test_the_answer_is_what_each_instant_gives(
    profiles: list[Profile], ats: list[int], own_first: bool, since: int
) -> None:
    where = seat(since=since)
    steps, covered = Schedules(profiles, own_default_first=own_first).composite(where, T0, 3001, AMPERE)
    assert covered == 3001
    assert steps[0].start == 0
    assert all(earlier.start < later.start for earlier, later in itertools.pairwise(steps))
    assert all(earlier.limit != later.limit for earlier, later in itertools.pairwise(steps))
    for at in ats:
        told = [step.limit for step in steps if step.start <= at][-1]
        values = {purpose: naive(profiles, where, T0 + at, purpose, own_first) for purpose in "MDTX"}
        if values[TRANSACTION] is not None:
            values[DEFAULT] = None
        live = [value for value in values.values() if value is not None]
        assert all(told <= value + 1e-6 for value in live)
        assert told == pytest.approx(min([32.0, *live]), abs=0.1)


# --- sharing ----------------------------------------------------------------------------------------------------------


def claim(wants: float, most: float = 32.0) -> Claim:
    return Claim(6.0, wants, most)


def test_all_get_the_same_and_who_takes_less_frees_the_rest() -> None:
    assert shared(30, [claim(32), claim(32)]) == [15, 15]
    assert shared(30, [claim(32), claim(10)]) == [20, 10]
    assert shared(30, [claim(32), claim(2)]) == [24, 6]
    assert shared(30, [claim(16)]) == [30]


def test_who_would_get_too_little_waits() -> None:
    assert shared(16, [claim(32), claim(32), claim(32)]) == [8, 8, 0]
    assert shared(5, [claim(32)]) == [0]
    assert shared(0, [claim(32), claim(0)]) == [0, 0]


def test_a_car_that_takes_nothing_is_still_offered_the_least() -> None:
    assert shared(12, [claim(32), claim(0)]) == [12, 6]
    assert shared(40, [claim(16), claim(0)]) == [20, 20]


@given(
    total=st.floats(0, 200),
    claims=st.lists(st.tuples(st.floats(1, 40), st.floats(6, 40)).map(lambda one: claim(*one)), max_size=6),
)
def test_shares_never_add_up_to_more_than_there_is(total: float, claims: list[Claim]) -> None:
    given_out = shared(total, claims)
    assert sum(given_out) <= total + 1e-6
    assert all(got <= one.most + 1e-9 for got, one in zip(given_out, claims, strict=True))
    assert all(got == 0 or got >= 6 - 1e-9 for got in given_out)
