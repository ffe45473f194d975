"""Hands batches to `ingest`; what the database refuses is found by bisection and stored escaped, never dropped."""

import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

import django.db
import msgspec
from django.conf import settings

from chargers.services.ingest import Record, Snapshot, ingest
from simulator.core.facts import Frame
from simulator.shell.leases import current_epochs
from simulator.shell.spool import encoded, printable

logger = logging.getLogger(__name__)
Snapshots = Mapping[UUID, Snapshot]
NOTE = "Stored escaped: the database refused the original."


def is_refusal(error: Exception) -> bool:
    """The rows are at fault: trying the same again leads nowhere. Else the database is, and it may recover."""
    if isinstance(error, django.db.DataError | django.db.IntegrityError):
        return True
    return not isinstance(error, django.db.Error | OSError | MemoryError)


def store(records: Sequence[Record], snapshots: Snapshots, *, again: bool) -> None:
    """Writes the batch. Raises django.db.Error only where the database itself is in trouble."""
    try:
        ingest(records, snapshots=snapshots, epochs=current_epochs, again=again)
    except Exception as error:
        if not is_refusal(error):
            raise
        logger.warning("batch refused by the database", exc_info=True, extra={"records": len(records)})
        _store_apart(records, snapshots)


def _store_apart(records: Sequence[Record], snapshots: Snapshots) -> None:
    """The whole once more (a charger may just have been deleted), then its halves, down to the culprit."""
    try:
        ingest(records, snapshots=snapshots, epochs=current_epochs, again=True)
    except Exception as error:
        if not is_refusal(error):
            raise
        if len(records) == 1:
            _store_escaped(records[0], snapshots)
        else:
            middle = len(records) // 2
            _store_apart(records[:middle], {})
            _store_apart(records[middle:], snapshots)


def _store_escaped(record: Record, snapshots: Snapshots) -> None:
    plain = escaped(record)
    states = {charger_id: _plain(snapshot) for charger_id, snapshot in snapshots.items()}
    try:
        ingest([plain], snapshots=states, epochs=current_epochs, again=True)
    except Exception as error:
        if not is_refusal(error):
            raise
        _set_aside(record)


def _plain(snapshot: Snapshot) -> Snapshot:
    memory, picture = printable([snapshot.memory, snapshot.picture])
    return Snapshot(memory, picture)


def escaped(record: Record) -> Record:
    """The record with every text spelled out, its frames noted where that changed them."""
    plain = msgspec.convert(printable(msgspec.to_builtins(record)), Record)
    facts = [
        msgspec.structs.replace(fact, note=NOTE) if isinstance(fact, Frame) and fact != original else fact
        for fact, original in zip(plain.facts, record.facts, strict=True)
    ]
    return msgspec.structs.replace(plain, facts=facts)


def _set_aside(record: Record) -> None:
    """The last resort keeps the record where a person finds it."""
    path = settings.DATA_DIR / "refused.jsonl"
    with path.open("ab") as file:
        file.write(encoded(record))
    logger.error("a record the database refuses was set aside in %s", path, extra={"charger": str(record.charger)})
