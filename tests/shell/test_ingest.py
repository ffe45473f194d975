"""From a batch of station facts to rows: the same on every path, once, and only with authority."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from chargers.models import (
    Charger,
    ChargerCommand,
    ConnectionEvent,
    Connector,
    Message,
    MessageCount,
    StationState,
    Transaction,
)
from chargers.services import commands
from chargers.services.ingest import Record, Snapshot, ingest
from simulator.core.facts import (
    CommandAdvanced,
    ConnectionChanged,
    ConnectorStatusChanged,
    Frame,
    TransactionEnded,
    TransactionIdentified,
    TransactionStarted,
)
from simulator.shell.storing import NOTE, store
from tenants.scoping import scope

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 17, 10, 59, 59, 250_000, tzinfo=UTC).timestamp()


def frame(sequence: int, text: str = "[]", at: float = NOW, **fields: Any) -> Frame:
    return Frame(sequence, "cp_to_csms", text, at, "CALL", "id", fields.pop("action", "Heartbeat"), **fields)


def record_of(charger: Charger, facts: Iterable[Any], epoch: int = 3, **changes: Any) -> Record:
    return Record(charger.tenant_id, charger.pk, charger.shard, epoch, list(facts), changes)


def take(*records: Record, epoch: int = 3, again: bool = False, snapshots: dict[Any, Snapshot] | None = None) -> None:
    ingest(records, snapshots=snapshots or {}, epochs=lambda shards: dict.fromkeys(shards, epoch), again=again)


def keys() -> list[tuple[int, int]]:
    return list(Message.objects.unscoped().order_by("epoch", "sequence").values_list("epoch", "sequence"))


def counts() -> dict[tuple[str, int], int]:
    return {(row.action, row.hour.hour): row.count for row in MessageCount.objects.unscoped()}


def whole_rows() -> list[dict[str, Any]]:
    rows = Message.objects.unscoped().order_by("epoch", "sequence").values()
    return [{key: value for key, value in row.items() if key != "id"} for row in rows]


def test_every_way_into_the_table_gives_the_same_rows(charger: Charger):
    facts = [
        frame(1, '[2,"ä€😀",{"a":"\\n\\t\\\\N"}]', transaction="7", masked=True),
        frame(2, "QUJD", encoding="base64", note="binary frame", action=""),
        frame(3, "x" * 200_000, injected=True, at=NOW + 1),
        frame(4, violation_code="too_long", violation="Reset: type ist länger…", answer_ms=12.345),
    ]
    take(record_of(charger, facts))
    by_our_way = whole_rows()
    messages = list(Message.objects.unscoped())
    Message.objects.unscoped().delete()
    for message in messages:
        message.pk = None
    Message.objects.unscoped().bulk_create(messages)
    assert whole_rows() == by_our_way
    if connection.vendor == "postgresql":
        Message.objects.unscoped().delete()
        Message.objects._execute_many(messages)
        assert whole_rows() == by_our_way
    assert [row["text"] for row in by_our_way] == [fact.text for fact in facts]
    assert by_our_way[0]["at"] == datetime.fromtimestamp(NOW, UTC)


def test_counters_count_per_action_and_hour(charger: Charger):
    take(record_of(charger, [frame(1), frame(2), frame(3, at=NOW + 1), frame(4, action="Authorize")]))
    take(record_of(charger, [frame(5)]))
    assert counts() == {("Heartbeat", 10): 3, ("Heartbeat", 11): 1, ("Authorize", 10): 1}


def test_a_repeated_batch_adds_only_what_is_missing(charger: Charger):
    first = record_of(charger, [frame(1), ConnectionChanged(2, "connected", NOW), frame(3)])
    take(first)
    with pytest.raises(IntegrityError):
        take(first)


def test_a_repeat_that_says_so_adds_only_what_is_missing(charger: Charger):
    first = record_of(charger, [frame(1), ConnectionChanged(2, "connected", NOW), frame(3)])
    take(first)
    take(first, record_of(charger, [frame(4)]), again=True)
    assert keys() == [(3, 1), (3, 3), (3, 4)]
    assert ConnectionEvent.objects.unscoped().count() == 1
    assert counts() == {("Heartbeat", 10): 3}


def test_an_old_epoch_adds_frames_but_changes_nothing(charger: Charger):
    with scope(charger.tenant_id):
        command = commands.issue_one(charger, "plug_connector", {"connector_id": 1})
    Charger.objects.unscoped().update(connection_status="connected")
    facts = [
        frame(1),
        ConnectionChanged(2, "closed", NOW, 1006, "gone"),
        ConnectorStatusChanged(1, 1, "Faulted", "GroundFailure", NOW),
        CommandAdvanced(command.pk, "accepted", NOW),
    ]
    late = record_of(charger, facts, epoch=2, registration={"status": "Accepted"})
    take(late, epoch=3, snapshots={charger.pk: Snapshot({"a": 1}, {})})
    charger.refresh_from_db()
    assert keys() == [(2, 1)]
    assert ConnectionEvent.objects.unscoped().get().reason == "gone"
    assert charger.connection_status == "connected"
    assert Connector.objects.unscoped().get().status == "Available"
    assert ChargerCommand.objects.unscoped().get().state == "queued"
    assert StationState.objects.filter(memory={"a": 1}).count() == 0


def test_the_last_status_wins(charger: Charger):
    facts = [
        ConnectionChanged(1, "connecting", NOW),
        ConnectorStatusChanged(0, 0, "Unavailable", "NoError", NOW),
        ConnectorStatusChanged(1, 1, "Preparing", "NoError", NOW),
        ConnectionChanged(2, "connected", NOW),
        ConnectorStatusChanged(1, 1, "Faulted", "GroundFailure", NOW),
    ]
    take(record_of(charger, facts))
    charger.refresh_from_db()
    assert charger.connection_status == "connected"
    connector = Connector.objects.unscoped().get()
    assert (connector.status, connector.error_code) == ("Faulted", "GroundFailure")


def test_a_transaction_is_told_in_pieces_and_twice(charger: Charger):
    key = str(uuid4())
    started = TransactionStarted(key, 1, 1, "TAG1", 1000, NOW)
    identified = TransactionIdentified(key, "7")
    ended = TransactionEnded(key, 4200, "Local", NOW + 60)
    take(record_of(charger, [started]))
    take(record_of(charger, [identified, ended]))
    take(record_of(charger, [started, identified, ended]), again=True)
    row = Transaction.objects.unscoped().get()
    assert (row.transaction_id, row.id_tag, row.meter_start, row.meter_stop) == ("7", "TAG1", 1000, 4200)
    assert row.stop_reason == "Local"
    assert (row.ended_at - row.started_at).total_seconds() == 60


def test_a_command_never_leaves_its_final_state(charger: Charger):
    with scope(charger.tenant_id):
        command = commands.issue_one(charger, "plug_connector", {"connector_id": 1})
    sent = CommandAdvanced(command.pk, "sent", NOW, frames=[4])
    accepted = CommandAdvanced(command.pk, "accepted", NOW + 1, "done", [4, 5], {"configuration_key": []})
    take(record_of(charger, [sent, accepted]))
    take(record_of(charger, [sent, CommandAdvanced(command.pk, "failed", NOW)]))
    command.refresh_from_db()
    assert (command.state, command.reason, command.frames) == ("accepted", "done", ["3-4", "3-5"])
    assert command.result == {"configuration_key": []}
    assert (command.finished_at - command.sent_at).total_seconds() == 1


def test_state_is_replaced_whole_and_a_picture_kept_where_there_is_none(charger: Charger):
    record = record_of(charger, [], registration={})
    take(record, snapshots={charger.pk: Snapshot({"a": 1, "b": 2}, {"shown": True})})
    take(record, snapshots={charger.pk: Snapshot({"a": 3}, None)})
    state = StationState.objects.get()
    assert (state.epoch, state.memory, state.picture) == (3, {"a": 3}, {"shown": True})


def test_records_of_a_deleted_charger_are_left_out(charger: Charger, charger_201: Charger):
    gone = record_of(charger, [frame(1), TransactionStarted(str(uuid4()), 1, 1, "T", 0, NOW)])
    Charger.objects.unscoped().filter(pk=charger.pk).delete()
    take(gone, record_of(charger_201, [frame(1)]), snapshots={charger.pk: Snapshot({}, {})})
    assert Message.objects.unscoped().get().charger_id == charger_201.pk


def test_a_batch_costs_the_same_queries_whatever_its_size(charger: Charger, charger_201: Charger):
    def batch(first: int, count: int) -> list[Record]:
        records = []
        for number in range(first, first + count):
            key = str(uuid4())
            with scope(charger.tenant_id):
                command = commands.issue_one(charger, "plug_connector", {"connector_id": 1})
            facts = [
                frame(number * 2, action=f"Action{number}"),
                ConnectionChanged(number * 2 + 1, "connected", NOW),
                ConnectorStatusChanged(1, 1, "Preparing", "NoError", NOW),
                TransactionStarted(key, 1, 1, "TAG", 0, NOW),
                TransactionIdentified(key, "7", "TAG2"),
                TransactionEnded(key, 9, "Local", NOW),
                CommandAdvanced(command.pk, "accepted", NOW),
            ]
            records += [record_of(charger, facts), record_of(charger_201, facts[:3])]
        return records

    snapshots = {charger.pk: Snapshot({"a": 1}, {}), charger_201.pk: Snapshot({"a": 1}, {})}
    small, large = batch(1, 1), batch(10, 25)
    with CaptureQueriesContext(connection) as few:
        take(*small, snapshots=snapshots)
    with CaptureQueriesContext(connection) as many:
        take(*large, snapshots=snapshots)
    assert own_queries(many) == own_queries(few)
    assert len(few) < 35
    assert Message.objects.unscoped().count() == 52


def own_queries(captured: CaptureQueriesContext) -> int:
    """Without OCPI's, which asks at most once a second whether there is any CPO."""
    return sum("ocpi_" not in query["sql"] for query in captured.captured_queries)


