"""GetMonitoringReport, answered by NotifyMonitoringReport parts (behaviour contract, 5.8; OCPP 2.0.1, N02)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.configuration import ACCEPTED, REJECTED
from simulator.core.machine import Block
from simulator.core.v201.monitoring import Monitoring
from simulator.core.v201.monitors import DELTA, PERIODS, THRESHOLDS
from simulator.core.v201.reports import ITEMS, is_asked

TYPES = {"ThresholdMonitoring": THRESHOLDS, "DeltaMonitoring": (DELTA,), "PeriodicMonitoring": PERIODS}


class MonitoringReports(Block):
    actions: ClassVar = ("GetMonitoringReport",)

    def on_GetMonitoringReport(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.station.block(Monitoring).is_enabled:
            return {"status": "NotSupported", "statusInfo": {"reasonCode": "NotEnabled"}}
        if any(call.action == "NotifyMonitoringReport" for call in self.station.outbox.waiting):
            return {"status": REJECTED, "statusInfo": {"reasonCode": "Busy"}}
        found = self._found(request.get("monitoringCriteria"), request.get("componentVariable"))
        if not found:
            return {"status": "EmptyResultSet", "statusInfo": {"reasonCode": "NotFound"}}
        self._send(request["requestId"], found)
        return {"status": ACCEPTED}

    def _found(self, criteria: list[str] | None, asked: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        """MonitoringDataTypes; what is not asked for by name means all."""
        types = {kind for criterion in criteria or TYPES for kind in TYPES[criterion]}
        found: dict[str, dict[str, Any]] = {}
        for one, variable in self.station.block(Monitoring).active:
            if one.type in types and (asked is None or any(is_asked(variable, entry) for entry in asked)):
                entry = found.setdefault(variable.key, {**variable.names, "variableMonitoring": []})
                entry["variableMonitoring"].append(one.described)
        return list(found.values())

    def _send(self, request_id: int, found: list[dict[str, Any]]) -> None:
        size = self.station.configuration.number(ITEMS)
        starts = range(0, len(found), size)
        for number, start in enumerate(starts):
            payload = {
                "requestId": request_id,
                "generatedAt": timestamps.written(self.station.clock),
                "monitor": found[start : start + size],
                "tbc": number < len(starts) - 1,
                "seqNo": number,
            }
            self.station.call(Call("NotifyMonitoringReport", payload, unasked=False))
