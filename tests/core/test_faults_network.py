"""Faults of the network: what goes over the wire while they last, and after (behaviour contract, 8.2)."""

import json
from typing import Any

import jsonschema
import pytest

from simulator.core.facts import AnswerPings, Drop, FreezeSocket, Order, Send, SendBytes, ShapeLink
from simulator.core.setup import Options
from tests.contract.judge import judge
from tests.core.rig import Rig


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def rig(request: pytest.FixtureRequest) -> Rig:
    rig = Rig(request.param).boot()
    rig.run(5)
    rig.forget()
    return rig


def inject(rig: Rig, fault_type: str, seconds: int | None = None, **parameters: Any) -> None:
    outcome = rig.outcome(
        rig.command("inject_fault", fault_type=fault_type, duration_seconds=seconds, parameters=parameters)
    )
    assert outcome.state == "accepted", outcome


def ask(rig: Rig, message_id: str, action: str = "ClearCache") -> None:
    """A CALL of the CSMS, whose answer is looked for by the test."""
    rig.receive(json.dumps([2, message_id, action, {}]))


def answers(rig: Rig) -> list[list[Any]]:
    texts = [json.loads(f.text) for f in rig.frames if f.direction == "cp_to_csms" and f.message_type != "CALL"]
    return [[body[0], body[1]] for body in texts]


def orders(rig: Rig, name: str, **params: Any) -> list[Order]:
    """What the shell is told by a command."""
    rig.station.execute("c", name, params, rig.now)
    return rig.station.take().orders


@pytest.mark.parametrize("kind", ["reset", "silence", "clean"])
def test_a_network_drop_keeps_the_station_away_for_its_time(rig: Rig, kind: str) -> None:
    inject(rig, "network-drop", 60, kind=kind)
    assert [getattr(one, "kind", "clean") for one in rig.closed] == [kind]
    rig.run(59)
    assert not rig.station.wants_connection(rig.now)
    rig.reconnect()
    assert rig.mono < 1000 + 5 + 64
    assert "BootNotification" not in rig.actions()


def test_a_frozen_station_says_nothing_and_resumes(rig: Rig) -> None:
    inject(rig, "frozen", 30)
    ask(rig, "a")
    rig.command("plug_connector", connector_id=1)
    rig.run(25)
    assert answers(rig) == [] == rig.actions()
    rig.run(10)
    assert {"1 Preparing", "1 Occupied"} & set(rig.actions())
    ask(rig, "b")
    assert answers(rig) == [[3, "b"]]


def test_a_frozen_station_with_a_watchdog_reboots(rig: Rig) -> None:
    inject(rig, "frozen", 30, kind="watchdog")
    rig.run(31)
    rig.reconnect()
    assert "BootNotification" in rig.actions()


def test_slow_answers_come_in_their_order_at_their_time_and_before_what_they_cause(rig: Rig) -> None:
    inject(rig, "slow-responses", delay_ms=3000, jitter_ms=2500)
    for name in "abc":
        ask(rig, name)
    assert answers(rig) == []
    rig.run(0.4)
    assert answers(rig) == []
    rig.run(6)
    assert answers(rig) == [[3, "a"], [3, "b"], [3, "c"]]
    logged = [f.at for f in rig.frames if f.message_type == "CALLRESULT" and f.direction == "cp_to_csms"]
    assert logged == sorted(logged)
    assert logged[0] > rig.frames[0].at + 0.4


def test_one_action_alone_may_be_slow(rig: Rig) -> None:
    inject(rig, "slow-responses", delay_ms=3000, action="Reset")
    ask(rig, "a")
    assert answers(rig) == [[3, "a"]]


def test_what_was_held_is_lost_with_the_connection(rig: Rig) -> None:
    inject(rig, "slow-responses", delay_ms=3000)
    ask(rig, "a")
    rig.drop()
    rig.reconnect()
    assert [3, "a"] not in answers(rig)


def test_an_action_is_answered_with_the_chosen_error_or_status(rig: Rig) -> None:
    inject(rig, "error-responses", action="ClearCache", error_code="InternalError")
    assert rig.csms("ClearCache") == {"error": "InternalError"}
    assert "error" not in rig.csms("TriggerMessage", requestedMessage="Heartbeat")  # other actions are answered as ever
    inject(rig, "error-responses", action="ClearCache", status="Rejected")
    assert rig.csms("ClearCache") == {"status": "Rejected"}
    rig.command("clear_fault")
    assert rig.csms("ClearCache") == {"status": "Accepted"}


