"""Faults of the network and the protocol on real sockets: what the CSMS at the other end sees (contract, 8.2).

That something does not come is asserted once something that was asked for later has come.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from chargers.models import Charger, ConnectionEvent, Message
from tests.contract.proving import proves
from tests.shell.conftest import command, eventually, log_of, outcome, query
from tests.shell.csms import Csms

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Fleet = Callable[..., list[Charger]]
ME = "CP-0"


class Lab:
    """A connected charger with its CSMS, and faults at hand."""

    def __init__(self, charger: Charger, csms: Csms) -> None:
        self.charger = charger
        self.csms = csms

    @property
    def socket(self) -> ServerConnection:
        return self.csms.sockets[ME]

    async def done(self, name: str, **payload: Any) -> None:
        """A user's command, once it has ended well."""
        command_id = await query(lambda: command(self.charger, name, **payload))
        row = await eventually(lambda: (found := outcome(command_id)).state not in OPEN and found)
        assert row.state == "accepted", row.reason

    async def inject(self, fault_type: str, seconds: int | None = None, **parameters: Any) -> None:
        await self.done("inject_fault", fault_type=fault_type, duration_seconds=seconds, parameters=parameters)

    async def clear(self) -> None:
        await self.done("clear_fault")

    async def answers(self, action: str = "ClearCache") -> bool:
        """A call of the CSMS, once it is answered."""
        message_id = await self.csms.call(ME, action, {})
        await self.csms.until(lambda: self.csms.answered(ME, message_id))
        return True

    def calls(self) -> list[list[Any]]:
        """The station's own calls, those that are JSON."""
        return [frame for frame in _frames(self.csms) if frame[0] == 2]


OPEN = ("queued", "claimed", "sent")
BACK_OFF = ("RetryBackOffWaitMinimum", "RetryBackOffRandomRange", "RetryBackOffRepeatTimes")


def _frames(csms: Csms) -> list[list[Any]]:
    found = []
    for direction, text in csms.frames[ME]:
        try:
            frame = json.loads(text)
        except ValueError:
            continue
        if direction == "cp_to_csms":
            found.append(frame)
    return found


def refusals(charger: Charger) -> list[str]:
    rows = ConnectionEvent.objects.unscoped().filter(charger=charger, kind="refused")
    return list(rows.values_list("reason", flat=True))


@pytest.fixture
async def lab(fleet_of: Fleet, csms: Csms, node: Any) -> Lab:
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received(ME, "StatusNotification")) >= 2, within=30)
    lab = Lab(charger, csms)
    await lab.done("update_configuration", configuration=dict.fromkeys(BACK_OFF, "1"))
    return lab


@proves("8.2/network-drop")
@pytest.mark.parametrize("kind", ["reset", "clean"])
async def test_a_network_drop_ends_the_connection_and_the_charger_comes_back(lab: Lab, kind: str) -> None:
    if kind == "clean":  # the row speaks of both ways; the first case alone does not show the other
        await lab.inject("network-drop", 1, kind="reset")
        await lab.csms.until(lambda: lab.csms.connects[ME] == 2 and ME in lab.csms.sockets, within=30)
    await lab.inject("network-drop", 1, kind=kind)
    await lab.csms.until(lambda: len(lab.csms.closes) > (kind == "clean"))
    assert lab.csms.closes[-1][1] == (1001 if kind == "clean" else 1006)
    await lab.csms.until(lambda: ME in lab.csms.sockets, within=30)
    assert len(lab.csms.received(ME, "BootNotification")) == 1, "a mere reconnect"
    assert await lab.answers()


async def test_a_silent_drop_leaves_the_csms_with_a_dead_socket(lab: Lab) -> None:
    old = lab.socket
    await lab.inject("network-drop", 1, kind="silence")
    heard = lab.csms.heard[old]
    await lab.csms.until(lambda: lab.csms.connects[ME] == 2, within=30)
    assert lab.csms.heard[old] == heard
    assert old.close_code is None, "nobody has told the CSMS"
    pong = await old.ping()
    assert await lab.answers()
    assert not pong.done()
    old.transport.abort()


@proves("8.2/flapping")
async def test_a_flapping_line_doubles_no_transaction_message(lab: Lab) -> None:
    await lab.inject("flapping", every_seconds=1)
    await lab.csms.until(lambda: len(lab.csms.closes) >= 1, within=30)
    command_id = await query(lambda: command(lab.charger, "start_transaction", connector_id=1, id_tag="A"))
    await lab.csms.until(lambda: len(lab.csms.closes) >= 2, within=60)
    await eventually(lambda: outcome(command_id).state == "accepted", within=30)
    await lab.clear()
    await lab.csms.until(lambda: bool(lab.csms.received(ME, "StartTransaction")), within=30)
    await lab.csms.until(lambda: ME in lab.csms.sockets, within=30)
    await lab.done("stop_session", connector_id=1)
    await lab.csms.until(lambda: bool(lab.csms.received(ME, "StopTransaction")), within=30)
    starts = {json.dumps(one, sort_keys=True) for one in lab.csms.received(ME, "StartTransaction")}
    assert len(starts) == 1
    assert {one["transactionId"] for one in lab.csms.received(ME, "StopTransaction")} == {7}


