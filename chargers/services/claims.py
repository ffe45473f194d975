"""Who works on a row: one conditional update says, and every step is made under it.

Claims are short and renewed with every step, so that another worker soon goes on with what a dead one has left.
"""

import secrets
from datetime import timedelta
from typing import Any, TypeVar

from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone

from chargers.models import ProvisioningStatus
from chargers.models.job import Claimed, ProvisioningJob

Row = TypeVar("Row", bound=Claimed)
MOST_ATTEMPTS = 5  # without any progress
FINISHED = "done"  # the last step of whatever was provisioned
CLAIM_SECONDS = 20.0  # longer than a step takes; renewed with each


class ClaimLost(Exception):
    """Somebody else works on the row now, or it is gone."""


def from_now(seconds: float) -> Combinable:
    """That many seconds from now (negative: ago), in the database's time."""
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())


def unclaimed(rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=Now()))


def claim(rows: QuerySet[Row], key: Any, **changes: Any) -> str | None:
    """The claim, or None when another holds the row or nothing is to be done with it."""
    text = secrets.token_hex(16)
    changes.setdefault("claimed_until", from_now(CLAIM_SECONDS))
    return text if unclaimed(rows).filter(pk=key).update(claim=text, **changes) else None


def advance(row: Row, **changes: Any) -> None:
    """Changes the row, and renews the claim unless told otherwise. Raises ClaimLost when it is not ours any more."""
    changes.setdefault("claimed_until", from_now(CLAIM_SECONDS))
    if not type(row).objects.unscoped().filter(pk=row.pk, claim=row.claim).update(**changes):
        raise ClaimLost
    for name, value in changes.items():
        if name != "claimed_until":
            setattr(row, name, value)


def release(job: ProvisioningJob) -> None:
    """READY when all is done; else, being stopped, free for the next worker at once. Raises ClaimLost."""
    if job.done >= job.total:
        ready = {"status": ProvisioningStatus.READY, "current_step": FINISHED, "provisioned_at": timezone.now()}
        advance(job, claimed_until=None, wanted=[], **ready)
    else:
        advance(job, claimed_until=None)


def try_later(row: Claimed) -> bool:
    """Another try in some seconds, more each time; False when this was the last. What counts is what was committed.

    A row that is gone, or another's by now, is no failure of ours: True.
    """
    mine = type(row).objects.unscoped().filter(pk=row.pk, claim=row.claim)
    failed_before = mine.values_list("attempts", flat=True).first()
    if failed_before is None:
        return True
    attempts = failed_before + 1
    mine.update(attempts=attempts, claimed_until=from_now(float(2**attempts)))
    return attempts < MOST_ATTEMPTS
