"""One outlet: cable, vehicle, contactor, energy register, faults, and the transaction that runs on it.

Facts only. How a version words them (status, messages) stands in `v16` and `v201`.
"""

from random import Random
from typing import Any

import msgspec

from simulator.core.facts import Instant
from simulator.core.physical.schedule import Limit, Supply
from simulator.core.physical.vehicle import Vehicle
from simulator.core.setup import Options, Outlet

MOST_STEP_S = 5.0  # integration step unless the power rises
RAMP_STEP_S = 0.25
AC_RAMP_S, DC_RAMP_S = 2.0, 15.0  # DC: the first time; later a new limit is followed as fast as with AC
CONTACTOR_S = (1.0, 3.0)
LEAST_DC_V = 300
ROUNDING = 1e-6
STOPS_METER = frozenset({"MeterStuck", "PowerMeterFailure"})
# Told by no status.
SILENT = frozenset(
    {
        "FirmwareCertificateRevoked",
        "FirmwareInstallationFailure",
        "MeterJump",
        "MeterNegativeStep",
        "MeterStuck",
        "SwappedPhases",
    }
)
DC_NOISE = 0.002  # of the metered voltage
UNDER_LIMIT = 0.97  # a car stays this much under the current on offer, so that no metered value exceeds it


class Fault(msgspec.Struct, frozen=True):
    """An active fault. `code` is OCPP 1.6's error code; at `until` (wall, so that it outlives a restart) it clears.

    `station`: the whole station has it, this outlet with it. `latched`: only a reset without a cable clears it.
    `met_cable`: a cable was in when it came or has gone in since; the next one may mend what a replug mends.
    """

    code: str
    asked: str
    blocking: bool
    until: float | None = None
    register_wh: float = 0.0  # of the meter when the fault came
    offset_wh: float = 0.0  # by which it is wrong since
    station: bool = False
    latched: bool = False
    met_cable: bool = False


class Grant(msgspec.Struct, frozen=True):
    """A token that may charge here. `source`: local, remote or none; `remote_start_id` is OCPP 2.0.1's."""

    token: str
    source: str
    token_type: str = ""
    parent: str = ""
    remote_start_id: int | None = None
    at: float = 0.0


class Running(msgspec.Struct):
    """A transaction that is open at this outlet. Energy in Wh; `at` and `ends_at` are wall times."""

    key: str
    id_tag: str
    at: float
    meter_start: int
    transaction_id: str = ""
    source: str = "local"
    sequence_number: int = 0
    energy_offered: bool = True
    invalid: bool = False
    ends_at: float | None = None
    target_wh: float | None = None
    allowed_wh: float | None = None  # what a token that was refused may take
    remote_start_id: int | None = None
    stop_reason: str = ""
    authorized: bool = True
    offered_since: float = 0.0  # 2.0.1: when it could first take energy, 0 before
    told_w: float = 0.0  # 2.0.1: what was on offer when the rate was last told, 0 where no energy flows
    seen_at: float = 0.0  # when this was last stored: the moment of loss, should the power fail
    token_type: str = ""  # 2.0.1: the idToken's type
    last_state: str = ""  # the status (1.6) or chargingState (2.0.1) last told
    cable: str = ""  # 2.0.1: "" never plugged in, in, out
    values: list[Any] = []


