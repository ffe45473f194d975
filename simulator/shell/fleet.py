"""What the database says about the chargers of a node's shards. Queries: never on the loop thread."""

import logging
from collections.abc import Collection, Iterable
from copy import copy
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Max, Prefetch, Q, Sum

from chargers.models import Charger, ChargerSecurity, Connector, OcppVersion, Runtime, StationState
from chargers.services import queues
from chargers.services.readiness import mark_begun, mark_failed, mark_ready
from chargers.services.security import installed_security
from chargers.services.setups import setup_of
from simulator.core import tail
from simulator.core.setup import Setup
from simulator.core.url import connection_url
from simulator.core.version_change import written_for
from simulator.shell.assignment import Assignment
from tenants.scoping import scope

logger = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """One charger as its owner wants it."""

    charger_id: UUID
    shard: int
    revision: int
    running: bool
    subprotocol: str


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
        Wanted(pk, shard, revision, runtime == Runtime.RUNNING, OcppVersion(version).subprotocol)
        for pk, shard, revision, runtime, version in rows.values_list(
            "pk", "shard", "revision", "runtime", "ocpp_version"
        )
    ]


def load(charger_ids: Iterable[UUID]) -> list[Assignment]:
    """What it takes to run these chargers, in five queries; their provisioning ends with this.

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
    ids = [charger.pk for charger in chargers]
    states = StationState.objects.in_bulk(ids)
    secured = ChargerSecurity.objects.unscoped().in_bulk(ids)
    beyond = queues.beyond(ids)
    assignments: list[Assignment] = []
    for charger in chargers:
        try:
            assignment = _assignment(charger, states.get(charger.pk), secured.get(charger.pk))
            assignment.memory.update({tail.SECTION: beyond[charger.pk]} if charger.pk in beyond else {})
            assignments.append(assignment)
        except Exception as error:
            logger.exception("charger cannot be built", extra={"charger": str(charger.pk)})
            mark_failed(charger.pk, f"{type(error).__name__}: {error}")
    mark_ready([assignment.charger_id for assignment in assignments])
    return assignments


def _assignment(charger: Charger, state: StationState | None, security: ChargerSecurity | None) -> Assignment:
    tenant_id: UUID = charger.tenant_id  # type: ignore[assignment]
    memory = state.memory if state else {}
    with scope(tenant_id):
        setup = setup_of(charger)
        former = _former_setup(charger, written_for(memory, setup.subprotocol))
    return Assignment(
        charger_id=charger.pk,
        tenant_id=tenant_id,
        shard=charger.shard,
        revision=charger.revision,
        url=connection_url(charger.ws_url, charger.identity),
        setup=setup,
        memory=memory,
        known=state is not None,
        security=installed_security(security),
        former=former,
    )


def _former_setup(charger: Charger, subprotocol: str) -> Setup | None:
    """The device as it was when it spoke that version; None when it speaks it still."""
    if subprotocol == charger.subprotocol:
        return None
    before = copy(charger)
    before.ocpp_version = next(one for one in OcppVersion if one.subprotocol == subprotocol)
    return setup_of(before)
