"""What a dead node had spooled and not stored: imported by the first node that finds it, idempotently."""

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from django.db.models import OuterRef, Subquery

from chargers.models import Charger, ConnectionEvent, Message, StationState
from chargers.services.ingest import Record, Snapshot
from simulator.core.facts import ConnectionChanged, Frame
from simulator.core.memory import merged
from simulator.core.tail import PREFIX
from simulator.shell import leases, spool
from simulator.shell.confirming import Confirmation
from simulator.shell.storing import store

logger = logging.getLogger(__name__)
BATCH = 500  # records in one transaction
STANDING = ("connecting", "connected")
ABNORMAL, ENDED = 1006, "The simulator process ended."
PROXY_LEASE_SECONDS = 30.0  # longer than any batch takes


def is_pending(root: Path, own_id: str) -> bool:
    """A dead node's spool waits to be imported."""
    return any(spool.is_abandoned(folder) for folder in _others(root, own_id))


def recover(root: Path, own_id: str) -> int:
    """Imports every spool whose writer is dead and ends its leases; the number of spools imported."""
    return sum(_recover_one(folder) for folder in _others(root, own_id))


def _others(root: Path, own_id: str) -> list[Path]:
    if not root.is_dir():
        return []
    return sorted(one for one in root.iterdir() if one.name != own_id and not one.name.startswith("."))


def _recover_one(folder: Path) -> bool:
    if not spool.is_abandoned(folder):
        return False
    # Before the lock: whoever then finds it taken by us finds the dead node's leases extended, too, and leaves them.
    leases.hold_for_dead(folder.name, PROXY_LEASE_SECONDS)
    lock = spool.try_lock(folder)
    if lock is None:
        return False
    try:
        records = _import(folder)
        leases.end(folder.name)
        spool.remove(folder)
    finally:
        os.close(lock)
    logger.warning("a dead node's spool was imported", extra={"node": folder.name, "records": records})
    return True


def _import(folder: Path) -> int:
    records = 0
    ends = Ends()
    for batch in _batches(folder):
        leases.hold_for_dead(folder.name, PROXY_LEASE_SECONDS)
        store(batch, _states(batch), again=True)
        records += len(batch)
        ends.see(batch)
    store(ends.unconfirmed(), {}, again=True)
    lost = _lost_connections(spool.held(folder))
    for start in range(0, len(lost), BATCH):
        leases.hold_for_dead(folder.name, PROXY_LEASE_SECONDS)
        store(lost[start : start + BATCH], {}, again=True)
    return records


def _lost_connections(epochs: Mapping[int, int]) -> list[Record]:
    """For every charger whose connection stood in that epoch of its shard: it has ended with the process.

    The number follows the last one that was given out, as everything else of the epoch has been imported.
    """
    events = ConnectionEvent.objects.unscoped().filter(charger=OuterRef("pk")).order_by("-epoch", "-sequence")
    frames = Message.objects.unscoped().filter(charger=OuterRef("pk"), epoch=OuterRef("event_epoch"))
    chargers = (
        Charger.objects.unscoped()
        .filter(shard__in=epochs)
        .annotate(
            event_kind=Subquery(events.values("kind")[:1]),
            event_epoch=Subquery(events.values("epoch")[:1]),
            event_number=Subquery(events.values("sequence")[:1]),
        )
        .filter(event_kind__in=STANDING)
        .annotate(frame_number=Subquery(frames.order_by("-sequence").values("sequence")[:1]))
    )
    rows = chargers.values_list("tenant_id", "pk", "shard", "event_epoch", "event_number", "frame_number")
    return [
        Record(tenant, charger, shard, epoch, [_closed(max(event, frame or 0) + 1)])
        for tenant, charger, shard, epoch, event, frame in rows
        if epochs[shard] == epoch
    ]


def _closed(number: int) -> ConnectionChanged:
    return ConnectionChanged(number, "closed", time.time(), ABNORMAL, ENDED)


class Ends:
    """What each charger had said when its node died and may never have left: see `Confirmation`."""

    def __init__(self) -> None:
        self._last: dict[UUID, tuple[Record, Confirmation]] = {}

    def see(self, batch: Sequence[Record]) -> None:
        for record in batch:
            for fact in record.facts:
                if isinstance(fact, Frame):
                    self._of(record, fact.sequence - 1).see(fact)
                elif isinstance(fact, ConnectionChanged) and fact.kind != "connecting":
                    self._last[record.charger] = record, Confirmation(fact.sequence)

    def _of(self, record: Record, before: int) -> Confirmation:
        known = self._last.get(record.charger)
        if known is None or known[0].epoch != record.epoch:
            known = self._last[record.charger] = record, Confirmation(before)
        return known[1]

    def unconfirmed(self) -> list[Record]:
        return [
            Record(record.tenant, record.charger, record.shard, record.epoch, unconfirmed=doubt)
            for record, confirmation in self._last.values()
            if (doubt := confirmation.in_doubt())
        ]


def _batches(folder: Path) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for segment in spool.segments(folder):
        batch.extend(spool.read(segment))
        while len(batch) >= BATCH:
            yield batch[:BATCH]
            del batch[:BATCH]
    if batch:
        yield batch


def _states(batch: Sequence[Record]) -> dict[UUID, Snapshot]:
    """The stored memories with the batch's changes merged in. What an older epoch changed has been overtaken."""
    changed = {record.charger for record in batch if record.changes}
    stored = {state.charger_id: state for state in StationState.objects.filter(pk__in=changed)}
    memories: dict[UUID, Snapshot] = {}
    for record in batch:
        state = stored.get(record.charger)
        if not record.changes or (state is not None and record.epoch < state.epoch):
            continue
        known = memories.get(record.charger)
        before = known.memory if known else (state.memory if state else {})
        own = {name: value for name, value in record.changes.items() if not name.startswith(PREFIX)}
        memories[record.charger] = Snapshot(merged(before, own), None)
    return memories
