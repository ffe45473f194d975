"""What a worker does about bundles: it claims those with work to do, one after another, and never waits for one.

A bundle whose chargers are still booting is let go and looked at again half a second later.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chargers.models import UNFINISHED, ProvisioningStatus
from chargers.services.claims import FINISHED, ClaimLost, advance, claim, from_now, try_later, unclaimed
from ocpi.building import adding, farewell, readiness, steps
from ocpi.building.dismantling import destroy_expired
from ocpi.building.failures import BuildFailure, problem
from ocpi.models import Cpo, LocationJob
from tenants import audit
from tenants.scoping import scope

logger = logging.getLogger(__name__)
IDLE_SECONDS = 5.0
FAREWELL_SECONDS = 60.0  # longer than telling the slowest peer takes
Stop = Callable[[], bool]


def never() -> bool:
    return False


def run_due(is_stopping: Stop = never) -> float:
    """Does what is due; the seconds after which to look again."""
    destroy_expired()
    builds, jobs = _open(_to_build()), _open(_open_jobs())
    for cpo_id in _free(builds):
        if not is_stopping():
            run(cpo_id, is_stopping)
    for job_id in _free(jobs):
        if not is_stopping():
            run_job(job_id, is_stopping)
    # A claimed one may be waiting for its chargers, here or in another worker that has died.
    return readiness.POLL_SECONDS if builds or jobs else IDLE_SECONDS


def _open(rows: QuerySet[Any]) -> list[tuple[Any, datetime | None]]:
    """Key and end of the claim, oldest first."""
    return list(rows.order_by("created_at").values_list("pk", "claimed_until"))


def _free(rows: list[tuple[Any, datetime | None]]) -> list[Any]:
    """By this machine's clock; the claim itself goes by the database's."""
    now = timezone.now()
    return [key for key, until in rows if until is None or until < now]


def _to_build() -> QuerySet[Cpo]:
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Cpo.objects.unscoped().filter(alive, destroyed_at=None, status__in=UNFINISHED)


def _open_jobs() -> QuerySet[LocationJob]:
    return LocationJob.objects.unscoped().filter(status__in=UNFINISHED, cpo__destroyed_at=None)


def due_farewells() -> list[int]:
    """CPOs that were given up and still have rows."""
    gone = Cpo.objects.unscoped().filter(destroyed_at__isnull=False)
    return list(unclaimed(gone).values_list("pk", flat=True))


def finish(cpo_id: int) -> None:
    gone = Cpo.objects.unscoped().filter(destroyed_at__isnull=False)
    if claim(gone, cpo_id, claimed_until=from_now(FAREWELL_SECONDS)):
        farewell.finish(gone.get(pk=cpo_id))


# --- a bundle ---------------------------------------------------------------------------------------------------------


def run(cpo_id: int, is_stopping: Stop = never) -> None:
    """Goes on with the build as far as it gets without waiting. Safe to call any number of times, from anywhere."""
    text = claim(_to_build(), cpo_id, status=ProvisioningStatus.PROVISIONING)
    if text is None:
        return
    cpo = Cpo.objects.unscoped().get(pk=cpo_id)
    try:
        with scope(cpo.tenant_id), audit.acting(cpo.actor):  # type: ignore[arg-type]
            _build(cpo, is_stopping)
    except ClaimLost:
        logger.info("bundle taken over or gone", extra={"cpo": cpo_id})
    except BuildFailure as failure:
        logger.warning("bundle failed: %s", failure, extra={"cpo": cpo_id})
        if not failure.tries_again or not try_later(cpo):
            _finish(cpo, status=ProvisioningStatus.FAILED, error=failure.as_json())
    except Exception as error:
        logger.exception("step of a bundle failed", extra={"cpo": cpo_id})
        if not try_later(cpo):
            _finish(cpo, status=ProvisioningStatus.FAILED, error=_internal(cpo, error))


def _build(cpo: Cpo, is_stopping: Stop) -> None:
    planned = steps.plan_of(cpo)
    for name, step in steps.steps(cpo, planned):
        if is_stopping():
            break
        steps.take(cpo, planned, name, step)
    else:
        if steps.wait(cpo, planned):
            with transaction.atomic():
                readiness.settle(cpo)
                progress = {**cpo.progress, "current_step": FINISHED}
                _finish(cpo, status=ProvisioningStatus.READY, provisioned_at=timezone.now(), progress=progress)
            return
    advance(cpo, claimed_until=from_now(readiness.POLL_SECONDS))


def _finish(cpo: Cpo, **changes: Any) -> None:
    Cpo.objects.unscoped().filter(pk=cpo.pk, claim=cpo.claim).update(
        claimed_until=None, updated_at=timezone.now(), **changes
    )


def _internal(cpo: Cpo, error: Exception) -> dict[str, Any]:
    step = cpo.progress.get("current_step", "")
    words = f"{type(error).__name__} in the step {step}; what was made stays and can be deleted."
    return problem("internal_error", words, step, retryable=True)


# --- a job ------------------------------------------------------------------------------------------------------------


def run_job(job_id: Any, is_stopping: Stop = never) -> None:
    """Adds the sites that a job still lacks. Safe to call any number of times, from anywhere."""
    if claim(_open_jobs(), job_id, status=ProvisioningStatus.PROVISIONING) is None:
        return
    job = LocationJob.objects.unscoped().select_related("cpo").get(pk=job_id)
    try:
        with scope(job.tenant_id), audit.acting(job.actor):  # type: ignore[arg-type]
            adding.work(job, is_stopping)
    except ClaimLost:
        logger.info("job taken over or gone", extra={"job": str(job_id)})
    except Exception as error:
        logger.exception("job failed at a site", extra={"job": str(job_id)})
        if not try_later(job):
            adding.fail(job, error)
