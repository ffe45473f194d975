"""The judge must see what is wrong: a bare client commits every violation once."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.peers.answers import Raw, Refusal, Silence
from tests.peers.scripted_csms import Refused, ScriptedCsms

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}


@pytest.fixture
async def csms() -> AsyncIterator[ScriptedCsms]:
    async with ScriptedCsms() as csms:
        yield csms


def station(csms: ScriptedCsms, version: str = "ocpp1.6") -> connect:
    return connect(f"{csms.url}/CP%201", subprotocols=[version])


async def talk(socket: ClientConnection, *frames: object) -> list[object]:
    """Sends each frame and returns as many answers."""
    answers = []
    for frame in frames:
        await socket.send(frame if isinstance(frame, str) else json.dumps(frame))
        answers.append(json.loads(await socket.recv()))
    return answers


async def test_a_good_station_is_not_accused(csms):
    async with station(csms) as socket:
        boot, status = await talk(
            socket,
            [2, "1", "BootNotification", BOOT],
            [2, "2", "StatusNotification", STATUS],
        )
        assert boot[:2] == [3, "1"]
        assert boot[2]["status"] == "Accepted"
        assert status == [3, "2", {}]
    assert csms.violations == []
    assert [seen.action for seen in csms.frames("CP 1")] == ["BootNotification"] * 2 + ["StatusNotification"] * 2


@pytest.mark.parametrize(
    ("frames", "accusation"),
    [
        ([[2, "1", "BootNotification", {"chargePointVendor": "V"}]], "'chargePointModel' is a required property"),
        ([[2, "1", "Heartbeat", {"extra": 1}]], "Additional properties are not allowed"),
        ([[2, "1", "Heartbeat", {}], [2, "1", "Heartbeat", {}]], "was used before"),
        ([[2, "1", "Reset", {"type": "Soft"}]], "no action of a station"),
        ([[2, "x" * 37, "Heartbeat", {}]], "a message id of 37 characters"),
        ([[2, "1", "StatusNotification", STATUS | {"timestamp": "2026-01-01 10:00"}]], "is not a 'date-time'"),
    ],
)
async def test_a_bad_call_is_seen(csms, frames, accusation):
    async with station(csms) as socket:
        await talk(socket, *frames)
    assert len(csms.violations) == 1
    assert accusation in csms.violations[0]


@pytest.mark.parametrize(
    ("text", "accusation"),
    [
        ("hello", "no OCPP frame"),
        ('[3,"none",{}]', "an answer to nothing"),
        ('[5,"1",{}]', "message type 5"),
        ('[2,"1","Heartbeat"]', "a CALL of 3 elements"),
    ],
)
async def test_a_frame_out_of_place_is_seen(csms, text, accusation):
    async with station(csms) as socket:
        await socket.send(text)
        await talk(socket, [2, "9", "Heartbeat", {}])
    assert len(csms.violations) == 1
    assert accusation in csms.violations[0]


async def test_two_open_calls_are_seen(csms):
    csms.answer("Heartbeat", Silence())
    async with station(csms) as socket:
        await socket.send('[2,"1","Heartbeat",{}]')
        await talk(socket, [2, "2", "BootNotification", BOOT])
    assert csms.violations == ["CP 1: BootNotification: a second CALL while 1 is open"]


async def test_answers_are_judged_and_returned(csms):
    async with station(csms) as socket:

        async def answer(*words: object) -> None:
            call = json.loads(await socket.recv())
            await socket.send(json.dumps([words[0], call[1], *words[1:]]))

        await csms.connected("CP 1")
        replies = [
            (3, {"status": "Accepted"}),
            (3, {"status": "Sure"}),
            (4, "NotSupported", "", {}),
            (4, "NoSuchCode", "", {}),
        ]
        for reply in replies:
            answering = asyncio.create_task(answer(*reply))
            if reply[0] == 3:
                assert await csms.call("CP 1", "Reset", {"type": "Soft"}) == reply[1]
            else:
                with pytest.raises(Refused, match=reply[1]):
                    await csms.call("CP 1", "Reset", {"type": "Soft"})
            await answering
    assert len(csms.violations) == 2
    assert "'Sure' is not one of" in csms.violations[0]
    assert "NoSuchCode is unknown" in csms.violations[1]


async def test_reactions_by_script(csms):
    csms.answer("Heartbeat", Refusal("InternalError", "tired"))
    csms.answer("DataTransfer", Raw("[3,{id}"))
    csms.script.boot_status = "Pending"
    async with station(csms) as socket:
        error, boot = await talk(socket, [2, "1", "Heartbeat", {}], [2, "2", "BootNotification", BOOT])
        assert error == [4, "1", "InternalError", "tired", {}]
        assert boot[2]["status"] == "Pending"
        await socket.send('[2,"3","DataTransfer",{"vendorId":"v"}]')
        assert await socket.recv() == "[3,3"


async def test_limits_of_a_tenth_are_no_false_alarm(csms):
    """1.6 says `multipleOf: 0.1`; 16.1 is no multiple of that in binary."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}]}
    async with station(csms) as socket:

        async def answer() -> None:
            call = json.loads(await socket.recv())
            await socket.send(json.dumps([3, call[1], {"status": "Accepted", "chargingSchedule": schedule}]))

        answering = asyncio.create_task(answer())
        await csms.connected("CP 1")
        await csms.call("CP 1", "GetCompositeSchedule", {"connectorId": 1, "duration": 60})
        await answering
    assert csms.violations == []


async def test_comes_back_on_the_same_port(csms):
    async with station(csms) as socket:
        await csms.connected("CP 1")
        await csms.stop()
        await socket.wait_closed()
        assert socket.close_code == 1001
    await csms.start()
    async with station(csms, "ocpp2.0.1") as socket:
        await csms.connected("CP 1")
        assert csms.station("CP 1").connections == 2
        csms.drop("CP 1")
        await socket.wait_closed()
        assert socket.close_code == 1006
