"""What a station measures, as its variables show it (behaviour contract, 6.2)."""

from collections.abc import Callable, Sequence

from simulator.core.physical import meter
from simulator.core.physical.connector import Connector

Shows = Callable[[Sequence[Connector]], str]
GOOD_SIGNAL_DBM, WEAK_SIGNAL_DBM = -67, -108


def _power(connectors: Sequence[Connector]) -> str:
    return str(round(sum(one.power_w for one in connectors)))


def _register(connectors: Sequence[Connector]) -> str:
    return str(sum(one.meter_wh() for one in connectors))


def _temperature(connectors: Sequence[Connector]) -> str:
    return f"{max(meter.temperature(one, one.power_w) for one in connectors):.1f}"


def _voltage(connectors: Sequence[Connector]) -> str:
    first = connectors[0]
    return f"{first.outlet.voltage_v * meter.voltage_share(first):.1f}"


def _signal(connectors: Sequence[Connector]) -> str:
    weak = any(one.has_fault("WeakSignal") for one in connectors)
    return str(WEAK_SIGNAL_DBM if weak else GOOD_SIGNAL_DBM)


def _control_pilot(connectors: Sequence[Connector]) -> str:
    """The state by IEC 61851-1: A no car, B a car, C it takes energy, E an error."""
    if any(one.has_fault("EVCommunicationError") for one in connectors):
        return "E"
    if any(one.energy_flows for one in connectors):
        return "C"
    return "B" if any(one.ev_connected for one in connectors) else "A"


SENSORS: dict[tuple[str, str], Shows] = {
    ("CPPWMController", "State"): _control_pilot,
    ("DataLink", "SignalStrength"): _signal,
    ("EVSE", "Power"): _power,
    ("ElectricalFeed", "ACVoltage"): _voltage,
    ("FiscalMetering", "EnergyImportRegister"): _register,
    ("TemperatureSensor", "Temperature"): _temperature,
}
