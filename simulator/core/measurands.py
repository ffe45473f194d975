"""Which values a reading gives for a measurand, in the words both versions share (behaviour contract, M10, M13)."""

import math
from collections.abc import Callable, Sequence
from random import Random

import msgspec

from simulator.core.physical import meter
from simulator.core.physical.connector import Connector
from simulator.core.physical.meter import Reading


class Sample(msgspec.Struct, frozen=True):
    """One value, with the decimals it is told with. `unit` is "" where there is none; `phase` is L1, L1-N or ""."""

    value: float
    decimals: int
    unit: str
    phase: str = ""
    location: str = "Outlet"


def samples(connector: Connector, reading: Reading, measurand: str) -> list[Sample]:
    """The values of one measurand; none where this outlet does not measure it."""
    several = connector.is_ac and len(reading.voltages_v) > 1
    match measurand:
        case "Voltage":
            return _per_phase(reading.voltages_v, 1, "V", "L{}-N" if several else "")
        case "Current.Import":
            return _per_phase(reading.currents_a, 2, "A", "L{}" if several else "")
        case "SoC" if connector.is_ac:
            return []  # an AC station does not know it
        case _:
            sample = SINGLE.get(measurand)
            return [sample(reading)] if sample else []


class Series:
    """What was read when, per outlet: the measurand Energy.Active.Import.Interval counts from the sample before."""

    def __init__(self) -> None:
        self._marks: dict[tuple[int, str], float] = {}

    def begin(self, connector: Connector) -> None:
        """A transaction starts: every series counts from here."""
        self._marks = {key: wh for key, wh in self._marks.items() if key[0] != connector.number}
        self._marks[connector.number, ""] = connector.metered_wh

    def read(self, connector: Connector, noise: Random, name: str = "") -> Reading:
        """A reading that counts its interval in the series of that name; "" for one that belongs to none."""
        reading, number = meter.read(connector, noise), connector.number
        begun = self._marks.get((number, ""), reading.energy_wh)
        # Between registers as they are shown: intervals add up to what the register has risen by.
        interval = int(reading.energy_wh) - int(self._marks.get((number, name), begun))
        if name:
            self._marks[number, name] = reading.energy_wh
        return msgspec.structs.replace(reading, interval_wh=max(0.0, interval))


def main_meter(connectors: Sequence[Connector]) -> dict[str, Sample]:
    """What the station's own meter, at its inlet, shows: energy and power by measurand."""
    return {
        "Energy.Active.Import.Register": Sample(sum(one.meter_wh() for one in connectors), 0, "Wh", "", "Inlet"),
        "Power.Active.Import": Sample(sum(one.power_w for one in connectors), 1, "W", "", "Inlet"),
    }


def _reactive(reading: Reading) -> float:
    """Reactive power as a share of active power; the power factor of a charger is as good as constant."""
    return math.sqrt(1 / reading.power_factor**2 - 1)


SINGLE: dict[str, Callable[[Reading], Sample]] = {
    "Energy.Active.Import.Register": lambda reading: Sample(int(reading.energy_wh), 0, "Wh"),
    "Energy.Active.Import.Interval": lambda reading: Sample(int(reading.interval_wh), 0, "Wh"),
    "Energy.Active.Export.Register": lambda reading: Sample(0, 0, "Wh"),
    "Energy.Active.Export.Interval": lambda reading: Sample(0, 0, "Wh"),
    "Energy.Reactive.Import.Register": lambda reading: Sample(int(reading.energy_wh * _reactive(reading)), 0, "varh"),
    "Power.Active.Import": lambda reading: Sample(reading.power_w, 1, "W"),
    "Power.Reactive.Import": lambda reading: Sample(reading.power_w * _reactive(reading), 1, "var"),
    "Current.Offered": lambda reading: Sample(reading.offered_a, 1, "A"),
    "Power.Offered": lambda reading: Sample(reading.offered_w, 0, "W"),
    "Power.Factor": lambda reading: Sample(reading.power_factor, 3, ""),
    "Frequency": lambda reading: Sample(reading.frequency_hz, 2, "Hz"),
    "Temperature": lambda reading: Sample(reading.temperature_c, 1, "Celsius", location="Body"),
    "SoC": lambda reading: Sample(reading.soc_percent, 0, "Percent", location="EV"),
}


def _per_phase(values: tuple[float, ...], decimals: int, unit: str, phase: str) -> list[Sample]:
    """`phase` is a pattern for the phase's number; "" tells a single value without one."""
    if not phase:
        return [Sample(values[0], decimals, unit)]
    return [Sample(value, decimals, unit, phase.format(number)) for number, value in enumerate(values, start=1)]
