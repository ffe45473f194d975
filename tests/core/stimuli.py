"""What may be done to a station: users' commands, calls of a CSMS, its answers, and nonsense. Chosen by number."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from simulator.core.faults import KINDS
from tests.pki import Authority

NOW = "2026-04-02T09:15:00Z"
LATER = "2026-04-02T09:25:00Z"
CA = Authority(now=datetime(2026, 4, 2, tzinfo=UTC)).pem
ROOTS = ("CentralSystemRootCertificate", "ManufacturerRootCertificate", "CSMSRootCertificate")
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "00", "issuerKeyHash": "00", "serialNumber": "1"}
EXTENDED_TRIGGERS = (
    "BootNotification", "FirmwareStatusNotification", "Heartbeat", "LogStatusNotification", "MeterValues",
    "SignChargePointCertificate", "StatusNotification",
)  # fmt: skip
TAGS = ("TAG", "tag-2", "X" * 20)
Command = Callable[[int], tuple[str, dict[str, Any]]]
Call = Callable[[int, str], tuple[str, dict[str, Any]]]


def pick(options: Any, number: int) -> Any:
    return list(options)[number // 7 % len(options)]


def command(name: str, **fields: Callable[[int], Any]) -> Command:
    """A command whose fields are drawn from the number; None leaves a field out."""

    def make(number: int) -> tuple[str, dict[str, Any]]:
        params = {key: draw(number) for key, draw in fields.items()}
        return name, {key: value for key, value in params.items() if value is not None}

    return make


def connector(number: int) -> int | None:
    return (1, 2, None, 3)[number // 11 % 4]


def tag(number: int) -> str:
    return str(pick(TAGS, number))


CONFIGURATION = (
    {"MeterValueSampleInterval": "5", "SampledDataCtrlr.TxUpdatedInterval": "5"},
    {"StopTxnSampledData": "Energy.Active.Import.Register", "SampledDataCtrlr.TxEndedInterval": "20"},
    {"ClockAlignedDataInterval": "900", "AlignedDataCtrlr.Interval": "900"},
    {"StopTransactionOnEVSideDisconnect": "false", "TxCtrlr.StopTxOnEVSideDisconnect": "false"},
    {"StopTransactionOnInvalidId": "false", "TxCtrlr.StopTxOnInvalidId": "false"},
    {"LocalPreAuthorize": "true", "AuthCtrlr.LocalPreAuthorize": "true"},
    {"AllowOfflineTxForUnknownId": "true", "AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"},
    {"ConnectionTimeOut": "10", "TxCtrlr.EVConnectionTimeOut": "10"},
    {"TxCtrlr.TxStartPoint": "PowerPathClosed"},
    {"TxCtrlr.TxStartPoint": "EnergyTransfer"},
    {"TxCtrlr.TxStartPoint": "Authorized"},
    {"TxCtrlr.TxStopPoint": "EVConnected"},
    {"TxCtrlr.TxStopPoint": "EnergyTransfer"},
    {"TxCtrlr.TxStopPoint": "Authorized"},
    {"AuthCtrlr.Enabled": "false"},
    {"TransactionMessageAttempts": "1", "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "1"},
    {"NoSuchKey": "1", "HeartbeatInterval": "-1"},
)
COMMANDS: tuple[Command, ...] = (
    command("plug_connector", connector_id=connector),
    command("unplug_connector", connector_id=connector),
    command("start_session", id_tag=tag, connector_id=connector),
    command("start_transaction", id_tag=tag, connector_id=connector),
    command("stop_session", connector_id=connector),
    command("stop_transaction"),
    command("start_session", id_tag=tag, duration_seconds=lambda n: 30, target_energy_kwh=lambda n: 0.05),
    command("unlock_connector", connector_id=connector),
    command("authorize_id_tag", id_tag=tag),
    command("ev_requests_energy", connector_id=connector),
    command("ev_stops_energy", connector_id=connector),
    command("set_charging_limit", limit=lambda n: n % 40, unit=lambda n: pick(("A", "W"), n)),
    command("clear_charging_limit"),
    command("power_update", power_w=lambda n: (0, 500, 3000, 500_000)[n % 4], connector_id=connector),
    command("reset", type=lambda n: ("Soft", "Hard")[n // 7 % 2]),
    command("inject_fault", fault_type=lambda n: pick([*KINDS, "Gremlins"], n), connector_id=connector),
    command(
        "inject_fault",
        fault_type=lambda n: pick(KINDS, n),
        duration_seconds=lambda n: 20,
        severity=lambda n: ("blocking", "warning")[n % 2],
    ),
    command("clear_fault"),
    command("update_configuration", configuration=lambda n: pick(CONFIGURATION, n)),
    command("update_configuration", configuration=lambda n: pick(CONFIGURATION, n * 3)),
    command("reset_cache"),
    command("set_local_auth_list", list_version=lambda n: n, entries=lambda n: [{"id_tag": "TAG"}]),
    command("clear_local_auth_list"),
    command("no_such_command"),
)


def call(action: str, payload: Callable[[int, str], dict[str, Any]] | None = None) -> Call:
    return lambda number, transaction: (action, payload(number, transaction) if payload else {})


def _whole(transaction: str) -> int:
    return int(transaction) if transaction.lstrip("-").isdigit() else 99


def _token(number: int) -> dict[str, Any]:
    return {"idToken": tag(number), "type": "ISO14443"}


def _variable(number: int) -> dict[str, Any]:
    names = (
        ("OCPPCommCtrlr", "HeartbeatInterval"),
        ("TxCtrlr", "TxStartPoint"),
        ("SecurityCtrlr", "BasicAuthPassword"),
        ("NoSuchCtrlr", "Nothing"),
        ("TxCtrlr", "Nothing"),
        ("ChargingStation", "AvailabilityState"),
        ("SampledDataCtrlr", "TxUpdatedInterval"),
    )
    component, variable = pick(names, number)
    return {"component": {"name": component}, "variable": {"name": variable}}


def _profile(number: int) -> dict[str, Any]:
    purpose, kind = number // 7 % 3, number // 21 % 3
    limits = (0, 6, 10.5, 32, 7000)
    profile: dict[str, Any] = {
        "chargingProfileId": number % 4,
        "stackLevel": number // 11 % 3,
        "chargingProfilePurpose": ("ChargePointMaxProfile", "TxDefaultProfile", "TxProfile")[purpose],
        "chargingProfileKind": ("Absolute", "Recurring", "Relative")[kind],
        "chargingSchedule": {
            "chargingRateUnit": "AW"[number // 13 % 2],
            "chargingSchedulePeriod": [
                {"startPeriod": 60 * place, "limit": pick(limits, number * place)} for place in range(number % 4)
            ],
        },
    }
    if kind == 1:
        profile["recurrencyKind"] = ("Daily", "Weekly")[number % 2]
    if number % 3 == 0:
        profile["validTo"] = LATER
        profile["chargingSchedule"] |= {"startSchedule": NOW, "duration": 300}
    return profile


def _profile_201(number: int) -> dict[str, Any]:
    """The same in 2.0.1's words; some kinds without the start they need."""
    old = _profile(number)
    purpose = old["chargingProfilePurpose"].replace("ChargePoint", "ChargingStation")
    plan = {"id": 1, **old["chargingSchedule"]}
    plan["chargingSchedulePeriod"] = plan["chargingSchedulePeriod"] or [{"startPeriod": 0, "limit": 16}]
    if old["chargingProfileKind"] != "Relative" and number % 4:
        plan["startSchedule"] = NOW
    changed = {"chargingProfilePurpose": purpose, "chargingSchedule": [plan], "id": old.pop("chargingProfileId")}
    return old | changed


