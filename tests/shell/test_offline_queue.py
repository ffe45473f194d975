"""What happened while the CSMS was away is told after the process was killed or stopped, in order and once (4.8)."""

import json
import signal
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from chargers.models import Charger, QueuedMessage, StationState
from simulator.core import tail
from tests.contract.proving import proves
from tests.core.rig import SOCKET, Rig
from tests.shell.conftest import command, eventually, outcome, query
from tests.shell.csms import Csms
from tests.shell.process import NodeProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(400)]
Fleet = Callable[..., list[Charger]]
NodeStarter = Callable[..., NodeProcess]
ME = "CP-0"


@pytest.fixture
def start_process(data_dir: Path, transactional_db: None) -> Iterator[NodeStarter]:
    running: list[NodeProcess] = []

    def start(number: int = 1) -> NodeProcess:
        running.append(NodeProcess(data_dir, number))
        return running[-1]

    yield start
    for process in running:
        process.end()


async def done(charger: Charger, name: str, **payload: object) -> None:
    command_id = await query(lambda: command(charger, name, **payload))
    await eventually(lambda: outcome(command_id).state == "accepted", within=60)


def queued(charger: Charger) -> list[str]:
    memory = StationState.objects.get(pk=charger.pk).memory
    return [memory[name]["action"] for name in sorted(memory) if name.startswith("queue.")]


def story(csms: Csms) -> list[tuple[str, object]]:
    """The transaction messages as they came: (action, transaction id)."""
    calls = [json.loads(text) for direction, text in csms.frames[ME] if direction == "cp_to_csms"]
    told = [one for one in calls if one[0] == 2 and "Transaction" in one[2]]
    return [(one[2], one[3].get("transactionId")) for one in told]


@proves("4.8/Q8")
async def test_after_a_kill_the_offline_transaction_is_told_with_the_id_the_csms_gives_then(
    fleet_of: Fleet, csms: Csms, start_process: NodeStarter
) -> None:
    [charger] = await query(lambda: fleet_of(1, csms.url))
    first = start_process(1)
    await csms.until(lambda: len(csms.received(ME, "StatusNotification")) >= 2, within=60)
    await csms.stop()
    await done(charger, "start_transaction", connector_id=1, id_tag="A")
    await eventually(lambda: queued(charger) == ["StartTransaction"])
    first.send(signal.SIGKILL)
    first.wait()
    csms.answers["StartTransaction"] = lambda _: {"transactionId": 99, "idTagInfo": {"status": "Accepted"}}
    await csms.start()
    start_process(2)
    await csms.until(lambda: bool(csms.received(ME, "StopTransaction")), within=60)
    assert story(csms) == [("StartTransaction", None), ("StopTransaction", 99)]
    [start], [stop] = csms.received(ME, "StartTransaction"), csms.received(ME, "StopTransaction")
    assert stop["reason"] == "PowerLoss"
    assert start["timestamp"] <= stop["timestamp"]
    assert start["meterStart"] <= stop["meterStop"]
    await eventually(lambda: queued(charger) == [])


async def test_over_an_orderly_restart_the_offline_transaction_goes_on(
    fleet_of: Fleet, csms: Csms, start_process: NodeStarter
) -> None:
    [charger] = await query(lambda: fleet_of(1, csms.url))
    first = start_process(1)
    await csms.until(lambda: len(csms.received(ME, "StatusNotification")) >= 2, within=60)
    await csms.stop()
    await done(charger, "start_transaction", connector_id=1, id_tag="A")
    first.send(signal.SIGTERM)
    assert first.wait() == 0
    start_process(2)
    await csms.start()
    await csms.until(lambda: bool(csms.received(ME, "StartTransaction")), within=60)
    assert len(csms.received(ME, "BootNotification")) == 1
    await done(charger, "stop_session", connector_id=1)
    await csms.until(lambda: bool(csms.received(ME, "StopTransaction")), within=60)
    assert story(csms) == [("StartTransaction", None), ("StopTransaction", 7)]


def remember(charger: Charger) -> list[str]:
    """Gives the charger a past: offline for so long that most of its messages lie in rows; gives them."""
    rig = Rig(outlets=(SOCKET,)).boot()
    rig.command("update_configuration", configuration={"MeterValueSampleInterval": "1"})
    rig.go_down()
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.run(400)
    rig.command("stop_session", connector_id=1)
    rig.station.shut_down(rig.now)
    rig.collect()
    memory = rig.station.memory
    numbers = memory.pop(tail.SECTION)
    StationState.objects.update_or_create(charger=charger, defaults={"memory": memory})
    QueuedMessage.objects.bulk_create(
        QueuedMessage(charger=charger, number=abs(one), droppable=one < 0, call=rig.kept[tail.name_of(abs(one))])
        for one in numbers
    )
    calls = [memory[name] for name in sorted(memory) if name.startswith("queue.")]
    calls += [rig.kept[name] for name in sorted(rig.kept)]
    return [label(one["action"], one["payload"]) for one in calls]


def label(action: str, payload: dict[str, Any]) -> str:
    return f"{action} {payload.get('timestamp') or payload['meterValue'][0]['timestamp']}"


def heard(csms: Csms) -> list[str]:
    """The transaction messages as they came, one that was repeated only once."""
    actions = ("StartTransaction", "MeterValues", "StopTransaction")
    frames = [json.loads(text) for direction, text in csms.frames[ME] if direction == "cp_to_csms"]
    told = [label(frame[2], frame[3]) for frame in frames if frame[0] == 2 and frame[2] in actions]
    return [one for one, _ in groupby(told)]


async def test_a_long_queue_is_told_in_order_though_the_node_is_killed_on_the_way(
    fleet_of: Fleet, csms: Csms, start_process: NodeStarter
) -> None:
    [charger] = await query(lambda: fleet_of(1, csms.url))
    told = await query(lambda: remember(charger))
    assert len(told) > 400
    first = start_process(1)
    await csms.until(lambda: len(csms.received(ME, "MeterValues")) >= 130, within=120)
    first.send(signal.SIGKILL)
    first.wait()
    start_process(2)
    await csms.until(lambda: bool(csms.received(ME, "StopTransaction")), within=120)
    assert heard(csms) == told
    assert {one["transactionId"] for one in csms.received(ME, "MeterValues")} == {7}
    await eventually(lambda: not QueuedMessage.objects.exists() and queued(charger) == [])
