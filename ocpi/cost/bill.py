"""A running bill: what was measured goes in stretch by stretch, the cost can be asked for at any time.

Everything is exact (fractions) until an amount leaves as a `Price`, rounded half-up to four decimals (OCPI contract 6).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any, Self
from zoneinfo import ZoneInfo

from ocpi.cost import clock
from ocpi.cost.tariff import Component, Dimension, Instant, Restriction, Terms, exact

MICROSECOND = timedelta(microseconds=1)
HOUR_SECONDS = 3600
PLACES = 10**4
STEP_UNITS = {Dimension.ENERGY: 1000}  # steps are Wh, volumes kWh; times are s in both


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a session in which energy flowed evenly. `power` in kW and `current` in A (sum of phases) if known.

    `charging` says whether the vehicle took energy; `reserved` marks time before the session.
    """

    start: datetime
    end: datetime
    kwh: Decimal
    charging: bool
    power: Decimal | None = None
    current: Decimal | None = None
    reserved: Restriction | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a segment in which no price changed. `active` names the tariff elements, one per dimension."""

    start: datetime
    end: datetime
    kwh: Fraction
    charging: bool
    reserved: Restriction | None
    active: Mapping[Dimension, int]


@dataclass(frozen=True, slots=True)
class Price:
    """`incl_vat` is None where the tariff does not know every VAT."""

    excl_vat: Decimal
    incl_vat: Decimal | None

    def content(self) -> dict[str, float]:
        """The Price object of OCPI 2.2.1."""
        with_vat = {} if self.incl_vat is None else {"incl_vat": float(self.incl_vat)}
        return {"excl_vat": float(self.excl_vat), **with_vat}


@dataclass(frozen=True, slots=True)
class Cost:
    """`parts` are fixed, energy, time, parking and reservation, those that the tariff has; they add up to `total`
    unless `clamped` by a minimum or maximum price."""

    total: Price
    parts: Mapping[str, Price]
    clamped: bool


@dataclass(slots=True)
class Line:
    """What was used of one component: kWh, s, or times."""

    element: int
    dimension: Dimension
    reserved: bool
    volume: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Amount:
    excl: Fraction = Fraction(0)
    incl: Fraction = Fraction(0)

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.excl + other.excl, self.incl + other.incl)


@dataclass(slots=True)
class Bill:
    """`memory()` and `recalled()` carry it over a restart."""

    terms: Terms
    zone: ZoneInfo
    lines: list[Line] = field(default_factory=list)
    origin: datetime | None = None
    reserved_from: datetime | None = None
    kwh: Fraction = Fraction(0)

    def add(self, segment: Segment) -> list[Piece]:
        """Bills a segment that follows the earlier ones, and says how prices cut it into pieces."""
        if segment.reserved is None:
            self.origin = self.origin or segment.start
        else:
            self.reserved_from = self.reserved_from or segment.start
        pieces = list(self._pieces(segment))
        for piece in pieces:
            self._enter(piece)
        if segment.reserved is None:
            self.kwh += Fraction(segment.kwh)
        return pieces

    def _pieces(self, segment: Segment) -> Iterator[Piece]:
        cuts = [Fraction(0), *self._cuts(segment), Fraction(1)]
        waiting: Piece | None = None
        for low, high in pairwise(cuts):
            piece = self._piece(segment, low, high)
            if waiting is not None and waiting.active == piece.active:
                piece = Piece(
                    waiting.start, piece.end, waiting.kwh + piece.kwh, piece.charging, piece.reserved, piece.active
                )
            elif waiting is not None:
                yield waiting
            waiting = piece
        assert waiting is not None
        yield waiting

    def _cuts(self, segment: Segment) -> list[Fraction]:
        """Where in the segment, as a share of it, a restriction may begin or end to hold."""
        length = seconds(segment.end - segment.start)
        found: set[Fraction] = set()
        if length:
            moments = clock.changes(segment.start, segment.end, self.zone, self.terms.clock_changes)
            found.update(seconds(moment - segment.start) / length for moment in moments)
            passed = seconds(segment.start - self._counting_from(segment))
            found.update((limit - passed) / length for limit in self.terms.thresholds["duration"])
        if segment.kwh and segment.reserved is None:
            found.update((limit - self.kwh) / Fraction(segment.kwh) for limit in self.terms.thresholds["kwh"])
        return sorted(cut for cut in found if 0 < cut < 1)

    def _counting_from(self, segment: Segment) -> datetime:
        return (self.origin if segment.reserved is None else self.reserved_from) or segment.start

    def _piece(self, segment: Segment, low: Fraction, high: Fraction) -> Piece:
        """Judged at its middle: no restriction changes within it."""
        whole = segment.end - segment.start
        start, end = _after(segment.start, whole, low), _after(segment.start, whole, high)
        middle = (low + high) / 2
        energy = Fraction(segment.kwh)
        before = seconds(segment.start - self._counting_from(segment))
        at = Instant(
            local=_after(segment.start, whole, middle).astimezone(self.zone),
            elapsed=before + middle * seconds(whole),
            kwh=self.kwh + middle * energy,
            power=_power(segment),
            current=None if segment.current is None else Fraction(segment.current),
        )
        active: dict[Dimension, int] = {}
        for dimension in _dimensions(segment):
            element = self.terms.active(dimension, at, segment.reserved)
            if element is not None:
                active[dimension] = element
        return Piece(start, end, (high - low) * energy, segment.charging, segment.reserved, active)

    def _enter(self, piece: Piece) -> None:
        length = seconds(piece.end - piece.start)
        reserved = piece.reserved is not None
        for dimension, element in piece.active.items():
            if dimension is Dimension.FLAT:
                if not any(line.dimension is dimension and line.reserved == reserved for line in self.lines):
                    self.lines.append(Line(element, dimension, reserved, Fraction(1)))
                continue
            volume = piece.kwh if dimension is Dimension.ENERGY else length
            if volume:
                self._raise(element, dimension, reserved, volume)

    def _raise(self, element: int, dimension: Dimension, reserved: bool, volume: Fraction) -> None:
        """Lines stand in the order of their last use: the last one's step and price decide the rounding."""
        for number, line in enumerate(self.lines):
            if (line.element, line.dimension, line.reserved) == (element, dimension, reserved):
                line.volume += volume
                self.lines.append(self.lines.pop(number))
                return
        self.lines.append(Line(element, dimension, reserved, volume))

    # --- what it comes to ---------------------------------------------------------------------------------------------

    def cost(self) -> Cost:
        amounts = {name: Amount() for name in self._part_names()}
        for line in self.lines:
            name = part_of(line)
            amounts[name] = amounts[name] + self._amount(line, line.volume)
        for line, surplus in self._surpluses():
            name = part_of(line)
            amounts[name] = amounts[name] + self._amount(line, surplus)
        with_vat = self.terms.all_with_vat
        total = sum(amounts.values(), Amount())
        clamped = self._clamped(total)
        parts = _rounded_parts(amounts, with_vat)
        return Cost(_price(clamped, with_vat), parts, clamped != total)

    def _part_names(self) -> list[str]:
        named = {
            "fixed": Dimension.FLAT,
            "energy": Dimension.ENERGY,
            "time": Dimension.TIME,
            "parking": Dimension.PARKING_TIME,
        }
        names = [name for name, dimension in named.items() if self.terms.has(dimension)]
        return [*names, "reservation"] if self.terms.prices_reservations else names

    def component(self, line: Line) -> Component:
        return self.terms.elements[line.element].components[line.dimension]

    def _amount(self, line: Line, volume: Fraction) -> Amount:
        component = self.component(line)
        per = HOUR_SECONDS if line.dimension in (Dimension.TIME, Dimension.PARKING_TIME) else 1
        excl = component.price * volume / per
        return Amount(excl, excl * (1 + (component.vat or Fraction(0)) / 100))

    def _surpluses(self) -> Iterator[tuple[Line, Fraction]]:
        """What rounding up to whole steps adds, and the line that bears it (OCPI contract 6, rule 4)."""
        groups = (
            [line for line in self.lines if line.dimension is Dimension.ENERGY],
            [line for line in self.lines if _is_time(line) and not line.reserved],
            [line for line in self.lines if _is_time(line) and line.reserved],
        )
        for group in groups:
            if group:
                last = group[-1]
                unit = STEP_UNITS.get(last.dimension, 1)
                volumes = (line.volume for line in group if line.dimension is last.dimension)
                used = sum(volumes, Fraction(0)) * unit
                step = self.component(last).step
                yield last, (-(-used // step) * step - used) / unit

    def _clamped(self, total: Amount) -> Amount:
        low, high = self.terms.bounds["min_price"], self.terms.bounds["max_price"]
        return Amount(
            _between(total.excl, _bound(low, "excl_vat"), _bound(high, "excl_vat")),
            _between(total.incl, _bound(low, "incl_vat"), _bound(high, "incl_vat")),
        )

    # --- over a restart -----------------------------------------------------------------------------------------------

    def memory(self) -> dict[str, Any]:
        """JSON from which `recalled` makes the same bill, given the same tariff and zone."""
        return {
            "lines": [[line.element, str(line.dimension), line.reserved, str(line.volume)] for line in self.lines],
            "origin": self.origin and self.origin.isoformat(),
            "reserved_from": self.reserved_from and self.reserved_from.isoformat(),
            "kwh": str(self.kwh),
        }

    @classmethod
    def recalled(cls, terms: Terms, zone: ZoneInfo, memory: Mapping[str, Any] | None) -> Self:
        if not memory:
            return cls(terms, zone)
        return cls(
            terms,
            zone,
            [Line(number, Dimension(name), reserved, Fraction(v)) for number, name, reserved, v in memory["lines"]],
            datetime.fromisoformat(memory["origin"]) if memory["origin"] else None,
            datetime.fromisoformat(memory["reserved_from"]) if memory["reserved_from"] else None,
            Fraction(memory["kwh"]),
        )


def price(tariff: Mapping[str, Any], segments: Iterable[Segment], zone: ZoneInfo) -> Cost:
    """The cost of what was measured, by a tariff in the words of OCPI 2.2.1."""
    bill = Bill(Terms(tariff), zone)
    for segment in segments:
        bill.add(segment)
    return bill.cost()


def seconds(span: timedelta) -> Fraction:
    return Fraction(span // MICROSECOND, 10**6)


def _after(start: datetime, whole: timedelta, share: Fraction) -> datetime:
    if share == 1:
        return start + whole
    return start + timedelta(microseconds=round(share * (whole // MICROSECOND)))


def _power(segment: Segment) -> Fraction | None:
    """As measured; else the average."""
    if segment.power is not None:
        return Fraction(segment.power)
    length = seconds(segment.end - segment.start)
    return Fraction(segment.kwh) * HOUR_SECONDS / length if length else None


def _dimensions(segment: Segment) -> tuple[Dimension, ...]:
    if segment.reserved is not None:
        return Dimension.FLAT, Dimension.TIME
    return Dimension.FLAT, Dimension.ENERGY, Dimension.TIME if segment.charging else Dimension.PARKING_TIME


def part_of(line: Line) -> str:
    if line.reserved:
        return "reservation"
    return {
        Dimension.FLAT: "fixed",
        Dimension.ENERGY: "energy",
        Dimension.TIME: "time",
        Dimension.PARKING_TIME: "parking",
    }[line.dimension]


def _is_time(line: Line) -> bool:
    return line.dimension in (Dimension.TIME, Dimension.PARKING_TIME)


def _bound(limit: Mapping[str, Any] | None, name: str) -> Fraction | None:
    value = (limit or {}).get(name)
    return None if value is None else exact(value)


def _between(value: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    if low is not None:
        value = max(value, low)
    return value if high is None else min(value, high)


def rounded(value: Fraction) -> Decimal:
    """Half up, to four decimals."""
    scaled = value * PLACES
    units = (2 * abs(scaled.numerator) + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(units if value >= 0 else -units) / PLACES


def _price(amount: Amount, with_vat: bool) -> Price:
    return Price(rounded(amount.excl), rounded(amount.incl) if with_vat else None)


def _rounded_parts(amounts: Mapping[str, Amount], with_vat: bool) -> dict[str, Price]:
    """Each rounded; the largest takes the ten-thousandth by which their sum may miss the rounded total."""
    excl = _adding_up({name: amount.excl for name, amount in amounts.items()})
    incl = _adding_up({name: amount.incl for name, amount in amounts.items()})
    return {name: Price(excl[name], incl[name] if with_vat else None) for name in amounts}


def _adding_up(exact_parts: Mapping[str, Fraction]) -> dict[str, Decimal]:
    parts = {name: rounded(value) for name, value in exact_parts.items()}
    if parts:
        largest = max(parts, key=lambda name: parts[name])
        parts[largest] += rounded(sum(exact_parts.values(), Fraction(0))) - sum(parts.values())
    return parts
