"""What must hold when things do not: a database that stalls or refuses, a full disk, a flood, a broken station."""

import asyncio
import errno
import json
import os
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from chargers import bus
from chargers.models import Charger, ChargerCommand, ConnectionEvent, Message
from simulator.models import Shard
from simulator.shell import inbox, recorder, runner
from simulator.shell.node import Node
from tests.shell.conftest import NodeFactory, command, eventually, in_step, log_of, logged, outcome, query, until
from tests.shell.csms import Csms

pytestmark = pytest.mark.django_db(transaction=True)
Fleet = Callable[..., list[Charger]]
HEARTBEAT = {"requestedMessage": "Heartbeat"}


async def online(csms: Csms, count: int = 1) -> None:
    """All have booted and told their status."""
    names = [f"CP-{number}" for number in range(count)]
    await csms.until(lambda: all(len(csms.received(name, "StatusNotification")) == 2 for name in names))


@asynccontextmanager
async def stalled_database() -> AsyncIterator[None]:
    """Nobody else can write frames or leases within the block."""
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                for model in (Message, Shard):
                    cursor.execute(f"LOCK TABLE {model._meta.db_table} IN ACCESS EXCLUSIVE MODE")
            locked.set()
            over.wait(30)

    holding = asyncio.create_task(query(hold))
    await asyncio.to_thread(locked.wait, 30)
    try:
        yield
    finally:
        over.set()
        await holding


