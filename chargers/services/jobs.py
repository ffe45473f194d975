"""Creating many chargers after the request was answered (gateway contract, sections 3.7 to 3.9 and 7).

A job is worked on in chunks. A chunk's chargers, the job's progress and what failed are one transaction, made under the
worker's claim: a worker that dies leaves whole chunks only, and another goes on where it stopped.
"""

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from chargers import bus
from chargers.models import UNFINISHED, Charger, Job, ProvisioningStatus
from chargers.services import provisioning
from chargers.services.claims import ClaimLost, advance, claim, release, try_later, unclaimed
from chargers.services.lookup import listed
from chargers.services.provisioning import Failure, NewCharger
from locations.models import Location
from ocpplab.api.errors import NotFound, Unavailable
from tenants import audit
from tenants.scoping import scope

logger = logging.getLogger(__name__)
CHUNK = 100
TASK = "chargers.tasks.run_job"
CREATING = "create-chargers {done} of {total}"


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
    return list(unclaimed(_open()).order_by("created_at").values_list("pk", flat=True))


def _open() -> QuerySet[Job]:
    return Job.objects.unscoped().filter(status__in=UNFINISHED)


def run_due(is_stopping: Callable[[], bool] = lambda: False) -> None:
    for job_id in due():
        if not is_stopping():
            run(job_id, is_stopping)


def run(job_id: uuid.UUID, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Works on the job to its end, unless another does. Safe to call any number of times, from anywhere.

    What breaks is tried again, a few times; then the job has FAILED, and says what was created all the same.
    """
    if claim(_open(), job_id, status=ProvisioningStatus.PROVISIONING) is None:
        return
    job = Job.objects.unscoped().select_related("location").get(pk=job_id)
    try:
        with scope(job.location.tenant_id), audit.acting(job.actor):  # type: ignore[arg-type]
            while job.done < job.total and not is_stopping():
                _do_chunk(job)
        release(job)
    except ClaimLost:
        logger.info("job taken over or gone", extra={"job": str(job_id)})
    except Exception as error:
        logger.exception("job failed at a chunk", extra={"job": str(job_id), "done": job.done})
        if not try_later(job):
            _fail(job, error)


@transaction.atomic
def _do_chunk(job: Job) -> None:
    """The next chargers and the progress, together. Raises ClaimLost when the job is not ours any more."""
    chunk = [NewCharger(**one) for one in job.wanted[job.done : job.done + CHUNK]]
    advance(job, done=job.done + len(chunk), attempts=0)
    # A location that is being deleted waits for this, and then takes these chargers with it.
    location = Location.objects.select_for_update().filter(pk=job.location_id).first()
    if location is None:
        raise ClaimLost
    outcome = provisioning.create_chargers(location, chunk)
    created = job.created + [str(charger.pk) for charger in outcome.done]
    failed = job.failed + [_failure(one) for one in outcome.failed]
    advance(job, created=created, failed=failed, current_step=CREATING.format(done=job.done, total=job.total))


def _fail(job: Job, error: Exception) -> None:
    """FAILED, with what was committed: what the job has in memory may have been rolled back."""
    row = Job.objects.unscoped().filter(pk=job.pk, claim=job.claim)
    kept = row.defer("wanted").first()
    if kept is None:
        return
    problem = {
        "code": "internal_error",
        "message": f"{type(error).__name__} while creating chargers; {len(kept.created)} of {job.total} were created "
        "and stay.",
        "step": CREATING.format(done=kept.done, total=job.total),
        "retryable": True,
    }
    row.update(status=ProvisioningStatus.FAILED, error=problem, claimed_until=None)