@pytest.mark.parametrize(
    "parameters", [{"error_code": "Nonsense"}, {"status": "Rejected"}, {"action": "Reset", "status": "Gremlin"}]
)
def test_an_answer_that_breaks_the_schema_is_refused(rig: Rig, parameters: dict[str, str]) -> None:
    command = rig.command("inject_fault", fault_type="error-responses", parameters=parameters)
    assert rig.outcome(command).state == "rejected"


def test_a_share_of_the_answers_never_comes_and_the_seed_says_which(rig: Rig) -> None:
    kept = []
    for _ in range(2):
        rig.command("inject_fault", fault_type="drop-responses", seed=5, parameters={"percent": 50})
        rig.forget()
        for number in range(20):
            ask(rig, f"{len(kept)}-{number}")
        kept.append([int(one[1].partition("-")[2]) for one in answers(rig)])
    assert kept[0] == kept[1]
    assert 3 < len(kept[0]) < 17


def test_own_calls_go_out_twice_with_the_same_id(rig: Rig) -> None:
    inject(rig, "duplicate-frames")
    rig.command("authorize_id_tag", id_tag="A")
    first, second = [f for f in rig.frames if f.action == "Authorize" and f.direction == "cp_to_csms"]
    assert (first.text, first.injected, second.injected) == (second.text, False, True)


def breaks(text: str) -> str:
    """The keyword of the official schema that a StatusNotification of either version breaks."""
    is_newer = {"evseId", "connectorStatus"} & set(json.loads(text)[3])
    with pytest.raises(jsonschema.ValidationError) as refused:
        judge("ocpp2.0.1" if is_newer else "ocpp1.6", text)
    return str(refused.value.validator)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("truncated", lambda text: not text.endswith("]")),
        ("wrong-message-type", lambda text: json.loads(text)[0] == 9),
        ("bad-id", lambda text: len(json.loads(text)[1]) == 64),
        ("unknown-field", lambda text: "gremlin" in json.loads(text)[3]),
        ("missing-field", lambda text: breaks(text) == "required"),
        ("oversize", lambda text: len(text) > 250_000),
        ("wrong-enum", lambda text: breaks(text) == "enum"),
        ("wrong-type", lambda text: breaks(text) == "type"),
    ],
)
def test_one_malformed_frame_goes_out_marked(rig: Rig, kind: str, seen: Any) -> None:
    inject(rig, "malformed-frames", kind=kind)
    (frame,) = rig.frames
    assert frame.injected
    assert seen(frame.text)
    rig.run(60)
    assert not any(one.injected for one in rig.frames[1:])


def test_what_is_no_utf8_is_sent_as_bytes_and_logged_as_base64(rig: Rig) -> None:
    found = orders(rig, "inject_fault", fault_type="malformed-frames", parameters={"kind": "non-utf8"})
    (sent,) = [one for one in found if isinstance(one, Send)]
    assert isinstance(sent, SendBytes)
    with pytest.raises(UnicodeDecodeError):
        sent.data.decode()


def test_pings_and_sockets_are_the_shells_business(rig: Rig) -> None:
    assert AnswerPings(False) in orders(rig, "inject_fault", fault_type="no-pong")
    assert not rig.station.wire.answers_pings
    assert AnswerPings(True) in orders(rig, "clear_fault")
    assert FreezeSocket() in orders(rig, "inject_fault", fault_type="half-open")
    rig.run(600)
    assert rig.closed == []
    assert Drop("reset") in orders(rig, "clear_fault")
    rig.reconnect()


def test_the_line_is_slow_while_it_is_limited_or_the_signal_weak(rig: Rig) -> None:
    given = {"delay_ms": 250, "bytes_per_second": 4_000, "fragment_bytes": 64}
    assert ShapeLink(0.25, 4_000, 64) in orders(rig, "inject_fault", fault_type="limited-link", parameters=given)
    assert ShapeLink() in orders(rig, "clear_fault")
    slow = [one for one in orders(rig, "inject_fault", fault_type="WeakSignal") if isinstance(one, ShapeLink)]
    assert slow == [rig.station.wire.shape] != [ShapeLink()]
    assert ShapeLink() in orders(rig, "clear_fault")


def test_an_old_call_goes_out_again_and_again_under_its_own_id(rig: Rig) -> None:
    rig.command("authorize_id_tag", id_tag="A")
    rig.command("authorize_id_tag", id_tag="B")
    said = [f.text for f in rig.frames if f.action == "Authorize" and f.direction == "cp_to_csms"]
    inject(rig, "replay")
    assert [f.text for f in rig.frames if f.injected] == said[-1:]
    inject(rig, "replay", every_seconds=20)
    rig.run(110)
    replayed = [f for f in rig.frames if f.injected]
    assert len(replayed) == 7
    assert all(f.note == "injected replay" for f in replayed)
    rig.command("clear_fault")
    rig.run(60)
    assert len([f for f in rig.frames if f.injected]) == 7


