"""The variables of a 2.0.1 charging station's device model: type, access, default (behaviour contract, 6.2)."""

from functools import lru_cache
from typing import Any

import msgspec

from simulator.core import faults
from simulator.core.configuration import Setting
from simulator.core.setup import Options, Outlet, Setup

DATA_TYPES = {
    "bool": "boolean",
    "int": "integer",
    "text": "string",
    "password": "string",
    "members": "MemberList",
}
NO_LIMIT = 2**31 - 1

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Export.Register",
    "Energy.Active.Export.Interval",
    "Energy.Reactive.Import.Register",
    "Power.Active.Import",
    "Power.Reactive.Import",
    "Power.Offered",
    "Power.Factor",
    "Current.Import",
    "Current.Offered",
    "Voltage",
    "Frequency",
    "SoC",
)
REGISTER = "Energy.Active.Import.Register"
USUAL = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
TX_POINTS = ("ParkingBayOccupancy", "EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer")
CONNECTOR_TYPES = {
    "CCS1": "cCCS1",
    "CCS2": "cCCS2",
    "CHAdeMO": "cG105",
    "NACS": "cTesla",
    "Schuko": "sCEE-7-7",
    "Type1": "cType1",
    "Type2": "cType2",
}
STATES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
DISPLAY_PRIORITIES = ("AlwaysFront", "InFront", "NormalCycle")  # the foremost first
DISPLAY_STATES = ("Charging", "Faulted", "Idle", "Unavailable")
# Components of injected faults that belong to the whole station; the others are an EVSE's.
STATION_HARDWARE = {"Controller", "DataLink", "LocalAuthListCtrlr"}


class Variable(msgspec.Struct, frozen=True):
    """One variable. `live`: its value is asked of the station at the moment, not stored. 0: no EVSE, no connector."""

    component: str
    name: str
    setting: Setting
    instance: str = ""
    evse: int = 0
    connector: int = 0
    data_type: str = ""
    unit: str = ""
    live: bool = False

    @property
    def key(self) -> str:
        """`Component.Variable[Instance]`; the component of an EVSE is `EVSE/1`, of a connector `Connector/1/1`."""
        place = "".join(f"/{number}" for number in (self.evse, self.connector) if number)
        return f"{self.component}{place}.{self.name}" + (f"[{self.instance}]" if self.instance else "")

    @property
    def names(self) -> dict[str, Any]:
        """`component` and `variable` as messages name them."""
        component: dict[str, Any] = {"name": self.component}
        if self.evse:
            component["evse"] = {"id": self.evse} | ({"connectorId": self.connector} if self.connector else {})
        variable = {"name": self.name} | ({"instance": self.instance} if self.instance else {})
        return {"component": component, "variable": variable}

    @property
    def is_numeric(self) -> bool:
        return self.wire_type in ("integer", "decimal")

    @property
    def is_monitorable(self) -> bool:
        """All that can be read, but for the clock, which would never rest."""
        return self.setting.access != "W" and self.data_type != "dateTime"

    @property
    def wire_type(self) -> str:
        if self.data_type:
            return self.data_type
        if self.setting.kind == "text" and self.setting.members:
            return "OptionList"
        return DATA_TYPES[self.setting.kind]


class Spec(msgspec.Struct, frozen=True):
    """A row of the tables below: everything but the names."""

    setting: Setting
    data_type: str = ""
    unit: str = ""
    live: bool = False


def sensor(unit: str, least: int, most: int = NO_LIMIT) -> Spec:
    """What it shows stands in `sensors.py`."""
    return Spec(Setting("int", "0", "R", least=least, most=most), data_type="decimal", unit=unit, live=True)


def flag(default: bool, access: str = "RW", *, live: bool = False) -> Spec:
    return Spec(Setting("bool", "true" if default else "false", access), live=live)


def number(
    default: int, access: str = "RW", *, unit: str = "", least: int = 0, most: int = NO_LIMIT, live: bool = False
) -> Spec:
    return Spec(Setting("int", str(default), access, least=least, most=most), unit=unit, live=live)


def seconds(default: int, *, access: str = "RW", least: int = 0) -> Spec:
    return number(default, access, unit="s", least=least)


def text(default: str = "", access: str = "RW", *, most: int = 1000, data_type: str = "", live: bool = False) -> Spec:
    return Spec(Setting("text", default, access, most=most), data_type=data_type, live=live)


def option(default: str, options: tuple[str, ...], access: str = "R", *, live: bool = False) -> Spec:
    return Spec(Setting("text", default, access, members=options), live=live)


def members(
    default: str, drawn_from: tuple[str, ...], access: str = "RW", *, least: int = 0, ordered: bool = False
) -> Spec:
    setting = Setting("members", default, access, least=least, members=drawn_from, most=16)
    return Spec(setting, data_type="SequenceList" if ordered else "")


