"""A node from a row to the wire and back: what the CSMS saw is what the log says."""

from collections.abc import Callable

import pytest

from chargers.models import Charger, ChargerCommand, ConnectionEvent, MessageCount, StationState, Transaction
from simulator.models import Shard
from simulator.shell.node import Node
from tests.shell.conftest import command, eventually, in_step, logged, outcome, query
from tests.shell.csms import Csms

pytestmark = pytest.mark.django_db(transaction=True)
Fleet = Callable[..., list[Charger]]


async def connected(csms: Csms, count: int = 1) -> None:
    await csms.until(lambda: len(csms.sockets) == count)


async def test_a_new_charger_boots_and_its_log_is_what_the_csms_saw(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    await logged(charger, csms.frames["CP-0"])
    await query(charger.refresh_from_db)
    assert charger.status == "READY"
    assert charger.provisioned_at is not None
    assert charger.connection_status == "connected"
    kinds = await query(lambda: list(ConnectionEvent.objects.unscoped().values_list("kind", flat=True)))
    assert kinds == ["connecting", "connected"]
    counts = await query(lambda: dict(MessageCount.objects.unscoped().values_list("action", "count")))
    assert counts == {"BootNotification": 2, "StatusNotification": 4}


async def test_a_session_leaves_its_transaction_and_its_proof(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await connected(csms)
    session = await query(lambda: command(charger, "start_session", connector_id=1, id_tag="TAG1"))
    await csms.until(lambda: bool(csms.received("CP-0", "StartTransaction")))
    row: ChargerCommand = await eventually(lambda: (r := outcome(session)).state == "accepted" and r)
    assert row.frames
    assert row.sent_at is not None
    assert row.finished_at is not None
    stop = await query(lambda: command(charger, "stop_session", connector_id=1))
    await csms.until(lambda: bool(csms.received("CP-0", "StopTransaction")))
    await eventually(lambda: outcome(stop).state == "accepted")
    transaction = await eventually(lambda: Transaction.objects.unscoped().filter(ended_at__isnull=False).first())
    assert transaction.transaction_id == "7"
    assert transaction.id_tag == "TAG1"
    state = await query(lambda: StationState.objects.get(charger=charger))
    assert state.memory
    assert state.picture["connection"] == "connected"


async def test_fifty_chargers_answer_one_fan_out(fleet_of: Fleet, csms: Csms, node: Node):
    fleet = await query(lambda: fleet_of(50, csms.url))
    await csms.until(lambda: all(len(csms.received(f"CP-{n}", "StatusNotification")) == 2 for n in range(50)))
    ids = await query(lambda: [command(charger, "plug_connector", connector_id=1) for charger in fleet])
    await eventually(lambda: ChargerCommand.objects.unscoped().filter(pk__in=ids, state="accepted").count() == 50)
    for charger in fleet:
        await in_step(charger, csms)
        assert csms.received(charger.identity, "StatusNotification")[-1]["status"] == "Preparing"


async def test_a_stopped_charger_closes_with_1000_and_comes_back_where_it_was(fleet_of: Fleet, csms: Csms, node: Node):
    from chargers.services import runtime
    from tenants.scoping import scope

    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)

    def switch(event_type: str) -> str:
        charger.refresh_from_db()
        with scope(charger.tenant_id):
            return runtime.switch_one(charger, event_type).pk

    stop = await query(lambda: switch("stop_charger"))
    await csms.until(lambda: len(csms.closes) == 1)
    assert csms.closes == [("CP-0", 1000, "stopped")]
    assert (await eventually(lambda: (r := outcome(stop)).state == "accepted" and r)).frames == []
    await eventually(lambda: Charger.objects.unscoped().get(pk=charger.pk).connection_status == "stopped")
    await query(lambda: switch("start_charger"))
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert len(csms.received("CP-0", "BootNotification")) == 1
    await in_step(charger, csms)


async def test_a_deleted_charger_closes_with_1000(fleet_of: Fleet, csms: Csms, node: Node):
    from chargers import bus

    [charger] = await query(lambda: fleet_of(1, csms.url))
    await connected(csms)
    await query(lambda: Charger.objects.unscoped().filter(pk=charger.pk).delete())
    await query(bus.wake)
    await csms.until(lambda: bool(csms.closes))
    assert csms.closes == [("CP-0", 1000, "deleted")]


async def test_a_stopping_node_says_1001_and_frees_its_shards_at_once(fleet_of: Fleet, csms: Csms, start_node):
    node = await start_node()
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    node.stop()
    await csms.until(lambda: len(csms.closes) == 1)
    assert csms.closes == [("CP-0", 1001, "going away")]
    await eventually(lambda: not Shard.objects.exclude(owner="", lease_until=None).exists())
    second = await start_node()
    await csms.until(lambda: csms.connects["CP-0"] == 2)
    assert second.id != node.id
    assert len(csms.received("CP-0", "BootNotification")) == 1, "a hand-over is a network reconnect"
    await in_step(charger, csms)