@proves("8.2/half-open")
async def test_a_half_open_socket_answers_nothing_until_the_station_finds_it_dead(lab: Lab) -> None:
    old = lab.socket
    await lab.inject("half-open")
    pong = await old.ping()
    message_id = await lab.csms.call(ME, "ClearCache", {})
    await lab.done("update_configuration", configuration={"HeartbeatInterval": "600"})  # the station lives
    assert old.close_code is None
    await lab.clear()
    await lab.csms.until(lambda: lab.csms.connects[ME] == 2 and lab.csms.sockets.get(ME) not in (None, old), within=30)
    assert await lab.answers()
    assert not lab.csms.answered(ME, message_id)
    assert not pong.done() or pong.exception() is not None


async def test_a_frozen_charger_pongs_but_does_not_talk_and_resumes(lab: Lab) -> None:
    await lab.inject("frozen")
    message_id = await lab.csms.call(ME, "ClearCache", {})
    await asyncio.wait_for(await lab.socket.ping(), 10)
    command_id = await query(lambda: command(lab.charger, "plug_connector", connector_id=1))
    await asyncio.wait_for(await lab.socket.ping(), 10)
    assert not lab.csms.answered(ME, message_id)
    assert "Preparing" not in [one["status"] for one in lab.csms.received(ME, "StatusNotification")]
    await lab.clear()
    await eventually(lambda: outcome(command_id).state == "accepted")
    await lab.csms.until(lambda: "Preparing" in [one["status"] for one in lab.csms.received(ME, "StatusNotification")])
    assert await lab.answers()


@proves("8.2/frozen")
async def test_a_watchdog_ends_a_freeze_with_a_boot(lab: Lab) -> None:
    await lab.inject("frozen", 1, kind="watchdog")
    await lab.csms.until(lambda: len(lab.csms.received(ME, "BootNotification")) == 2, within=60)


@proves("8.2/slow-responses")
async def test_slow_answers_come_late_and_in_order(lab: Lab) -> None:
    await lab.inject("slow-responses", delay_ms=600_000)
    ids = [await lab.csms.call(ME, "ClearCache", {}) for _ in range(3)]
    await asyncio.wait_for(await lab.socket.ping(), 10)
    assert not any(lab.csms.answered(ME, one) for one in ids)
    await lab.clear()
    await lab.csms.until(lambda: all(lab.csms.answered(ME, one) for one in ids))
    assert [frame[1] for frame in _frames(lab.csms) if frame[0] == 3] == ids


@proves("8.2/limited-link")
async def test_a_limited_link_delays_both_ways_and_fragments_messages(lab: Lab) -> None:
    await lab.inject("limited-link", delay_ms=100, bytes_per_second=2_000, fragment_bytes=16)
    await lab.csms.call(ME, "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await lab.csms.until(lambda: bool(lab.csms.received(ME, "Heartbeat")))
    await lab.inject("limited-link", delay_ms=60_000)
    message_id = await lab.csms.call(ME, "ClearCache", {})
    await lab.done("update_configuration", configuration={"HeartbeatInterval": "600"})  # the station lives
    assert not lab.csms.answered(ME, message_id)
    await lab.clear()
    await lab.csms.until(lambda: lab.csms.answered(ME, message_id))


@proves("8.1/WeakSignal")
async def test_a_weak_signal_is_told_over_a_slow_line(lab: Lab) -> None:
    await lab.inject("WeakSignal")
    await lab.csms.until(lambda: lab.csms.received(ME, "StatusNotification")[-1]["errorCode"] == "WeakSignal")
    assert await lab.answers()
    await lab.clear()
    await lab.csms.until(lambda: lab.csms.received(ME, "StatusNotification")[-1]["errorCode"] == "NoError")


@proves("8.2/no-pong")
async def test_pings_alone_go_unanswered(lab: Lab) -> None:
    await lab.inject("no-pong")
    pong = await lab.socket.ping()
    assert await lab.answers(), "sent after the ping, and answered"
    assert not pong.done()
    await lab.clear()
    await asyncio.wait_for(await lab.socket.ping(), 10)


@proves("8.2/drop-responses")
async def test_dropped_answers_never_come(lab: Lab) -> None:
    await lab.inject("drop-responses", percent=100, action="ClearCache")
    dropped = await lab.csms.call(ME, "ClearCache", {})
    assert await lab.answers("GetLocalListVersion")
    assert not lab.csms.answered(ME, dropped)
    await lab.clear()
    assert await lab.answers()


@proves("8.2/error-responses")
async def test_an_action_is_answered_with_an_error_or_a_status(lab: Lab) -> None:
    await lab.inject("error-responses", action="ClearCache", error_code="InternalError")
    assert await lab.answers()
    await lab.inject("error-responses", action="ClearCache", status="Rejected")
    assert await lab.answers()
    assert [frame[2] for frame in _frames(lab.csms) if frame[0] in (3, 4)] == ["InternalError", {"status": "Rejected"}]


@proves("8.2/duplicate-frames")
async def test_own_calls_come_twice_with_one_id(lab: Lab) -> None:
    await lab.inject("duplicate-frames")
    await lab.done("authorize_id_tag", id_tag="A")
    await lab.csms.until(lambda: len(lab.csms.received(ME, "Authorize")) == 2)
    first, second = [frame for frame in lab.calls() if frame[2] == "Authorize"]
    assert first == second


@proves("8.2/malformed-frames")
@pytest.mark.parametrize("kind", ["truncated", "wrong-message-type", "oversize", "bad-id"])
async def test_a_malformed_frame_is_on_the_wire_and_marked_in_the_log(
    fleet_of: Fleet, csms: Csms, node: Any, kind: str
) -> None:
    csms.lenient = True
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received(ME, "StatusNotification")) >= 2, within=30)
    lab = Lab(charger, csms)
    if kind in ("oversize", "bad-id"):  # a frame for a schema or a limit to judge: JSON it is
        await lab.inject("malformed-frames", kind="truncated")
    before = len(csms.frames[ME])
    await lab.inject("malformed-frames", kind=kind)
    await csms.until(lambda: len(csms.frames[ME]) > before)
    text = csms.frames[ME][before][1]
    row = await eventually(lambda: Message.objects.unscoped().filter(charger=charger, injected=True).last())
    assert row.text == text
    assert await lab.answers()


