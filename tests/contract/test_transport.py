"""Section 1 of the behaviour contract: frames, ids, order, retries, bad input, reconnects."""

import itertools
import json
import re
import uuid

import msgspec
import pytest

from simulator.core.facts import Close
from simulator.core.setup import Options
from simulator.core.timestamps import read
from simulator.core.v16.remote import RemoteControl
from tests.contract.proving import proves
from tests.core.rig import NOW, Rig

UUID4 = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def booted(**more: object) -> Rig:
    rig = Rig(**more).boot()  # type: ignore[arg-type]
    rig.run(1)
    rig.forget()
    return rig


def ask(rig: Rig, text: str) -> list[list[object]]:
    """What the station answers to a text, at once."""
    before = len(rig.frames)
    rig.receive(text)
    rig.settle()
    said = [json.loads(f.text) for f in rig.frames[before:] if f.direction == "cp_to_csms"]
    return [one for one in said if one[0] in (3, 4)]


def own_calls(rig: Rig) -> list[str]:
    return [f.action for f in rig.frames if f.direction == "cp_to_csms" and f.message_type == "CALL"]


@proves("1.1/T1", "1.1/T4", "1.2/profile 0")
def test_the_station_dials_with_its_subprotocol() -> None:
    rig = booted()
    assert rig.csms("ClearCache") == {"status": "Accepted"}


@proves("1.1/T11")
def test_without_a_pong_the_link_is_dead() -> None:
    rig = booted()
    rig.pongs = False
    rig.run_until(lambda: bool(rig.closed), rig.mono + 60)
    assert (rig.pings, rig.closed[-1]) == (1, Close(1001, "no pong"))
    rig.pongs = True
    rig.reconnect()
    assert rig.csms("ClearCache") == {"status": "Accepted"}


@proves("1.1/T13")
def test_two_calls_without_an_answer_end_the_connection() -> None:
    rig = booted()
    rig.csms("ChangeConfiguration", key="WebSocketPingInterval", value="0")
    rig.csms("ChangeConfiguration", key="HeartbeatInterval", value="40")
    rig.answers["Heartbeat"] = None
    for number in (1, 2):
        rig.run_until(lambda: rig.open_call is not None)
        assert own_calls(rig) == ["Heartbeat"] * number
        assert not rig.closed
        rig.open_call = None
        rig.run(31)
    assert [one.code for one in rig.closed if isinstance(one, Close)] == [1001]
    rig.answers["Heartbeat"] = {"currentTime": NOW}
    rig.reconnect()


@proves("1.3/F1", "1.3/F2", "1.3/F3")
def test_frames_are_whole_and_ids_are_new() -> None:
    rig = Rig().boot()
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    rig.csms("ClearCache")
    assert ask(rig, '[2, "x", "Nonsense", {}]') == [[4, "x", "NotImplemented", "unknown action Nonsense", {}]]
    rig.restart()
    sent = [json.loads(f.text) for f in rig.frames if f.direction == "cp_to_csms"]
    ids = [frame[1] for frame in sent if frame[0] == 2]
    assert len(ids) == len(set(ids))
    assert all(UUID4.fullmatch(one) and uuid.UUID(one).version == 4 for one in ids)
    assert "null" not in json.dumps(sent)
    assert {len(frame) for frame in sent if frame[0] == 2} == {4}


