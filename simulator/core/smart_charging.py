"""Charging profiles at work, whatever a version calls them: kept, applied to what the outlets offer, pictured.

The rules are those of the behaviour contract, section 7. A version subclasses `SmartCharging` and words its messages.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, ClassVar

import msgspec

from simulator.core import timestamps
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector
from simulator.core.physical.schedule import (
    AMPERE,
    NEVER,
    TRANSACTION,
    WATT,
    Cap,
    Limit,
    Period,
    Profile,
    Schedules,
    Seat,
    Step,
    Supply,
)
from simulator.core.physical.sharing import Claim, shared

SECTION = "charging_profiles"
AWAITED = "awaited_profiles"
EXTERNAL_LIMIT = "external_limit"
MOST_PHASES = 3
SHARE_AGAIN_S = 30.0  # how often outlets that share a limit are asked what their cars take
LATE_S = 0.05  # a boundary is looked at just after it, so that rounding never makes it come twice


class Composite(msgspec.Struct, frozen=True):
    """A composite schedule from `start` (Unix seconds) on; `covered` seconds of what was asked."""

    start: int
    covered: int
    unit: str
    steps: list[Step]


class SmartCharging(Block):
    own_default_first: ClassVar[bool]

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        external = station.store.get(EXTERNAL_LIMIT)
        self._external = msgspec.convert(external, Profile) if external else None
        self.profiles = tuple(msgspec.convert(one, Profile) for one in station.store.get(SECTION, []))
        self._saved = self.profiles
        # Profiles of remote starts, by outlet, until their transactions begin.
        self.awaited: dict[str, dict[str, Any]] = dict(station.store.get(AWAITED, {}))
        self._changes_at = NEVER
        self._share_at: float | None = None

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All that the CSMS has installed. Replaced, never changed in place."""
        return self._kept

    @profiles.setter
    def profiles(self, profiles: tuple[Profile, ...]) -> None:
        self._kept: tuple[Profile, ...] = profiles
        self._set_up()

    @property
    def external(self) -> Profile | None:
        """The limit that neither the CSMS nor the station has set: the CSMS can neither replace nor clear it."""
        return self._external

    @external.setter
    def external(self, profile: Profile | None) -> None:
        self._external = profile
        self._set_up()
        if profile is None:
            self.station.store.delete(EXTERNAL_LIMIT)
        else:
            self.station.store.put(EXTERNAL_LIMIT, msgspec.to_builtins(profile))

    def _set_up(self) -> None:
        from_outside = () if self._external is None else (self._external,)
        self.schedules = Schedules((*self._kept, *from_outside), own_default_first=self.own_default_first)

    def cleared(self, matches: Callable[[Profile], bool]) -> dict[str, Any]:
        """The answer to ClearChargingProfile, once those are gone."""
        kept = tuple(one for one in self.profiles if not matches(one))
        found = len(kept) < len(self.profiles)
        if found:
            self.profiles = kept
        return {"status": "Accepted" if found else "Unknown"}

    def save(self) -> None:
        if self._saved is not self._kept:
            self._saved = self._kept
            self.station.store.put(SECTION, [msgspec.to_builtins(one) for one in self._kept])
        if self.awaited or self.station.store.get(AWAITED):
            self.station.store.put(AWAITED, dict(self.awaited))

    @property
    def clock(self) -> int:
        """Profiles count in whole seconds of the station's clock."""
        return int(self.station.clock)

    @abstractmethod
    def place_of(self, connector: Connector) -> int:
        """The number that profiles name this outlet by."""

    @abstractmethod
    def bind(self, wire: dict[str, Any], connector: Connector) -> None:
        """Installs a profile, as a remote start brought it, for the transaction that runs at this outlet."""

    def since_of(self, connector: Connector) -> float:
        """When the running transaction could first take energy."""
        assert connector.running is not None
        return connector.running.at

    def seat(self, connector: Connector, now: int) -> Seat:
        running = connector.running
        since = now if running is None else min(now, int(self.since_of(connector)))
        return Seat(self.place_of(connector), connector.supply, since, running.key if running else "")

    def main_seat(self, now: int) -> Seat:
        """The station's main supply: of the most phases any outlet has, and of all of them together."""
        supplies = [connector.supply for connector in self.one_per_place(self.station.connectors)]
        widest = max(supplies, key=lambda one: (one.direct, one.phases))
        amps, watts = sum(one.amps for one in supplies), sum(one.watts for one in supplies)
        spare = sum(one.watts for one in supplies if one.direct) - self.station.setup.shared_power_w
        if self.station.setup.shared_power_w and spare > 0:
            amps, watts = amps - spare / widest.volts, watts - spare
        return Seat(0, Supply(widest.volts, widest.phases, amps, watts, widest.direct), now)

    def one_per_place(self, connectors: list[Connector]) -> list[Connector]:
        """Of the outlets that share a place one, since only one can be in use: that which is, else the strongest."""
        chosen: dict[int, Connector] = {}
        for one in sorted(connectors, key=lambda one: (one.running is None, -one.supply.watts)):
            chosen.setdefault(self.place_of(one), one)
        return [one for one in connectors if chosen[self.place_of(one)] is one]

    # --- with a remote start ----------------------------------------------------------------------------------------

    def await_start(self, connector: Connector, wire: dict[str, Any] | None) -> None:
        """The next transaction at this outlet has this profile, or none."""
        if wire is None:
            self.awaited.pop(str(connector.number), None)
        else:
            self.awaited[str(connector.number)] = wire

    def transaction_started(self, connector: Connector) -> None:
        """The profile of the remote start becomes the transaction's; limits hold from its first moment."""
        wire = self.awaited.pop(str(connector.number), None)
        if wire is not None:
            self.bind(wire, connector)
        self.apply()

    # --- GetCompositeSchedule ---------------------------------------------------------------------------------------

    def composite(self, place: int, duration: int, unit: str | None) -> Composite | None:
        """The limits of one place, or for 0 of the station, for so many seconds from now; None without such a place."""
        asked = [one for one in self.station.connectors if place in (0, self.place_of(one))]
        if not asked:
            return None
        now = self.clock
        seats = [self.seat(connector, now) for connector in self.one_per_place(asked)]
        main = self.main_seat(now)
        unit = unit or self.schedules.usual_unit([*seats, main], now)
        if place == 0:
            steps, covered = self.schedules.composite_of_all(main, seats, now, duration, unit)
        else:
            steps, covered = self.schedules.composite(seats[0], now, duration, unit)
        return Composite(now, covered, unit, steps)

    # --- effect -----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        if self.awaited:
            waiting = {str(one.number) for one in self.station.connectors if one.grant is not None}
            self.awaited = {number: wire for number, wire in self.awaited.items() if number in waiting}
        if self._kept:
            self._purge()
        self.apply()

    def _purge(self) -> None:
        """A transaction's profiles die with it, and any with their validTo (rule C10)."""
        now = self.clock
        running = {one.running.key for one in self.station.connectors if one.running is not None}
        gone = [one for one in self._kept if _is_over(one, now, running)]
        if gone:
            self.profiles = tuple(one for one in self._kept if one not in gone)

    def apply(self) -> None:
        """Lets every outlet offer what the profiles allow now (rule C8)."""
        self._changes_at, self._share_at = NEVER, None
        connectors, crowded = self.station.connectors, self._crowded()
        if not self.schedules.profiles and not crowded:
            for connector in connectors:
                connector.limit = None
            return
        now = self.clock
        seats = [self.seat(connector, now) for connector in connectors]
        limits = [self.schedules.own_limit(seat, now) for seat in seats]
        caps = self.schedules.station_caps(self.main_seat(now), now)
        if caps:
            limits = self._shared(limits, caps, range(len(connectors)))
        if crowded:
            limits = self._shared(limits, [Cap(self.station.setup.shared_power_w, WATT, MOST_PHASES, 0.0)], crowded)
        for connector, seat, limit in zip(connectors, seats, limits, strict=True):
            own = self.schedules.own_cap(seat, now)
            connector.limit = limit if own is None else _at_least(limit, own, seat.supply)
        self._changes_at = self.schedules.next_change([*seats, self.main_seat(now)], now)

    def _crowded(self) -> list[int]:
        """The DC outlets, by index, while several cars want of the power that they have together."""
        if not self.station.setup.shared_power_w:
            return []
        fed = [index for index, one in enumerate(self.station.connectors) if one.supply.direct]
        return fed if sum(1 for index in fed if _takes(self.station.connectors[index])) > 1 else []

    def _shared(self, limits: list[Limit], caps: list[Cap], among: Iterable[int]) -> list[Limit]:
        """What is for several outlets together, split in the order their transactions began (rule C3)."""
        connectors = self.station.connectors
        order = sorted(among, key=lambda index: _began(connectors[index]))
        if sum(1 for one in connectors if _takes(one)) > 1:
            self._share_at = self.station.now.mono + SHARE_AGAIN_S
        result = list(limits)
        for unit in (AMPERE, WATT):
            totals = [cap.limit for cap in caps if cap.unit == unit]
            if not totals:
                continue
            shares = shared(min(totals), [_claim(connectors[index], limits[index], unit) for index in order])
            for index, share in zip(order, shares, strict=True):
                result[index] = _narrowed(result[index], unit, share)
        phases = min(cap.phases for cap in caps)
        return [msgspec.structs.replace(one, phases=max(1, min(one.phases, phases))) for one in result]

    def next_event(self) -> float | None:
        now = self.station.now.mono
        times = [] if self._share_at is None else [self._share_at]
        if self._changes_at != NEVER:
            times.append(now + self._changes_at - self.station.clock + LATE_S)
        return min(times) if times else None

    # --- for readers ------------------------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        return {"profiles": [{"place": one.place, "profile": one.wire} for one in self._kept]}


