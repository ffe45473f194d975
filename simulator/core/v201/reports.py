"""GetBaseReport and GetReport, answered by NotifyReport parts (contract 5.4)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.machine import Block
from simulator.core.v201.device_model import DeviceModel
from simulator.core.v201.variables import NO_LIMIT, Variable

MUTABILITY = {"R": "ReadOnly", "W": "WriteOnly", "RW": "ReadWrite"}
ITEMS = "DeviceDataCtrlr.ItemsPerMessage[GetReport]"
PROBLEMS = ("Problem", "Tripped", "Active")


class Reports(Block):
    actions: ClassVar = ("GetBaseReport", "GetReport")

    def on_GetBaseReport(self, request: dict[str, Any]) -> dict[str, Any]:
        chosen = [one for one in self._all() if self._is_in(request["reportBase"], one)]
        return self._answer(request["requestId"], chosen)

    def _all(self) -> list[Variable]:
        return list(self.station.block(DeviceModel).variables.values())

    def _is_in(self, base: str, variable: Variable) -> bool:
        if base == "FullInventory":
            return True
        if base == "ConfigurationInventory":
            return variable.setting.access != "R"
        # SummaryInventory: what can be used, and what is wrong.
        if variable.name in PROBLEMS:
            return self.station.block(DeviceModel).value(variable) == "true"
        return variable.name == "AvailabilityState"

    def on_GetReport(self, request: dict[str, Any]) -> dict[str, Any]:
        asked, criteria = request.get("componentVariable"), request.get("componentCriteria", [])
        chosen = [
            one
            for one in self._all()
            if (asked is None or any(is_asked(one, entry) for entry in asked)) and self._meets(one, criteria)
        ]
        return self._answer(request["requestId"], chosen)

    def _meets(self, variable: Variable, criteria: list[str]) -> bool:
        """Any criterion suffices: Problem must be true, the others true or absent."""
        return not criteria or any(self._meets_one(variable, criterion) for criterion in criteria)

    def _meets_one(self, variable: Variable, criterion: str) -> bool:
        place = (variable.component, variable.evse, variable.connector)
        deciding = next(
            (one for one in self._all() if one.name == criterion and (one.component, one.evse, one.connector) == place),
            None,
        )
        if deciding is None:
            return criterion != "Problem"
        return self.station.block(DeviceModel).value(deciding) == "true"

    # --- NotifyReport -----------------------------------------------------------------------------------------------

    def _answer(self, request_id: int, chosen: list[Variable]) -> dict[str, Any]:
        if any(call.action == "NotifyReport" for call in self.station.outbox.waiting):
            return {"status": "Rejected", "statusInfo": {"reasonCode": "Busy"}}
        if not chosen:
            return {"status": "EmptyResultSet"}
        size = self.station.configuration.number(ITEMS)
        parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        for number, part in enumerate(parts):
            self._send(request_id, number, part, last=number == len(parts) - 1)
        return {"status": "Accepted"}

    def _send(self, request_id: int, number: int, part: list[Variable], *, last: bool) -> None:
        payload = {
            "requestId": request_id,
            "generatedAt": timestamps.written(self.station.clock),
            "reportData": [self._entry(variable) for variable in part],
            "tbc": not last,
            "seqNo": number,
        }
        self.station.call(Call("NotifyReport", payload, unasked=False))

    def _entry(self, variable: Variable) -> dict[str, Any]:
        return {
            **variable.names,
            "variableAttribute": [self._attribute(variable)],
            "variableCharacteristics": _characteristics(variable),
        }

    def _attribute(self, variable: Variable) -> dict[str, Any]:
        access = variable.setting.access
        attribute: dict[str, Any] = {
            "type": "Actual",
            "mutability": MUTABILITY[access],
            "persistent": not variable.live,
            "constant": access == "R" and not variable.live,
        }
        if access != "W":
            attribute["value"] = self.station.block(DeviceModel).value(variable)[:2500]
        return attribute


def is_asked(variable: Variable, entry: dict[str, Any]) -> bool:
    """What an entry does not name means all."""
    component, named = entry["component"], entry.get("variable")
    evse = component.get("evse", {})
    return (
        variable.component.lower() == component["name"].lower()
        and evse.get("id", variable.evse) == variable.evse
        and evse.get("connectorId", variable.connector) == variable.connector
        and (named is None or named["name"].lower() == variable.name.lower())
        and (named is None or named.get("instance", variable.instance) == variable.instance)
    )


def _characteristics(variable: Variable) -> dict[str, Any]:
    setting = variable.setting
    characteristics: dict[str, Any] = {"dataType": variable.wire_type, "supportsMonitoring": variable.is_monitorable}
    if variable.unit:
        characteristics["unit"] = variable.unit
    if setting.members:
        characteristics["valuesList"] = ",".join(setting.members)
    elif setting.kind == "int":
        characteristics["minLimit"] = setting.least
    if setting.kind in ("int", "text") and not setting.members and setting.most != NO_LIMIT:
        characteristics["maxLimit"] = setting.most
    return characteristics
