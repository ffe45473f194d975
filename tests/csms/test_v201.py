"""What an OCPP 2.0.1 station sees of the house CSMS, and what the CSMS keeps of it."""

import pytest
from channels.db import database_sync_to_async

from simulator.csms.models import Card, CsmsTransaction, Endpoint
from simulator.csms.models import Station as StationRow
from simulator.csms.switchboard import switchboard
from tests.csms.station import WHEN
from tests.csms.station import Station as AnyStation

TAG = {"idToken": "TAG-1", "type": "ISO14443"}
TX = "3f0e0f6e-0000-4000-8000-000000000001"


class Station(AnyStation):
    def __init__(self, endpoint, identity="CS-1"):
        super().__init__(endpoint, identity, "ocpp2.0.1")


def event(kind, seq, wh=None, *, trigger="MeterValuePeriodic", at=WHEN, info=None, **fields):
    request = {
        "eventType": kind,
        "timestamp": at,
        "triggerReason": trigger,
        "seqNo": seq,
        "transactionInfo": {"transactionId": TX, **(info or {})},
        **fields,
    }
    if wh is not None:
        request["meterValue"] = [{"timestamp": at, "sampledValue": [{"value": wh}]}]
    return request


@database_sync_to_async
def row():
    return CsmsTransaction.objects.unscoped().get()


@database_sync_to_async
def add_card(endpoint, **fields):
    return Card.objects.unscoped().create(tenant_id=endpoint.tenant_id, endpoint=endpoint, **fields)


