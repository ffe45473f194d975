"""The part of a Celery worker that does jobs at once: it listens on the bus, where a broker may only poll.

Celery's own message and beat find the same rows a little later; whoever comes first has the job.
"""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import Celery, bootsteps
from django.db import close_old_connections, connections

logger = logging.getLogger(__name__)
POLL_SECONDS = 5.0
PAUSE_SECONDS = 0.1  # wake-ups are for everybody: nobody is asked more often than that
STOP_SECONDS = 15.0


class JobThread(threading.Thread):
    """Runs due jobs until stopped; a job under way is left after its chunk, for the next worker."""

    subject = "jobs"

    def __init__(self) -> None:
        super().__init__(name=self.subject, daemon=True)
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Event | None = None

    def run(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        from chargers import bus  # needs settings, which Celery reads after its options

        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        listening = asyncio.create_task(bus.listen(self._woken.set))
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix=self.subject) as database:
            while not self._stopping.is_set():
                seconds = await self._loop.run_in_executor(database, self._look)
                await asyncio.sleep(PAUSE_SECONDS)
                await self._until_woken(self._woken, seconds)
            await self._loop.run_in_executor(database, connections.close_all)
        listening.cancel()

    @staticmethod
    async def _until_woken(woken: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass
        woken.clear()

    def _look(self) -> float:
        """Does what is due; the seconds until the next look, if nothing wakes the thread before."""
        close_old_connections()
        try:
            return self._run_due()
        except Exception:
            logger.warning("%s not looked at", self.subject, exc_info=True)
            return POLL_SECONDS
        finally:
            close_old_connections()

    def _run_due(self) -> float:
        from chargers.services import jobs  # needs the app registry

        jobs.run_due(self._stopping.is_set)
        return POLL_SECONDS

    def stop(self) -> None:
        self._stopping.set()
        if self._loop is not None and self._woken is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)
        self.join(STOP_SECONDS)


class JobStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """In every worker that is no simulator node."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, simulator: bool = False, **kwargs: Any) -> None:
        self.enabled = not simulator
        self._thread: JobThread | None = None
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:
        self._thread = JobThread()
        self._thread.start()

    def stop(self, parent: Any) -> None:
        if self._thread is not None:
            self._thread.stop()

    terminate = stop


def install(app: Celery) -> None:
    app.steps["worker"].add(JobStep)
