"""Turns what stations reported into rows: one batch, one transaction, a constant number of queries.

Frames and connection events are facts and are stored whatever has happened since. State, outcomes and statuses count
only under the shard's current epoch: a node that has lost its lease may still hand in frames, but changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chargers.models import (
    FINAL_STATES,
    Charger,
    ChargerCommand,
    CommandState,
    ConnectionEvent,
    ConnectionStatus,
    Connector,
    Direction,
    Message,
    StationState,
    Transaction,
)
from chargers.services import queues
from chargers.services.rewriting import rewrite
from chargers.services.unanswered import mark_unanswered
from chargers.signals import chargers_changed
from simulator.core.facts import (
    AnyFact,
    CallUnanswered,
    CommandAdvanced,
    ConnectionChanged,
    ConnectorStatusChanged,
    Frame,
    TransactionEnded,
    TransactionIdentified,
    TransactionStarted,
)

STATUS_OF_KIND = {
    "connecting": ConnectionStatus.CONNECTING,
    "connected": ConnectionStatus.CONNECTED,
    "refused": ConnectionStatus.OFFLINE,
    "closed": ConnectionStatus.OFFLINE,
    "reconnecting": ConnectionStatus.OFFLINE,
    "stopped": ConnectionStatus.STOPPED,
}
KEYS_PER_QUERY = 100
FOLLOWED = frozenset({"BootNotification", "MeterValues", "StatusNotification", "StopTransaction", "TransactionEvent"})
Epochs = Callable[[set[int]], Mapping[int, int]]  # the current epoch of each shard, read in ingest's own transaction


class Record(msgspec.Struct, omit_defaults=True):
    """What one input of one station caused: the unit of the spool.

    `unconfirmed`: own frames with numbers above the first and up to the second may never have left, since the
    connection was cut before the CSMS said anything more.
    """

    tenant: UUID
    charger: UUID
    shard: int
    epoch: int
    facts: list[AnyFact] = []
    changes: dict[str, Any] = {}
    unconfirmed: tuple[int, int] | None = None


@dataclass(frozen=True)
class Snapshot:
    """A station's whole memory at flush time; a `picture` of None leaves the stored one."""

    memory: dict[str, Any]
    picture: dict[str, Any] | None


@dataclass
class Batch:
    """The records' facts, sorted by what becomes of them. `current` holds those that still have authority."""

    messages: list[Message] = field(default_factory=list)
    connections: list[ConnectionEvent] = field(default_factory=list)
    unanswered: list[Message] = field(default_factory=list)  # keys of calls, not rows
    wire_status: dict[UUID, ConnectionStatus] = field(default_factory=dict)
    outlets: dict[tuple[UUID, int, int], ConnectorStatusChanged] = field(default_factory=dict)
    transactions: list[tuple[Record, TransactionStarted | TransactionIdentified | TransactionEnded]] = field(
        default_factory=list
    )
    commands: dict[str, list[tuple[int, CommandAdvanced]]] = field(default_factory=dict)
    owners: dict[UUID, Record] = field(default_factory=dict)
    authoritative: list[Record] = field(default_factory=list)


def ingest(
    records: Sequence[Record],
    *,
    snapshots: Mapping[UUID, Snapshot],
    epochs: Epochs,
    again: bool = False,
) -> None:
    """Writes the records' rows. `again`: some may stand already (a retry, a spool), so those are looked up first.

    Raises what the database raises, with nothing written.
    """
    with transaction.atomic():
        current = epochs({record.shard for record in records})
        charger_ids = {record.charger for record in records}
        # Locked before anything of theirs is touched, by id, as their deletion does: so neither waits for the other.
        rows = Charger.objects.unscoped().filter(pk__in=charger_ids).select_for_update(no_key=True).order_by("pk")
        alive = set(rows.values_list("pk", flat=True))
        batch = _sorted_out(records, alive, current)
        Message.objects.record(_missing(batch.messages) if again else batch.messages)
        mark_unanswered(batch.unanswered)
        _mark_unconfirmed([record for record in records if record.unconfirmed])
        if batch.connections:
            ConnectionEvent.objects.unscoped().bulk_create(batch.connections, ignore_conflicts=True)
        _keep_connection_status(batch)
        _keep_outlets(batch)
        _keep_transactions(batch.transactions)
        _keep_commands(batch.commands)
        _keep_states(batch.owners, snapshots)
        queues.keep((record.charger, record.changes) for record in batch.authoritative if record.changes)
        _announce(batch)


def _announce(batch: Batch) -> None:
    """One signal for all chargers of which others may follow something."""
    changed = set(batch.wire_status) | {charger_id for charger_id, _, _ in batch.outlets}
    changed |= {record.charger for record, _ in batch.transactions}
    changed |= {one.charger_id for one in batch.messages if one.action in FOLLOWED and one.message_type == "CALL"}
    if changed:
        chargers_changed.send(sender=Charger, charger_ids=changed)


