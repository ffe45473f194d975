"""OCPP 1.6J (edition 2 with errata): a Charge Point."""

from simulator.core.v16.charge_point import ChargePoint

__all__ = ["ChargePoint"]
