"""Which monitors there are: SetMonitoringBase, SetMonitoringLevel, SetVariableMonitoring, ClearVariableMonitoring
(behaviour contract, 5.8; OCPP 2.0.1, N03 to N06)."""

from typing import Any, ClassVar

import msgspec

from simulator.core.configuration import ACCEPTED, REJECTED
from simulator.core.errors import Kind, Refusal
from simulator.core.machine import Block, Machine
from simulator.core.v201 import monitors
from simulator.core.v201.device_model import DeviceModel
from simulator.core.v201.monitors import CUSTOM, HARD_WIRED, PRECONFIGURED, Monitor
from simulator.core.v201.variables import Variable, variables

SECTION = "monitoring"
BASE, LEVEL = "MonitoringCtrlr.ActiveMonitoringBase", "MonitoringCtrlr.ActiveMonitoringLevel"
HARD_WIRED_ONLY = "HardWiredOnly"
# What stays of the monitors when a base is set (N03.FR.03 to 05).
KEPT = {
    "All": {HARD_WIRED, PRECONFIGURED, CUSTOM},
    "FactoryDefault": {HARD_WIRED, PRECONFIGURED},
    HARD_WIRED_ONLY: {HARD_WIRED},
}
MOST_CUSTOM = 100
BEFORE_CUSTOM = 1000  # ids up to here are the factory's


