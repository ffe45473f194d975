"""What an OCPP 1.6 station sees of the house CSMS, and what the CSMS keeps of it."""

from datetime import UTC, datetime, timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from simulator.csms.models import Card, CsmsTransaction, Endpoint
from simulator.csms.models import Station as StationRow
from simulator.csms.switchboard import switchboard
from tests.csms.station import WHEN, Station

START = {"connectorId": 1, "idTag": "TAG-1", "meterStart": 1000, "timestamp": WHEN}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Preparing"}
NOT_FOR_US = ["RemoteStartTransaction", "Reset", "ChangeConfiguration", "SendLocalList"]


def meter_values(wh, transaction_id, **sample):
    value = {"value": str(wh), **sample}
    return {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": WHEN, "sampledValue": [value, {"value": "7.2", "measurand": "Voltage"}]}],
    }


def stop(transaction_id, wh, **fields):
    return {"transactionId": transaction_id, "meterStop": wh, "timestamp": "2026-01-02T04:04:05Z", **fields}


@database_sync_to_async
def rows():
    return list(CsmsTransaction.objects.unscoped().order_by("id"))


@database_sync_to_async
def add_card(endpoint, **fields):
    return Card.objects.unscoped().create(tenant_id=endpoint.tenant_id, endpoint=endpoint, **fields)


async def test_boot_is_accepted_with_the_time_and_an_interval(endpoint):
    async with Station(endpoint) as station:
        answer = await station.boot()
    assert (answer["status"], answer["interval"]) == ("Accepted", 300)
    told = datetime.fromisoformat(answer["currentTime"])
    assert abs(told - datetime.now(UTC)) < timedelta(seconds=5)
    assert answer["currentTime"].endswith("Z")


