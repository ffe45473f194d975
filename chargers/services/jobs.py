"""Creating many chargers after the request was answered (gateway contract, sections 3.7 to 3.9 and 7).

A job is worked on in chunks. A chunk's chargers, the job's progress and what failed are one transaction, made under the
worker's claim: a worker that dies leaves whole chunks only, and another goes on where it stopped.
"""

import logging
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError

from chargers import bus
from chargers.models import Charger, Job, ProvisioningStatus
from chargers.models.job import OPEN_JOB
from chargers.services import provisioning
from chargers.services.lookup import listed
from chargers.services.provisioning import Failure, NewCharger
from locations.models import Location
from ocpplab.api.errors import NotFound, Unavailable
from tenants import audit
from tenants.scoping import scope

logger = logging.getLogger(__name__)
CHUNK = 100
CLAIM_SECONDS = 10.0  # longer than a chunk takes; renewed with each
MOST_ATTEMPTS = 5  # without any progress
TASK = "chargers.tasks.run_job"
CREATING, FINISHED = "create-chargers {done} of {total}", "done"


class ClaimLost(Exception):
    """Somebody else works on the job now, or it is gone."""


# --- asking for it ----------------------------------------------------------------------------------------------------


@transaction.atomic
def accept(location: Location, wanted: Sequence[NewCharger], failed: Sequence[Failure]) -> Job:
    """The job's row, in PENDING. Raises Unavailable, with no row left, when the broker does not answer."""
    job = Job.objects.create(
        location=location,
        wanted=[asdict(one) for one in wanted],
        total=len(wanted),
        failed=[_failure(one) for one in failed],
        actor=audit.as_json(audit.current_actor()),
    )
    _audit(job)
    try:
        current_app.send_task(TASK, args=[str(job.pk)], retry=False)
    except (OperationalError, OSError) as error:
        raise Unavailable("The provisioning backend does not answer: repeat in a moment.") from error
    bus.wake_on_commit()
    return job


def _audit(job: Job) -> None:
    audit.record(
        "accept_job",
        object_type="job",
        object_id=job.pk,
        organization_id=job.tenant_id,
        summary=f"{job.total} chargers",
        details={"location_id": str(job.location_id)},
    )


def _failure(one: Failure) -> dict[str, Any]:
    return {"identity": one.subject, "error": one.error}


def find_job(location: Location, job_id: str) -> Job:
    """Raises NotFound."""
    try:
        key = uuid.UUID(job_id)
    except ValueError:
        raise NotFound("Job") from None
    job = Job.objects.filter(location=location, pk=key).defer("wanted").first()
    if job is None:
        raise NotFound("Job")
    return job


def chargers_of(job: Job) -> list[Charger]:
    """What the job has created, as it is now: chargers deleted since are not among them."""
    rows = {charger.pk: charger for charger in listed().filter(location=job.location_id)}
    return [rows[key] for text in job.created if (key := uuid.UUID(text)) in rows]


# --- doing it ---------------------------------------------------------------------------------------------------------


def due() -> list[uuid.UUID]:
    """Jobs that nobody works on, oldest first."""
    return list(_unclaimed().order_by("created_at").values_list("pk", flat=True))


def _unclaimed() -> QuerySet[Job]:
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=Now())
    return Job.objects.unscoped().filter(free, status__in=OPEN_JOB)


def run_due(is_stopping: Callable[[], bool] = lambda: False) -> None:
    for job_id in due():
        if not is_stopping():
            run(job_id, is_stopping)


def run(job_id: uuid.UUID, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Works on the job to its end, unless another does. Safe to call any number of times, from anywhere.

    What breaks is tried again, a few times; then the job has FAILED, and says what was created all the same.
    """
    claim = secrets.token_hex(16)
    if not _claim(job_id, claim):
        return
    job = Job.objects.unscoped().select_related("location").get(pk=job_id)
    try:
        with scope(job.location.tenant_id), audit.acting(job.actor):  # type: ignore[arg-type]
            while job.done < job.total and not is_stopping():
                _do_chunk(job)
        _release(job)
    except ClaimLost:
        logger.info("job taken over or gone", extra={"job": str(job_id)})
    except Exception as error:
        logger.exception("job failed at a chunk", extra={"job": str(job_id), "done": job.done})
        _note_failure(job, error)


def _claim(job_id: uuid.UUID, claim: str) -> bool:
    claimed = (
        _unclaimed()
        .filter(pk=job_id)
        .update(claim=claim, claimed_until=_from_now(CLAIM_SECONDS), status=ProvisioningStatus.PROVISIONING)
    )
    return bool(claimed)


def _from_now(seconds: float) -> Combinable:
    return ExpressionWrapper(Now() + Value(timedelta(seconds=seconds)), output_field=DateTimeField())


@transaction.atomic
def _do_chunk(job: Job) -> None:
    """The next chargers and the progress, together. Raises ClaimLost when the job is not ours any more."""
    chunk = [NewCharger(**one) for one in job.wanted[job.done : job.done + CHUNK]]
    done = job.done + len(chunk)
    _advance(job, done=done, claimed_until=_from_now(CLAIM_SECONDS), attempts=0)
    # A location that is being deleted waits for this, and then takes these chargers with it.
    location = Location.objects.select_for_update().filter(pk=job.location_id).first()
    if location is None:
        raise ClaimLost
    outcome = provisioning.create_chargers(location, chunk)
    created = job.created + [str(charger.pk) for charger in outcome.done]
    failed = job.failed + [_failure(one) for one in outcome.failed]
    step = CREATING.format(done=done, total=job.total)
    _advance(job, created=created, failed=failed, current_step=step)
    job.done, job.created, job.failed = done, created, failed


def _advance(job: Job, **changes: Any) -> None:
    if not Job.objects.unscoped().filter(pk=job.pk, claim=job.claim).update(**changes):
        raise ClaimLost


def _release(job: Job) -> None:
    """READY when all is done; else, being stopped, free for the next worker at once."""
    if job.done >= job.total:
        ready = {"status": ProvisioningStatus.READY, "current_step": FINISHED, "provisioned_at": timezone.now()}
        _advance(job, claimed_until=None, wanted=[], **ready)
    else:
        _advance(job, claimed_until=None)


def _note_failure(job: Job, error: Exception) -> None:
    attempts = job.attempts + 1
    if attempts < MOST_ATTEMPTS:
        _try_later(job, attempts)
        return
    problem = {
        "code": "internal_error",
        "message": f"{type(error).__name__} while creating chargers; {len(job.created)} of {job.total} were created "
        "and stay.",
        "step": CREATING.format(done=job.done, total=job.total),
        "retryable": True,
    }
    Job.objects.unscoped().filter(pk=job.pk, claim=job.claim).update(
        status=ProvisioningStatus.FAILED, error=problem, attempts=attempts, claimed_until=None
    )


def _try_later(job: Job, attempts: int) -> None:
    Job.objects.unscoped().filter(pk=job.pk, claim=job.claim).update(
        attempts=attempts, claimed_until=_from_now(float(2**attempts))
    )