async def test_when_the_database_stalls_the_node_waits_and_loses_nothing(
    fleet_of: Fleet, csms: Csms, node: Node, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(recorder, "FULL_FRAMES", 40)
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    async with stalled_database():
        ids = [await csms.call("CP-0", "TriggerMessage", HEARTBEAT) for _ in range(200)]
        await until(lambda: not node.gate.is_set())
        assert node.metrics()["healthy"] is False
        assert node.metrics()["reason"] == "The queue of frames is full."
        answered = sum(csms.answered("CP-0", one) for one in ids)
        assert answered < 100
    await csms.until(lambda: all(csms.answered("CP-0", one) for one in ids), within=30)
    await csms.until(lambda: len(csms.received("CP-0", "Heartbeat")) > 0)
    await eventually(lambda: Message.objects.unscoped().count() >= 400)
    assert node.metrics()["healthy"] is True
    await in_step(charger, csms)


async def test_when_the_database_refuses_the_node_says_so_and_tries_again(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    await logged(charger, csms.frames["CP-0"])
    table = Message._meta.db_table
    await query(alter, f"ALTER TABLE {table} RENAME TO away")
    try:
        call = await csms.call("CP-0", "TriggerMessage", HEARTBEAT)
        await csms.until(lambda: csms.answered("CP-0", call))
        await until(lambda: bool(node.trouble))
        assert node.trouble.startswith("The database does not take frames: ")
    finally:
        await query(alter, f"ALTER TABLE away RENAME TO {table}")
    await in_step(charger, csms)
    assert node.trouble == ""


def alter(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def small_disk(data_dir: Path) -> Iterator[Path]:
    """A file system of 256 KiB for the spool."""
    folder = data_dir / "spool"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_with_a_full_disk_nothing_is_sent_until_there_is_room(
    small_disk: Path, fleet_of: Fleet, csms: Csms, start_node: NodeFactory
):
    node = await start_node()
    [charger, other] = await query(lambda: fleet_of(2, csms.url))
    await online(csms, 2)
    await until(lambda: not node.recorder.depth)
    async with stalled_database():  # or what is stored meanwhile makes room
        filler = fill(small_disk)
        count = len(csms.frames["CP-0"])
        calls = [await csms.call("CP-0", "TriggerMessage", HEARTBEAT) for _ in range(100)]
        await until(lambda: node.trouble == "The disk has no room for the spool.")
        late = await csms.call("CP-1", "TriggerMessage", HEARTBEAT)
        await asyncio.sleep(0.3)
        assert not csms.answered("CP-1", late)
        filler.unlink()
    await csms.until(lambda: csms.answered("CP-1", late) and all(csms.answered("CP-0", one) for one in calls))
    assert len(csms.frames["CP-0"]) > count
    await in_step(charger, csms)
    await in_step(other, csms)
    assert node.trouble == ""


def fill(folder: Path) -> Path:
    """The file that takes all the room there is."""
    path = folder / ".filler"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        while os.write(descriptor, b"x" * 1024):
            pass
    except OSError as error:
        assert error.errno == errno.ENOSPC  # noqa: PT017 - the end of a loop, not an outcome
    finally:
        os.close(descriptor)
    return path


async def test_a_flood_slows_only_its_own_charger(fleet_of: Fleet, csms: Csms, node: Node):
    chargers = await query(lambda: fleet_of(2, csms.url))
    await online(csms, 2)
    flooding = asyncio.create_task(flood(csms, "CP-0", 3000))
    await csms.until(lambda: len(csms.frames["CP-0"]) > 200)
    for _ in range(5):
        call = await csms.call("CP-1", "TriggerMessage", HEARTBEAT)
        await csms.until(lambda: csms.answered("CP-1", call))  # noqa: B023
    last = await flooding
    await csms.until(lambda: csms.answered("CP-0", last), within=60)
    for charger in chargers:
        await in_step(charger, csms)
    assert csms.connects == {"CP-0": 1, "CP-1": 1}


async def flood(csms: Csms, identity: str, count: int) -> str:
    for _ in range(count):
        last = await csms.call(identity, "DataTransfer", {"vendorId": "flood"})
    return last


async def test_a_station_that_raises_is_restarted_and_takes_no_other_down(
    fleet_of: Fleet, csms: Csms, node: Node, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runner, "RESTART_FIRST", 0.2)
    [charger, _] = await query(lambda: fleet_of(2, csms.url))
    await online(csms, 2)
    broken = node.runners[charger.pk]
    broken._restart_wait = 0.2

    def fail(*_: Any) -> None:
        raise RuntimeError("a bug in the core")

    monkeypatch.setattr(broken.station, "receive", fail)
    await csms.call("CP-0", "TriggerMessage", HEARTBEAT)
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert csms.closes == [("CP-0", 1011, "the simulated station failed")]
    assert csms.connects["CP-1"] == 1
    await csms.until(lambda: len(csms.received("CP-0", "BootNotification")) == 2)
    call = await csms.call("CP-0", "TriggerMessage", HEARTBEAT)
    await csms.until(lambda: csms.answered("CP-0", call))
    events = ConnectionEvent.objects.unscoped().filter(charger=charger).order_by("sequence")
    await eventually(lambda: [one.kind for one in events.all()][-2:] == ["connecting", "connected"])
    kinds = await query(lambda: [one.kind for one in events.all()])
    assert kinds == ["connecting", "connected", "closed", "connecting", "connected"]


async def test_a_node_that_cannot_renew_closes_its_sockets_before_the_lease_ends(
    fleet_of: Fleet, csms: Csms, start_node: NodeFactory, settings: Any
):
    settings.SIMULATOR_LEASE_SECONDS = 3.0
    await start_node()
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    await logged(charger, csms.frames["CP-0"])
    async with stalled_database():
        await csms.until(lambda: not csms.sockets)
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    call = await csms.call("CP-0", "TriggerMessage", HEARTBEAT)
    await csms.until(lambda: csms.answered("CP-0", call))
    await in_step(charger, csms)
    epochs = await query(
        lambda: list(Message.objects.unscoped().values_list("epoch", flat=True).distinct().order_by("epoch"))
    )
    assert len(epochs) == 2, "what it said after losing its lease stands under a new epoch"
    assert len(csms.received("CP-0", "BootNotification")) == 1, "its power has never failed"


async def test_what_may_never_have_left_a_cut_connection_is_marked(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    await logged(charger, csms.frames["CP-0"])
    socket = csms.sockets["CP-0"]
    socket.transport.pause_reading()
    await query(lambda: command(charger, "plug_connector", connector_id=1))
    rows = Message.objects.unscoped().filter(charger=charger)
    await eventually(lambda: rows.filter(text__contains="Preparing").exists())
    assert not await query(rows.filter(delivery="unconfirmed").exists)
    socket.transport.abort()
    marked = await eventually(lambda: list(rows.filter(delivery="unconfirmed")))
    assert [row.action for row in marked] == ["StatusNotification"]
    assert "Preparing" in marked[0].text


async def test_a_new_url_of_the_same_csms_is_taken_up_at_once_as_a_mere_reconnect(
    fleet_of: Fleet, csms: Csms, node: Node
):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)

    def move() -> None:
        Charger.objects.unscoped().filter(pk=charger.pk).update(ws_url=f"{csms.url}/elsewhere", revision=2)
        bus.wake()

    await query(move)
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert csms.closes == [("CP-0", 1000, "configuration changed")]
    assert csms.sockets["CP-0"].request.path == "/ocpp/elsewhere/CP-0"
    await csms.until(lambda: len(csms.received("CP-0", "Heartbeat")) == 1)
    assert len(csms.received("CP-0", "BootNotification")) == 1
    await in_step(charger, csms)


async def test_a_command_to_a_charger_that_does_not_run_fails_with_a_reason(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    await query(stop_all)
    await csms.until(lambda: bool(csms.closes))
    row = await query(lambda: late_command(charger))
    done = await eventually(lambda: (r := outcome(row)).state == "failed" and r)
    assert done.reason == "The charger is not running."
    assert done.frames == []
    assert done.finished_at is not None


def stop_all() -> None:
    with transaction.atomic():
        Charger.objects.unscoped().update(runtime="stopped", revision=5)
        bus.wake_on_commit()


def late_command(charger: Charger) -> str:
    """A command that was accepted while the charger ran, and comes through when it does no more."""
    with transaction.atomic():
        Charger.objects.unscoped().update(runtime="running")
        row = command(charger, "plug_connector", connector_id=1)
        Charger.objects.unscoped().update(runtime="stopped")
    return row


async def test_an_overdue_command_is_never_carried_out(fleet_of: Fleet, csms: Csms, start_node: NodeFactory):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    row = await query(lambda: command(charger, "plug_connector", connector_id=1))
    past = timezone.now() - timedelta(seconds=1)
    await query(lambda: ChargerCommand.objects.unscoped().update(deadline_at=past))
    await start_node()
    done = await eventually(lambda: (r := outcome(row)).state == "timed_out" and r)
    assert done.reason == inbox.OVERDUE
    await online(csms)
    assert {one["status"] for one in csms.received("CP-0", "StatusNotification")} == {"Available"}


async def test_what_a_lost_node_had_claimed_is_done_and_what_it_had_sent_has_failed(
    fleet_of: Fleet, csms: Csms, start_node: NodeFactory
):
    [charger] = await query(lambda: fleet_of(1, csms.url))

    def leave_behind() -> list[str]:
        claimed, sent = (command(charger, "plug_connector", connector_id=1) for _ in range(2))
        Shard.objects.create(pk=charger.shard, epoch=4, owner="dead", lease_until=timezone.now())
        rows = ChargerCommand.objects.unscoped()
        rows.filter(pk=claimed).update(state="claimed", claimed_epoch=4)
        rows.filter(pk=sent).update(state="sent", claimed_epoch=4)
        return [claimed, sent]

    claimed, sent = await query(leave_behind)
    await start_node()
    await eventually(lambda: outcome(claimed).state == "accepted")
    lost = await query(lambda: outcome(sent))
    assert (lost.state, lost.reason) == ("failed", inbox.LOST)


async def test_a_command_reaches_the_wire_and_is_accepted(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    row = await query(lambda: command(charger, "plug_connector", connector_id=1))
    await csms.until(lambda: csms.received("CP-0", "StatusNotification")[-1]["status"] == "Preparing")
    done = await eventually(lambda: (r := outcome(row)).finished_at and r)
    assert (done.state, len(done.frames) > 0) == ("accepted", True)


async def test_odd_text_from_the_csms_breaks_nothing(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await online(csms)
    odd = ['[2,"\\ud800","Heartbeat\\u0000",{}]', "\x00", "[]", '"', json.dumps([2, "x" * 300, "A" * 300, {}])]
    for text in odd:
        await csms.send("CP-0", text)
    call = await csms.call("CP-0", "TriggerMessage", HEARTBEAT)
    await csms.until(lambda: csms.answered("CP-0", call))
    await eventually(lambda: any(call in text for _, text in log_of(charger.pk)))
    texts = await query(lambda: [text for direction, text in log_of(charger.pk) if direction == "csms_to_cp"])
    assert {text for text in odd if "\x00" not in text} <= set(texts)
    assert "\x00" in texts or "\\x00" in texts
    assert csms.connects["CP-0"] == 1
