"""Doors for Celery: a message only wakes a worker, the job's row is the truth."""

from uuid import UUID

from celery import shared_task

from chargers.services import jobs, pruning
from chargers.services.partitions import ensure_partitions


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def run_job(job_id: str) -> None:
    jobs.run(UUID(job_id))


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def run_orphaned_jobs() -> None:
    """For beat: jobs whose wake-up was lost, or whose worker died."""
    for job_id in jobs.due():
        run_job.delay(str(job_id))


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def prune_messages() -> None:
    pruning.prune()


@shared_task(ignore_result=True)  # type: ignore[untyped-decorator]
def prepare_partitions() -> None:
    ensure_partitions()
