"""The way from the loop to the table: a bounded queue, flushed by size, by age, or because somebody waits.

Every record stands in the spool before it is queued, so a crash loses none; the database may stall, then the queue
fills, `on_full` is called and nothing more is done until `on_room`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chargers.services.ingest import Record, Snapshot
from simulator.core.facts import Frame
from simulator.shell.database import DatabaseThread
from simulator.shell.spool import Spool
from simulator.shell.storing import is_refusal, store

logger = logging.getLogger(__name__)
FLUSH_FRAMES = 500
FLUSH_SECONDS = 0.25
MOST_RECORDS = 1_000  # in one transaction: others want the database too
FULL_FRAMES = 50_000
FULL_BYTES = 64 * 1024 * 1024
RETRY_FIRST, RETRY_MOST = 0.1, 2.0


class Source(Protocol):
    """The station that caused a record: asked for its state when the record is written, told when it is."""

    charger_id: UUID

    def snapshot(self) -> Snapshot | None: ...

    def recorded(self, frames: int) -> None: ...


@dataclass
class Queued:
    record: Record
    source: Source | None
    size: int
    frames: int


class Recorder:
    """Loop thread only, but for the writing itself. `trouble` says why the database does not take our batches."""

    def __init__(
        self, spool: Spool, database: DatabaseThread, on_full: Callable[[], None], on_room: Callable[[], None]
    ) -> None:
        self.frames = 0
        self.size = 0
        self.recorded_frames = 0
        self.flush_ms = 0.0
        self.trouble = ""
        self.full = False
        self._spool = spool
        self._database = database
        self._on_full, self._on_room = on_full, on_room
        self._queue: deque[Queued] = deque()
        self._written = 0
        self._wanted = asyncio.Event()
        self._advanced = asyncio.Condition()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task = self._loop.create_task(self._run())

    @property
    def depth(self) -> int:
        return len(self._queue)

    def add(self, record: Record, line: bytes, source: Source | None, *, urgent: bool) -> None:
        """Spools and queues the record. Raises SpoolFull, with nothing done, when the disk has no room."""
        self._spool.append(line)
        frames = sum(isinstance(fact, Frame) for fact in record.facts)
        self._queue.append(Queued(record, source, len(line), frames))
        self.frames += frames
        self.size += len(line)
        if urgent or self.frames >= FLUSH_FRAMES:
            self._wanted.set()
        else:
            self._wait_a_little()
        if not self.full and (self.frames > FULL_FRAMES or self.size > FULL_BYTES):
            self.full = True
            self._on_full()

    async def flush(self) -> None:
        """Returns once everything queued so far is committed."""
        ordinal = self._written + len(self._queue)
        self._wanted.set()
        async with self._advanced:
            await self._advanced.wait_for(lambda: self._written >= ordinal)

    def stop(self) -> None:
        self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def alive(self) -> bool:
        return not self._task.done()

    # --- writing ----------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._queue:
                await self._flush_once()
            if self._queue:
                self._wanted.set() if self.frames >= FLUSH_FRAMES else self._wait_a_little()
            async with self._advanced:
                self._advanced.notify_all()

    def _wait_a_little(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_SECONDS, self._wanted.set)

    async def _flush_once(self) -> None:
        batch = [self._queue[index] for index in range(min(len(self._queue), MOST_RECORDS))]
        self._spool.rotate()
        sources = {one.source.charger_id: one.source for one in batch if one.source is not None}
        snapshots = {key: shot for key, source in sources.items() if (shot := source.snapshot()) is not None}
        begun = time.monotonic()
        await self._write([one.record for one in batch], snapshots)
        self.flush_ms = (time.monotonic() - begun) * 1000
        self._done(batch)

    async def _write(self, records: Sequence[Record], snapshots: dict[UUID, Snapshot]) -> None:
        """Keeps at it until the database has the batch."""
        wait, again = RETRY_FIRST, False
        while True:
            try:
                await self._database.run(store, records, snapshots, again=again)
            except Exception as error:
                if is_refusal(error):
                    logger.exception("batch could not be stored")
                self.trouble = f"{type(error).__name__}: {error}"[:200]
                logger.warning("the database does not take frames: %s", self.trouble)
            else:
                self.trouble = ""
                return
            await asyncio.sleep(wait)
            wait, again = min(wait * 2, RETRY_MOST), True

    def _done(self, batch: Sequence[Queued]) -> None:
        for one in batch:
            self._queue.popleft()
            self.frames -= one.frames
            self.size -= one.size
            self.recorded_frames += one.frames
            if one.source is not None:
                one.source.recorded(one.frames)
        self._written += len(batch)
        self._spool.committed(self._written)
        if self.full and self.frames < FULL_FRAMES // 2 and self.size < FULL_BYTES // 2:
            self.full = False
            self._on_room()
