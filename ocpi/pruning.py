"""Forgetting old exchanges with peers, a batch at a time, as old traffic of chargers is forgotten."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from ocpi.models import Exchange, PeerCommand, Push, PushState

BATCH = 5_000


def prune(*, days: int | None = None) -> int:
    """Deletes exchanges, finished pushes and commands older than the retention; returns how many rows went."""
    before = timezone.now() - timedelta(days=settings.MESSAGE_RETENTION_DAYS if days is None else days)
    finished = Push.objects.unscoped().filter(finished_at__lt=before).exclude(state=PushState.WAITING)
    done = PeerCommand.objects.unscoped().filter(finished_at__lt=before)
    return _delete(Exchange.objects.unscoped().filter(at__lt=before)) + _delete(finished) + _delete(done)


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
        deleted += rows.model._base_manager.filter(pk__in=keys).delete()[0]
    return deleted