def profile_of(
    wire: dict[str, Any],
    plan: dict[str, Any],
    *,
    profile_id: int,
    place: int,
    purpose: str,
    accepted_at: int,
    transaction: str,
) -> Profile:
    """A profile as it came, with `plan`, its schedule: most of what they say both versions word alike."""
    return Profile(
        profile_id=profile_id,
        place=place,
        purpose=purpose,
        kind=wire["chargingProfileKind"],
        stack_level=wire["stackLevel"],
        unit=plan["chargingRateUnit"],
        periods=read_periods(plan["chargingSchedulePeriod"]),
        accepted_at=accepted_at,
        recurrence=wire.get("recurrencyKind", ""),
        starts_at=_moment(plan, "startSchedule"),
        duration=plan.get("duration"),
        valid_from=_moment(wire, "validFrom"),
        valid_to=_moment(wire, "validTo"),
        least_rate=plan.get("minChargingRate"),
        transaction=transaction,
        wire=wire,
    )


def read_periods(wire: list[dict[str, Any]]) -> tuple[Period, ...]:
    """The periods of a schedule as either version writes them."""
    return tuple(Period(one["startPeriod"], float(one["limit"]), one.get("numberPhases", 3)) for one in wire)


def written_periods(steps: list[Step]) -> list[dict[str, Any]]:
    return [{"startPeriod": step.start, "limit": step.limit, "numberPhases": step.phases} for step in steps]


