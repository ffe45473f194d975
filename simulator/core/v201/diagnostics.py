"""NotifyEvent: faults as hard-wired notifications (behaviour contract, 3.4 and 8.1)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.faults import KINDS
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector, Fault
from simulator.core.physical.meter import VOLTAGE_SHARES
from simulator.core.v201.variables import STATION_HARDWARE

MOST_KEPT = 100
# (value with the fault, value without) where it is no boolean.
VALUES = {"EVCommunicationError": ("E", "B"), "WeakSignal": ("-108", "-67")}


class Diagnostics(Block):
    """Events that could not be told while offline are kept and told after the reconnect."""

    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get("events", {})
        self.last_event_id: int = saved.get("last", 0)
        self.kept: list[dict[str, Any]] = list(saved.get("kept", []))

    def save(self) -> None:
        self.station.store.put("events", {"last": self.last_event_id, "kept": list(self.kept)})

    def report_fault(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        kind = KINDS[fault.code]
        self.last_event_id += 1
        component: dict[str, Any] = {"name": "ChargingStation" if fault.station else kind.component}
        if not fault.station and kind.component not in STATION_HARDWARE:
            component["evse"] = {"id": connector.outlet.evse_id, "connectorId": connector.outlet.connector_id}
        event = {
            "eventId": self.last_event_id,
            "timestamp": timestamps.written(self.station.clock),
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
        if self.station.online:
            self._send([event])
        else:
            self.kept = [*self.kept, event][-MOST_KEPT:]

    def _send(self, events: list[dict[str, Any]]) -> None:
        payload = {"generatedAt": timestamps.written(self.station.clock), "seqNo": 0, "tbc": False, "eventData": events}
        self.station.call(Call("NotifyEvent", payload))

    def came_online(self, *, after_boot: bool) -> None:
        kept, self.kept = self.kept, []
        if kept:
            self._send(kept)

    def NotifyEvent_failed(self, call: Call, problem: str) -> None:
        if problem == "lost":
            self.kept = [*call.payload["eventData"], *self.kept][-MOST_KEPT:]
        self.station.commands.note(call.command_id, "Done, but the CSMS did not take NotifyEvent.")


def _actual_value(connector: Connector, fault: Fault, *, cleared: bool) -> str:
    if fault.station:
        return "false" if cleared else "true"
    if fault.code in VOLTAGE_SHARES:
        share = 1.0 if cleared else VOLTAGE_SHARES[fault.code]
        return f"{connector.outlet.voltage_v * share:.1f}"
    with_fault, without = VALUES.get(fault.code, ("true", "false"))
    return without if cleared else with_fault
