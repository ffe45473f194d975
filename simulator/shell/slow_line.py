"""A line with latency and little bandwidth, for what one end sends: bytes leave in order, in time, in small pieces."""

import asyncio
from collections import deque
from collections.abc import Callable

PIECE_SECONDS = 0.1  # bytes of so long are written at once


class SlowLine:
    """Loop thread only. `bytes_per_second` 0 is no limit, `fragment_bytes` 0 leaves messages whole."""

    def __init__(self, loop: asyncio.AbstractEventLoop, write: Callable[[bytes], None]) -> None:
        self.latency_s = 0.0
        self.bytes_per_second = 0
        self.fragment_bytes = 0
        self._loop = loop
        self._write = write
        self._pieces: deque[tuple[float, bytes]] = deque()  # loop time at which it arrives
        self._free_at = 0.0  # loop time at which the sender may put the next byte on the line
        self._timer: asyncio.TimerHandle | None = None

    def shape(self, latency_s: float, bytes_per_second: int, fragment_bytes: int) -> None:
        """All three 0: as good a line as there is; what is on its way arrives at once."""
        self.latency_s, self.bytes_per_second, self.fragment_bytes = latency_s, bytes_per_second, fragment_bytes
        if not self.is_slow:
            self._pieces = deque((0.0, data) for _, data in self._pieces)
            self._deliver()

    @property
    def is_slow(self) -> bool:
        return self.latency_s > 0 or self.bytes_per_second > 0

    @property
    def backlog_s(self) -> float:
        """Seconds until what has been sent so far has arrived."""
        return max(0.0, self._pieces[-1][0] - self._loop.time()) if self._pieces else 0.0

    def seconds_for(self, size: int) -> float:
        """How long so many bytes take to arrive, in either direction."""
        return self.latency_s + (size / self.bytes_per_second if self.bytes_per_second else 0.0)

    def send(self, data: bytes) -> None:
        if not self.is_slow and not self._pieces:
            self._write(data)
            return
        size = max(1, int(self.bytes_per_second * PIECE_SECONDS)) if self.bytes_per_second else len(data)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self._free_at = max(self._free_at, self._loop.time())
            self._free_at += len(piece) / self.bytes_per_second if self.bytes_per_second else 0.0
            self._pieces.append((self._free_at + self.latency_s, piece))
        self._plan()

    def stop(self) -> None:
        """What is on its way never arrives."""
        self._pieces.clear()
        self._plan()

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._pieces[0][0], self._deliver) if self._pieces else None

    def _deliver(self) -> None:
        while self._pieces and self._pieces[0][0] <= self._loop.time():
            self._write(self._pieces.popleft()[1])
        self._plan()