def are_good(periods: tuple[Period, ...]) -> bool:
    """They start at 0 and rise, with limits that are none below zero and phases that exist."""
    rises = all(earlier.start < later.start for earlier, later in pairwise(periods))
    starts = bool(periods) and periods[0].start == 0
    return rises and starts and all(one.limit >= 0 and 1 <= one.phases <= 3 for one in periods)


def _moment(fields: dict[str, Any], name: str) -> int | None:
    """A date of a profile in Unix seconds."""
    seconds = timestamps.read(fields[name]) if name in fields else None
    return None if seconds is None else int(seconds)


def _is_over(profile: Profile, now: int, running: set[str]) -> bool:
    if profile.valid_to is not None and profile.valid_to <= now:
        return True
    return profile.purpose == TRANSACTION and profile.transaction not in running


def _began(connector: Connector) -> float:
    return connector.running.at if connector.running is not None else float(NEVER)


def _takes(connector: Connector) -> bool:
    """A car stands here that may and wants to charge."""
    running = connector.running
    if running is None or not running.authorized or not running.energy_offered or connector.blocking_fault:
        return False
    return connector.ev_connected and connector.vehicle.wants_energy()


def _claim(connector: Connector, limit: Limit, unit: str) -> Claim:
    supply, least = connector.supply, connector.options.min_current
    amps = min(limit.amps, limit.watts / (supply.volts * limit.phases))
    if supply.direct:
        watts = connector.vehicle.wanted_dc_w(min(limit.watts, limit.amps * supply.volts))
        phases = 1
    else:
        watts = connector.vehicle.wanted_ac_w(amps, supply.volts, limit.phases)
        phases = connector.vehicle.ac_phases(limit.phases)
    per_amp = supply.volts * phases
    wants = watts if _takes(connector) else 0.0
    if unit == WATT:
        # What is on offer in W counts for all phases of the outlet, whatever its car uses.
        return Claim(least * supply.volts * limit.phases, wants * limit.phases / phases, limit.watts)
    return Claim(least, wants / per_amp, amps)


def _narrowed(limit: Limit, unit: str, share: float) -> Limit:
    if unit == AMPERE:
        return msgspec.structs.replace(limit, amps=min(limit.amps, share))
    return msgspec.structs.replace(limit, watts=min(limit.watts, share))


def _at_least(limit: Limit, own: Cap, supply: Supply) -> Limit:
    """A limit under the profile's minChargingRate is none at all (rule C9)."""
    amps = min(limit.amps, limit.watts / (supply.volts * limit.phases))
    rate = amps if own.unit == AMPERE else amps * supply.volts * limit.phases
    return limit if rate >= own.least_rate else Limit(0.0, 0.0, limit.phases)
