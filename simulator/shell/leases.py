"""Which node runs which shard: leases in the database, in the database's time, by single conditional UPDATEs.

Every function here runs queries: never on the loop thread.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.db.models.functions import Now

from chargers.services.claims import from_now
from simulator.models import Node, Shard


def current_epochs(shards: set[int]) -> Mapping[int, int]:
    """Epoch by shard, inside the caller's transaction. The rows are locked: nobody claims before it has committed."""
    rows = Shard.objects.filter(pk__in=shards).select_for_update(no_key=True).order_by("pk")
    return dict(rows.values_list("pk", "epoch"))


@dataclass
class Round:
    """What a look at the leases brought. Epochs by shard."""

    kept: dict[int, int] = field(default_factory=dict)
    gained: dict[int, int] = field(default_factory=dict)
    share: int = settings.SIMULATOR_SHARDS


class Leases:
    def __init__(self, node_id: str, seconds: float) -> None:
        self.node_id = node_id
        self.seconds = seconds

    def register(self, host: str, pid: int) -> None:
        Shard.objects.bulk_create(
            [Shard(pk=number) for number in range(settings.SIMULATOR_SHARDS)], ignore_conflicts=True
        )
        Node.objects.create(pk=self.node_id, host=host, pid=pid, started_at=Now(), seen_at=Now())

    def renew(self, held: Mapping[int, int], metrics: Mapping[str, Any]) -> dict[int, int]:
        """Extends the leases held (epoch by shard) and returns those still ours under that very epoch."""
        Node.objects.filter(pk=self.node_id).update(seen_at=Now(), metrics=dict(metrics))
        ours = Shard.objects.filter(owner=self.node_id, pk__in=held)
        ours.filter(lease_until__gt=Now()).update(lease_until=from_now(self.seconds))
        live = dict(ours.filter(lease_until__gt=Now()).values_list("pk", "epoch"))
        return {shard: epoch for shard, epoch in held.items() if live.get(shard) == epoch}

    def share(self) -> int:
        """How many shards each live node may hold."""
        live = Node.objects.filter(seen_at__gt=from_now(-self.seconds)).count()
        return ceil(settings.SIMULATOR_SHARDS / max(1, live))

    def claim(self, most: int, held: Iterable[int]) -> dict[int, int]:
        """Takes up to `most` shards that nobody holds, each under a new epoch.

        Shards that stand in our name without being held are leftovers of a pause: they count as free.
        """
        if most <= 0:
            return {}
        free = Q(lease_until=None) | Q(lease_until__lt=Now()) | Q(owner=self.node_id)
        open_shards = Shard.objects.filter(free).exclude(pk__in=list(held))
        candidates = list(open_shards.order_by("?").values_list("pk", flat=True)[:most])
        if not candidates:
            return {}
        Shard.objects.filter(free, pk__in=candidates).update(
            owner=self.node_id, epoch=F("epoch") + 1, lease_until=from_now(self.seconds)
        )
        return dict(Shard.objects.filter(owner=self.node_id, pk__in=candidates).values_list("pk", "epoch"))

    def release(self, shards: Mapping[int, int]) -> None:
        """Free for the next claim at once. Only what is still ours."""
        Shard.objects.filter(owner=self.node_id, pk__in=shards).update(owner="", lease_until=None)


def hold_for_dead(node_id: str, seconds: float) -> None:
    """Nobody may claim a dead node's shards while its spool is being imported."""
    Shard.objects.filter(owner=node_id).update(lease_until=from_now(seconds))


def end(node_id: str) -> None:
    """The node is known to be dead, or says goodbye: its shards are free at once."""
    Shard.objects.filter(owner=node_id).update(owner="", lease_until=None)
    Node.objects.filter(pk=node_id).delete()


def forget_dead_nodes() -> None:
    """Rows of nodes that have been silent for a minute or ten leases, whichever is longer."""
    silence = max(60.0, 10 * float(settings.SIMULATOR_LEASE_SECONDS))
    Node.objects.filter(seen_at__lt=from_now(-silence)).delete()
