"""Commands on their way in: rows of the node's shards, claimed by conditional update. Queries: never on the loop."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now

from chargers.models import ChargerCommand, CommandState
from chargers.services import secrets
from chargers.services.claims import from_now
from simulator.models import Shard

MOST = 1_000  # in one claim; the next follows at once
HANDED_OUT = (CommandState.CLAIMED, CommandState.SENT)  # to a node, which has yet to report the end
LIFECYCLE = frozenset({"start_charger", "stop_charger"})
OVERDUE = "The command was not carried out before its deadline."
SILENT = "No outcome was reported in time; see the log."
GRACE_SECONDS = 120.0  # longer than a station waits for the CSMS's answers
LOST = "The simulator node was lost while the command was under way; see the log."


class Order(NamedTuple):
    """A claimed command."""

    command_id: str
    charger_id: UUID
    tenant_id: UUID
    shard: int
    name: str
    payload: dict[str, Any]
    deadline: float  # Unix time


def claim(node_id: str, shards: Collection[int]) -> list[Order]:
    """Queued commands of shards that are ours at this moment, in order of creation. Two or three queries."""
    queued = ChargerCommand.objects.unscoped().filter(
        state=CommandState.QUEUED, shard__in=shards, deadline_at__gt=Now()
    )
    names = list(queued.order_by("created_at", "pk").values_list("pk", flat=True)[:MOST])
    if not names:
        return []
    ours = Shard.objects.filter(pk=OuterRef("shard"), owner=node_id, lease_until__gt=Now())
    rows = ChargerCommand.objects.unscoped().filter(pk__in=names)
    with transaction.atomic():
        claimed = rows.filter(Exists(ours), state=CommandState.QUEUED).update(
            state=CommandState.CLAIMED, claimed_at=Now(), claimed_epoch=Subquery(ours.values("epoch")[:1])
        )
        if not claimed:
            return []
        return _orders(rows.filter(Exists(ours.filter(epoch=OuterRef("claimed_epoch"))), state=CommandState.CLAIMED))


def _orders(rows: QuerySet[ChargerCommand]) -> list[Order]:
    return [
        Order(pk, charger_id, tenant_id, shard, event_type, secrets.opened(payload), deadline.timestamp())
        for pk, charger_id, tenant_id, shard, event_type, payload, deadline in rows.order_by(
            "created_at", "pk"
        ).values_list("pk", "charger_id", "tenant_id", "shard", "event_type", "payload", "deadline_at")
    ]


def take_over(epochs: Mapping[int, int]) -> None:
    """After claiming shards: what their last owner had only claimed is queued again, what it had sent has failed."""
    current = Shard.objects.filter(pk=OuterRef("shard")).values("epoch")[:1]
    older = ChargerCommand.objects.unscoped().filter(shard__in=epochs, claimed_epoch__lt=Subquery(current))
    older.filter(state=CommandState.CLAIMED).update(state=CommandState.QUEUED, claimed_epoch=None, claimed_at=None)
    older.filter(state=CommandState.SENT).update(state=CommandState.FAILED, reason=LOST, finished_at=Now())


def time_out(shards: Collection[int]) -> None:
    """Ends queued commands whose deadline has passed; nobody executes them any more."""
    queued = ChargerCommand.objects.unscoped().filter(state=CommandState.QUEUED, shard__in=shards)
    _time_out(queued.filter(deadline_at__lte=Now()), OVERDUE)


def overdue(shards: Collection[int]) -> list[tuple[str, UUID]]:
    """(command, charger) of rows past their deadline that a node has been given and not reported the end of."""
    rows = ChargerCommand.objects.unscoped().filter(deadline_at__lte=Now(), state__in=HANDED_OUT, shard__in=shards)
    return list(rows.values_list("pk", "charger_id"))


def end_lost(command_ids: Collection[str]) -> None:
    """Of these, ends what has not ended meanwhile."""
    _time_out(ChargerCommand.objects.unscoped().filter(pk__in=command_ids, state__in=HANDED_OUT), SILENT)


def time_out_forgotten() -> None:
    """For all shards: also what was claimed or sent, once a node has had ample time to say what became of it."""
    rows = ChargerCommand.objects.unscoped()
    _time_out(rows.filter(state=CommandState.QUEUED, deadline_at__lte=Now()), OVERDUE)
    _time_out(rows.filter(state__in=HANDED_OUT, deadline_at__lte=from_now(-GRACE_SECONDS)), SILENT)


def _time_out(rows: QuerySet[ChargerCommand], reason: str) -> None:
    rows.update(state=CommandState.TIMED_OUT, reason=reason, finished_at=Now())
