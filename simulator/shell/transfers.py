"""Real transfers of files for stations: HTTP, HTTPS and FTP, to addresses that were judged, within limits.

They run on an event loop of their own thread, which starts with the first of them: neither a large file nor a slow
server takes time from the node's sockets.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from simulator.core.transfers import FAILURE, Download, Transferred, Upload
from simulator.shell.file_servers import Failed, Limits, transferred

logger = logging.getLogger(__name__)
AT_ONCE = 32
Told = Callable[[Transferred], None]
FrameText = Callable[[UUID, float, float], Awaitable[str]]


@dataclass
class Running:
    owner: UUID
    work: "Future[Transferred]"


class Transfers:
    """Of one node. Its methods belong to the node's loop, and results are told there.

    `frame_text` gives a charger's frames between two Unix times; it runs on the node's loop, too.
    """

    def __init__(self, frame_text: FrameText, limits: Limits | None = None, at_once: int = AT_ONCE) -> None:
        self._frame_text = frame_text
        self.limits = limits or Limits()
        self.running: dict[str, Running] = {}
        self._places = asyncio.Semaphore(at_once)
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, owner: UUID, order: Download | Upload, told: Told) -> None:
        """`told` gets the result, unless the transfer is cancelled before."""
        here = asyncio.get_running_loop()
        work = asyncio.run_coroutine_threadsafe(self._limited(owner, order, here), self._elsewhere())
        self.running[order.key] = Running(owner, work)

        def done(work: "Future[Transferred]") -> None:
            with contextlib.suppress(RuntimeError):  # the node's loop has ended
                here.call_soon_threadsafe(self._done, order.key, work, told)

        work.add_done_callback(done)

    def _done(self, key: str, work: "Future[Transferred]", told: Told) -> None:
        if self.running.pop(key, None) is None:
            return
        with contextlib.suppress(CancelledError):
            told(work.result())

    def cancel(self, key: str) -> None:
        running = self.running.pop(key, None)
        if running is not None:
            running.work.cancel()

    def cancel_all(self, owner: UUID) -> None:
        """Those of a charger that is run here no more."""
        for key in [key for key, one in self.running.items() if one.owner == owner]:
            self.cancel(key)

    def close(self) -> None:
        for key in list(self.running):
            self.cancel(key)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    def _elsewhere(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_run, args=(self._loop,), name="transfers", daemon=True).start()
        return self._loop

    async def _limited(self, owner: UUID, order: Download | Upload, node: asyncio.AbstractEventLoop) -> Transferred:
        """Waits for its place, which does not count as its time."""
        async with self._places:
            try:
                async with asyncio.timeout(self.limits.seconds):
                    return await transferred(await self._with_frames(owner, order, node), self.limits)
            except TimeoutError:
                return Transferred(order.key, FAILURE, f"not done within {self.limits.seconds:g} s")
            except Failed as failed:
                return Transferred(order.key, failed.failure, str(failed))
            except Exception as error:  # a server can be odd in ways that nobody has thought of
                logger.exception("transfer failed")
                return Transferred(order.key, FAILURE, f"{type(error).__name__}: {error}")

    async def _with_frames(
        self, owner: UUID, order: Download | Upload, node: asyncio.AbstractEventLoop
    ) -> Download | Upload:
        if isinstance(order, Download) or order.frames is None:
            return order

        async def read(span: tuple[float, float]) -> str:
            return await self._frame_text(owner, *span)

        found = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(read(order.frames), node))
        return msgspec.structs.replace(order, text=order.text + found)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Until it is stopped; then what was cancelled gets to close its sockets."""
    loop.run_forever()
    loop.run_until_complete(_end(asyncio.all_tasks(loop)))
    loop.close()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
