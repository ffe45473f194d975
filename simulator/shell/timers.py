"""One heap of deadlines for all chargers of a node: 20,000 of them cost a fraction of as many asyncio timers."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol

SLICE = 200  # deadlines served before the loop may look at its sockets again


class Timed(Protocol):
    """Something with a deadline. `scheduled` belongs to the timers: the time of its live heap entry."""

    deadline: float | None
    scheduled: float | None

    def due(self) -> None: ...


class Timers:
    """Call `arm` whenever an object's `deadline` (monotonic seconds) has changed. Loop thread only.

    An entry whose deadline has moved on is not searched for in the heap: it is put right when it comes up.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.held = False
        self._loop = loop
        self._heap: list[tuple[float, int, Timed]] = []
        self._order = itertools.count()
        self._handle: asyncio.TimerHandle | None = None
        self._handle_at = float("inf")

    def arm(self, timed: Timed) -> None:
        deadline = timed.deadline
        if deadline is None or (timed.scheduled is not None and timed.scheduled <= deadline):
            return
        timed.scheduled = deadline
        heapq.heappush(self._heap, (deadline, next(self._order), timed))
        self._wake_at(deadline)

    def hold(self) -> None:
        """Nothing fires until `release`: the recorder has no room for what a tick would cause."""
        self.held = True

    def release(self) -> None:
        self.held = False
        self._handle_at = float("inf")
        self._rest()

    def _wake_at(self, when: float) -> None:
        if self.held or when >= self._handle_at:
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle_at = when
        self._handle = self._loop.call_later(max(0.0, when - time.monotonic()), self._run)

    def _run(self) -> None:
        self._handle_at = float("inf")
        for _ in range(SLICE):
            if self.held or not self._heap or self._heap[0][0] > time.monotonic():
                break
            self._serve(*heapq.heappop(self._heap))
        self._rest()

    def _serve(self, when: float, _order: int, timed: Timed) -> None:
        if timed.scheduled != when:
            return  # replaced by an earlier entry
        timed.scheduled = None
        if timed.deadline is not None and timed.deadline <= time.monotonic():
            timed.due()
        self.arm(timed)

    def _rest(self) -> None:
        if self._heap:
            self._wake_at(self._heap[0][0])
