"""Empties the outbox: one asyncio loop, a queue per peer, so that a peer that is slow or dead delays nobody else."""

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from django.db import connections
from django.utils import timezone

from ocpi import pulling
from ocpi.database import keeping_open
from ocpi.models import Peer
from ocpi.protocol import client
from ocpi.pushing import bell, delivering
from ocpi.pushing.delivering import Attempt

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
PAUSE_SECONDS = 0.05
PER_PEER = 4  # requests to one peer at a time, each about another object
PULL_AGAIN_SECONDS = 60.0
STOP_SECONDS = 12.0  # an attempt under way may end; its row is free again after a while if it does not
R = TypeVar("R")


class Pusher:
    """Runs on one loop until stopped. Any number of them may run: rows are claimed."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()  # requests under way per peer
        self._may_pull_at: dict[int, float] = {}  # by the monotonic clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._rung = asyncio.Event()
        self._database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pushes")

    async def run(self) -> None:
        loop = asyncio.get_running_loop()

        def ring() -> None:
            loop.call_soon_threadsafe(self._rung.set)

        bell.answer_with(ring)
        try:
            while not self._stopping.is_set():
                await self._look()
                await asyncio.sleep(PAUSE_SECONDS)
                await self._until_rung()
        finally:
            bell.unplug()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            await loop.run_in_executor(self._database, connections.close_all)
            self._database.shutdown(wait=False)

    def stop(self) -> None:
        """On the loop."""
        self._stopping.set()
        self._rung.set()

    async def _until_rung(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._rung.wait()
        except TimeoutError:
            pass
        self._rung.clear()

    async def _look(self) -> None:
        try:
            full = [peer for peer, number in self._open.items() if number >= PER_PEER]
            for peer_id in await self._in_database(lambda: delivering.peers_with_work(full)):
                await self._serve(peer_id)
            for peer in await self._in_database(delivering.due_probes):
                self._start(peer.pk, self._probe(peer))
            for peer in await self._in_database(pulling.due_peers):
                if self._may_pull_at.get(peer.pk, 0.0) <= time.monotonic():
                    self._may_pull_at[peer.pk] = time.monotonic() + PULL_AGAIN_SECONDS
                    self._start(peer.pk, self._pull(peer))
        except Exception:
            log.warning("the outbox could not be looked at", exc_info=True)

    async def _serve(self, peer_id: int) -> None:
        room = PER_PEER - self._open[peer_id]
        for attempt in await self._in_database(lambda: delivering.claim(peer_id, room)):
            if self._stopping.is_set():
                await self._in_database(partial(delivering.release, attempt))
            else:
                self._start(peer_id, self._send(attempt))

    def _start(self, peer_id: int, work: "asyncio._CoroutineLike[None]") -> None:
        self._open[peer_id] += 1
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._ended(peer_id, done))

    def _ended(self, peer_id: int, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._open[peer_id] -= 1
        if not self._open[peer_id]:
            del self._open[peer_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("a push broke", exc_info=task.exception())
        self._rung.set()  # there is room for the next

    async def _send(self, attempt: Attempt) -> None:
        reply = await client.send(attempt.call)
        await self._in_database(lambda: delivering.settle(attempt, reply))

    async def _probe(self, peer: Peer) -> None:
        call = await self._in_database(lambda: delivering.probe_call(peer))
        if call is not None:
            reply = await client.send(call)
            await self._in_database(lambda: delivering.probed(peer, call, reply))

    async def _pull(self, peer: Peer) -> None:
        """The peer's tokens; what breaks is tried again a while later."""
        began_at = timezone.now()
        try:
            url: str | None = pulling.first_page(peer)
            for _ in range(pulling.MOST_PAGES):
                if url is None or self._stopping.is_set():
                    break
                call = await self._in_database(partial(pulling.page_call, peer, url))
                reply = await client.send(call)
                self._may_pull_at[peer.pk] = time.monotonic() + PULL_AGAIN_SECONDS
                url = await self._in_database(partial(pulling.store_page, peer, call, reply))
        except pulling.PullFailed as failed:
            log.info("tokens could not be pulled", extra={"peer": peer.pk, "problem": str(failed)})
            return
        if url is None:
            await self._in_database(partial(pulling.done, peer, began_at))

    async def _in_database(self, job: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._database, keeping_open, job)


class PusherThread(threading.Thread):
    """The pusher in a thread of its own."""

    def __init__(self) -> None:
        super().__init__(name="pusher", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pusher: Pusher | None = None
        self._begun = threading.Event()

    def run(self) -> None:
        asyncio.run(self._run())

    async def _run(self) -> None:
        self._loop, self._pusher = asyncio.get_running_loop(), Pusher()
        self._begun.set()
        await self._pusher.run()

    def stop(self) -> None:
        self._begun.wait(1.0)
        if self._loop is not None and self._pusher is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._pusher.stop)
        self.join(STOP_SECONDS + 3)