def _evse(number: int) -> dict[str, Any]:
    return ({}, {"evse": {"id": 1}}, {"evse": {"id": 2, "connectorId": 1}}, {"evse": {"id": 9}})[number // 7 % 4]


def _monitored(number: int) -> dict[str, Any]:
    """A SetMonitoringDataType: of something that moves, of something that is set, of nothing."""
    names = (
        ({"name": "EVSE", "evse": {"id": 1}}, "Power"),
        ({"name": "Connector", "evse": {"id": 2, "connectorId": 1}}, "AvailabilityState"),
        ({"name": "TemperatureSensor", "evse": {"id": 1}}, "Temperature"),
        ({"name": "FiscalMetering", "evse": {"id": 2}}, "EnergyImportRegister"),
        ({"name": "TxCtrlr"}, "TxStartPoint"),
        ({"name": "NoSuchCtrlr"}, "Nothing"),
    )
    component, variable = pick(names, number)
    kinds = ("UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned")
    known = {"id": pick((1, 3, 1001, 1002), number * 5)} if number % 3 == 0 else {}
    return known | {
        "component": component,
        "variable": {"name": variable},
        "type": pick(kinds, number * 3),
        "value": pick((0, 50, 3000.5, 300, -1), number * 2),
        "severity": number % 11,
        "transaction": number % 4 == 0,
    }


def _file(number: int) -> dict[str, Any]:
    """When and how often a file is moved."""
    return {"retries": number % 3, "retryInterval": number % 50}


def _firmware(number: int) -> dict[str, Any]:
    location = pick(("http://files.example/fw-2.1.bin", "ftp://files.example/fw.bin", "https://me:pw@x/fw"), number)
    later = {"installDateTime": LATER} if number % 3 == 0 else {}
    return {"location": location, "retrieveDateTime": pick((NOW, LATER), number // 2), **later}


def _log(number: int) -> dict[str, Any]:
    span = {"oldestTimestamp": pick((NOW, LATER), number // 3)} if number % 3 else {}
    kind = pick(("DiagnosticsLog", "SecurityLog"), number)
    return {"logType": kind, "requestId": number, "log": {"remoteLocation": "http://files.example/", **span}}


CALLS: dict[str, tuple[Call, ...]] = {
    "ocpp1.6": (
        call(
            "UpdateFirmware",
            lambda n, t: {"location": _firmware(n)["location"], "retrieveDate": pick((NOW, LATER), n // 2)} | _file(n),
        ),
        call("GetDiagnostics", lambda n, t: {"location": "http://files.example/"} | _file(n)),
        call("GetLog", lambda n, t: _log(n) | _file(n)),
        call(
            "SignedUpdateFirmware",
            lambda n, t: {"requestId": n, "firmware": _firmware(n) | {"signingCertificate": CA, "signature": "AAAA"}},
        ),
        call("RemoteStartTransaction", lambda n, t: {"idTag": tag(n)} | ({"connectorId": n % 4} if n % 2 else {})),
        call("RemoteStopTransaction", lambda n, t: {"transactionId": _whole(t)}),
        call("Reset", lambda n, t: {"type": ("Soft", "Hard")[n // 7 % 2]}),
        call("UnlockConnector", lambda n, t: {"connectorId": n % 4}),
        call(
            "ChangeAvailability",
            lambda n, t: {"connectorId": n // 3 % 4, "type": ("Operative", "Inoperative")[n // 7 % 3 > 1]},
        ),
        call(
            "ChangeConfiguration",
            lambda n, t: dict(zip(("key", "value"), next(iter(pick(CONFIGURATION, n).items())), strict=True)),
        ),
        call("GetConfiguration", lambda n, t: {"key": ["HeartbeatInterval", "Nope"]} if n % 2 else {}),
        call("ChangeConfiguration", lambda n, t: {"key": "AuthorizationKey", "value": "0" * (n % 45)}),
        call("ChangeConfiguration", lambda n, t: {"key": "SecurityProfile", "value": str(n % 4)}),
        call("ExtendedTriggerMessage", lambda n, t: {"requestedMessage": pick(EXTENDED_TRIGGERS, n)}),
        call("InstallCertificate", lambda n, t: {"certificateType": ROOTS[n % 2], "certificate": pick(("", CA), n)}),
        call("DeleteCertificate", lambda n, t: {"certificateHashData": HASHES}),
        call("GetInstalledCertificateIds", lambda n, t: {"certificateType": ROOTS[n % 2]}),
        call("CertificateSigned", lambda n, t: {"certificateChain": pick(("", CA), n)}),
        call("ClearCache"),
        call("DataTransfer", lambda n, t: {"vendorId": "x"}),
        call("GetLocalListVersion"),
        call(
            "SendLocalList",
            lambda n, t: {
                "listVersion": n % 50,
                "updateType": ("Full", "Differential")[n % 2],
                "localAuthorizationList": [{"idTag": tag(n), "idTagInfo": {"status": "Accepted"}}],
            },
        ),
        call(
            "TriggerMessage",
            lambda n, t: (
                {
                    "requestedMessage": pick(
                        (
                            "BootNotification",
                            "Heartbeat",
                            "StatusNotification",
                            "MeterValues",
                            "FirmwareStatusNotification",
                        ),
                        n,
                    )
                }
                | ({"connectorId": n % 4} if n % 2 else {})
            ),
        ),
        call(
            "ReserveNow",
            lambda n, t: (
                {
                    "connectorId": n // 3 % 4,
                    "expiryDate": pick((NOW, "2026-04-02T09:16:00Z", LATER, LATER), n),
                    "idTag": tag(n),
                    "reservationId": n % 3,
                }
                | ({"parentIdTag": "FAMILY"} if n % 5 == 0 else {})
            ),
        ),
        call("CancelReservation", lambda n, t: {"reservationId": n // 5 % 3}),
        call(
            "SetChargingProfile",
            lambda n, t: {
                "connectorId": n // 3 % 4,
                "csChargingProfiles": _profile(n) | ({"transactionId": _whole(t)} if n % 5 == 0 else {}),
            },
        ),
        call(
            "RemoteStartTransaction",
            lambda n, t: {"idTag": tag(n), "connectorId": n % 2 + 1, "chargingProfile": _profile(n)},
        ),
        call("ClearChargingProfile", lambda n, t: {"id": n // 5 % 4} if n % 2 else {"stackLevel": 1}),
        call("GetCompositeSchedule", lambda n, t: {"connectorId": n // 3 % 4, "duration": n * 7 - 70}),
        call("BootNotification", lambda n, t: {"chargePointVendor": "x", "chargePointModel": "y"}),
        call("NoSuchAction"),
    ),
    "ocpp2.0.1": (
        call("UpdateFirmware", lambda n, t: {"requestId": n, "firmware": _firmware(n)} | _file(n)),
        call("GetLog", lambda n, t: _log(n) | _file(n)),
        call(
            "RequestStartTransaction",
            lambda n, t: {"idToken": _token(n), "remoteStartId": n} | ({"evseId": n % 4} if n % 2 else {}),
        ),
        call(
            "RequestStartTransaction",
            lambda n, t: {"idToken": _token(n), "remoteStartId": n, "chargingProfile": _profile_201(n)},
        ),
        call(
            "ReserveNow",
            lambda n, t: (
                {"id": n % 3, "expiryDateTime": pick((LATER, LATER, NOW), n), "idToken": _token(n)}
                | ({"evseId": n % 4} if n % 5 else {})
            ),
        ),
        call("CancelReservation", lambda n, t: {"reservationId": n % 3}),
        call(
            "SetChargingProfile",
            lambda n, t: {
                "evseId": n // 2 % 4,
                "chargingProfile": _profile_201(n) | ({"transactionId": t} if t and n % 3 else {}),
            },
        ),
        call("GetChargingProfiles", lambda n, t: {"requestId": n, "chargingProfile": {}}),
        call("ClearChargingProfile", lambda n, t: {"chargingProfileId": n % 4} if n % 2 else {}),
        call("GetCompositeSchedule", lambda n, t: {"evseId": n % 4, "duration": n * 10}),
        call("RequestStopTransaction", lambda n, t: {"transactionId": t or "none"}),
        call("GetTransactionStatus", lambda n, t: {"transactionId": t or "none"} if n % 2 else {}),
        call(
            "Reset",
            lambda n, t: {"type": ("Immediate", "OnIdle")[n // 7 % 2]} | ({"evseId": 1} if n % 5 == 0 else {}),
        ),
        call("UnlockConnector", lambda n, t: {"evseId": n % 4, "connectorId": 1}),
        call(
            "ChangeAvailability",
            lambda n, t: {"operationalStatus": ("Operative", "Inoperative")[n // 3 % 3 > 1]} | _evse(n),
        ),
        call("GetVariables", lambda n, t: {"getVariableData": [_variable(n), _variable(n * 3)]}),
        call("InstallCertificate", lambda n, t: {"certificateType": ROOTS[2], "certificate": pick(("", CA), n)}),
        call("DeleteCertificate", lambda n, t: {"certificateHashData": HASHES}),
        call("GetInstalledCertificateIds", lambda n, t: {"certificateType": [ROOTS[2]]} if n % 2 else {}),
        call("CertificateSigned", lambda n, t: {"certificateChain": pick(("", CA), n)}),
        call("TriggerMessage", lambda n, t: {"requestedMessage": "SignChargingStationCertificate"}),
        call(
            "SetNetworkProfile",
            lambda n, t: {
                "configurationSlot": n % 3,
                "connectionData": {
                    "ocppVersion": "OCPP20",
                    "ocppTransport": "JSON",
                    "ocppCsmsUrl": "ws://csms.example",
                    "messageTimeout": 30,
                    "securityProfile": n // 3 % 3,
                    "ocppInterface": "Wired0",
                },
            },
        ),
        call(
            "SetVariables",
            lambda n, t: {
                "setVariableData": [{**_variable(n), "attributeValue": pick(("7", "EVConnected", "x" * 20), n)}]
            },
        ),
        call(
            "GetBaseReport",
            lambda n, t: {
                "requestId": n,
                "reportBase": pick(("ConfigurationInventory", "FullInventory", "SummaryInventory"), n),
            },
        ),
        call("GetReport", lambda n, t: {"requestId": n, "componentCriteria": ["Problem"]}),
        call("SetVariableMonitoring", lambda n, t: {"setMonitoringData": [_monitored(n), _monitored(n * 3)]}),
        call("ClearVariableMonitoring", lambda n, t: {"id": [n % 5, 1000 + n % 5]}),
        call(
            "SetMonitoringBase",
            lambda n, t: {"monitoringBase": pick(("All", "FactoryDefault", "HardWiredOnly"), n)},
        ),
        call("SetMonitoringLevel", lambda n, t: {"severity": n % 11}),
        call("GetMonitoringReport", lambda n, t: {"requestId": n}),
        call("ClearCache"),
        call("DataTransfer", lambda n, t: {"vendorId": "x"}),
        call("GetLocalListVersion"),
        call(
            "SendLocalList",
            lambda n, t: {
                "versionNumber": n % 50,
                "updateType": ("Full", "Differential")[n % 2],
                "localAuthorizationList": [{"idToken": _token(n), "idTokenInfo": {"status": "Accepted"}}],
            },
        ),
        call(
            "TriggerMessage",
            lambda n, t: (
                {
                    "requestedMessage": pick(
                        (
                            "BootNotification",
                            "Heartbeat",
                            "StatusNotification",
                            "MeterValues",
                            "TransactionEvent",
                            "FirmwareStatusNotification",
                            "SignV2GCertificate",
                        ),
                        n,
                    )
                }
                | _evse(n * 2)
            ),
        ),
        call(
            "SetDisplayMessage",
            lambda n, t: {
                "message": {
                    "id": n % 12,
                    "priority": pick(("AlwaysFront", "InFront", "NormalCycle"), n),
                    "message": {"format": pick(("UTF8", "ASCII", "HTML"), n // 5), "content": "Welcome"},
                }
                | ({"transactionId": t or "none"} if n % 4 == 0 else {})
                | ({"state": pick(("Charging", "Idle"), n)} if n % 3 == 0 else {}),
            },
        ),
        call("GetDisplayMessages", lambda n, t: {"requestId": n} | ({"id": [n % 12]} if n % 3 == 0 else {})),
        call("ClearDisplayMessage", lambda n, t: {"id": n % 12}),
        call(
            "CustomerInformation",
            lambda n, t: (
                {"requestId": n, "report": n % 2 == 0, "clear": n % 3 == 0}
                | ({} if n % 7 == 0 else {"idToken": _token(n)})
            ),
        ),
        call("CostUpdated", lambda n, t: {"totalCost": 1.5, "transactionId": t or "none"}),
        call(
            "BootNotification", lambda n, t: {"reason": "PowerUp", "chargingStation": {"model": "a", "vendorName": "b"}}
        ),
        call("NoSuchAction"),
    ),
}
GARBAGE = (
    "",
    "x",
    "{}",
    "[]",
    "[2]",
    "[2,null]",
    '[2,"a"]',
    '[7,"a",{}]',
    '[2,7,"Reset",{}]',
    '[2,"' + "i" * 40 + '","Heartbeat",{}]',
    '[3,"unknown",{}]',
    '[4,"unknown","InternalError","",{}]',
    '[2,"\\ud800","Reset",{}]',
    "[" * 200,
    "null",
)


def spoiled(payload: dict[str, Any], number: int) -> Any:
    """The payload, made wrong in one of several ways."""
    match number // 5 % 6:
        case 0:
            return {**payload, "unknownProperty": 1}
        case 1:
            return dict.fromkeys(payload)
        case 2:
            return {key: [value] for key, value in payload.items()}
        case 3:
            return []
        case 4:
            return dict.fromkeys(payload, "y" * 2000)
        case _:
            return dict(list(payload.items())[1:])


def answer_to(
    subprotocol: str, action: str, payload: dict[str, Any], transaction: int, *, good: bool = True
) -> dict[str, Any]:
    """What a CSMS answers; where it can refuse, it refuses if not `good`."""
    status = "Accepted" if good else "Blocked"
    if action == "BootNotification":
        boot = "Accepted" if good else ("Pending", "Rejected")[transaction % 2]
        return {"status": boot, "interval": 90, "currentTime": NOW}
    if action == "Heartbeat":
        return {"currentTime": NOW}
    if action == "SignCertificate":
        return {"status": "Accepted" if good else "Rejected"}
    if subprotocol == "ocpp2.0.1":
        tells = action == "Authorize" or (action == "TransactionEvent" and ("idToken" in payload or not good))
        return {"idTokenInfo": {"status": status}} if tells else {}
    if action == "Authorize":
        return {"idTagInfo": {"status": status}}
    if action == "StartTransaction":
        return {"transactionId": transaction, "idTagInfo": {"status": status}}
    return {}