def _sorted_out(records: Sequence[Record], alive: set[UUID], current: Mapping[int, int]) -> Batch:
    batch = Batch()
    for record in records:
        if record.charger not in alive:
            continue  # deleted meanwhile: its log goes with it
        has_authority = current.get(record.shard) == record.epoch
        if has_authority:
            batch.owners[record.charger] = record
            batch.authoritative.append(record)
        for fact in record.facts:
            _sort_fact(batch, record, fact, has_authority)
    return batch


def _sort_fact(batch: Batch, record: Record, fact: AnyFact, has_authority: bool) -> None:
    match fact:
        case Frame():
            batch.messages.append(_message(record, fact))
        case CallUnanswered(sequence=sequence, at=at):
            key = Message(charger_id=record.charger, epoch=record.epoch, sequence=sequence, at=_time(at))
            batch.unanswered.append(key)
        case ConnectionChanged():
            batch.connections.append(_connection_event(record, fact))
            if has_authority:
                batch.wire_status[record.charger] = STATUS_OF_KIND[fact.kind]
        case ConnectorStatusChanged():
            if has_authority and fact.evse_id:
                batch.outlets[record.charger, fact.evse_id, fact.connector_id] = fact
        case CommandAdvanced():
            if has_authority:
                batch.commands.setdefault(fact.command_id, []).append((record.epoch, fact))
        case _:
            batch.transactions.append((record, fact))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _message(record: Record, frame: Frame) -> Message:
    return Message(
        tenant_id=record.tenant,
        charger_id=record.charger,
        epoch=record.epoch,
        sequence=frame.sequence,
        at=_time(frame.at),
        direction=frame.direction,
        message_type=frame.message_type[:10],
        message_id=frame.message_id[:64],
        action=frame.action[:50],
        transaction=frame.transaction[:36],
        text=frame.text,
        encoding=frame.encoding[:10],
        masked=frame.masked,
        injected=frame.injected,
        note=frame.note[:200],
        violation_code=frame.violation_code[:24],
        violation=frame.violation[:500],
        answer_ms=frame.answer_ms,
    )


def _connection_event(record: Record, fact: ConnectionChanged) -> ConnectionEvent:
    return ConnectionEvent(
        tenant_id=record.tenant,
        charger_id=record.charger,
        epoch=record.epoch,
        sequence=fact.sequence,
        at=_time(fact.at),
        kind=fact.kind,
        code=fact.code,
        reason=fact.reason[:255],
    )


def _missing(messages: Sequence[Message]) -> list[Message]:
    """Those whose key is not in the table, each once."""
    ranges: dict[tuple[UUID, int], tuple[int, int]] = {}
    for message in messages:
        low, high = ranges.get(key := (message.charger_id, message.epoch), (message.sequence, message.sequence))
        ranges[key] = min(low, message.sequence), max(high, message.sequence)
    seen = _keys_in_table(list(ranges.items()), [message.at for message in messages])
    fresh: list[Message] = []
    for message in messages:
        whole_key = (message.charger_id, message.epoch, message.sequence)
        if whole_key not in seen:
            seen.add(whole_key)
            fresh.append(message)
    return fresh


def _keys_in_table(
    ranges: Sequence[tuple[tuple[UUID, int], tuple[int, int]]], times: Sequence[datetime]
) -> set[tuple[UUID, int, int]]:
    """A frame told twice has the same time, which spares partitions of other days."""
    seen: set[tuple[UUID, int, int]] = set()
    rows = Message.objects.unscoped()
    if times:
        rows = rows.filter(at__range=(min(times), max(times)))
    for start in range(0, len(ranges), KEYS_PER_QUERY):
        wanted = Q()
        for (charger_id, epoch), (low, high) in ranges[start : start + KEYS_PER_QUERY]:
            wanted |= Q(charger_id=charger_id, epoch=epoch, sequence__range=(low, high))
        seen.update(rows.filter(wanted).values_list("charger_id", "epoch", "sequence"))
    return seen


def _mark_unconfirmed(records: Sequence[Record]) -> None:
    for start in range(0, len(records), KEYS_PER_QUERY):
        cut_off = Q()
        for record in records[start : start + KEYS_PER_QUERY]:
            heard, said = record.unconfirmed or (0, 0)
            numbers = Q(sequence__gt=heard, sequence__lte=said)
            cut_off |= Q(charger_id=record.charger, epoch=record.epoch) & numbers
        own = Message.objects.unscoped().filter(cut_off, direction=Direction.CP_TO_CSMS, delivery="")
        own.update(delivery="unconfirmed")


def _keep_connection_status(batch: Batch) -> None:
    chargers = [
        Charger(pk=charger_id, tenant_id=batch.owners[charger_id].tenant, connection_status=status)
        for charger_id, status in batch.wire_status.items()
    ]
    rewrite(chargers, ["connection_status"])


