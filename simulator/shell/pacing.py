"""First connections of a fleet go out at a limited rate, so that a node's start does not drown the CSMS."""

import asyncio
from collections import deque
from collections.abc import Callable

STEP_SECONDS = 0.02


class Pace:
    """Runs the given actions in order, at most `rate` a second, spread evenly. Loop thread only."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rate: float) -> None:
        self._loop = loop
        self._rate = rate
        self._waiting: deque[Callable[[], None]] = deque()
        self._allowance = 1.0
        self._seen = loop.time()
        self._running = False

    def submit(self, action: Callable[[], None]) -> None:
        self._waiting.append(action)
        if not self._running:
            self._running = True
            self._loop.call_soon(self._step)

    def clear(self) -> None:
        self._waiting.clear()

    def _step(self) -> None:
        now = self._loop.time()
        burst = max(1.0, self._rate * STEP_SECONDS)
        self._allowance = min(burst, self._allowance + (now - self._seen) * self._rate)
        self._seen = now
        while self._waiting and self._allowance >= 1.0:
            self._allowance -= 1.0
            self._waiting.popleft()()
        self._running = bool(self._waiting)
        if self._running:
            self._loop.call_later(STEP_SECONDS, self._step)
