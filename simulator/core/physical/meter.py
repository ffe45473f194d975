"""One coherent reading of an outlet: V x I x phases = P at one instant (behaviour contract, M10, M13, M15)."""

from random import Random

import msgspec

from simulator.core.physical.connector import Connector

NOMINAL_HZ = 50.0
POWER_FACTOR = 0.99


class Reading(msgspec.Struct, frozen=True):
    """Energy in Wh, power in W, current in A, voltage in V. AC values are per phase in use; DC has one of each."""

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


def read(connector: Connector, noise: Random) -> Reading:
    """The noise moves voltage and, against it, current: the power stays what the register integrates."""
    power = connector.power_w
    phases = connector.phases
    factor = POWER_FACTOR if connector.is_ac else 1.0
    voltages = _voltages(connector, power, noise)
    share = power / len(voltages)
    currents = tuple(share / (voltage * factor) for voltage in voltages)
    return Reading(
        energy_wh=connector.register_wh,
        power_w=power,
        voltages_v=voltages,
        currents_a=currents[:phases] if connector.is_ac else currents,
        power_factor=factor,
        frequency_hz=NOMINAL_HZ + noise.uniform(-0.05, 0.05),
        offered_a=connector.offered_a,
        offered_w=connector.offered_w,
        soc_percent=connector.vehicle.soc * 100,
        temperature_c=28 + 22 * power / connector.outlet.max_power_w + noise.uniform(-0.5, 0.5),
    )


def _voltages(connector: Connector, power: float, noise: Random) -> tuple[float, ...]:
    load = power / connector.outlet.max_power_w
    if connector.is_ac:
        nominal = connector.outlet.voltage_v * (1 - 0.01 * load)
        return tuple(nominal * (1 + noise.uniform(-0.01, 0.01)) for _ in range(connector.phases))
    return (connector.pack_v * (1 + noise.uniform(-0.002, 0.002)),)
