"""The one place that picks a version."""

from simulator.core.station import Station
from simulator.core.v16 import ChargePoint

STATIONS: dict[str, type[Station]] = {"ocpp1.6": ChargePoint}
