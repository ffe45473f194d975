"""A simulator node: one event loop, the shards it holds by lease, and the runners of their chargers."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket as network
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings

from chargers import bus
from chargers.services import queues
from chargers.services.frame_text import frame_text
from chargers.services.ingest import Record
from chargers.services.partitions import ensure_partitions
from simulator.shell import inbox, leases, recovery
from simulator.shell.address import Resolver
from simulator.shell.assignment import Assignment
from simulator.shell.clock import lease_time, read_clock
from simulator.shell.database import DatabaseThread
from simulator.shell.desk import Desk
from simulator.shell.leases import Leases, Round
from simulator.shell.pacing import Pace
from simulator.shell.recorder import Recorder
from simulator.shell.runner import Runner
from simulator.shell.spool import Spool, SpoolFull, encoded
from simulator.shell.timers import Timers
from simulator.shell.transfers import Transfers
from simulator.shell.turns import Turns

logger = logging.getLogger(__name__)
WATCH_SECONDS = 0.2
SPOOL_RETRY_SECONDS = 0.25
MARGIN = 0.1  # of the lease: sockets are closed this much before it ends
FLUSH_AT_STOP_SECONDS = 8.0
FETCH_RETRY_SECONDS = 1.0
GOING_AWAY = 1001


def new_node_id() -> str:
    host = "".join(char if char.isalnum() else "-" for char in network.gethostname())[:40]
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


class Node:
    """Lives on the loop it is made on. `run` returns after `stop()`; it raises when the node cannot go on."""

    def __init__(self, node_id: str = "") -> None:
        self.id = node_id or new_node_id()
        self.loop = asyncio.get_running_loop()
        self.lease = float(settings.SIMULATOR_LEASE_SECONDS)
        self.runners: dict[UUID, Runner] = {}
        self.held: dict[int, int] = {}  # epoch by shard
        self.gate = asyncio.Event()  # set: open
        self.gate.set()
        self.clock = read_clock
        self.resolver = Resolver()
        self.timers = Timers(self.loop)
        self.transfers = Transfers(self._frame_text)
        self.turns = Turns(self.loop)
        self.pace = Pace(self.loop, settings.SIMULATOR_CONNECTS_PER_SECOND)
        self._root = settings.DATA_DIR / "spool"
        self._spool = Spool(self._root, self.id)
        self._threads = [
            DatabaseThread(f"{name}-{self.id[-8:]}", first=name == "leases")
            for name in ("recorder", "leases", "desk", "recovery")
        ]
        self._recorder_thread, self._lease_thread, self._desk_thread, self._recovery_thread = self._threads
        self.recorder = Recorder(self._spool, self._recorder_thread, self._close_gate, self._try_open_gate)
        self.leases = Leases(self.id, self.lease)
        self.desk = Desk(self, self._desk_thread)
        self._sequences: dict[UUID, tuple[int, int]] = {}  # epoch, last number used in it
        self._leaving: dict[int, int] = {}  # shards on their way to another node; still renewed
        self._until = 0.0  # lease time up to which we may speak
        self._beat = lease_time()
        self._generation = 0
        self._stuck: list[Callable[[], bool]] = []
        self._spool_trouble = ""
        self._stopping = asyncio.Event()
        self._look_again = asyncio.Event()
        self._watcher: asyncio.TimerHandle | None = None
        self._mover: asyncio.Task[None] | None = None
        self._fetches: set[asyncio.Task[None]] = set()

    # --- life -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        await self._lease_thread.run(ensure_partitions)
        await self._lease_thread.run(self.leases.register, network.gethostname(), os.getpid())
        self._watch()
        tasks = [
            self.loop.create_task(work, name=name)
            for name, work in (
                ("leases", self._keep_leases()),
                ("recovery", self._keep_recovering()),
                ("desk", self.desk.run()),
                ("bus", bus.listen(self.desk.wake)),
                ("stop", self._wait_for_stop()),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    def stop(self) -> None:
        self._stopping.set()

    async def _wait_for_stop(self) -> None:
        await self._stopping.wait()

    async def _close(self) -> None:
        """Hands everything over: sockets closed with 1001, the queue written, the leases freed."""
        self.pace.clear()
        await self.stop_runners(list(self.runners), GOING_AWAY, "going away", parked=True)
        self.transfers.close()
        for task in self._fetches:
            task.cancel()
        written = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_AT_STOP_SECONDS):
                await self.recorder.flush()
                written = True
                await self._lease_thread.run(leases.end, self.id)
        self.held = {}
        self.recorder.stop()
        if self._watcher is not None:
            self._watcher.cancel()
        self._spool.close(empty=written)
        for thread in self._threads:
            thread.close()

    # --- leases -----------------------------------------------------------------------------------------------------

    def may_speak(self) -> bool:
        """While the lease lasts: until then nobody else can have it, however long this process was kept waiting."""
        now = lease_time()
        if now < self._until:
            self._beat = now
            return True
        self.loop.call_soon(self._check_tenure)
        return False

    def _watch(self) -> None:
        self._check_tenure()
        self._watcher = self.loop.call_later(WATCH_SECONDS, self._watch)

    def _check_tenure(self) -> None:
        """The lease is over, or others may think so: the sockets close. A long gap says that the process was paused."""
        now = lease_time()
        gap, self._beat = now - self._beat, now
        if now < self._until or not (self.held or self._leaving):
            return
        paused = gap >= self.lease / 2
        reason = f"was paused for {gap:.1f} s" if paused else "could not renew its lease"
        self._abandon([*self.held, *self._leaving], f"The simulator node {reason}.")

    async def _keep_leases(self) -> None:
        """A look every sixth of a lease, a renewal every third."""
        count = 0
        while True:
            try:
                await self._lease_round(renew=count % 2 == 0)
            except Exception:
                logger.warning("leases not renewed", exc_info=True)
            count += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.lease / 6):
                    await self._look_again.wait()
            self._look_again.clear()

    async def _keep_recovering(self) -> None:
        """In a thread of its own: a long import must not delay our renewals."""
        while True:
            try:
                if await self._recovery_thread.run(recovery.recover, self._root, self.id):
                    self._look_again.set()
            except Exception:
                logger.warning("a dead node's spool could not be imported yet", exc_info=True)
            await asyncio.sleep(self.lease / 6)

    async def _lease_round(self, *, renew: bool) -> None:
        generation, asked = self._generation, lease_time()
        if not self.held and self.recorder.depth:
            await self.recorder.flush()  # after a pause: what we still know is stored before we claim anew
        held = {**self.held, **self._leaving}
        found = await self._lease_thread.run(self._look, held, self.metrics(), renew=renew)
        if generation != self._generation:
            return  # abandoned meanwhile: what was claimed stands in our name and is claimed again
        if renew or not held:
            self._until = asked + self.lease * (1 - MARGIN)
        self._abandon([shard for shard in held if shard not in found.kept], "Another node took over.")
        generation = self._generation
        if found.gained:
            await self._desk_thread.run(inbox.take_over, found.gained)
            if generation != self._generation:
                return
            self.held.update(found.gained)
            self._spool.note_held(self.held)
            self.desk.reconcile_soon()
        self._give_up_surplus(found.share)

    def _look(self, held: Mapping[int, int], metrics: Mapping[str, Any], *, renew: bool) -> Round:
        """Runs in the lease thread. Nothing is claimed while a dead node's spool waits: its state comes first."""
        kept = self.leases.renew(held, metrics) if renew else dict(held)
        share = self.leases.share()
        waiting = recovery.is_pending(self._root, self.id)
        gained: dict[int, int] = {} if waiting else self.leases.claim(share - len(held), held)
        return Round(kept, gained, share)

    def _abandon(self, shards: Iterable[int], reason: str) -> None:
        """These are not ours any more, or may not be: their sockets end without another byte."""
        gone = set(shards)
        if not gone:
            return
        logger.warning("shards abandoned: %s", reason, extra={"shards": len(gone)})
        self._generation += 1
        for runner in [one for one in self.runners.values() if one.assignment.shard in gone]:
            runner.abandon(reason)
            self._forget(runner)
        for shard in gone:
            self.held.pop(shard, None)
            self._leaving.pop(shard, None)

    def _give_up_surplus(self, share: int) -> None:
        if len(self.held) > share and not self._leaving:
            surplus = list(self.held)[share:]
            self._leaving = {shard: self.held.pop(shard) for shard in surplus}
            self._mover = self.loop.create_task(self._hand_over())

    async def _hand_over(self) -> None:
        """Surplus goes to a node that has less: a network reconnect for the chargers."""
        leaving = dict(self._leaving)
        moving = [key for key, runner in self.runners.items() if runner.assignment.shard in leaving]
        await self.stop_runners(moving, GOING_AWAY, "moving to another simulator node", parked=True)
        await self.recorder.flush()
        while self._leaving:
            try:
                await self._lease_thread.run(self.leases.release, leaving)
            except Exception:
                logger.warning("shards not released yet", exc_info=True)
                await asyncio.sleep(self.lease / 6)
            else:
                self._leaving = {}
        logger.info("shards handed over", extra={"shards": len(leaving), "chargers": len(moving)})

    # --- runners ----------------------------------------------------------------------------------------------------

    def start_runner(self, assignment: Assignment) -> None:
        epoch = self.held.get(assignment.shard)
        if epoch is None or assignment.charger_id in self.runners:
            return
        known_epoch, sequence = self._sequences.get(assignment.charger_id, (0, 0))
        try:
            runner = Runner(self, assignment, epoch, sequence if known_epoch == epoch else 0)
        except Exception:
            logger.exception("station cannot be built", extra={"charger": str(assignment.charger_id)})
            return
        self.runners[assignment.charger_id] = runner
        runner.start()

    async def stop_runners(
        self, charger_ids: Iterable[UUID], code: int, reason: str, *, kind: str = "", parked: bool = False
    ) -> None:
        """Closes their sockets, all at once, and returns when they are gone. `kind`, `parked`: see `Runner.stop`."""
        waits: list[asyncio.Future[None]] = []
        for runner in [self.runners[key] for key in charger_ids if key in self.runners]:
            gone: asyncio.Future[None] = self.loop.create_future()
            waits.append(gone)
            runner.stop(code, reason, kind=kind, parked=parked, on_closed=_resolver(gone))
            gone.add_done_callback(_forgetting(self, runner))
        if waits:
            await asyncio.wait(waits)

    def fetch_queued(
        self, charger_id: UUID, numbers: tuple[int, ...], found: Callable[[Mapping[int, Any]], None]
    ) -> None:
        task = self.loop.create_task(self._fetch_queued(charger_id, numbers, found))
        self._fetches.add(task)
        task.add_done_callback(self._fetches.discard)

    async def _fetch_queued(
        self, charger_id: UUID, numbers: tuple[int, ...], found: Callable[[Mapping[int, Any]], None]
    ) -> None:
        """After a flush, since the messages may be on their way to the database still."""
        while True:
            try:
                await self.recorder.flush()
                calls = await self._desk_thread.run(queues.calls, charger_id, numbers)
            except Exception:
                logger.warning("queued messages cannot be read", exc_info=True)
                await asyncio.sleep(FETCH_RETRY_SECONDS)
            else:
                found(calls)
                return

    async def _frame_text(self, charger_id: UUID, oldest: float, latest: float) -> str:
        """After a flush, so that the last frames are among them."""
        await self.recorder.flush()
        return await self._desk_thread.run(frame_text, charger_id, oldest, latest)

    def note(self, record: Record) -> None:
        """Records what no runner caused."""
        line = encoded(record)
        if not self._noted(record, line):
            self.spool_failed(lambda: self._noted(record, line))

    def _noted(self, record: Record, line: bytes) -> bool:
        try:
            self.recorder.add(record, line, None, urgent=True)
        except SpoolFull:
            return False
        return True

    def _forget(self, runner: Runner) -> None:
        if self.runners.get(runner.charger_id) is runner:
            del self.runners[runner.charger_id]
            self._sequences[runner.charger_id] = runner.epoch, runner.station.sequence

    # --- the gate ---------------------------------------------------------------------------------------------------

    def spool_failed(self, retry: Callable[[], bool]) -> None:
        """The disk has no room: nothing is sent or read until the record at hand stands in the spool."""
        if not self._stuck:
            self.loop.call_later(SPOOL_RETRY_SECONDS, self._retry_spool)
        self._stuck.append(retry)
        self._spool_trouble = "The disk has no room for the spool."
        logger.error("spool: no room")
        self._close_gate()

    def _retry_spool(self) -> None:
        while self._stuck:
            if not self._stuck[0]():
                self.loop.call_later(SPOOL_RETRY_SECONDS, self._retry_spool)
                return
            self._stuck.pop(0)
        self._spool_trouble = ""
        self._try_open_gate()

    def _close_gate(self) -> None:
        if not self.gate.is_set():
            return
        logger.error("the node waits", extra={"queued": self.recorder.depth, "trouble": self.trouble})
        self.gate.clear()
        self.timers.hold()
        for runner in self.runners.values():
            if runner.socket is not None:
                runner.socket.hold("gate")

    def _try_open_gate(self) -> None:
        if self.gate.is_set() or self.recorder.full or self._stuck:
            return
        logger.warning("the node goes on")
        self.gate.set()
        for runner in self.runners.values():
            if runner.socket is not None:
                runner.socket.free("gate")
        self.timers.release()
        self.desk.wake()

    # --- health -----------------------------------------------------------------------------------------------------

    @property
    def trouble(self) -> str:
        """Why this node is not healthy, in words; empty when it is."""
        if self._spool_trouble or self.recorder.trouble:
            return self._spool_trouble or f"The database does not take frames: {self.recorder.trouble}"
        if not self.recorder.alive:
            return "The recorder has ended."
        return "" if self.gate.is_set() else "The queue of frames is full."

    def metrics(self) -> dict[str, Any]:
        sockets = [runner.socket for runner in self.runners.values() if runner.socket is not None]
        return {
            "chargers": len(self.runners),
            "connected": sum(socket.is_open for socket in sockets),
            "shards": len(self.held),
            "queued_records": self.recorder.depth,
            "queued_frames": self.recorder.frames,
            "spool_bytes": self._spool.size,
            "frames_recorded": self.recorder.recorded_frames,
            "last_flush_ms": round(self.recorder.flush_ms, 1),
            "healthy": not self.trouble,
            "reason": self.trouble,
        }


def _resolver(gone: "asyncio.Future[None]") -> Callable[[], None]:
    def resolve() -> None:
        if not gone.done():
            gone.set_result(None)

    return resolve


def _forgetting(node: Node, runner: Runner) -> "Callable[[asyncio.Future[None]], None]":
    return lambda _: node._forget(runner)
