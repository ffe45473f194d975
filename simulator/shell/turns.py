"""Whose turn it is: incoming frames of all chargers in slices, a bounded time per round of the loop.

What the sockets have read waits here, so that a burst to the whole fleet delays neither timers nor lease.
"""

import asyncio
import time
from collections import deque
from typing import Protocol

BUDGET_SECONDS = 0.02


class Waiting(Protocol):
    def deliver(self) -> bool:
        """Handles a slice of what waits; True if there is more to handle now."""


class Turns:
    """Round robin over those that have something waiting. Loop thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[Waiting] = deque()
        self._queued: set[Waiting] = set()
        self._running = False

    def ask(self, waiting: Waiting) -> None:
        if waiting in self._queued:
            return
        self._queued.add(waiting)
        self._queue.append(waiting)
        if not self._running:
            self._running = True
            self._loop.call_soon(self._round)

    def _round(self) -> None:
        end = time.monotonic() + BUDGET_SECONDS
        try:
            while self._queue:
                waiting = self._queue.popleft()
                self._queued.discard(waiting)
                if waiting.deliver():
                    self._queued.add(waiting)
                    self._queue.append(waiting)
                if time.monotonic() > end:
                    break
        finally:
            self._running = bool(self._queue)
            if self._running:
                self._loop.call_soon(self._round)