@pytest.mark.parametrize("position", [0, 7, 19])
def test_what_the_database_refuses_is_stored_escaped_and_the_rest_as_it_is(charger: Charger, position: int):
    from simulator.models import Shard

    Shard.objects.update_or_create(pk=charger.shard, defaults={"epoch": 3})
    # A lone surrogate fits no database's text; PostgreSQL refuses a NUL as well.
    bad = '[2,"1","DataTransfer",{"data":"\ud800\x00"}]'
    records = [record_of(charger, [frame(n, bad if n == position else "[]")]) for n in range(20)]
    store(records, {charger.pk: Snapshot({"last": "\ud800"}, {"seen": "\ud800"})}, again=False)
    rows = Message.objects.unscoped().order_by("sequence")
    assert [row.sequence for row in rows] == list(range(20))
    odd = rows[position]
    assert odd.text == '[2,"1","DataTransfer",{"data":"\\ud800\\x00"}]'
    assert odd.note == NOTE
    assert {row.text for row in rows if row.sequence != position} == {"[]"}
    assert all(row.note == "" for row in rows if row.sequence != position)


def test_five_hundred_frames_take_well_under_a_second(charger: Charger):
    records = [record_of(charger, [frame(n)]) for n in range(500)]
    take(*records)
    assert Message.objects.unscoped().count() == 500
