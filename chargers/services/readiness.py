"""From PENDING to READY or FAILED: what simulator nodes say of a charger whose machine they start (contract, 3.7)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone

from chargers.models import UNFINISHED, Charger, ProvisioningStatus

STARTING_SIMULATOR = "start-simulator"


def mark_begun(charger_ids: Iterable[UUID]) -> None:
    """A node builds their machines; also those that could not be built as they were before a change."""
    waiting = (ProvisioningStatus.PENDING, ProvisioningStatus.FAILED)
    Charger.objects.unscoped().filter(pk__in=list(charger_ids), status__in=waiting).update(
        status=ProvisioningStatus.PROVISIONING, error=None
    )


def mark_ready(charger_ids: Iterable[UUID]) -> None:
    """A node runs them: their provisioning has come to its end."""
    Charger.objects.unscoped().filter(pk__in=list(charger_ids), status__in=UNFINISHED).update(
        status=ProvisioningStatus.READY, provisioned_at=timezone.now(), error=None
    )


def mark_failed(charger_id: UUID, reason: str) -> None:
    problem: dict[str, Any] = {
        "code": "simulator_not_built",
        "message": reason[:2000],
        "step": STARTING_SIMULATOR,
        "retryable": False,
    }
    Charger.objects.unscoped().filter(pk=charger_id).update(status=ProvisioningStatus.FAILED, error=problem)
