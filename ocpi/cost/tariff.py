"""A tariff object of OCPI 2.2.1, read into what the bill asks of it: which component is active when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

DAY_MINUTES = 24 * 60
WEEKDAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


class Dimension(StrEnum):
    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class Restriction(StrEnum):
    """What an element's `reservation` restriction says; also what a stretch of time before a session was."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


@dataclass(frozen=True, slots=True)
class Instant:
    """The state that restrictions are judged by. `elapsed` in s and `kwh` count from the start of the session."""

    local: datetime
    elapsed: Fraction
    kwh: Fraction
    power: Fraction | None
    current: Fraction | None


def exact(value: Any) -> Fraction:
    """A JSON number as it was written: 0.1 is a tenth."""
    return Fraction(Decimal(str(value)))


def minutes(text: str) -> int:
    """Minutes since midnight of an `HH:MM`."""
    hours, _, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


@dataclass(frozen=True, slots=True)
class Component:
    """`price` is per kWh, per hour or once, without VAT; `vat` in percent; `step` in Wh or s."""

    dimension: Dimension
    price: Fraction
    vat: Fraction | None
    step: int

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        vat = content.get("vat")
        return cls(
            Dimension(content["type"]),
            exact(content["price"]),
            None if vat is None else exact(vat),
            max(1, int(content.get("step_size", 1))),
        )


class Element:
    """One tariff element: its components by dimension, and the question whether its restrictions hold."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.components: dict[Dimension, Component] = {}
        for one in content["price_components"]:
            component = Component.read(one)
            self.components.setdefault(component.dimension, component)
        self._restrictions: Mapping[str, Any] = content.get("restrictions") or {}
        reserved = self._restrictions.get("reservation")
        self.reservation = Restriction(reserved) if reserved else None

    def holds(self, at: Instant) -> bool:
        """Whether all its restrictions hold at this instant; that of reservation apart."""
        return (
            self._clock_holds(at.local)
            and self._calendar_holds(at.local)
            and self._within("kwh", at.kwh)
            and self._within("duration", at.elapsed)
            and self._within("power", at.power)
            and self._within("current", at.current)
        )

    def _within(self, quantity: str, value: Fraction | None) -> bool:
        """From min (inclusive) to max (exclusive); what was not measured satisfies no limit."""
        low, high = self._restrictions.get(f"min_{quantity}"), self._restrictions.get(f"max_{quantity}")
        if low is None and high is None:
            return True
        return value is not None and (low is None or value >= exact(low)) and (high is None or value < exact(high))

    def _clock_holds(self, local: datetime) -> bool:
        start = minutes(self._restrictions.get("start_time") or "00:00")
        end = minutes(self._restrictions.get("end_time") or "00:00") or DAY_MINUTES
        now = local.hour * 60 + local.minute
        if start < end:
            return start <= now < end
        return now >= start or now < end  # over midnight

    def _calendar_holds(self, local: datetime) -> bool:
        today = local.date()
        first, last = self._restrictions.get("start_date"), self._restrictions.get("end_date")
        if first is not None and today < date.fromisoformat(first):
            return False
        if last is not None and today >= date.fromisoformat(last):
            return False
        days = self._restrictions.get("day_of_week")
        return not days or WEEKDAYS[today.weekday()] in days

    def thresholds(self, quantity: str) -> list[Fraction]:
        """Where its limits of kwh or duration lie."""
        limits = (self._restrictions.get(f"min_{quantity}"), self._restrictions.get(f"max_{quantity}"))
        return [exact(limit) for limit in limits if limit is not None]

    def clock_changes(self) -> set[int]:
        """Minutes of the local day at which its restrictions may change."""
        if self._restrictions.keys().isdisjoint({"start_time", "end_time", "start_date", "end_date", "day_of_week"}):
            return set()
        times = (self._restrictions.get("start_time"), self._restrictions.get("end_time"))
        return {0} | {minutes(text) for text in times if text}


class Terms:
    """A whole tariff. Raises KeyError or ValueError for an object that is none."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.elements: Sequence[Element] = [Element(one) for one in content["elements"]]
        self.bounds = {name: content.get(name) for name in ("min_price", "max_price")}
        self.clock_changes: set[int] = set().union(*(element.clock_changes() for element in self.elements))
        self.thresholds = {
            quantity: sorted({limit for element in self.elements for limit in element.thresholds(quantity)})
            for quantity in ("kwh", "duration")
        }

    @property
    def all_with_vat(self) -> bool:
        components = [one for element in self.elements for one in element.components.values()]
        return all(one.vat is not None for one in components)

    def has(self, dimension: Dimension, *, reserved: bool = False) -> bool:
        return any(dimension in one.components and (one.reservation is not None) == reserved for one in self.elements)

    @property
    def prices_reservations(self) -> bool:
        return any(element.reservation is not None for element in self.elements)

    def active(self, dimension: Dimension, at: Instant, reserved: Restriction | None) -> int | None:
        """The number of the first element with this dimension whose restrictions hold; None: it is free.

        An expired reservation falls back on what a reservation costs, per dimension (OCPI contract 6, rule 8).
        """
        wanted: list[Restriction | None] = [reserved]
        if reserved is Restriction.RESERVATION_EXPIRES:
            wanted.append(Restriction.RESERVATION)
        for kind in wanted:
            for number, element in enumerate(self.elements):
                if element.reservation is kind and dimension in element.components and element.holds(at):
                    return number
        return None