@proves("8.2/replay")
async def test_an_old_call_comes_again_under_its_id(lab: Lab) -> None:
    await lab.csms.call(ME, "TriggerMessage", {"requestedMessage": "Heartbeat"})
    await lab.csms.until(lambda: bool(lab.csms.received(ME, "Heartbeat")))
    await eventually(lambda: len(log_of(lab.charger.pk)) == len(lab.csms.frames[ME]))
    await lab.inject("replay")
    await lab.csms.until(lambda: len(lab.csms.received(ME, "Heartbeat")) == 2)
    first, second = [frame for frame in lab.calls() if frame[2] == "Heartbeat"]
    assert first == second


@proves("8.2/clock-drift")
async def test_a_clock_that_is_off_shows_in_timestamps(lab: Lab) -> None:
    await lab.inject("clock-drift", offset_seconds=86_400, ignore_time=True)
    await lab.done("plug_connector", connector_id=1)
    await lab.csms.until(lambda: lab.csms.received(ME, "StatusNotification")[-1]["status"] == "Preparing")
    earlier, later = [one["timestamp"] for one in lab.csms.received(ME, "StatusNotification")[-2:]]
    assert earlier[:10] < later[:10], "a day later"


@proves("8.2/wrong-subprotocol")
async def test_a_wrong_subprotocol_is_refused_and_after_clearing_all_is_well(lab: Lab) -> None:
    await lab.inject("wrong-subprotocol")
    assert await eventually(lambda: refusals(lab.charger), within=40)
    await lab.clear()
    await lab.csms.until(lambda: ME in lab.csms.sockets, within=30)
    assert await lab.answers()


@proves("8.2/boot-loop")
async def test_a_boot_loop_boots_again_and_again(lab: Lab) -> None:
    await lab.inject("boot-loop", every_seconds=1)
    await lab.csms.until(lambda: len(lab.csms.received(ME, "BootNotification")) == 3, within=60)
    await lab.clear()


@proves("8.2/power-loss")
async def test_a_power_loss_is_silence_then_a_boot_then_the_stop(lab: Lab) -> None:
    await lab.done("start_session", connector_id=1, id_tag="A")
    old = lab.socket
    await lab.inject("power-loss", 1)
    await lab.csms.until(lambda: bool(lab.csms.received(ME, "StopTransaction")), within=60)
    [stop] = lab.csms.received(ME, "StopTransaction")
    assert (stop["reason"], stop["transactionId"]) == ("PowerLoss", 7)
    assert len(lab.csms.received(ME, "BootNotification")) == 2
    assert old.close_code is None, "the mains went: nobody closed that socket"
    old.transport.abort()
    await lab.csms.until(lambda: (ME, 1006, "") in lab.csms.closes)


@proves("8.2/raw-frame")
async def test_any_text_goes_out_as_it_is(fleet_of: Fleet, csms: Csms, node: Any) -> None:
    csms.lenient = True
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received(ME, "StatusNotification")) >= 2, within=30)
    lab = Lab(charger, csms)
    await lab.done("raw_frame", text="[2, this is no JSON")
    await csms.until(lambda: ("cp_to_csms", "[2, this is no JSON") in csms.frames[ME])
    assert await lab.answers()