def measurands(default: str) -> Spec:
    return members(default, MEASURANDS)


COMMUNICATION = {
    "HeartbeatInterval": seconds(300),
    "WebSocketPingInterval": seconds(30),
    "MessageTimeout[Default]": seconds(30, access="R"),
    "MessageAttempts[TransactionEvent]": number(3),
    "MessageAttemptInterval[TransactionEvent]": seconds(60),
    "OfflineThreshold": seconds(60),
    "RetryBackOffWaitMinimum": seconds(3),
    "RetryBackOffRandomRange": seconds(11),
    "RetryBackOffRepeatTimes": number(4),
    "NetworkConfigurationPriority": members("1", ("1", "2"), least=1, ordered=True),
    "NetworkProfileConnectionAttempts": number(3),
    "ActiveNetworkProfile": number(1, "R"),
    "FileTransferProtocols": members("HTTP,HTTPS", ("HTTP", "HTTPS"), "R"),
    "ResetRetries": number(1),
    "UnlockOnEVSideDisconnect": flag(True),
    "QueueAllMessages": flag(False, "R"),  # what is no transaction's is told anew after a reconnect
}
AUTHORIZATION = {
    "Enabled": flag(True),
    "AuthorizeRemoteStart": flag(False),
    "LocalAuthorizeOffline": flag(True),
    "LocalPreAuthorize": flag(False),
    "OfflineTxForUnknownIdEnabled": flag(False),
    "MasterPassGroupId": text(most=36),
    "DisableRemoteAuthorization": flag(False),
}
CACHE = {
    "Available": flag(True, "R"),
    "Enabled": flag(True),
    "LifeTime": seconds(86_400),
    "Policy": option("LRU", ("LRU",)),
    "Storage": number(0, "R", unit="B", most=500_000, live=True),
    "DisablePostAuthorize": flag(False),
}
LOCAL_LIST = {
    "Available": flag(True, "R"),
    "Enabled": flag(True),
    "Entries": number(0, "R", most=1000, live=True),
    "ItemsPerMessage": number(200, "R"),
    "BytesPerMessage": number(65_000, "R"),
    "DisablePostAuthorize": flag(False),
}
TRANSACTIONS = {
    "EVConnectionTimeOut": seconds(60),
    "StopTxOnEVSideDisconnect": flag(True),
    "StopTxOnInvalidId": flag(True),
    "TxStartPoint": members("EVConnected,Authorized", TX_POINTS, least=1),
    "TxStopPoint": members("EVConnected,Authorized", TX_POINTS, least=1),
    "MaxEnergyOnInvalidId": number(0, unit="Wh"),
    "TxBeforeAcceptedEnabled": flag(False),
}
ALIGNED_DATA = {
    "Available": flag(True, "R"),
    "Enabled": flag(True),
    "Interval": seconds(0),
    "Measurands": measurands(REGISTER),
    "TxEndedInterval": seconds(0),
    "TxEndedMeasurands": measurands(""),
    "SendDuringIdle": flag(False),
}
DEVICE_DATA = {
    "ItemsPerMessage[GetReport]": number(50, "R"),
    "ItemsPerMessage[GetVariables]": number(50, "R"),
    "ItemsPerMessage[SetVariables]": number(50, "R"),
    "BytesPerMessage[GetReport]": number(65_000, "R"),
    "BytesPerMessage[GetVariables]": number(65_000, "R"),
    "BytesPerMessage[SetVariables]": number(65_000, "R"),
    "ConfigurationValueSize": number(1000, "R"),
    "ReportingValueSize": number(2500, "R"),
    "ValueSize": number(2500, "R"),
}
CLOCK = {
    "DateTime": text(access="R", data_type="dateTime", live=True),
    "TimeSource": members("Heartbeat", ("Heartbeat", "RealTimeClock"), least=1, ordered=True),
    "TimeZone": text("Etc/UTC", most=64),
    "TimeOffset": text("+00:00", most=6),
    "TimeAdjustmentReportingThreshold": seconds(20),
}
MONITORING = {
    "Available": flag(True, "R"),
    "Enabled": flag(True),
    "ItemsPerMessage[SetVariableMonitoring]": number(50, "R"),
    "ItemsPerMessage[ClearVariableMonitoring]": number(50, "R"),
    "BytesPerMessage[SetVariableMonitoring]": number(65_000, "R"),
    "BytesPerMessage[ClearVariableMonitoring]": number(65_000, "R"),
    "OfflineQueuingSeverity": number(5, most=9),
    "ActiveMonitoringBase": option("FactoryDefault", ("All", "FactoryDefault", "HardWiredOnly")),
    "ActiveMonitoringLevel": number(9, "R", most=9),
}
DISPLAY_MESSAGES = {
    "Available": flag(True, "R"),
    "Enabled": flag(True, "R"),
    "DisplayMessages": number(0, "R", most=10, live=True),
    "SupportedFormats": members("ASCII,UTF8", ("ASCII", "UTF8"), "R"),
    "SupportedPriorities": members(",".join(DISPLAY_PRIORITIES), DISPLAY_PRIORITIES, "R"),
    "SupportedStates": members(",".join(DISPLAY_STATES), DISPLAY_STATES, "R"),
}
TARIFF_AND_COST = {
    "Available[Tariff]": flag(True, "R"),
    "Available[Cost]": flag(True, "R"),
    "Enabled[Tariff]": flag(True, "R"),
    "Enabled[Cost]": flag(True, "R"),
    "Currency": text("EUR", most=3),
    "TariffFallbackMessage": text(),
    "TotalCostFallbackMessage": text(),
}
RESERVATION = {"Available": flag(True, "R"), "Enabled": flag(True), "NonEvseSpecific": flag(True, "R")}
SMART_CHARGING = {
    "Available": flag(True, "R"),
    "Enabled": flag(True),
    "Entries[ChargingProfiles]": number(0, "R", most=20, live=True),
    "LimitChangeSignificance": number(5, unit="Percent", most=100),
    "PeriodsPerSchedule": number(48, "R"),
    "ProfileStackLevel": number(10, "R"),
    "RateUnit": members("A,W", ("A", "W"), "R", least=1),
    "ACPhaseSwitchingSupported": flag(False, "R"),
    "Phases3to1": flag(False, "R"),
    "ExternalControlSignalsEnabled": flag(True),
    "NotifyChargingLimitWithSchedules": flag(False),
}


