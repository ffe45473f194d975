"""Forgetting old traffic, a batch at a time, so that no transaction is long and writers get their turns."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from chargers.models import (
    FINAL_STATES,
    UNFINISHED,
    AnswerTime,
    Charger,
    ChargerCommand,
    ConnectionEvent,
    Job,
    Message,
    MessageCount,
)
from chargers.services.partitions import drop_partitions, ensure_partitions

BATCH = 5_000


@dataclass(slots=True)
class Pruned:
    """Rows deleted, by table; `partitions` are whole days dropped on PostgreSQL."""

    messages: int = 0
    connection_events: int = 0
    counters: int = 0
    commands: int = 0
    jobs: int = 0
    partitions: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, one.name)} {one.name.replace('_', ' ')}" for one in fields(self))


def prune(*, days: int | None = None) -> Pruned:
    """Deletes traffic older than the retention (in whole hours, as the counters are) and that of deleted chargers."""
    kept = timedelta(days=settings.MESSAGE_RETENTION_DAYS if days is None else days)
    before = (timezone.now() - kept).replace(minute=0, second=0, microsecond=0)
    ensure_partitions()
    pruned = Pruned(partitions=drop_partitions(before.date()))
    _prune_old(before, pruned)
    for charger_id in _deleted_chargers():
        _prune_charger(charger_id, pruned)
    return pruned


def _prune_old(before: datetime, pruned: Pruned) -> None:
    pruned.messages += _delete(Message.objects.unscoped().filter(at__lt=before))
    pruned.connection_events += _delete(ConnectionEvent.objects.unscoped().filter(at__lt=before))
    pruned.counters += _delete(MessageCount.objects.unscoped().filter(hour__lt=before))
    pruned.counters += _delete(AnswerTime.objects.unscoped().filter(hour__lt=before))
    finished = ChargerCommand.objects.unscoped().filter(created_at__lt=before, state__in=FINAL_STATES)
    pruned.commands += _delete(finished)
    # What a job has created stays; its row is the receipt, which is as old as the traffic.
    ended = Job.objects.unscoped().filter(created_at__lt=before).exclude(status__in=UNFINISHED)
    pruned.jobs += _delete(ended)


def _deleted_chargers() -> list[UUID]:
    """Every charger with traffic has a counter, so the big table need not be asked."""
    alive = Charger.objects.unscoped().values("pk")
    counted = MessageCount.objects.unscoped().exclude(charger_id__in=alive).order_by()
    silent = ConnectionEvent.objects.unscoped().exclude(charger_id__in=alive).order_by()
    return list(counted.values_list("charger_id", flat=True).union(silent.values_list("charger_id", flat=True)))


def _prune_charger(charger_id: UUID, pruned: Pruned) -> None:
    pruned.messages += _delete(Message.objects.unscoped().filter(charger_id=charger_id))
    pruned.connection_events += _delete(ConnectionEvent.objects.unscoped().filter(charger_id=charger_id))
    pruned.counters += _delete(AnswerTime.objects.unscoped().filter(charger_id=charger_id))
    pruned.counters += _delete(MessageCount.objects.unscoped().filter(charger_id=charger_id))


def _delete(rows: QuerySet[Any]) -> int:
    """Deletes by primary key, BATCH rows a statement; returns how many."""
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        deleted += rows.model._base_manager.filter(pk__in=keys).delete()[0]
    return deleted