async def test_a_session_from_boot_to_stop(endpoint):
    async with Station(endpoint) as station:
        assert (await station.boot())["status"] == "Accepted"
        assert "currentTime" in await station.call("Heartbeat", {})
        status = {"timestamp": WHEN, "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1}
        assert await station.call("StatusNotification", status) == {}
        assert await station.call("Authorize", {"idToken": TAG}) == {"idTokenInfo": {"status": "Accepted"}}
        plugged = event("Started", 0, 100.5, trigger="CablePluggedIn", evse={"id": 1, "connectorId": 2})
        assert await station.call("TransactionEvent", plugged) == {}
        granted = event("Updated", 1, trigger="Authorized", idToken=TAG)
        assert await station.call("TransactionEvent", granted) == {"idTokenInfo": {"status": "Accepted"}}
        assert await station.call("TransactionEvent", event("Updated", 2, 600.5)) == {}
        ended = event("Ended", 3, 1100.5, at="2026-01-02T04:00:00Z", info={"stoppedReason": "EVDisconnected"})
        assert await station.call("TransactionEvent", ended) == {}
    kept = await row()
    assert (kept.transaction_id, kept.id_token, kept.evse_id, kept.connector_id) == (TX, "TAG-1", 1, 2)
    assert (kept.meter_start, kept.meter_stop, kept.energy, kept.reason) == (100.5, 1100.5, 1000, "EVDisconnected")
    assert kept.ended_at.isoformat() == "2026-01-02T04:00:00+00:00"
    assert (await StationRow.objects.unscoped().aget()).connectors["1/1"]["status"] == "Occupied"


async def test_transactions_outlive_the_connection(endpoint):
    async with Station(endpoint) as station:
        await station.call("TransactionEvent", event("Started", 0, 100, trigger="CablePluggedIn"))
    async with Station(endpoint) as station:
        await station.call("TransactionEvent", event("Updated", 1, 200))
        await station.call("TransactionEvent", event("Ended", 2, 300))
    kept = await row()
    assert (kept.energy, kept.reason) == (200, "Local")
    assert kept.ended_at is not None


async def test_an_end_without_a_reading_keeps_what_was_metered_before(endpoint):
    async with Station(endpoint) as station:
        await station.call("TransactionEvent", event("Started", 0, trigger="RemoteStart"))
        await station.call("TransactionEvent", event("Updated", 1, 100))
        await station.call("TransactionEvent", event("Updated", 2, 450))
        await station.call("TransactionEvent", event("Ended", 3))
    kept = await row()
    assert (kept.meter_start, kept.energy) == (100, 350)


async def test_meter_values_are_written_while_the_transaction_runs(endpoint):
    kwh = {"value": 1.5, "unitOfMeasure": {"unit": "kWh"}}
    tens = {"value": 90, "unitOfMeasure": {"unit": "Wh", "multiplier": 1}, "measurand": "Energy.Active.Import.Register"}
    async with Station(endpoint) as station:
        await station.call("TransactionEvent", event("Started", 0, trigger="CablePluggedIn"))
        for seq, sample in enumerate([tens, kwh], 1):
            values = [{"timestamp": WHEN, "sampledValue": [sample, {"value": 9, "measurand": "Voltage"}]}]
            await station.call("TransactionEvent", event("Updated", seq, meterValue=values))
        await switchboard().journal.flush()
        kept = await row()
    assert (kept.meter_start, kept.energy, kept.ended_at) == (900, pytest.approx(600), None)


async def test_a_card_list_speaks_2_0_1(endpoint):
    await Endpoint.objects.unscoped().aupdate(accept_unknown_cards=False)
    await add_card(endpoint, id_token="TAG-1", type="ISO14443", group="FLEET")
    await add_card(endpoint, id_token="BAD", status="Blocked")
    async with Station(endpoint) as station:

        async def asked(id_token, kind="ISO14443"):
            return (await station.call("Authorize", {"idToken": {"idToken": id_token, "type": kind}}))["idTokenInfo"]

        assert await asked("tag-1") == {"status": "Accepted", "groupIdToken": {"idToken": "FLEET", "type": "Central"}}
        assert (await asked("bad"))["status"] == "Blocked"
        assert (await asked("other"))["status"] == "Unknown"
        assert (await asked("tag-1", "eMAID"))["status"] == "Unknown"
        assert (await asked("", "NoAuthorization"))["status"] == "Accepted"


NEEDS = {
    "evseId": 1,
    "chargingNeeds": {
        "requestedEnergyTransfer": "DC",
        "dcChargingParameters": {"evMaxCurrent": 9, "evMaxVoltage": 400},
    },
}
SCHEDULE = {
    "timeBase": WHEN,
    "evseId": 1,
    "chargingSchedule": {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}]},
}
EVENT = {
    "eventId": 1,
    "timestamp": WHEN,
    "trigger": "Alerting",
    "actualValue": "true",
    "eventNotificationType": "HardWiredNotification",
    "component": {"name": "Connector"},
    "variable": {"name": "Problem"},
}


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("MeterValues", {"evseId": 0, "meterValue": [{"timestamp": WHEN, "sampledValue": [{"value": 1}]}]}, {}),
        ("NotifyEvent", {"generatedAt": WHEN, "seqNo": 0, "eventData": [EVENT]}, {}),
        ("NotifyReport", {"requestId": 1, "generatedAt": WHEN, "seqNo": 0}, {}),
        ("NotifyMonitoringReport", {"requestId": 1, "generatedAt": WHEN, "seqNo": 0}, {}),
        ("NotifyCustomerInformation", {"data": "x", "seqNo": 0, "generatedAt": WHEN, "requestId": 1}, {}),
        ("NotifyDisplayMessages", {"requestId": 1}, {}),
        ("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}}, {}),
        ("ClearedChargingLimit", {"chargingLimitSource": "EMS"}, {}),
        ("NotifyEVChargingNeeds", NEEDS, {"status": "Rejected"}),
        ("NotifyEVChargingSchedule", SCHEDULE, {"status": "Accepted"}),
        ("SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": WHEN}, {}),
        ("FirmwareStatusNotification", {"status": "Installed"}, {}),
        ("PublishFirmwareStatusNotification", {"status": "Idle"}, {}),
        ("LogStatusNotification", {"status": "Idle"}, {}),
        ("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}, {}),
        ("SignCertificate", {"csr": "MII"}, {"status": "Rejected"}),
        ("DataTransfer", {"vendorId": "acme"}, {"status": "UnknownVendorId"}),
    ],
)
async def test_the_rest_is_answered(endpoint, action, payload, answer):
    async with Station(endpoint) as station:
        assert await station.call(action, payload) == answer


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("StartTransaction", {}, "NotImplemented"),
        ("bootNotification", {}, "NotImplemented"),
        ("RequestStartTransaction", {}, "NotSupported"),
        ("GetCertificateStatus", {}, "NotSupported"),
        ("Heartbeat", [], "FormatViolation"),
        ("Heartbeat", {"extra": 1}, "FormatViolation"),
        ("Authorize", {}, "OccurrenceConstraintViolation"),
        ("TransactionEvent", event("Started", "0"), "TypeConstraintViolation"),
        ("TransactionEvent", event("Paused", 0), "PropertyConstraintViolation"),
        ("TransactionEvent", event("Started", 0, meterValue=[]), "OccurrenceConstraintViolation"),
        ("TransactionEvent", event("Started", 0, evse={"id": 2**40}), "PropertyConstraintViolation"),
        ("TransactionEvent", event("Started", 0, at="9999-12-31T23:59:59-14:00"), "PropertyConstraintViolation"),
    ],
)
async def test_a_bad_call_gets_the_right_error_and_nothing_breaks(endpoint, action, payload, code):
    async with Station(endpoint) as station:
        assert await station.error(action, payload) == code
        await station.call("Heartbeat", {"customData": {"vendorId": "acme", "more": [1]}})


@pytest.mark.parametrize(
    ("text", "message_id", "code"),
    [
        ("{", "-1", "RpcFrameworkError"),
        ("[]", "-1", "RpcFrameworkError"),
        ('"text"', "-1", "RpcFrameworkError"),
        ('[2, 5, "Heartbeat", {}]', "-1", "RpcFrameworkError"),
        ('[2, "a"]', "a", "FormatViolation"),
        ('[5, "a", "Heartbeat", {}]', "a", "MessageTypeNotSupported"),
        ('[6, 7, "Heartbeat", {}]', "-1", "MessageTypeNotSupported"),
        (f'[2, "{"x" * 37}", "Heartbeat", {{}}]', "x" * 37, "RpcFrameworkError"),
    ],
)
async def test_what_is_no_frame_is_told_so(endpoint, text, message_id, code):
    async with Station(endpoint) as station:
        assert (await station.ask(text))[:3] == [4, message_id, code]
        await station.call("Heartbeat", {})


async def test_an_answer_to_nothing_is_never_answered(endpoint):
    async with Station(endpoint) as station:
        for text in ('[3, "nobody-asked", {}]', '[4, "x", "InternalError", "", {}]', "[3, 7, {}]", "[4, 7]"):
            await station.send(text)
        await station.call("Heartbeat", {})