class Connector:
    """`advance(now)` brings the energy up to date; every question below is about the time of the last advance."""

    def __init__(
        self, outlet: Outlet, options: Options, seed: int, saved: dict[str, Any] | None, now: Instant, number: int
    ) -> None:
        saved = saved or {}
        self.outlet = outlet
        self.number = number  # 1, 2, ... over the station's outlets: OCPP 1.6's connectorId
        self.options = options
        self.random = Random(f"{seed}/{outlet.evse_id}/{outlet.connector_id}")
        self.vehicle = Vehicle(self.random, saved.get("vehicle"), wanted=options.ev_profile)
        seeded_wh = float(self.random.randrange(20_000, 4_000_000))
        self.register_wh: float = saved.get("register_wh", seeded_wh)
        self.plugged: bool = saved.get("plugged", False)
        self.ev_side_open: bool = saved.get("ev_side_open", False)
        self._operative: bool = saved.get("operative", True)
        self.withheld = False  # by an installation of firmware that waits or runs; the firmware block says so
        self.scheduled_inoperative: bool = saved.get("scheduled_inoperative", False)
        # The token whose driver alone may take the station's end of the cable out; "" where it is not locked.
        self.cable_held_for: str = saved.get("cable_held_for", "")
        self.finishing: bool = saved.get("finishing", False)
        self.tag_too_late: bool = saved.get("tag_too_late", False)
        self.faults: list[Fault] = [msgspec.convert(one, Fault) for one in saved.get("faults", [])]
        self.grant: Grant | None = msgspec.convert(saved["grant"], Grant) if saved.get("grant") else None
        running = saved.get("running")
        self.running: Running | None = msgspec.convert(running, Running) if running else None
        self.reserved = False  # kept from everybody but the holder of a reservation; the reservations block says so
        self.limit: Limit | None = None  # of charging profiles, beside the outlet's own
        self.supply = _supply(outlet)
        self.closed_at: float | None = None  # mono: when the contactor closed
        self.closing_at: float | None = None  # mono: when it will
        self.was_closed: bool = saved.get("closed", False)
        self._advanced = now.mono
        self._power_w = 0.0
        self._risen = False  # to the power asked for, since the contactor closed

    def record(self) -> dict[str, Any]:
        """What survives a restart."""
        return {
            "register_wh": round(self.register_wh, 1),
            "plugged": self.plugged,
            "ev_side_open": self.ev_side_open,
            "operative": self._operative,
            "scheduled_inoperative": self.scheduled_inoperative,
            "finishing": self.finishing,
            "cable_held_for": self.cable_held_for,
            "closed": self.closed_at is not None,
            "tag_too_late": self.tag_too_late,
            "faults": [msgspec.to_builtins(fault) for fault in self.faults],
            "grant": msgspec.to_builtins(self.grant),
            "running": msgspec.to_builtins(self.running),
            "vehicle": self.vehicle.record(),
        }

    @property
    def operative(self) -> bool:
        """Nobody has taken it out of use."""
        return self._operative and not self.withheld

    @operative.setter
    def operative(self, wanted: bool) -> None:
        self._operative = wanted

    # --- cable and vehicle ------------------------------------------------------------------------------------------

    def plug(self) -> bool:
        """A cable with a car goes in; False if one was in already."""
        if self.plugged and not self.ev_side_open:
            return False
        if not self.plugged:
            self._next_vehicle()
        self.plugged, self.ev_side_open = True, False
        return True

    def _next_vehicle(self) -> None:
        # A car that just left full does not come back full: each plug is another car, of the outlet's own seed.
        wanted = self.options.ev_profile
        if self.vehicle.full or not self.vehicle.ready or self.vehicle.wanted != wanted:
            demand = self.vehicle.demand_w
            self.vehicle = Vehicle(self.random, wanted=wanted)
            self.vehicle.demand_w = demand

    def unplug(self) -> bool:
        if not self.plugged:
            return False
        self.plugged = self.ev_side_open = False
        self.finishing = self.tag_too_late = False
        self.cable_held_for = ""
        self.open_contactor()
        return True

    def hold_cable(self, token: str) -> None:
        """A socket keeps its end of the cable locked until this token is shown."""
        if self.outlet.format == "socket" and self.plugged:
            self.cable_held_for = token

    # --- faults -----------------------------------------------------------------------------------------------------

    @property
    def blocking_fault(self) -> Fault | None:
        """The newest blocking fault. A faulty lock stops nothing that runs already (contract 8.1)."""
        blocking = (one for one in reversed(self.faults) if one.blocking)
        return next((one for one in blocking if self.running is None or one.code != "ConnectorLockFailure"), None)

    @property
    def shown_fault(self) -> Fault | None:
        """The fault a status message names: the most severe, newest first."""
        told = [fault for fault in self.faults if fault.code not in SILENT]
        return self.blocking_fault or (told[-1] if told else None)

    def has_fault(self, code: str) -> bool:
        return any(fault.code == code for fault in self.faults)

    @property
    def usable(self) -> bool:
        """A transaction may start here."""
        return self.operative and self.blocking_fault is None and self.running is None

    # --- power ------------------------------------------------------------------------------------------------------

    @property
    def is_ac(self) -> bool:
        return self.outlet.voltage_v < LEAST_DC_V

    @property
    def offered_w(self) -> float:
        """What the station offers now, in W; 0 where it offers nothing."""
        running = self.running
        if running is None or not running.energy_offered or not running.authorized or self.blocking_fault:
            return 0.0
        watts = float(self.outlet.max_power_w)
        if any(fault.code == "HighTemperature" for fault in self.faults):
            watts *= 0.5
        if self.limit is None:
            return watts
        watts = min(watts, self.limit.watts)
        if self.is_ac:
            return min(watts, self.limit.amps * self.supply.volts * self.offered_phases)
        return watts if self.limit.amps >= self.outlet.max_current_a else min(watts, self.limit.amps * self.pack_v)

    @property
    def offered_phases(self) -> int:
        return self.supply.phases if self.limit is None else self.limit.phases

    @property
    def offered_a(self) -> float:
        """Current on offer: per phase (AC), 0 below the least that a car accepts; at the battery's voltage (DC)."""
        if not self.is_ac:
            return min(self._most_dc_a, self.offered_w / (self.pack_v * (1 - DC_NOISE)))
        current = min(self.offered_w / (self.supply.volts * self.offered_phases), self.outlet.max_current_a)
        return current if current >= self.options.min_current - ROUNDING else 0.0

    @property
    def _most_dc_a(self) -> float:
        return self.outlet.max_current_a if self.limit is None else min(self.outlet.max_current_a, self.limit.amps)

    @property
    def pack_v(self) -> float:
        """DC: the battery's voltage, unless the outlet offers less."""
        return min(self.outlet.voltage_v, self.vehicle.pack_v)

    @property
    def offers(self) -> bool:
        return self.offered_a > 0 if self.is_ac else self.offered_w > 0

    @property
    def ev_connected(self) -> bool:
        return self.plugged and not self.ev_side_open

    @property
    def phases(self) -> int:
        return self.vehicle.ac_phases(self.offered_phases) if self.is_ac else 1

    def _target_w(self) -> float:
        if self.closed_at is None or not self.ev_connected or not self.offers:
            return 0.0
        if any(fault.code == "EVCommunicationError" for fault in self.faults):
            return 0.0
        if self.is_ac:
            drawn = self.offered_a * UNDER_LIMIT
            return self.vehicle.wanted_ac_w(drawn, self.outlet.voltage_v, self.offered_phases)
        return min(self.vehicle.wanted_dc_w(self.offered_w), self._most_dc_a * UNDER_LIMIT * self.pack_v)

    @property
    def power_w(self) -> float:
        return self._power_w

    @property
    def energy_flows(self) -> bool:
        """The car takes energy, or starts to."""
        return self.closed_at is not None and self._target_w() > 0

    def close_contactor_soon(self, now: Instant) -> None:
        """Granted and plugged: the contactor closes 1 to 3 s later."""
        if self.closed_at is None and self.closing_at is None:
            self.closing_at = now.mono + self.random.uniform(*CONTACTOR_S) / self.options.time_scale

    def keep_contactor_closed(self, now: Instant) -> None:
        """Only the simulator moved: the energy has flowed all along, so there is no new closing and no ramp."""
        self.closed_at = now.mono
        self._power_w = self._target_w()

    def open_contactor(self) -> None:
        self.closed_at = self.closing_at = None
        self._power_w, self._risen = 0.0, False

    def advance(self, now: Instant) -> None:
        """Moves energy from the car's side of the last advance to now; a clock never runs backwards here."""
        if self.closing_at is not None and now.mono >= self.closing_at:
            self._integrate(self.closing_at)
            self.closed_at, self.closing_at = self.closing_at, None
        self._integrate(now.mono)

    def _integrate(self, until: float) -> None:
        remaining = (until - self._advanced) * self.options.time_scale
        self._advanced = max(self._advanced, until)
        if self.closed_at is None:
            return
        while remaining > 0:
            target = self._target_w()
            if target == self._power_w == 0:
                return
            rising = target > self._power_w
            step = min(remaining, RAMP_STEP_S if rising else MOST_STEP_S)
            remaining -= step
            before = self._power_w if rising else target  # power falls at once: a taper needs no fine steps
            self._power_w = self._ramped(target, step)
            energy = (before + self._power_w) / 2 * step / 3600
            self.register_wh += energy
            self.vehicle.take(energy)

    def _ramped(self, target: float, step: float) -> float:
        if target < self._power_w:
            return target
        slow = not self.is_ac and not self._risen
        rise = self.outlet.max_power_w * step / (DC_RAMP_S if slow else AC_RAMP_S)
        # A taper changes the target a little at every step; following it needs no ramp.
        self._risen = self._risen or self._power_w + rise >= target
        return min(target, self._power_w + rise)

    def meter_wh(self) -> int:
        return max(0, int(self.metered_wh))

    @property
    def metered_wh(self) -> float:
        """What the meter shows: the register, unless a fault stopped it or made it jump."""
        shown = self.register_wh
        for fault in self.faults:
            if fault.code in STOPS_METER and not fault.blocking:
                shown = fault.register_wh
            shown += fault.offset_wh
        return shown

    def session_wh(self) -> float:
        return self.register_wh - self.running.meter_start if self.running else 0.0

    def next_event(self, now: Instant) -> float | None:
        """Mono time at which a fact changes by itself: contactor, an energy mark, a full battery, a fault's end."""
        times = [now.mono + fault.until - now.wall for fault in self.faults if fault.until is not None]
        if self.closing_at is not None:
            times.append(self.closing_at)
        if self.energy_flows:
            times.append(now.mono + self._seconds_to_next_mark())
        return min(times) if times else None

    def _seconds_to_next_mark(self) -> float:
        power = max(self._power_w, self._target_w(), 1.0)  # never less than will flow: rather a look too many
        left = (self.vehicle.profile.target_soc - self.vehicle.soc) * self.vehicle.profile.capacity_wh
        if self.running:
            marks = (self.running.target_wh, self.running.allowed_wh)
            left = min([left, *(mark - self.session_wh() for mark in marks if mark is not None)])
        return max(0.5, left / power * 3600) / self.options.time_scale


def _supply(outlet: Outlet) -> Supply:
    """Rated values as charging profiles count: for DC the voltage is that of the rated point (contract C1)."""
    if outlet.voltage_v < LEAST_DC_V:
        return Supply(outlet.voltage_v, outlet.phases, outlet.max_current_a, float(outlet.max_power_w))
    watts = float(outlet.max_power_w)
    return Supply(watts / outlet.max_current_a, 1, outlet.max_current_a, watts, direct=True)
