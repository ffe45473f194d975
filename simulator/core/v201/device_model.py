"""GetVariables and SetVariables, and the values behind them (contract 5.4, 6.2)."""

from collections.abc import Callable
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.certificate_store import Certificates
from simulator.core.charging import Charging
from simulator.core.configuration import ACCEPTED, REBOOT_REQUIRED, REJECTED, summary
from simulator.core.errors import Kind, Refusal
from simulator.core.faults import KINDS
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector
from simulator.core.pinging import Pinging
from simulator.core.registration import Registration
from simulator.core.security import SecurityProfiles
from simulator.core.v201.availability import Availability
from simulator.core.v201.display_message import DisplayMessages
from simulator.core.v201.metering import Metering
from simulator.core.v201.network_profiles import PRIORITY, NetworkProfiles
from simulator.core.v201.sensors import SENSORS
from simulator.core.v201.smart_charging import SmartCharging
from simulator.core.v201.variables import Variable, variables

# What depends on a variable and follows its change at once.
FOLLOWERS: dict[str, Callable[[Machine], None]] = {
    "OCPPCommCtrlr.HeartbeatInterval": lambda station: station.block(Registration).rearm(),
    "OCPPCommCtrlr.WebSocketPingInterval": lambda station: station.block(Pinging).rearm(),
    "SampledDataCtrlr.TxUpdatedInterval": lambda station: station.block(Metering).interval_changed(),
    "SampledDataCtrlr.TxEndedInterval": lambda station: station.block(Metering).interval_changed(),
    "AlignedDataCtrlr.Interval": lambda station: station.block(Metering).align(),
    "AlignedDataCtrlr.TxEndedInterval": lambda station: station.block(Metering).align(),
}


