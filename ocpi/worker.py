"""The parts of a Celery worker that serve bundles: one thread builds them, one tells the peers of those given up.

Celery's messages and beat find the same rows a little later; whoever claims a row first has it.
"""

import logging
from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps

from chargers.worker import POLL_SECONDS, JobThread

if TYPE_CHECKING:
    from ocpi.pushing.pusher import PusherThread

logger = logging.getLogger(__name__)
FOLLOW_SECONDS = 0.25  # chargers are marked in another process, which rings no bell for it


class BundleThread(JobThread):
    """Builds bundles and adds sites; a bundle under way is left after its step, for the next worker."""

    subject = "bundles"

    def _run_due(self) -> float:
        from ocpi.building import running  # needs the app registry

        return running.run_due(self._stopping.is_set)


class FarewellThread(JobThread):
    """Apart from the other, as telling a dead peer takes its time."""

    subject = "farewells"

    def _run_due(self) -> float:
        from ocpi.building import running

        for cpo_id in running.due_farewells():
            if not self._stopping.is_set():
                running.finish(cpo_id)
        return POLL_SECONDS


class FollowerThread(JobThread):
    """Brings what peers see up to date with what chargers do."""

    subject = "following"

    def __init__(self) -> None:
        from ocpi.following.follower import Follower  # needs the app registry

        super().__init__()
        self._follower = Follower()

    def _look(self) -> float:
        from ocpi.database import keeping_open

        try:
            keeping_open(lambda: self._follower.look(self._stopping.is_set))
        except Exception:
            logger.warning("chargers not followed", exc_info=True)
        return FOLLOW_SECONDS


class BundleStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """In every worker that is no simulator node."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, simulator: bool = False, **kwargs: Any) -> None:
        self.enabled = not simulator
        self._threads: list[JobThread | PusherThread] = []
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:
        from ocpi.pushing.pusher import PusherThread

        self._threads = [BundleThread(), FarewellThread(), FollowerThread(), PusherThread()]
        for thread in self._threads:
            thread.start()

    def stop(self, parent: Any) -> None:
        for thread in self._threads:
            thread.stop()

    terminate = stop


def install(app: Celery) -> None:
    app.steps["worker"].add(BundleStep)