@proves("1.3/F4", "1.3/F5", "1.3/F7")
def test_one_call_at_a_time_in_the_order_of_their_weight() -> None:
    rig = booted()
    rig.command("start_transaction", id_tag="A", connector_id=2)
    rig.run(30)
    rig.forget()
    rig.answers["DataTransfer"] = None
    rig.command("proxy_message", action="data_transfer", payload={"vendorId": "x"})
    blocking = next(f for f in rig.frames if f.action == "DataTransfer")
    rig.receive(json.dumps([2, "1", "TriggerMessage", {"requestedMessage": "Heartbeat"}]))
    rig.receive(json.dumps([2, "2", "TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 2}]))
    rig.receive(json.dumps([2, "3", "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}]))
    rig.receive(json.dumps([2, "4", "ClearCache", {}]))
    rig.receive(json.dumps([2, "5", "GetLocalListVersion", {}]))
    rig.receive(json.dumps([2, "6", "ChangeConfiguration", {"key": "AuthorizeRemoteTxRequests", "value": "true"}]))
    rig.receive(json.dumps([2, "7", "RemoteStartTransaction", {"idTag": "B", "connectorId": 1}]))
    answered = [json.loads(f.text)[1] for f in rig.frames if f.message_type == "CALLRESULT"]
    assert answered == ["1", "2", "3", "4", "5", "6", "7"]
    assert own_calls(rig) == ["DataTransfer"], "the others wait for its answer"
    rig.receive(json.dumps([3, blocking.message_id, {"status": "Accepted"}]))
    rig.settle()
    told = own_calls(rig)[1:]
    assert told[:2] == ["Authorize", "StatusNotification"]
    assert told[-2:] == ["MeterValues", "Heartbeat"]


@proves("1.3/F6")
def test_the_answer_goes_before_what_it_causes() -> None:
    rig = booted()
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    said = [f.message_type for f in rig.frames if f.direction == "cp_to_csms"]
    assert said == ["CALLRESULT", "CALL"]


@proves("1.3/F8")
def test_times_are_written_one_way_and_read_many() -> None:
    Rig().boot()
    moments = ["2026-04-02T09:15:00Z", "2026-04-02t11:15:00.000000000+02:00", "2026-04-02T09:15:00.0z"]
    assert len({read(one) for one in moments}) == 1


@proves("1.3/F9")
def test_case_and_length() -> None:
    rig = Rig()
    rig.setup = msgspec.structs.replace(rig.setup, model="M" * 30)
    rig.rebuild()
    rig.boot()
    rig.command("start_session", id_tag="Tag", connector_id=1)
    rig.run(5)
    rig.command("present_tag", id_tag="tAG", connector_id=1)
    assert rig.calls("StopTransaction")[0]["reason"] == "Local"
    rig.command("start_session", id_tag="Tag", connector_id=2)
    assert rig.csms("RemoteStopTransaction", transactionId=502) == {"status": "Accepted"}


@proves("1.4/boot")
def test_an_unanswered_boot_is_said_again() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = None
    rig.boot()
    rig.open_call = None
    rig.run_until(lambda: rig.open_call is not None, rig.mono + 110)
    assert 30 + 54 <= rig.mono - 1000 <= 30 + 67
    assert own_calls(rig) == ["BootNotification"] * 2


@proves("1.4/status")
def test_an_unanswered_status_is_dropped_and_the_connection_stays() -> None:
    rig = booted()
    rig.answers["StatusNotification"] = None
    rig.command("plug_connector", connector_id=1)
    rig.open_call = None
    rig.run(35)
    rig.answers["StatusNotification"] = {}
    assert not rig.closed
    assert rig.csms("ClearCache") == {"status": "Accepted"}


@proves("1.4/Authorize")
def test_an_authorize_without_an_answer_is_decided_offline() -> None:
    rig = booted()
    entry = {"idTag": "LISTED", "idTagInfo": {"status": "Accepted"}}
    rig.csms("SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=[entry])
    rig.answers["Authorize"] = None
    rig.command("start_session", id_tag="LISTED", connector_id=1)
    rig.open_call = None
    rig.run(35)
    assert len(rig.calls("StartTransaction")) == 1
    rig.command("start_session", id_tag="LISTED", connector_id=2)
    rig.reply_error()
    rig.run(5)
    assert len(rig.calls("StartTransaction")) == 1


@proves("1.4/transaction", "1.4/lost")
def test_a_transaction_message_is_tried_and_a_lost_connection_does_not_count() -> None:
    rig = booted()
    rig.csms("ChangeConfiguration", key="TransactionMessageRetryInterval", value="10")
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(5)
    rig.answers["StopTransaction"] = None
    rig.command("stop_session", connector_id=1)
    for _ in range(3):
        rig.drop()
        rig.reconnect()
    assert len(rig.calls("StopTransaction")) == 4
    rig.reply_error()
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    assert own_calls(rig)[-1] == "Heartbeat", "others go meanwhile"
    for _ in range(2):
        rig.run_until(lambda: rig.open_call is not None and rig.open_call[2] == "StopTransaction", rig.mono + 60)
        rig.reply_error()
    rig.run(300)
    assert len(rig.calls("StopTransaction")) == 6


@proves("1.4/late")
def test_late_and_foreign_answers_are_ignored() -> None:
    rig = booted()
    rig.answers["Authorize"] = None
    command = rig.command("authorize_id_tag", id_tag="A")
    late = next(f.message_id for f in rig.frames if f.action == "Authorize")
    rig.open_call = None
    rig.run(31)
    rig.receive(json.dumps([3, late, {"idTagInfo": {"status": "Accepted"}}]))
    rig.receive(json.dumps([3, "never asked", {}]))
    rig.receive(json.dumps([4, "never asked", "GenericError", "", {}]))
    assert rig.outcome(command).state == "failed"
    assert rig.csms("ClearCache") == {"status": "Accepted"}


SILENT = {
    "no frame": ["", "{", "null", "42", '"text"', "{}", "[]", "[2]", '[2, 7, "ClearCache", {}]', "\x00", "[" * 5000],
    "message type": ['[9, "a", "ClearCache", {}]', '["2", "a", "ClearCache", {}]', '[true, "a", "ClearCache", {}]'],
    "newer frames": ['[5, "a", "GenericError", "", {}]', '[6, "a", "NotifyPeriodicEventStream", {}]'],
}


@proves("1.5/{kind}")
@pytest.mark.parametrize("kind", SILENT)
def test_what_cannot_be_answered_harms_nobody(kind: str) -> None:
    rig = booted()
    for text in SILENT[kind]:
        assert ask(rig, text) == []
    assert rig.csms("ClearCache") == {"status": "Accepted"}
    rig.run(400)
    assert "Heartbeat" in own_calls(rig), "no timer has stopped"


KEYS = ["HeartbeatInterval"] * 101


@pytest.mark.parametrize(
    ("row", "action", "payload", "code"),
    [
        ("unknown action", "clearCache", {}, "NotImplemented"),
        ("not for a station", "BootNotification", {}, "NotSupported"),
        ("unknown property", "ClearCache", {"gremlin": 1}, "FormationViolation"),
        ("missing", "ChangeAvailability", {"connectorId": 1}, "ProtocolError"),
        ("count", "GetConfiguration", {"key": KEYS}, "OccurenceConstraintViolation"),
        ("type", "UnlockConnector", {"connectorId": "1"}, "TypeConstraintViolation"),
        ("property", "Reset", {"type": "Medium"}, "PropertyConstraintViolation"),
    ],
)
@proves("1.5/{row}")
def test_bad_input_has_its_own_error_code(row: str, action: str, payload: dict[str, object], code: str) -> None:
    rig = booted()
    [answer] = ask(rig, json.dumps([2, "a", action, payload]))
    assert answer[:3] == [4, "a", code]


@proves("1.5/no object")
@pytest.mark.parametrize("payload", ["[]", '"text"', "7"])
def test_a_payload_is_an_object_or_nothing(payload: str) -> None:
    rig = booted()
    [answer] = ask(rig, f'[2, "a", "ClearCache", {payload}]')
    assert answer[:3] == [4, "a", "FormationViolation"]
    assert ask(rig, '[2, "b", "ClearCache", null]') == [[3, "b", {"status": "Accepted"}]]


@proves("1.5/long id")
def test_an_id_is_at_most_36_characters() -> None:
    rig = booted()
    [answer] = ask(rig, json.dumps([2, "x" * 37, "ClearCache", {}]))
    assert answer[:3] == [4, "x" * 37, "FormationViolation"]


@proves("1.5/id again")
def test_an_id_that_was_answered_gets_the_same_answer_and_is_done_once() -> None:
    rig = booted()
    rig.command("plug_connector", connector_id=1)
    start = json.dumps([2, "again", "RemoteStartTransaction", {"idTag": "A", "connectorId": 1}])
    first, second = ask(rig, start), ask(rig, start)
    rig.run(5)
    assert first == second == [[3, "again", {"status": "Accepted"}]]
    assert len(rig.calls("StartTransaction")) == 1


@proves("1.5/internal")
def test_an_own_fault_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(RemoteControl, "on_ClearCache", fail)
    rig = booted()
    [answer] = ask(rig, '[2, "a", "ClearCache", {}]')
    assert answer[:3] == [4, "a", "InternalError"]
    assert rig.csms("GetLocalListVersion") == {"listVersion": 0}


@proves("1.5/bad result")
def test_a_result_that_breaks_its_schema_is_a_failed_attempt() -> None:
    rig = booted()
    rig.csms("ChangeConfiguration", key="TransactionMessageRetryInterval", value="5")
    answers = itertools.chain([{"transactionId": "seven"}], itertools.repeat({"transactionId": 7, **OK}))
    rig.answers["StartTransaction"] = lambda _: next(answers)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(20)
    assert len(rig.calls("StartTransaction")) == 2
    assert rig.csms("RemoteStopTransaction", transactionId=7) == {"status": "Accepted"}


OK = {"idTagInfo": {"status": "Accepted"}}


@proves("1.5/lenient")
def test_a_lenient_station_takes_what_the_schema_does_not_know() -> None:
    rig = booted(options=Options(strict_schema=False))
    assert ask(rig, '[2, "a", "ClearCache", {"gremlin": 1}]') == [[3, "a", {"status": "Accepted"}]]


@proves("1.6/back-off")
def test_the_wait_doubles_four_times_and_a_success_resets_it() -> None:
    rig = booted()
    rig.drop()
    waits = []
    for _ in range(8):
        before = rig.mono
        rig.run_until(lambda: rig.station.wants_connection(rig.now))
        waits.append(rig.mono - before)
        rig.refuse()
    for number, wait in enumerate(waits):
        base = 3 * 2 ** min(number, 4)
        assert base - 0.01 <= wait <= base + 11.01
    rig.reconnect()
    rig.command("inject_fault", fault_type="network-drop", duration_seconds=1)
    before = rig.mono
    rig.reconnect()
    assert rig.mono - before <= 1 + 14.02


@proves("1.6/R1", "1.6/R2", "1.6/R4")
def test_a_mere_reconnect_tells_only_what_is_new() -> None:
    rig = Rig().boot()
    rig.go_down()
    rig.forget()
    rig.command("plug_connector", connector_id=2)
    rig.command("unplug_connector", connector_id=2)
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    rig.reconnect()
    assert rig.actions() == ["1 Preparing", "Heartbeat"]
    eager = booted(options=Options(boot_on_reconnect=True))
    eager.drop()
    eager.reconnect()
    assert own_calls(eager)[0] == "BootNotification"


@proves("1.6/R3")
def test_commands_are_answered_while_the_queue_goes_out() -> None:
    rig = booted()
    rig.go_down()
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.answers["StartTransaction"] = None
    rig.reconnect()
    assert rig.csms("ClearCache") == {"status": "Accepted"}
