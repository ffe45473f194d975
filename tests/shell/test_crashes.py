"""Nodes that are killed, frozen, stopped: nothing the CSMS received is missing, nobody stays behind."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chargers.models import Charger, ConnectionEvent, Message, Transaction
from simulator.models import Node, Shard
from simulator.shell import recovery
from tests.shell.conftest import command, eventually, log_of, outcome, query
from tests.shell.csms import Csms
from tests.shell.process import NodeProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Fleet = Callable[..., list[Charger]]
NodeStarter = Callable[..., NodeProcess]


@pytest.fixture
def start_process(data_dir: Path, transactional_db: None) -> Iterator[NodeStarter]:
    running: list[NodeProcess] = []

    def start(number: int = 1) -> NodeProcess:
        running.append(NodeProcess(data_dir, number))
        return running[-1]

    yield start
    for process in running:
        process.end()


def is_subsequence(part: list[Any], whole: list[Any]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


def unconfirmed(charger: Charger) -> list[tuple[str, str]]:
    rows = Message.objects.unscoped().filter(charger=charger, delivery="unconfirmed")
    return list(rows.values_list("direction", "text"))


async def chatter(csms: Csms, identities: list[str]) -> None:
    """Calls at every charger without pause, so that a kill falls into the middle of traffic."""
    while True:
        for identity in identities:
            if identity in csms.sockets:
                await csms.call(identity, "TriggerMessage", {"requestedMessage": "Heartbeat"})
        await asyncio.sleep(0.002)


async def test_after_kill_9_in_mid_traffic_the_log_lacks_nothing_that_the_csms_received(
    fleet_of: Fleet, csms: Csms, start_process: NodeStarter
):
    fleet = await query(lambda: fleet_of(10, csms.url))
    identities = [charger.identity for charger in fleet]
    first = start_process(1)
    await csms.until(lambda: len(csms.sockets) == 10, within=30)
    session = await query(lambda: command(fleet[0], "start_session", connector_id=1, id_tag="TAG1"))
    await eventually(lambda: outcome(session).state == "accepted")
    talk = asyncio.create_task(chatter(csms, identities))
    await csms.until(lambda: all(len(csms.received(one, "Heartbeat")) > 20 for one in identities), within=30)
    first.send(signal.SIGKILL)
    first.wait()
    await csms.until(lambda: not csms.sockets)
    talk.cancel()
    start_process(2)
    await csms.until(lambda: len(csms.sockets) == 10, within=30)
    await csms.until(lambda: all(len(csms.received(one, "BootNotification")) == 2 for one in identities))
    for charger in fleet:
        received = [frame for frame in csms.frames[charger.identity] if frame[0] == "cp_to_csms"]
        await eventually(lambda: is_subsequence(received, log_of(charger.pk)))  # noqa: B023
        log = await query(lambda: log_of(charger.pk))  # noqa: B023
        sent = {text for direction, text in csms.frames[charger.identity] if direction == "csms_to_cp"}
        assert all(text in sent for direction, text in log if direction == "csms_to_cp")
        assert len(log) == len(set(log)), "a frame stands twice in the log"
        never_left = [frame for frame in log if frame[0] == "cp_to_csms" and frame not in received]
        assert set(never_left) <= set(await query(unconfirmed, charger))
    await csms.until(lambda: bool(csms.received("CP-0", "StopTransaction")))
    [stop] = csms.received("CP-0", "StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (7, "PowerLoss"), "the transaction outlived the process"
    await eventually(lambda: Transaction.objects.unscoped().get().stop_reason == "PowerLoss")


async def test_two_nodes_share_and_the_survivor_takes_all(fleet_of: Fleet, csms: Csms, start_process: NodeStarter):
    fleet = await query(lambda: fleet_of(12, csms.url))
    first = start_process(1)
    await csms.until(lambda: len(csms.sockets) == 12, within=30)
    second = start_process(2)
    await eventually(lambda: Shard.objects.exclude(owner="").values("owner").distinct().count() == 2, within=30)
    await eventually(lambda: sorted(shares()) == [32, 32], within=30)
    await csms.until(lambda: len(csms.sockets) == 12, within=30)
    for charger in fleet:
        assert len(csms.received(charger.identity, "BootNotification")) == 1, "a hand-over is no reboot"
    first.send(signal.SIGKILL)
    first.wait()
    await eventually(lambda: shares() == [64], within=30)
    await csms.until(lambda: len(csms.sockets) == 12, within=30)
    second.send(signal.SIGTERM)
    assert second.wait() == 0
    assert await query(lambda: Node.objects.count()) == 0
    assert await query(shares) == []


def shares() -> list[int]:
    owners = list(Shard.objects.exclude(owner="").values_list("owner", flat=True))
    return [owners.count(owner) for owner in sorted(set(owners))]


async def test_a_frozen_node_speaks_no_more_when_it_wakes(fleet_of: Fleet, csms: Csms, start_process: NodeStarter):
    fleet = await query(lambda: fleet_of(4, csms.url))
    identities = [charger.identity for charger in fleet]
    first = start_process(1)
    await csms.until(lambda: all(len(csms.received(one, "StatusNotification")) == 2 for one in identities), within=30)
    first.send(signal.SIGSTOP)
    old = dict(csms.sockets)
    for identity in identities:  # waits unread in the frozen node's sockets
        await csms.call(identity, "TriggerMessage", {"requestedMessage": "Heartbeat"})
    start_process(2)
    await csms.until(lambda: all(csms.connects[one] == 2 for one in identities), within=30)
    heard = [csms.heard[socket] for socket in old.values()]
    first.send(signal.SIGCONT)
    async with asyncio.timeout(30):
        await asyncio.gather(*(socket.wait_closed() for socket in old.values()))
    assert [csms.heard[socket] for socket in old.values()] == heard
    await eventually(lambda: sorted(shares()) == [32, 32], within=30)
    for charger in fleet:
        await eventually(lambda: log_of(charger.pk) != [])  # noqa: B023


async def test_a_killed_node_that_was_alone_is_succeeded(
    fleet_of: Fleet, csms: Csms, start_process: NodeStarter, start_node: Any
):
    fleet = await query(lambda: fleet_of(3, csms.url))
    first = start_process(1)
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2, within=30)
    await csms.until(lambda: len(csms.sockets) == 3, within=30)
    first.send(signal.SIGKILL)
    first.wait()
    await start_node()
    await csms.until(lambda: len(csms.sockets) == 3 and csms.connects["CP-0"] == 2)
    told = await eventually(lambda: len(story := connections_of(fleet[0])) == 5 and story)
    assert [event.kind for event in told] == ["connecting", "connected", "closed", "connecting", "connected"]
    assert (told[2].code, told[2].reason) == (1006, recovery.ENDED)
    assert told[2].epoch == told[1].epoch
    assert told[2].sequence > await query(lambda: last_frame(fleet[0], told[2].epoch))


def connections_of(charger: Charger) -> list[ConnectionEvent]:
    return list(ConnectionEvent.objects.unscoped().filter(charger=charger).order_by("epoch", "sequence"))


def last_frame(charger: Charger, epoch: int) -> int:
    frames = Message.objects.unscoped().filter(charger=charger, epoch=epoch)
    return int(frames.latest("sequence").sequence)