def _sampled_data(setup: Setup) -> dict[str, Spec]:
    usual = USUAL + (",SoC" if setup.current_type == "dc" else "")
    return {
        "Available": flag(True, "R"),
        "Enabled": flag(True),
        "TxStartedMeasurands": measurands(REGISTER),
        "TxUpdatedMeasurands": measurands(usual),
        "TxUpdatedInterval": seconds(60),
        "TxEndedMeasurands": measurands(REGISTER),
        "TxEndedInterval": seconds(0),
        "RegisterValuesWithoutPhases": flag(True, "R"),
        "SignReadings": flag(False, "R"),
    }


def _security(setup: Setup) -> dict[str, Spec]:
    return {
        "SecurityProfile": number(0, "R"),
        "Identity": text(access="R", most=48, live=True),
        "OrganizationName": text(setup.vendor),
        "BasicAuthPassword": Spec(Setting("password", "", "W", least=16, most=40)),
        "CertificateEntries": number(0, "R", most=20, live=True),
        "CertSigningWaitMinimum": seconds(30),
        "CertSigningRepeatTimes": number(3),
        "AdditionalRootCertificateCheck": flag(False, "R"),
        "MaxCertificateChainSize": number(10_000, "R"),
        "DisableSecurityEventNotifications": flag(False),
    }


def _station(setup: Setup) -> dict[str, Spec]:
    return {
        "AllowNewSessionsPendingFirmwareUpdate": flag(False),
        "Available": flag(True, "R"),
        "AvailabilityState": option("Available", STATES, live=True),
        "Model": text(setup.model[:20], "R"),
        "VendorName": text(setup.vendor[:50], "R"),
        "SerialNumber": text(access="R", most=25, live=True),
        "FirmwareVersion": text(setup.firmware_version[:50], "R"),
        "Problem": flag(False, "R", live=True),
        "SupplyPhases": number(max(outlet.phases for outlet in setup.outlets), "R"),
    }


def _evse(outlets: list[Outlet]) -> dict[str, Spec]:
    return {
        "Available": flag(True, "R"),
        "AvailabilityState": option("Available", STATES, live=True),
        "Power": number(0, "R", unit="W", most=max(outlet.max_power_w for outlet in outlets), live=True),
        "Problem": flag(False, "R", live=True),
        "SupplyPhases": number(max(outlet.phases for outlet in outlets), "R"),
        "AllowReset": flag(True, "R"),
        "EvseId": text(most=48),
    }


def connector_type(outlet: Outlet) -> str:
    """An outlet's ConnectorEnumType."""
    kind = CONNECTOR_TYPES.get(outlet.type, "Unknown")
    return "sType2" if outlet.format == "socket" and kind == "cType2" else kind


def _connector(outlet: Outlet) -> dict[str, Spec]:
    return {
        "Available": flag(True, "R"),
        "AvailabilityState": option("Available", STATES, live=True),
        "ConnectorType": text(connector_type(outlet), "R"),
        "Problem": flag(False, "R", live=True),
        "SupplyPhases": number(outlet.phases, "R"),
    }


