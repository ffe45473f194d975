"""What a CSMS may ask of a charger, over the real processes: the answer first, then what it causes."""

from functools import partial

import pytest

from tests.e2e.client import Client, Json, until
from tests.e2e.story import booted, ended, event, metered, started, status, transaction_id
from tests.peers.ledger import Seen
from tests.peers.scripted_csms import Refused, ScriptedCsms

pytestmark = pytest.mark.slow

SECRET = "correct-horse-battery"
TOKEN = {"idToken": "TAG-1", "type": "ISO14443"}


async def test_remote_start_and_stop_in_16(client: Client, csms: ScriptedCsms, wall_box: Json) -> None:
    me = wall_box["identity"]
    await booted(csms, wall_box)
    await client.sample_every_second(wall_box)
    await client.command(wall_box, "plug-connector", connector_id=1)
    answer = await csms.call(me, "RemoteStartTransaction", {"idTag": "TAG-1", "connectorId": 1})
    assert answer == {"status": "Accepted"}
    start = await csms.wait_for(me, started(wall_box))
    assert start.payload["idTag"] == "TAG-1"
    await csms.wait_for(me, metered(wall_box))
    number = transaction_id(csms, wall_box)
    assert await csms.call(me, "RemoteStopTransaction", {"transactionId": number + 1}) == {"status": "Rejected"}
    assert await csms.call(me, "RemoteStopTransaction", {"transactionId": number}) == {"status": "Accepted"}
    stop = await csms.wait_for(me, ended(wall_box))
    assert (stop.payload["transactionId"], stop.payload["reason"]) == (number, "Remote")
    await csms.wait_for(me, status("Finishing"))
    await client.command(wall_box, "unplug-connector", connector_id=1)
    await client.expect_nothing_lost(wall_box, csms)


async def test_remote_start_and_stop_in_201(client: Client, csms: ScriptedCsms, fast_charger: Json) -> None:
    me = fast_charger["identity"]
    await booted(csms, fast_charger)
    await client.command(fast_charger, "plug-connector", evse_id=1)
    request = {"idToken": TOKEN, "remoteStartId": 7, "evseId": 1}
    assert (await csms.call(me, "RequestStartTransaction", request))["status"] == "Accepted"
    remote = await csms.wait_for(
        me, lambda seen: seen.is_call("TransactionEvent") and seen.payload["triggerReason"] == "RemoteStart"
    )
    assert remote.payload["transactionInfo"]["remoteStartId"] == 7
    assert remote.payload["idToken"]["idToken"] == "TAG-1"
    await csms.wait_for(me, event("Updated", triggerReason="ChargingStateChanged"))
    key = transaction_id(csms, fast_charger)
    assert (await csms.call(me, "RequestStopTransaction", {"transactionId": "other"}))["status"] == "Rejected"
    assert (await csms.call(me, "RequestStopTransaction", {"transactionId": key}))["status"] == "Accepted"
    stop = await csms.wait_for(me, ended(fast_charger))
    assert stop.payload["transactionInfo"]["stoppedReason"] == "Remote"
    await client.command(fast_charger, "unplug-connector", evse_id=1)
    await client.expect_nothing_lost(fast_charger, csms)


async def test_configuration_in_16(csms: ScriptedCsms, wall_box: Json) -> None:
    me = wall_box["identity"]
    await booted(csms, wall_box)
    change = {"key": "MeterValueSampleInterval", "value": "17"}
    assert await csms.call(me, "ChangeConfiguration", change) == {"status": "Accepted"}
    answer = await csms.call(me, "GetConfiguration", {"key": ["metervaluesampleinterval", "NoSuchKey"]})
    assert answer["configurationKey"] == [{"key": "MeterValueSampleInterval", "readonly": False, "value": "17"}]
    assert answer["unknownKey"] == ["NoSuchKey"]
    unknown = {"key": "NoSuchKey", "value": "1"}
    assert await csms.call(me, "ChangeConfiguration", unknown) == {"status": "NotSupported"}
    read_only = {"key": "NumberOfConnectors", "value": "9"}
    assert await csms.call(me, "ChangeConfiguration", read_only) == {"status": "Rejected"}


