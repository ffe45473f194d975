"""Doors for Celery: a message only wakes a worker, the rows are the truth."""

from uuid import UUID

from celery import shared_task

from ocpi import pruning
from ocpi.building import running
from ocpi.peer import handshake


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def run_bundle(cpo_id: int) -> None:
    running.run(cpo_id)


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def run_location_job(job_id: str) -> None:
    running.run_job(UUID(job_id))


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def tend_bundles() -> None:
    """For beat: bundles whose time is over, builds and handshakes whose process died, rows of bundles given up."""
    running.run_due()
    for cpo_id in running.due_farewells():
        running.finish(cpo_id)
    handshake.drop_unfinished()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def prune_exchanges() -> None:
    pruning.prune()