class DeviceModel(Block):
    actions: ClassVar = ("GetVariables", "SetVariables")

    @property
    def variables(self) -> dict[str, Variable]:
        return variables(self.station.setup)

    # --- values -----------------------------------------------------------------------------------------------------

    def value(self, variable: Variable) -> str:
        if not variable.live:
            return self.station.configuration.text(variable.key)
        sensor = SENSORS.get((variable.component, variable.name))
        return self._live(variable) if sensor is None else sensor(self.within(variable))

    def _live(self, variable: Variable) -> str:
        connectors = self.within(variable)
        match variable.name:
            case "AvailabilityState":
                return self.station.block(Availability).state_of(connectors)
            case "DisplayMessages":
                return str(len(self.station.block(DisplayMessages).messages))
            case "CertificateEntries":
                return str(len(self.station.block(Certificates).roots()))
            case "Entries" if variable.component == "SmartChargingCtrlr":
                return str(len(self.station.block(SmartCharging).profiles))
            case "Entries":
                return str(len(self.station.block(Charging).tokens.entries))
            case "Storage":
                return str(64 * len(self.station.block(Charging).tokens.cache))
            case "DateTime":
                return timestamps.written(self.station.clock)
            case "Identity":
                return self.station.setup.identity
            case "SerialNumber":
                return self.station.setup.serial_number[:25]
        return "true" if self._has_fault(variable, connectors) else "false"

    def within(self, variable: Variable) -> list[Connector]:
        """The outlets that a component stands for: one, those of an EVSE, or all."""
        return [
            one
            for one in self.station.connectors
            if variable.evse in (0, one.outlet.evse_id) and variable.connector in (0, one.outlet.connector_id)
        ]

    @staticmethod
    def _has_fault(variable: Variable, connectors: list[Connector]) -> bool:
        """Anomalies are no fault that the station knows of."""
        known = [KINDS[fault.code] for one in connectors for fault in one.faults if fault.code in KINDS]
        if variable.component in ("ChargingStation", "EVSE", "Connector"):
            return bool(known)
        return any((kind.component, kind.variable) == (variable.component, variable.name) for kind in known)

    # --- finding ----------------------------------------------------------------------------------------------------

    def find(self, component: dict[str, Any], variable: dict[str, Any]) -> Variable | str:
        """The variable, or UnknownComponent or UnknownVariable. Names are matched without case."""
        evse = component.get("evse", {})
        place = "".join(f"/{evse[name]}" for name in ("id", "connectorId") if name in evse)
        instance = f"[{variable['instance']}]" if variable.get("instance") else ""
        key = self.station.configuration.name_of(f"{component['name']}{place}.{variable['name']}{instance}")
        found = self.variables.get(key or "")
        if found is not None and _is_named(found, component, variable):
            return found
        known = any(_is_of(one, component) for one in self.variables.values())
        return "UnknownVariable" if known else "UnknownComponent"

    def _check_count(self, entries: list[Any], action: str) -> None:
        if len(entries) > self.station.configuration.number(f"DeviceDataCtrlr.ItemsPerMessage[{action}]"):
            raise Refusal(Kind.COUNT, f"more entries than ItemsPerMessage[{action}]")

    def _meant(self, entry: dict[str, Any]) -> tuple[Variable | None, dict[str, Any]]:
        """The variable that an entry of a request means, or None, and its result as far as that says."""
        found, attribute = self.find(entry["component"], entry["variable"]), entry.get("attributeType", "Actual")
        result = {"component": entry["component"], "variable": entry["variable"], "attributeType": attribute}
        if isinstance(found, str):
            return None, {**result, "attributeStatus": found}
        if attribute != "Actual":
            return None, {**result, "attributeStatus": "NotSupportedAttributeType"}
        return found, result

    # --- GetVariables, SetVariables ---------------------------------------------------------------------------------

    def on_GetVariables(self, request: dict[str, Any]) -> dict[str, Any]:
        entries = request["getVariableData"]
        self._check_count(entries, "GetVariables")
        return {"getVariableResult": [self._got(entry) for entry in entries]}

    def _got(self, entry: dict[str, Any]) -> dict[str, Any]:
        found, result = self._meant(entry)
        if found is None:
            return result
        if found.setting.access == "W":
            return {**result, "attributeStatus": "Rejected", "attributeStatusInfo": {"reasonCode": "WriteOnly"}}
        return {**result, "attributeStatus": "Accepted", "attributeValue": self.value(found)}

    def on_SetVariables(self, request: dict[str, Any]) -> dict[str, Any]:
        entries = request["setVariableData"]
        self._check_count(entries, "SetVariables")
        return {"setVariableResult": [self._set(entry) for entry in entries]}

    def _set(self, entry: dict[str, Any]) -> dict[str, Any]:
        found, result = self._meant(entry)
        if found is None:
            return result
        status, why = self.change(found.key, entry["attributeValue"])
        result["attributeStatus"] = status
        if status == REJECTED:
            code = "ReadOnly" if found.setting.access == "R" else "InvalidValue"
            result["attributeStatusInfo"] = {"reasonCode": code, "additionalInfo": why[:512]}
        return result

    def change(self, key: str, value: str) -> tuple[str, str]:
        """Sets a variable, from either side, and lets what depends on it follow at once."""
        name = self.station.configuration.name_of(key) or ""
        decided = self.station.block(SecurityProfiles).change(name, value)
        if name == PRIORITY:
            decided = self.station.block(NetworkProfiles).change_priority(value)
        if decided is not None:
            return decided
        status, why = self.station.configuration.change(key, value)
        if status in (ACCEPTED, REBOOT_REQUIRED):
            self.station.save_configuration()
            follow = FOLLOWERS.get(self.station.configuration.name_of(key) or "")
            if follow is not None:
                follow(self.station)
        return status, why

    def do_update_configuration(self, params: dict[str, Any]) -> None:
        """An installer's change (gateway contract, section 10)."""
        results = {key: self.change(key, value) for key, value in params["configuration"].items()}
        self.station.installed(summary(results))


def _is_of(one: Variable, component: dict[str, Any]) -> bool:
    evse = component.get("evse", {})
    return (
        one.component.lower() == component["name"].lower()
        and not component.get("instance")
        and (one.evse, one.connector) == (evse.get("id", 0), evse.get("connectorId", 0))
    )


def _is_named(one: Variable, component: dict[str, Any], variable: dict[str, Any]) -> bool:
    return _is_of(one, component) and one.name.lower() == variable["name"].lower()
