"""OCPP 2.0.1 (edition 3): a Charging Station."""

from simulator.core.v201.charging_station import ChargingStation

__all__ = ["ChargingStation"]