STATION_SENSORS = {"DataLink": {"SignalStrength": sensor("dBm", -140, 0)}}
EVSE_SENSORS = {
    "CPPWMController": {"State": option("A", ("A", "B", "C", "D", "E", "F"), live=True)},
    "ElectricalFeed": {"ACVoltage": sensor("V", 0)},
    "FiscalMetering": {"EnergyImportRegister": sensor("Wh", 0)},
    "TemperatureSensor": {"Temperature": sensor("Celsius", -40, 125)},
}


def _hardware(*, of_station: bool) -> list[tuple[str, dict[str, Spec]]]:
    """What carries injected faults (contract, 8.1), by true and false or by what it measures."""
    chosen = [
        (kind.component, kind.variable)
        for kind in faults.KINDS.values()
        if (kind.component in STATION_HARDWARE) == of_station and kind.variable in ("Problem", "Tripped", "Active")
    ]
    told = [(component, {name: flag(False, "R", live=True)}) for component, name in dict.fromkeys(chosen)]
    return [*told, *(STATION_SENSORS if of_station else EVSE_SENSORS).items()]


def _named(component: str, specs: dict[str, Spec], evse: int = 0, connector: int = 0) -> list[Variable]:
    rows = []
    for written, spec in specs.items():
        name, _, instance = written.rstrip("]").partition("[")
        rows.append(
            Variable(component, name, spec.setting, instance, evse, connector, spec.data_type, spec.unit, spec.live)
        )
    return rows


def _rows(setup: Setup) -> list[Variable]:
    rows = _named("ChargingStation", _station(setup))
    for evse in dict.fromkeys(outlet.evse_id for outlet in setup.outlets):
        outlets = [outlet for outlet in setup.outlets if outlet.evse_id == evse]
        rows += _named("EVSE", _evse(outlets), evse)
        for outlet in outlets:
            rows += _named("Connector", _connector(outlet), evse, outlet.connector_id)
        for component, specs in _hardware(of_station=False):
            rows += _named(component, specs, evse)
    for component, specs in _controllers(setup).items():
        rows += _named(component, specs)
    for component, specs in _hardware(of_station=True):
        rows += _named(component, specs)
    return rows


def _controllers(setup: Setup) -> dict[str, dict[str, Spec]]:
    return {
        "AlignedDataCtrlr": ALIGNED_DATA,
        "AuthCacheCtrlr": CACHE,
        "AuthCtrlr": AUTHORIZATION,
        "ClockCtrlr": CLOCK,
        "DeviceDataCtrlr": DEVICE_DATA,
        "DisplayMessageCtrlr": DISPLAY_MESSAGES,
        "LocalAuthListCtrlr": LOCAL_LIST,
        "MonitoringCtrlr": MONITORING,
        "OCPPCommCtrlr": COMMUNICATION,
        "ReservationCtrlr": RESERVATION,
        "SampledDataCtrlr": _sampled_data(setup),
        "SecurityCtrlr": _security(setup),
        "SmartChargingCtrlr": SMART_CHARGING,
        "TariffCostCtrlr": TARIFF_AND_COST,
        "TxCtrlr": TRANSACTIONS,
    }


def _vendor(setup: Setup) -> list[Variable]:
    """The brand's own keys: `Component.Variable`, or a variable of `Vendor` where no component is named."""
    rows = []
    for one in setup.vendor_keys:
        component, dot, name = one.key.rpartition(".")
        setting = Setting("text", one.value, "R" if one.readonly else "RW", most=1000, reboot=one.reboot_required)
        rows.append(Variable((component if dot else "Vendor")[:50], name[:50], setting))
    return rows


@lru_cache(maxsize=256)
def _of_model(nameplate: Setup) -> tuple[dict[str, Variable], dict[str, Setting]]:
    """Shared by all stations of a model, which may be thousands."""
    rows = {row.key: row for row in _rows(nameplate) + _vendor(nameplate)}
    return rows, {key: row.setting for key, row in rows.items()}


def _nameplate(setup: Setup) -> Setup:
    return msgspec.structs.replace(setup, identity="", serial_number="", seed=0, iccid="", imsi="", options=Options())


def variables(setup: Setup) -> dict[str, Variable]:
    """All variables of this device by key, in the order of its reports; not to be changed."""
    return _of_model(_nameplate(setup))[0]


def settings(setup: Setup) -> dict[str, Setting]:
    """What the station's Configuration holds, live variables included."""
    return _of_model(_nameplate(setup))[1]


def keys(setup: Setup) -> dict[str, Setting]:
    """The variables whose values are known without asking the station."""
    known = {key: variable.setting for key, variable in variables(setup).items() if not variable.live}
    return known | {
        "ChargingStation.SerialNumber": Setting("text", setup.serial_number, "R"),
        "SecurityCtrlr.Identity": Setting("text", setup.identity, "R"),
    }
