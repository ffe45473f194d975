"""The pulse by which a process shows its supervisor that it still gets to run.

One byte twice a second on an inherited pipe; without a supervisor nothing happens. A thread keeps the time. A process
whose work is one event loop lets its pulses pass through that loop (`follow`): then they stop when the loop hangs.
"""

import os
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress

PULSE_SECONDS = 0.5


class Heart:
    """Beats on the file descriptor `fd` from `start` to the end of the process."""

    def __init__(self) -> None:
        self.fd: int | None = None
        self.submit: Callable[[Callable[[], object]], object] | None = None

    def start(self, fd: int) -> None:
        self.fd = fd
        self.beat()
        threading.Thread(target=self._keep_time, name="heartbeat", daemon=True).start()

    def beat(self) -> None:
        if self.fd is not None:
            with suppress(OSError):  # a full or closed pipe: nobody listens, and that is not our trouble
                os.write(self.fd, b".")

    def _keep_time(self) -> None:
        while True:
            time.sleep(PULSE_SECONDS)
            try:
                (self.submit or (lambda beat: beat()))(self.beat)
            except RuntimeError:  # the loop has been closed: the process is on its way out
                self.submit = None


_heart = Heart()


def start(fd: int) -> None:
    """Starts the pulse of this process on a pipe inherited from its supervisor."""
    _heart.start(fd)


def follow(loop: AbstractEventLoop) -> None:
    """From now on a pulse is seen only when this loop gets round to it. Harmless without a supervisor."""
    _heart.submit = loop.call_soon_threadsafe