def test_queued_transaction_messages_may_go_out_in_another_order() -> None:
    rig = Rig(seed=3).boot()
    rig.go_down()
    for number in (1, 2):
        rig.command("start_transaction", id_tag="A", connector_id=number)
    rig.run(70)
    for number in (1, 2):
        rig.command("stop_session", connector_id=number)
    queued = len(rig.station.outbox.queue)
    rig.command("inject_fault", fault_type="replay", seed=1, parameters={"kind": "queue-order"})
    rig.forget()
    rig.reconnect()
    for _ in range(queued):  # an injected call has to be answered by hand
        out = [f for f in rig.frames if (f.message_type == "CALL" and f.transaction) or f.action == "StartTransaction"]
        for frame in out:
            answer = {"transactionId": 5, "idTagInfo": {"status": "Accepted"}} if "Start" in frame.action else {}
            rig.receive(json.dumps([3, frame.message_id, answer]))
            rig.settle()
    sent = [f for f in rig.frames if f.direction == "cp_to_csms" and f.message_type == "CALL"]
    words = [f.action for f in sent if "Transaction" in f.action]
    assert sorted(words) == ["StartTransaction"] * 2 + ["StopTransaction"] * 2
    assert any(f.injected for f in sent)
    assert not rig.station.outbox.queue


def test_flapping_drops_the_connection_again_and_again_until_it_is_cleared(rig: Rig) -> None:
    inject(rig, "flapping", every_seconds=20, jitter_ms=1000)
    for count in (1, 2):
        rig.run_until(lambda count=count: len(rig.closed) == count)
        rig.reconnect()
    rig.command("clear_fault")
    rig.run(120)
    assert len(rig.closed) == 2


def test_a_clock_that_is_off_shows_in_timestamps_until_the_csms_sets_it(rig: Rig) -> None:
    before = rig.station.clock
    inject(rig, "clock-drift", offset_seconds=3600)
    assert rig.station.clock - before == pytest.approx(3600, abs=6)
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    rig.settle()
    assert rig.station.wire.skew == 0
    inject(rig, "clock-drift", ppm=100_000, ignore_time=True)
    rig.run(100)
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    assert rig.station.wire.skew == pytest.approx(10, abs=0.2)


def test_a_wrong_subprotocol_is_offered_until_cleared(rig: Rig) -> None:
    inject(rig, "wrong-subprotocol", text="ocpp9")
    assert rig.station.wire.subprotocol == "ocpp9"
    rig.run(3)
    rig.command("clear_fault")
    assert rig.station.wire.subprotocol == rig.setup.subprotocol
    rig.reconnect()


@pytest.mark.parametrize("mode", ["stop-after", "stop-before", "resume"])
@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
def test_a_power_loss_is_silence_and_a_boot(version: str, mode: str) -> None:
    rig = Rig(version, options=Options(on_power_loss=mode)).boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(30)
    rig.forget()
    rig.command("inject_fault", fault_type="power-loss", duration_seconds=300)
    rig.run(3)
    assert rig.closed == [Drop("silence")]
    energy = rig.station.connectors[0].register_wh
    rig.run(250)
    assert rig.station.connectors[0].register_wh == energy
    rig.reconnect()
    boots = rig.calls("BootNotification")
    assert len(boots) == 1
    assert boots[0].get("reason", "PowerUp") == "PowerUp"
    rig.run(30)
    ended = [*rig.calls("StopTransaction"), *(e for e in rig.calls("TransactionEvent") if e["eventType"] == "Ended")]
    assert len(ended) == (mode != "resume")
    assert (rig.station.connectors[0].register_wh > energy) == (mode == "resume")


def test_a_boot_loop_boots_until_it_is_cleared(rig: Rig) -> None:
    inject(rig, "boot-loop", every_seconds=60)
    for _ in range(2):
        rig.run_until(lambda: not rig.station.link.connected)
        rig.reconnect()
    assert rig.actions().count("BootNotification") == 2


def test_a_fault_outlives_a_restart_of_the_product(rig: Rig) -> None:
    inject(rig, "drop-responses")
    rig.restart()
    ask(rig, "a")
    assert answers(rig) == []
    assert rig.station.picture(rig.now)["network_faults"] == ["drop-responses"]