def _keep_outlets(batch: Batch) -> None:
    if not batch.outlets:
        return
    charger_ids = {charger_id for charger_id, _, _ in batch.outlets}
    changed: list[Connector] = []
    for connector in Connector.objects.unscoped().filter(charger_id__in=charger_ids):
        fact = batch.outlets.get((connector.charger_id, connector.evse_id, connector.connector_id))
        if fact is not None:
            connector.status, connector.error_code = fact.status[:20], fact.error_code[:40]
            connector.updated_at = _time(fact.at)
            changed.append(connector)
    rewrite(changed, ["status", "error_code", "updated_at"])


def _keep_transactions(
    facts: Sequence[tuple[Record, TransactionStarted | TransactionIdentified | TransactionEnded]],
) -> None:
    """Repeating a fact changes nothing: rows are keyed by the station's own UUID."""
    started: dict[UUID, Transaction] = {}
    identified: dict[UUID, Transaction] = {}
    named: dict[UUID, Transaction] = {}
    ended: dict[UUID, Transaction] = {}
    for record, fact in facts:
        key = UUID(fact.key)
        row = Transaction(id=key, tenant_id=record.tenant, charger_id=record.charger)
        match fact:
            case TransactionStarted():
                started[key] = _start(row, fact)
            case TransactionIdentified():
                if fact.transaction_id:
                    row.transaction_id = fact.transaction_id[:36]
                    identified[key] = row
                if fact.id_tag:
                    row.id_tag = fact.id_tag[:36]
                    named[key] = row
            case TransactionEnded():
                row.meter_stop, row.stop_reason, row.ended_at = fact.meter_stop, fact.reason[:40], _time(fact.at)
                ended[key] = row
    Transaction.objects.unscoped().bulk_create(started.values(), ignore_conflicts=True)
    rewrite(list(identified.values()), ["transaction_id"])
    rewrite(list(named.values()), ["id_tag"])
    rewrite(list(ended.values()), ["meter_stop", "stop_reason", "ended_at"])


def _start(row: Transaction, fact: TransactionStarted) -> Transaction:
    row.evse_id, row.connector_id = fact.evse_id, fact.connector_id
    row.transaction_id = fact.transaction_id[:36] or None
    row.id_tag, row.meter_start, row.started_at = fact.id_tag[:36], fact.meter_start, _time(fact.at)
    return row


def _keep_commands(commands: Mapping[str, Sequence[tuple[int, CommandAdvanced]]]) -> None:
    """A row in a final state keeps it."""
    if not commands:
        return
    rows = ChargerCommand.objects.unscoped().filter(pk__in=commands).exclude(state__in=FINAL_STATES)
    changed = list(rows.select_for_update())
    for row in changed:
        for epoch, fact in commands[row.pk]:
            if row.state not in FINAL_STATES:
                _advance(row, epoch, fact)
    rewrite(changed, ["state", "reason", "frames", "result", "claimed_at", "claimed_epoch", "sent_at", "finished_at"])


def _advance(row: ChargerCommand, epoch: int, fact: CommandAdvanced) -> None:
    if fact.state == CommandState.QUEUED:
        _hand_back(row, epoch)
        return
    row.state, row.reason = fact.state, fact.reason[:500]
    row.frames = [f"{epoch}-{sequence}" for sequence in fact.frames]
    if fact.result is not None:
        row.result = fact.result
    if fact.state == CommandState.SENT:
        row.sent_at = _time(fact.at)
    elif fact.state in FINAL_STATES:
        row.finished_at = _time(fact.at)


def _hand_back(row: ChargerCommand, epoch: int) -> None:
    """Its machine left before it began: whoever runs the charger next claims it anew."""
    if row.state == CommandState.CLAIMED and row.claimed_epoch == epoch:
        row.state, row.claimed_at, row.claimed_epoch = CommandState.QUEUED, None, None


def _keep_states(owners: Mapping[UUID, Record], snapshots: Mapping[UUID, Snapshot]) -> None:
    """The upsert leaves the picture alone where the snapshot has none (a spool keeps no pictures)."""
    drawn: list[StationState] = []
    plain: list[StationState] = []
    now = timezone.now()
    for charger_id, snapshot in snapshots.items():
        if (record := owners.get(charger_id)) is not None:
            row = StationState(charger_id=charger_id, epoch=record.epoch, memory=snapshot.memory, updated_at=now)
            row.picture = snapshot.picture if snapshot.picture is not None else {}
            (plain if snapshot.picture is None else drawn).append(row)
    for rows, fields in ((drawn, ["epoch", "memory", "picture", "updated_at"]), (plain, ["epoch", "memory"])):
        if rows:
            StationState.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["charger"], update_fields=fields
            )
