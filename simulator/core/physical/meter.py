"""One coherent reading of an outlet: V x I x phases = P at one instant (behaviour contract, M10, M13, M15)."""

import math
from random import Random

import msgspec

from simulator.core.physical.connector import DC_NOISE, Connector

NOMINAL_HZ = 50.0
POWER_FACTOR = 0.996  # within 0.98..1, and near enough to 1 that V x I x phases is the power to one in a hundred
OVERHEATED_BY_C = 45.0
VOLTAGE_SHARES = {"OverVoltage": 1.2, "UnderVoltage": 0.8}  # of the nominal one


class Reading(msgspec.Struct, frozen=True):
    """Energy in Wh, power in W, current in A, voltage in V. AC values are per phase in use; DC has one of each.

    `interval_wh` is the energy since the last sample of the same series, see `measurands.Series`.
    """

    energy_wh: float
    power_w: float
    voltages_v: tuple[float, ...]
    currents_a: tuple[float, ...]
    power_factor: float
    frequency_hz: float
    offered_a: float
    offered_w: float
    soc_percent: float
    temperature_c: float
    interval_wh: float = 0.0


def read(connector: Connector, noise: Random) -> Reading:
    """The noise moves voltage and, against it, current: the power stays what the register integrates."""
    power = connector.power_w
    phases = connector.phases
    factor = POWER_FACTOR if connector.is_ac else 1.0
    voltages = _voltages(connector, power, noise)
    share = power / len(voltages)
    currents = tuple(share / (voltage * factor) for voltage in voltages)
    if connector.has_fault("SwappedPhases"):
        currents = currents[1:] + currents[:1]
    return Reading(
        energy_wh=max(0.0, connector.metered_wh),
        power_w=power,
        voltages_v=voltages,
        currents_a=currents[:phases] if connector.is_ac else currents,
        power_factor=factor,
        frequency_hz=NOMINAL_HZ + noise.uniform(-0.05, 0.05),
        offered_a=connector.offered_a,
        offered_w=connector.offered_w,
        soc_percent=connector.vehicle.soc * 100,
        temperature_c=temperature(connector, power) + noise.uniform(-0.5, 0.5),
    )


def temperature(connector: Connector, power: float) -> float:
    """In Celsius, within the outlet, with this power in W."""
    healthy = 28 + 22 * power / connector.outlet.max_power_w
    return healthy + OVERHEATED_BY_C if connector.has_fault("HighTemperature") else healthy


def voltage_share(connector: Connector) -> float:
    """Of the nominal voltage, what faults leave or make of it."""
    return math.prod(share for code, share in VOLTAGE_SHARES.items() if connector.has_fault(code))


def _voltages(connector: Connector, power: float, noise: Random) -> tuple[float, ...]:
    off = voltage_share(connector)
    return tuple(voltage * off for voltage in _healthy_voltages(connector, power, noise))


def _healthy_voltages(connector: Connector, power: float, noise: Random) -> tuple[float, ...]:
    load = power / connector.outlet.max_power_w
    if connector.is_ac:
        nominal = connector.outlet.voltage_v * (1 - 0.01 * load)
        return tuple(nominal * (1 + noise.uniform(-0.01, 0.01)) for _ in range(connector.phases))
    return (connector.pack_v * (1 + noise.uniform(-DC_NOISE, DC_NOISE)),)