class Monitoring(Block):
    """All monitors by id. Stored once they differ from the factory's; `changed` says that they do anew."""

    actions: ClassVar = ("SetMonitoringBase", "SetMonitoringLevel", "SetVariableMonitoring", "ClearVariableMonitoring")

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.variables = variables(station.setup)
        self.factory = monitors.factory(self.variables.values())
        saved = station.store.get(SECTION)
        rows = self.factory if saved is None else msgspec.convert(saved["monitors"], list[Monitor])
        # Periods are counted anew.
        self.monitors = {one.id: msgspec.structs.replace(one, due=None) for one in rows if self._still_fits(one)}
        self.last_id: int = BEFORE_CUSTOM if saved is None else saved["last"]
        self.changed = False

    def save(self) -> None:
        if self.changed:
            rows = [msgspec.to_builtins(one) for one in self.monitors.values()]
            self.station.store.put(SECTION, {"last": self.last_id, "monitors": rows})
            self.changed = False

    def _still_fits(self, monitor: Monitor) -> bool:
        """A variable may be gone, or another, with the firmware that had it (N04, remark)."""
        variable = self.variables.get(monitor.key)
        return variable is not None and monitors.is_supported(monitor.type, variable)

    @property
    def active(self) -> list[tuple[Monitor, Variable]]:
        return [(one, self.variables[one.key]) for one in self.monitors.values()]

    @property
    def is_enabled(self) -> bool:
        return self.station.configuration.flag("MonitoringCtrlr.Enabled")

    def _check_count(self, entries: list[Any], action: str) -> None:
        if len(entries) > self.station.configuration.number(f"MonitoringCtrlr.ItemsPerMessage[{action}]"):
            raise Refusal(Kind.COUNT, f"more entries than ItemsPerMessage[{action}]")

    # --- base and level ---------------------------------------------------------------------------------------------

    def on_SetMonitoringBase(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.is_enabled:
            return _rejected("NotEnabled")
        base = request["monitoringBase"]
        self.monitors = {one.id: one for one in self.monitors.values() if one.origin in KEPT[base]}
        if base != HARD_WIRED_ONLY:
            self._restore()
        self.changed = True
        self._show(BASE, base)
        return {"status": ACCEPTED}

    def _restore(self) -> None:
        """The factory's monitors are back, but for those that a custom one stands for."""
        for one in self.factory:
            if one.id not in self.monitors and self._twin(one) is None:
                self.monitors[one.id] = msgspec.structs.replace(one)

    def on_SetMonitoringLevel(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.is_enabled:
            return _rejected("NotEnabled")
        if not 0 <= request["severity"] <= monitors.LOWEST_SEVERITY:
            return _rejected("ValueOutOfRange")
        self._show(LEVEL, str(request["severity"]))
        return {"status": ACCEPTED}

    def _show(self, variable: str, value: str) -> None:
        self.station.configuration.put(variable, value)
        self.station.save_configuration()

    # --- SetVariableMonitoring --------------------------------------------------------------------------------------

    def on_SetVariableMonitoring(self, request: dict[str, Any]) -> dict[str, Any]:
        entries = request["setMonitoringData"]
        self._check_count(entries, "SetVariableMonitoring")
        return {"setMonitoringResult": [self._result(data) for data in entries]}

    def _result(self, data: dict[str, Any]) -> dict[str, Any]:
        found = self.station.block(DeviceModel).find(data["component"], data["variable"])
        status, reason = self._replaces(data, found)
        if status == ACCEPTED:
            status, reason = (found, "") if isinstance(found, str) else self._set(data, found)
        result = {"status": status, **{name: data[name] for name in ("type", "severity", "component", "variable")}}
        if status == ACCEPTED:
            result["id"] = data.get("id", self.last_id)
        elif reason:
            result["statusInfo"] = {"reasonCode": reason}
        return result

    def _replaces(self, data: dict[str, Any], found: Variable | str) -> tuple[str, str]:
        """(status, reasonCode) as far as the monitor's id decides; Accepted also where none is given."""
        if not self.is_enabled:
            return REJECTED, "NotEnabled"
        if "id" not in data:
            return ACCEPTED, ""
        old = self.monitors.get(data["id"])
        if old is None:
            return REJECTED, "NotFound"  # N04.FR.13
        if isinstance(found, str) or old.key != found.key:
            return REJECTED, "InvalidValue"  # N04.FR.16
        return (REJECTED, "ReadOnly") if old.origin == HARD_WIRED else (ACCEPTED, "")  # N04.FR.18

    def _set(self, data: dict[str, Any], variable: Variable) -> tuple[str, str]:
        if not monitors.is_supported(data["type"], variable):
            return "UnsupportedMonitorType", ""
        if reason := monitors.problem(data, variable):
            return REJECTED, reason
        old = self.monitors.get(data.get("id", 0))
        monitor = self._made(data, variable, old)
        if self._twin(monitor) is not None:
            return "Duplicate", ""  # N04.FR.10
        if old is None and sum(one.origin == CUSTOM for one in self.monitors.values()) >= MOST_CUSTOM:
            return REJECTED, "TooManyElements"
        self.last_id = max(self.last_id, monitor.id)
        self.monitors[monitor.id] = monitor
        self.changed = True
        return ACCEPTED, ""

    def _made(self, data: dict[str, Any], variable: Variable, old: Monitor | None) -> Monitor:
        """An alert that was told before its threshold was moved is still to be cleared (N07.FR.11)."""
        return Monitor(
            self.last_id + 1 if old is None else old.id,
            variable.key,
            data["type"],
            float(data["value"]),
            data["severity"],
            data.get("transaction", False),
            exceeded=old is not None and old.type == data["type"] and old.exceeded,
            told=self.station.block(DeviceModel).value(variable) if data["type"] == monitors.DELTA else "",
        )

    def _twin(self, monitor: Monitor) -> Monitor | None:
        """Another one of the same variable, type and severity."""
        for one in self.monitors.values():
            same = (one.key, one.type, one.severity) == (monitor.key, monitor.type, monitor.severity)
            if same and one.id != monitor.id:
                return one
        return None

    # --- ClearVariableMonitoring ------------------------------------------------------------------------------------

    def on_ClearVariableMonitoring(self, request: dict[str, Any]) -> dict[str, Any]:
        self._check_count(request["id"], "ClearVariableMonitoring")
        return {"clearMonitoringResult": [{"id": number, "status": self._clear(number)} for number in request["id"]]}

    def _clear(self, number: int) -> str:
        """Without an event, whatever it has told (N07.FR.12)."""
        found = self.monitors.get(number)
        if found is None:
            return "NotFound"
        if found.origin == HARD_WIRED:
            return REJECTED
        del self.monitors[number]
        self.changed = True
        return ACCEPTED


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": REJECTED, "statusInfo": {"reasonCode": reason}}
