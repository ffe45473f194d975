"""Charging profiles and the limit they make, at an instant and over time (behaviour contract, section 7).

Pure, and the same for every OCPP version. Times are whole Unix seconds of the station's clock. Current limits are per
phase (A), power limits are totals (W).
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

AMPERE, WATT = "A", "W"
# Purposes: the whole station's limit (M), the default of any transaction (D), one transaction's own (T), and a limit
# that neither the CSMS nor the station set (X).
STATION, DEFAULT, TRANSACTION, EXTERNAL = "M", "D", "T", "X"
ABSOLUTE, RECURRING, RELATIVE = "Absolute", "Recurring", "Relative"
RECURRENCE_S = {"Daily": 86_400, "Weekly": 604_800}
NEVER = 1 << 60
MOST_STEPS = 1024  # of one answer: what OCPP 2.0.1's schema allows, and a bound on what one request may cost


class Supply(msgspec.Struct, frozen=True):
    """The electrics of an outlet: nominal volts (DC: of the rated point), phases (DC: 1), and rated maxima."""

    volts: float
    phases: int
    amps: float
    watts: float
    direct: bool = False

    def rated(self, unit: str) -> float:
        return self.amps if unit == AMPERE else self.watts

    def phases_of(self, asked: int) -> int:
        """Rule C1: a limit for more phases than there are holds for those there are."""
        return max(1, min(asked, self.phases))


class Limit(msgspec.Struct, frozen=True):
    """What may be drawn: all three bounds hold at once, `amps` per phase, `watts` in all."""

    amps: float
    watts: float
    phases: int


class Period(msgspec.Struct, frozen=True):
    start: int
    limit: float
    phases: int = 3


class Profile(msgspec.Struct, frozen=True):
    """A charging profile. `place` is the connector or EVSE it was set for, 0 the station; the first period starts at 0.

    `transaction` is the station's own key of the transaction of a T; `source` says who has set an X. `wire` is the
    profile as messages have it.
    """

    profile_id: int
    place: int
    purpose: str
    kind: str
    stack_level: int
    unit: str
    periods: tuple[Period, ...]
    accepted_at: int
    recurrence: str = ""
    starts_at: int | None = None
    duration: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None
    least_rate: float | None = None
    transaction: str = ""
    source: str = ""
    wire: dict[str, Any] = {}

    def is_valid(self, at: int) -> bool:
        return (self.valid_from is None or self.valid_from <= at) and (self.valid_to is None or at < self.valid_to)

    def _anchor(self, at: int, since: int) -> int:
        """When the schedule begins for the first time; `since` is what a relative one counts from."""
        if self.kind == RELATIVE and self.purpose not in (STATION, EXTERNAL):
            return since
        if self.kind != RELATIVE and self.starts_at is not None:
            return self.starts_at
        accepted = min(at, self.accepted_at)  # never in the future, though the CSMS may have set the clock back since
        return accepted if self.kind == RELATIVE else max(accepted, self.valid_from or 0)

    def _run(self, at: int, since: int) -> tuple[int, int, int]:
        """(start, length, start of the next) of the schedule's run that `at` falls in, or of the first one to come."""
        first, length = self._anchor(at, since), NEVER if self.duration is None else self.duration
        if self.kind != RECURRING:
            return first, length, NEVER
        again = RECURRENCE_S[self.recurrence]
        start = first + max(0, (at - first) // again) * again
        return start, min(length, again), start + again

    def period_at(self, at: int, since: int) -> Period | None:
        """The period that gives the value, or None where the profile has nothing to say."""
        start, length, _ = self._run(at, since)
        into = at - start
        if not self.is_valid(at) or not 0 <= into < length:
            return None
        return self.periods[bisect_right(self.periods, into, key=_start) - 1]

    def next_change(self, at: int, since: int) -> int:
        """The first moment after `at` at which `period_at` may give something else; NEVER if there is none."""
        start, length, following = self._run(at, since)
        times = [self.valid_from or 0, self.valid_to or 0, start, start + length, following]
        times.extend(start + period.start for period in self.periods)
        return min((time for time in times if time > at), default=NEVER)


def _start(period: Period) -> int:
    return period.start


class Seat(msgspec.Struct, frozen=True):
    """An outlet as profiles see it. `since`: when its transaction could first take energy, else the time asked."""

    place: int
    supply: Supply
    since: int
    transaction: str = ""


class Cap(msgspec.Struct, frozen=True):
    """The value of one purpose at an instant."""

    limit: float
    unit: str
    phases: int
    least_rate: float

    def to(self, unit: str, supply: Supply) -> float:
        """Rule C1, W = A x V x phases."""
        factor = supply.volts * supply.phases_of(self.phases)
        if self.unit == unit:
            return self.limit
        return self.limit * factor if unit == WATT else self.limit / factor


class Step(NamedTuple):
    """A stretch of a composite schedule; `start` in s after its beginning."""

    start: int
    limit: float
    phases: int


class Schedules:
    """Profiles in competition. `own_default_first`: a default set for the outlet beats one set for the station whatever
    their stack levels (OCPP 1.6); else all defaults compete by stack level alone (2.0.1)."""

    def __init__(self, profiles: Iterable[Profile], *, own_default_first: bool) -> None:
        self.profiles = tuple(profiles)
        self._own_first = own_default_first

    # --- at an instant ----------------------------------------------------------------------------------------------

    def applying(self, seat: Seat, purposes: str) -> list[Profile]:
        return [one for one in self.profiles if one.purpose in purposes and _applies(one, seat)]

    def cap(self, purpose: str, seat: Seat, at: int) -> Cap | None:
        """The value of one purpose at `at`: that of the highest live candidate, None without one."""
        best: tuple[bool, int] | None = None
        found: Cap | None = None
        for profile in self.applying(seat, purpose):
            rank = (self._own_first and profile.place != 0, profile.stack_level)
            if best is not None and rank <= best:
                continue
            period = profile.period_at(at, seat.since)
            if period is not None:
                best, found = rank, _cap(profile, period)
        return found

    def own_cap(self, seat: Seat, at: int) -> Cap | None:
        """What holds for the outlet itself: T where it has a value, else D."""
        return self.cap(TRANSACTION, seat, at) or self.cap(DEFAULT, seat, at)

    def station_caps(self, seat: Seat, at: int) -> list[Cap]:
        """What the whole station may draw: M and X."""
        found = (self.cap(purpose, seat, at) for purpose in (STATION, EXTERNAL))
        return [cap for cap in found if cap is not None]

    def own_limit(self, seat: Seat, at: int) -> Limit:
        """The bounds of the outlet itself; the station's are for its outlets together."""
        supply, cap = seat.supply, self.own_cap(seat, at)
        if cap is None:
            return Limit(supply.amps, supply.watts, supply.phases)
        return Limit(
            min(supply.amps, cap.limit) if cap.unit == AMPERE else supply.amps,
            min(supply.watts, cap.limit) if cap.unit == WATT else supply.watts,
            supply.phases_of(cap.phases),
        )

    def next_change(self, seats: Iterable[Seat], at: int) -> int:
        """The first moment after `at` at which any limit of these outlets may change."""
        return min(
            (one.next_change(at, seat.since) for seat in seats for one in self.profiles if _applies(one, seat)),
            default=NEVER,
        )

    # --- over time --------------------------------------------------------------------------------------------------

    def value_of(self, seat: Seat, at: int, unit: str) -> tuple[float, int]:
        """(limit in the unit, phases) of one outlet, the station's own limits in full (rule C3)."""
        own = self.own_cap(seat, at)
        return _lowest(seat.supply, unit, [*([own] if own else []), *self.station_caps(seat, at)])

    def value_of_all(self, station: Seat, seats: list[Seat], at: int, unit: str) -> tuple[float, int]:
        """Rule C5: the sum over the outlets, capped by the station's own limits."""
        total, phases = 0.0, 1
        for seat in seats:
            own = self.own_cap(seat, at)
            limit, used = _lowest(seat.supply, unit, [own] if own else [])
            total, phases = total + limit, max(phases, used)
        caps = self.station_caps(station, at)
        lowest = min([station.supply.rated(unit), *(cap.to(unit, station.supply) for cap in caps)])
        return min(total, lowest), min([phases, *(station.supply.phases_of(cap.phases) for cap in caps)])

    def composite(self, seat: Seat, start: int, duration: int, unit: str) -> tuple[list[Step], int]:
        """(steps, seconds covered) for one outlet."""
        return _walk(start, duration, lambda at: self.value_of(seat, at, unit), lambda at: self.next_change([seat], at))

    def composite_of_all(
        self, station: Seat, seats: list[Seat], start: int, duration: int, unit: str
    ) -> tuple[list[Step], int]:
        """(steps, seconds covered) for the station; `station` is its main supply as a seat at place 0."""
        everything = [station, *seats]
        return _walk(
            start,
            duration,
            lambda at: self.value_of_all(station, seats, at, unit),
            lambda at: self.next_change(everything, at),
        )

    def usual_unit(self, seats: list[Seat], at: int) -> str:
        """Rule C2: the unit of the profile that ranks highest now, else A for AC and W for DC."""
        for purpose in (TRANSACTION, DEFAULT, STATION, EXTERNAL):
            for seat in seats:
                if cap := self.cap(purpose, seat, at):
                    return cap.unit
        return WATT if any(seat.supply.direct for seat in seats) else AMPERE


def _applies(profile: Profile, seat: Seat) -> bool:
    if profile.purpose == TRANSACTION:
        return bool(seat.transaction) and profile.transaction == seat.transaction
    return profile.place in (0, seat.place)


def _cap(profile: Profile, period: Period) -> Cap:
    return Cap(period.limit, profile.unit, period.phases, profile.least_rate or 0.0)


def _lowest(supply: Supply, unit: str, caps: list[Cap]) -> tuple[float, int]:
    limit = min([supply.rated(unit), *(cap.to(unit, supply) for cap in caps)])
    return limit, min([supply.phases, *(supply.phases_of(cap.phases) for cap in caps)])


def tenths(limit: float) -> float:
    """To one decimal, never above the limit itself."""
    return math.floor(limit * 10 + 1e-6) / 10


def _walk(
    start: int, duration: int, value: Callable[[int], tuple[float, int]], next_change: Callable[[int], int]
) -> tuple[list[Step], int]:
    """From change to change; equal neighbours are one step. After MOST_STEPS it stops, with less covered."""
    steps: list[Step] = []
    at, end = start, start + max(duration, 1)
    for _ in range(MOST_STEPS):
        limit, phases = value(at)
        limit = tenths(limit)
        if not steps or (steps[-1].limit, steps[-1].phases) != (limit, phases):
            steps.append(Step(at - start, limit, phases))
        at = next_change(at)
        if at >= end:
            return steps, duration
    return steps, at - start
