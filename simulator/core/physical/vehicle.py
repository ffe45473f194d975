"""A believable electric vehicle: what it takes, and when it is full (behaviour contract, 4.7)."""

from itertools import pairwise
from random import Random
from typing import Any

import msgspec

from simulator.core.setup import ANY_CAR

KEEP_ALIVE_W = 0.0
FULL_FRACTION = 1e-6
LEAST_HIGH_VOLTAGE_W = 150_000  # above this a battery of 400 V would need more current than plugs carry


class Profile(msgspec.Struct, frozen=True):
    """A kind of car. `dc_curve` gives (state of charge, share of the maximum) points, linear in between."""

    name: str
    capacity_wh: float
    ac_current_a: float
    ac_phases: int
    dc_power_w: float
    target_soc: float


DC_CURVE = ((0.0, 1.0), (0.55, 1.0), (0.8, 0.35), (0.95, 0.08), (1.0, 0.03))
AC_CURVE = ((0.0, 1.0), (0.95, 1.0), (1.0, 0.12))

PROFILES = (
    Profile("small city", 36_000, 32, 1, 50_000, 1.0),
    Profile("family", 60_000, 16, 3, 120_000, 1.0),
    Profile("van", 75_000, 16, 3, 100_000, 0.9),
    Profile("taxi", 82_000, 16, 3, 170_000, 0.9),
    Profile("truck", 300_000, 32, 3, 350_000, 0.9),
)
USUAL = PROFILES[:4]  # a truck comes only where somebody sends one


def _named(name: str) -> Profile | None:
    return next((one for one in PROFILES if one.name == name), None)


def share(curve: tuple[tuple[float, float], ...], soc: float) -> float:
    """The curve's value at a state of charge of 0..1."""
    for (left, low), (right, high) in pairwise(curve):
        if soc <= right:
            return low + (high - low) * (soc - left) / (right - left)
    return curve[-1][1]


class Vehicle:
    """The car at (or about to come to) one outlet. `demand_w` is a user's wish (power-update); `ready` is the car's."""

    def __init__(self, random: Random, saved: dict[str, Any] | None = None, *, wanted: str = ANY_CAR) -> None:
        """`wanted`: the name of a profile, for all but a car that was `saved`."""
        self.wanted = wanted
        self.profile = random.choice(USUAL)
        self.soc = random.uniform(0.15, 0.55)
        self.demand_w: float | None = None
        self.ready = True
        if saved:
            self.wanted = saved.get("wanted", ANY_CAR)
        self.profile = _named(saved["profile"] if saved else wanted) or self.profile
        if saved:
            self.soc, self.demand_w, self.ready = saved["soc"], saved["demand_w"], saved["ready"]

    def record(self) -> dict[str, Any]:
        record = {
            "profile": self.profile.name,
            "soc": round(self.soc, 4),
            "demand_w": self.demand_w,
            "ready": self.ready,
        }
        return record if self.wanted == ANY_CAR else record | {"wanted": self.wanted}

    @property
    def full(self) -> bool:
        return self.soc >= self.profile.target_soc - FULL_FRACTION

    def wants_energy(self) -> bool:
        return self.ready and not self.full and self.demand_w != 0

    @property
    def pack_v(self) -> float:
        """The battery's voltage, which rises with its charge: of the 400 V class, or 800 V where it charges fast."""
        cells = 2 if self.profile.dc_power_w > LEAST_HIGH_VOLTAGE_W else 1
        return cells * (320 + 90 * self.soc)

    def ac_phases(self, offered: int) -> int:
        return max(1, min(offered, self.profile.ac_phases))

    def wanted_ac_w(self, current_a: float, voltage_v: float, phases: int) -> float:
        """Power the car draws when this current per phase is on offer."""
        current = min(current_a, self.profile.ac_current_a)
        power = current * voltage_v * self.ac_phases(phases) * share(AC_CURVE, self.soc)
        return self._within_demand(power)

    def wanted_dc_w(self, offered_w: float) -> float:
        return self._within_demand(min(offered_w, self.profile.dc_power_w * share(DC_CURVE, self.soc)))

    def _within_demand(self, power_w: float) -> float:
        if not self.wants_energy():
            return KEEP_ALIVE_W
        return power_w if self.demand_w is None else min(power_w, self.demand_w)

    def take(self, energy_wh: float) -> None:
        self.soc = min(1.0, self.soc + energy_wh / self.profile.capacity_wh)