async def test_a_session_from_boot_to_stop(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
        assert "currentTime" in await station.call("Heartbeat", {})
        assert await station.call("StatusNotification", STATUS) == {}
        assert await station.call("Authorize", {"idTag": "TAG-1"}) == {"idTagInfo": {"status": "Accepted"}}
        started = await station.call("StartTransaction", START)
        assert started["idTagInfo"]["status"] == "Accepted"
        number = started["transactionId"]
        assert await station.call("MeterValues", meter_values(1500, number)) == {}
        assert await station.call("StopTransaction", stop(number, 3500, idTag="TAG-1", reason="Remote")) == {
            "idTagInfo": {"status": "Accepted"}
        }
    (row,) = await rows()
    assert (row.transaction_id, row.id_token, row.connector_id) == (str(number), "TAG-1", 1)
    assert (row.meter_start, row.meter_stop, row.energy, row.reason) == (1000, 3500, 2500, "Remote")
    assert row.ended_at - row.started_at == timedelta(hours=1)
    station_row = await StationRow.objects.unscoped().aget()
    assert station_row.connectors["1"]["status"] == "Preparing"


async def test_transactions_outlive_the_connection(endpoint):
    async with Station(endpoint) as station:
        number = (await station.call("StartTransaction", START))["transactionId"]
    async with Station(endpoint) as station:
        await station.call("MeterValues", meter_values(1.4, number, unit="kWh"))
        assert await station.call("StopTransaction", stop(number, 2000)) == {}
    (row,) = await rows()
    assert (row.energy, row.reason) == (1000, "Local")


async def test_meter_values_are_written_while_the_transaction_runs(endpoint):
    async with Station(endpoint) as station:
        number = (await station.call("StartTransaction", START))["transactionId"]
        await station.call("MeterValues", meter_values(1.4, number, unit="kWh"))
    await switchboard().journal.flush()
    (row,) = await rows()
    assert (row.energy, row.ended_at) == (pytest.approx(400), None)


async def test_every_transaction_has_its_own_number(endpoint):
    async with Station(endpoint, "A") as one, Station(endpoint, "B") as two:
        numbers = [(await station.call("StartTransaction", START))["transactionId"] for station in (one, two)]
        later = await one.call("StartTransaction", START | {"timestamp": "2026-01-02T05:00:00Z"})
    assert len({*numbers, later["transactionId"]}) == 3


async def test_a_repeated_start_is_the_same_transaction(endpoint):
    async with Station(endpoint) as station:
        first = await station.call("StartTransaction", START)
        assert await station.call("StartTransaction", START) == first
    assert len(await rows()) == 1


async def test_a_repeated_message_is_answered_again_and_not_done_again(endpoint):
    async with Station(endpoint) as station:
        frame = [2, "same", "StartTransaction", START]
        assert await station.ask(frame) == await station.ask(frame)
    assert len(await rows()) == 1


async def test_a_stop_of_an_unknown_transaction_is_taken(endpoint):
    async with Station(endpoint) as station:
        assert await station.call("StopTransaction", stop(-1, 5)) == {}
    assert await rows() == []


async def test_a_blocked_card_is_refused_whatever_its_case(endpoint):
    await add_card(endpoint, id_token="tag-1", status="Blocked")
    async with Station(endpoint) as station:
        assert await station.call("Authorize", {"idTag": "Tag-1"}) == {"idTagInfo": {"status": "Blocked"}}
        started = await station.call("StartTransaction", START)
    assert started["idTagInfo"]["status"] == "Blocked"


async def test_a_card_carries_its_group_and_expiry(endpoint):
    until = timezone.now() + timedelta(days=1)
    await add_card(endpoint, id_token="TAG-1", group="FLEET", expires_at=until)
    await add_card(endpoint, id_token="OLD", expires_at=timezone.now() - timedelta(days=1))
    async with Station(endpoint) as station:
        info = (await station.call("Authorize", {"idTag": "TAG-1"}))["idTagInfo"]
        old = (await station.call("Authorize", {"idTag": "old"}))["idTagInfo"]
    assert (info["status"], info["parentIdTag"]) == ("Accepted", "FLEET")
    assert abs(datetime.fromisoformat(info["expiryDate"]) - until) < timedelta(seconds=1)
    assert old["status"] == "Expired"


async def test_a_strict_endpoint_takes_listed_cards_only(endpoint):
    await Endpoint.objects.unscoped().aupdate(accept_unknown_cards=False)
    await add_card(endpoint, id_token="GOOD")
    async with Station(endpoint) as station:
        assert (await station.call("Authorize", {"idTag": "good"}))["idTagInfo"]["status"] == "Accepted"
        assert (await station.call("Authorize", {"idTag": "other"}))["idTagInfo"]["status"] == "Invalid"


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("DataTransfer", {"vendorId": "acme"}, {"status": "UnknownVendorId"}),
        ("DiagnosticsStatusNotification", {"status": "Idle"}, {}),
        ("FirmwareStatusNotification", {"status": "Installed"}, {}),
        ("LogStatusNotification", {"status": "Uploaded"}, {}),
        ("SignedFirmwareStatusNotification", {"status": "Installed"}, {}),
        ("SecurityEventNotification", {"type": "StartupOfTheDevice", "timestamp": WHEN}, {}),
        ("SignCertificate", {"csr": "MII"}, {"status": "Rejected"}),
        ("MeterValues", meter_values(5, 77), {}),
    ],
)
async def test_the_rest_is_answered(endpoint, action, payload, answer):
    async with Station(endpoint) as station:
        assert await station.call(action, payload) == answer


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [
        ("Heartbeet", {}, "NotImplemented"),
        ("heartbeat", {}, "NotImplemented"),
        ("HeartbeatResponse", {}, "NotImplemented"),
        ("TransactionEvent", {}, "NotImplemented"),
        *[(action, {}, "NotSupported") for action in NOT_FOR_US],
        ("Heartbeat", [], "FormationViolation"),
        ("Heartbeat", "text", "FormationViolation"),
        ("Heartbeat", {"extra": 1}, "FormationViolation"),
        ("Authorize", {}, "ProtocolError"),
        ("Authorize", {"idTag": 5}, "TypeConstraintViolation"),
        ("Authorize", {"idTag": "x" * 21}, "PropertyConstraintViolation"),
        ("Authorize", {"idTag": "a\0b"}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"connectorId": "1"}, "TypeConstraintViolation"),
        ("StartTransaction", START | {"connectorId": -1}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"meterStart": 10**30}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"timestamp": "yesterday"}, "PropertyConstraintViolation"),
        ("StartTransaction", START | {"timestamp": "0001-01-01T00:00:00+14:00"}, "PropertyConstraintViolation"),
        (
            "StatusNotification",
            {"connectorId": 1, "errorCode": "X", "status": "Available"},
            "PropertyConstraintViolation",
        ),
    ],
)
async def test_a_bad_call_gets_the_right_error_and_nothing_breaks(endpoint, action, payload, code):
    async with Station(endpoint) as station:
        assert await station.error(action, payload) == code
        await station.call("Heartbeat", {})


async def test_null_counts_as_an_empty_payload(endpoint):
    async with Station(endpoint) as station:
        assert "currentTime" in await station.call("Heartbeat", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[]",
        "{}",
        "null",
        "[2]",
        '[2, 5, "Heartbeat", {}]',
        '[2, "", "Heartbeat", {}]',
        '["2", "x", "Heartbeat", {}]',
        '[5, "a", {}]',
        "[" * 5000,
        '[3, "nobody-asked", {}]',
        '[4, "nobody-asked", "InternalError", "", {}]',
        "[3]",
        '[4, "x"]',
    ],
)
async def test_what_is_no_frame_gets_no_answer(endpoint, text):
    async with Station(endpoint) as station:
        await station.socket.send_input({"type": "websocket.receive", "text": text})
        assert (await station.call("Heartbeat", {})).keys() == {"currentTime"}


async def test_calls_that_still_have_an_id_are_told_what_is_wrong(endpoint):
    async with Station(endpoint) as station:
        assert (await station.ask('[2, "a"]'))[:3] == [4, "a", "FormationViolation"]
        assert (await station.ask([2, "b", 5, {}]))[:3] == [4, "b", "FormationViolation"]
        long_id = "x" * 37
        assert (await station.ask([2, long_id, "Heartbeat", {}]))[:3] == [4, long_id, "FormationViolation"]


async def test_a_binary_message_ends_the_connection(endpoint):
    station = Station(endpoint)
    await station.connect()
    await station.socket.send_to(bytes_data=b"[2]")
    assert await station.socket.receive_output(timeout=30) == {"type": "websocket.close", "code": 1003}
    await station.socket.disconnect()
