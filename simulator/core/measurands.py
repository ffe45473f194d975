"""Which values a reading gives for a measurand, in the words both OCPP versions share (behaviour contract, M10, M13)."""

import msgspec

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
        case "Energy.Active.Import.Register":
            return [Sample(int(reading.energy_wh), 0, "Wh")]
        case "Power.Active.Import":
            return [Sample(reading.power_w, 1, "W")]
        case "Voltage":
            return _per_phase(reading.voltages_v, 1, "V", "L{}-N" if several else "")
        case "Current.Import":
            return _per_phase(reading.currents_a, 2, "A", "L{}" if several else "")
        case "Current.Offered":
            return [Sample(reading.offered_a, 1, "A")]
        case "Power.Offered":
            return [Sample(reading.offered_w, 0, "W")]
        case "Power.Factor":
            return [Sample(reading.power_factor, 2, "")]
        case "Frequency":
            return [Sample(reading.frequency_hz, 2, "Hz")]
        case "Temperature":
            return [Sample(reading.temperature_c, 1, "Celsius", location="Body")]
        case "SoC" if not connector.is_ac:
            return [Sample(reading.soc_percent, 0, "Percent", location="EV")]
    return []


def _per_phase(values: tuple[float, ...], decimals: int, unit: str, phase: str) -> list[Sample]:
    """`phase` is a pattern for the phase's number; "" tells a single value without one."""
    if not phase:
        return [Sample(values[0], decimals, unit)]
    return [Sample(value, decimals, unit, phase.format(number)) for number, value in enumerate(values, start=1)]
