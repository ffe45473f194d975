"""What the database says about the chargers of a node's shards. Queries: never on the loop thread."""

import logging
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Prefetch, Q, Sum

from chargers.models import Charger, Connector, Runtime, StationState
from chargers.services.ingest import mark_ready
from chargers.services.readiness import mark_begun, mark_failed
from chargers.services.setups import setup_of
from simulator.core.url import connection_url
from simulator.shell.runner import Machine
from tenants.scoping import scope

logger = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """One charger as its owner wants it."""

    charger_id: UUID
    shard: int
    revision: int
    running: bool


def digest(shards: Collection[int]) -> dict[str, Any]:
    """A few numbers that differ when `wanted` most likely would; far cheaper than reading every row."""
    return (
        Charger.objects.unscoped()
        .filter(shard__in=shards)
        .aggregate(
            rows=Count("pk"),
            revisions=Sum("revision"),
            newest=Max("created_at"),
            running=Count("pk", filter=Q(runtime=Runtime.RUNNING)),
        )
    )


def wanted(shards: Collection[int]) -> list[Wanted]:
    rows = Charger.objects.unscoped().filter(shard__in=shards).order_by()
    return [
        Wanted(pk, shard, revision, runtime == Runtime.RUNNING)
        for pk, shard, revision, runtime in rows.values_list("pk", "shard", "revision", "runtime")
    ]


def load(charger_ids: Iterable[UUID]) -> list[Machine]:
    """What it takes to run these chargers, in three queries; their provisioning ends with this.

    A charger whose model cannot be built is left out, logged, and FAILED.
    """
    charger_ids = list(charger_ids)
    mark_begun(charger_ids)
    chargers = list(
        Charger.objects.unscoped()
        .filter(pk__in=charger_ids)
        .select_related("model__brand")
        .prefetch_related(Prefetch("connectors", queryset=Connector.objects.unscoped()))
    )
    states = StationState.objects.in_bulk([charger.pk for charger in chargers])
    machines: list[Machine] = []
    for charger in chargers:
        try:
            machines.append(_machine(charger, states.get(charger.pk)))
        except Exception as error:
            logger.exception("charger cannot be built", extra={"charger": str(charger.pk)})
            mark_failed(charger.pk, f"{type(error).__name__}: {error}")
    mark_ready([machine.charger_id for machine in machines])
    return machines


def _machine(charger: Charger, state: StationState | None) -> Machine:
    tenant_id: UUID = charger.tenant_id  # type: ignore[assignment]
    with scope(tenant_id):
        setup = setup_of(charger)
    return Machine(
        charger_id=charger.pk,
        tenant_id=tenant_id,
        shard=charger.shard,
        revision=charger.revision,
        url=connection_url(charger.ws_url, charger.identity),
        setup=setup,
        memory=state.memory if state else {},
        known=state is not None,
    )
