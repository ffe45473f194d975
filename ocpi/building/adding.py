"""Adding sites to a CPO that stands already: one site, one transaction, as the job's row says."""

from collections.abc import Callable

import msgspec
from django.db import transaction

from chargers.models import UNFINISHED, ProvisioningStatus
from chargers.services.claims import ClaimLost, advance, from_now, release
from ocpi.building.failures import problem
from ocpi.building.readiness import POLL_SECONDS
from ocpi.building.sites import create_site
from ocpi.building.steps import csms_url, has_foundations
from ocpi.models import Cpo, LocationJob
from ocpi.presets.plan import PlannedLocation

STEP = "create-location {done} of {total}"


class SiteRefused(Exception):
    """A charger of the site cannot be created: the site is not made at all."""


def work(job: LocationJob, is_stopping: Callable[[], bool]) -> None:
    """Raises ClaimLost when the job is another's by now, or its CPO was given up.

    A CPO that was ordered a moment ago comes first: its sites need its tariffs and its CSMS.
    """
    if job.cpo.status in UNFINISHED and not has_foundations(job.cpo):
        advance(job, claimed_until=from_now(POLL_SECONDS))
        return
    while job.done < job.total and not is_stopping():
        with transaction.atomic():
            _take_next(job)
    release(job)


def _take_next(job: LocationJob) -> None:
    number, done = job.done, job.done + 1
    advance(job, done=done, current_step=STEP.format(done=done, total=job.total))
    cpo = Cpo.objects.select_for_update().filter(pk=job.cpo_id, destroyed_at=None).first()
    if cpo is None:
        raise ClaimLost
    planned = msgspec.convert(job.wanted[number], PlannedLocation)
    try:
        with transaction.atomic():
            _create(cpo, planned)
    except SiteRefused as error:
        failed = {"index": number, "name": planned.name, "error": str(error)}
        advance(job, failed=[*job.failed, failed], attempts=0)
    else:
        advance(job, created=[*job.created, planned.ocpi_id], attempts=0)


def _create(cpo: Cpo, planned: PlannedLocation) -> None:
    if not csms_url(cpo) and not all(charger.ws_url for charger in planned.chargers):
        raise SiteRefused("The CPO has no CSMS, as its build has failed: see its status.")
    _, outcome = create_site(cpo, planned, csms_url(cpo))
    if outcome.failed:
        raise SiteRefused(outcome.failed[0].error)


def fail(job: LocationJob, error: Exception) -> None:
    """FAILED at the site that was committed last: what the job has in memory may have been rolled back."""
    row = LocationJob.objects.unscoped().filter(pk=job.pk, claim=job.claim)
    kept = row.only("done").first() or job
    words = f"{type(error).__name__} while adding locations; those that were added stay."
    step = STEP.format(done=kept.done + 1, total=job.total)
    row.update(
        status=ProvisioningStatus.FAILED,
        error=problem("internal_error", words, step, retryable=True),
        claimed_until=None,
    )