async def test_variables_and_reports_in_201(csms: ScriptedCsms, fast_charger: Json) -> None:
    me = fast_charger["identity"]
    await booted(csms, fast_charger)
    interval = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
    nothing = {"component": {"name": "NoSuchCtrlr"}, "variable": {"name": "X"}}
    answer = await csms.call(me, "SetVariables", {"setVariableData": [interval | {"attributeValue": "17"}]})
    assert [one["attributeStatus"] for one in answer["setVariableResult"]] == ["Accepted"]
    results = (await csms.call(me, "GetVariables", {"getVariableData": [interval, nothing]}))["getVariableResult"]
    assert [one["attributeStatus"] for one in results] == ["Accepted", "UnknownComponent"]
    assert results[0]["attributeValue"] == "17"
    assert "attributeValue" not in results[1]

    answer = await csms.call(me, "GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
    assert answer["status"] == "Accepted"
    await csms.wait_for(me, lambda seen: seen.is_call("NotifyReport") and not seen.payload.get("tbc"))
    parts = [seen.payload for seen in csms.calls(me, "NotifyReport")]
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert {part["requestId"] for part in parts} == {5}
    told = {(item["component"]["name"], item["variable"]["name"]) for part in parts for item in part["reportData"]}
    assert ("OCPPCommCtrlr", "HeartbeatInterval") in told


async def test_availability_in_16(csms: ScriptedCsms, wall_box: Json) -> None:
    me = wall_box["identity"]
    await booted(csms, wall_box)
    for kind, word in (("Inoperative", "Unavailable"), ("Operative", "Available")):
        before = len(csms.frames(me))
        assert await csms.call(me, "ChangeAvailability", {"connectorId": 1, "type": kind}) == {"status": "Accepted"}
        await csms.wait_for(me, status(word), after=before)
    assert await csms.call(me, "ChangeAvailability", {"connectorId": 9, "type": "Operative"}) == {"status": "Rejected"}


async def test_availability_in_201(csms: ScriptedCsms, fast_charger: Json) -> None:
    me = fast_charger["identity"]
    await booted(csms, fast_charger)
    for kind, word in (("Inoperative", "Unavailable"), ("Operative", "Available")):
        before = len(csms.frames(me))
        answer = await csms.call(me, "ChangeAvailability", {"evse": {"id": 1}, "operationalStatus": kind})
        assert answer["status"] == "Accepted"
        await csms.wait_for(me, status(word), after=before)


@pytest.mark.parametrize("version", ["OCPP1.6", "OCPP2.0.1"])
async def test_trigger_message(client: Client, csms: ScriptedCsms, location: str, version: str) -> None:
    charger = await client.create_charger(location, version, csms.url)
    me = charger["identity"]
    await booted(csms, charger)
    before = len(csms.frames(me))
    assert (await csms.call(me, "TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted"
    await csms.wait_for(me, lambda seen: seen.is_call("Heartbeat"), after=before)
    refused = await csms.call(me, "TriggerMessage", {"requestedMessage": "BootNotification"})
    assert refused["status"] == "Rejected"


async def test_reset_in_16(client: Client, csms: ScriptedCsms, wall_box: Json) -> None:
    await reset(csms, wall_box, "Soft", 1)
    await client.expect_nothing_lost(wall_box, csms)


async def test_reset_in_201(client: Client, csms: ScriptedCsms, fast_charger: Json) -> None:
    await reset(csms, fast_charger, "Immediate", 1)
    boot = csms.calls(fast_charger["identity"], "BootNotification")[-1]
    assert boot.payload["reason"] == "RemoteReset"
    await client.expect_nothing_lost(fast_charger, csms)


async def reset(csms: ScriptedCsms, charger: Json, kind: str, closes: int) -> None:
    """Accepted, the socket closed in order, and a boot on a new connection."""
    me = charger["identity"]
    await booted(csms, charger)
    before = len(csms.frames(me))
    assert (await csms.call(me, "Reset", {"type": kind}))["status"] == "Accepted"
    await csms.disconnected(me)
    assert csms.station(me).closes[-1] in (1001, 1012)
    await csms.wait_for(me, lambda seen: seen.is_call("BootNotification"), after=before)
    assert csms.station(me).connections == closes + 1
    await booted(csms, charger, after=before)


def covers(frames: list[Seen], logs: list[Json]) -> bool:
    return len(logs) >= len(frames)


async def test_passwords_stay_out_of_the_log(
    client: Client, csms: ScriptedCsms, wall_box: Json, fast_charger: Json
) -> None:
    variable = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    for charger, action, payload in (
        (wall_box, "ChangeConfiguration", {"key": "AuthorizationKey", "value": SECRET}),
        (fast_charger, "SetVariables", {"setVariableData": [variable | {"attributeValue": SECRET}]}),
    ):
        await booted(csms, charger)
        await csms.call(charger["identity"], action, payload)
        frames = csms.frames(charger["identity"])
        logs = await until(partial(client.logs, charger), partial(covers, frames))
        for seen, entry in zip(frames, logs, strict=False):
            assert entry["masked"] == (SECRET in seen.text)
            assert SECRET not in entry["message"]
            assert entry["masked"] or entry["message"] == seen.text
        assert any(entry["masked"] for entry in logs)


@pytest.mark.parametrize("version", ["OCPP1.6", "OCPP2.0.1"])
async def test_what_a_charger_does_not_know(client: Client, csms: ScriptedCsms, location: str, version: str) -> None:
    charger = await client.create_charger(location, version, csms.url)
    me = charger["identity"]
    await booted(csms, charger)
    for action, payload, codes in (
        ("MakeCoffee", {}, {"NotImplemented"}),
        ("BootNotification", {}, {"NotSupported"}),
        ("Reset", {"type": 1}, {"TypeConstraintViolation"}),
        ("Reset", {"type": "Sideways"}, {"PropertyConstraintViolation"}),
        ("Reset", {}, {"ProtocolError", "OccurenceConstraintViolation", "OccurrenceConstraintViolation"}),
    ):
        with pytest.raises(Refused) as refusal:
            await csms.call(me, action, payload, checked=False)
        assert refusal.value.code in codes, (action, payload)
    await csms.send(me, "this is no JSON")
    assert (await csms.call(me, "TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted"
    await csms.wait_for(me, lambda seen: seen.is_call("Heartbeat"))
    assert csms.station(me).connections == 1
