"""The one place that picks a version."""

from simulator.core.station import Station
from simulator.core.v16 import ChargePoint
from simulator.core.v201 import ChargingStation

STATIONS: dict[str, type[Station]] = {"ocpp1.6": ChargePoint, "ocpp2.0.1": ChargingStation}
