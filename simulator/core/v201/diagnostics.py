"""Faults as hard-wired notifications (behaviour contract, 3.4 and 8.1)."""

from typing import Any, ClassVar

from simulator.core.faults import KINDS
from simulator.core.machine import Block
from simulator.core.physical.connector import Connector, Fault
from simulator.core.v201.event_notifications import EventNotifications
from simulator.core.v201.sensors import SENSORS
from simulator.core.v201.variables import STATION_HARDWARE


class Diagnostics(Block):
    actions: ClassVar = ()

    def report_fault(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        kind = KINDS[fault.code]
        component: dict[str, Any] = {"name": "ChargingStation" if fault.station else kind.component}
        if not fault.station and kind.component not in STATION_HARDWARE:
            component["evse"] = {"id": connector.outlet.evse_id}  # as the device model has it
        event = {
            "trigger": "Alerting",
            "actualValue": _actual_value(connector, fault, cleared=cleared),
            "techCode": fault.code,
            "techInfo": (kind.note or fault.asked)[:500],
            "cleared": cleared,
            "eventNotificationType": "HardWiredNotification",
            "component": component,
            "variable": {"name": "Problem" if fault.station else kind.variable},
        }
        if connector.running is not None:
            event["transactionId"] = connector.running.key
        self.station.block(EventNotifications).tell([event])


def _actual_value(connector: Connector, fault: Fault, *, cleared: bool) -> str:
    kind = KINDS[fault.code]
    sensor = None if fault.station else SENSORS.get((kind.component, kind.variable))
    if sensor is not None:
        return sensor([connector])
    return "false" if cleared else "true"
