"""The node's desk: compares what should run with what runs, and hands commands to their chargers."""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol
from uuid import UUID

from chargers.services.ingest import Record
from simulator.core.facts import CommandAdvanced
from simulator.shell import fleet, inbox
from simulator.shell.assignment import Assignment
from simulator.shell.database import DatabaseThread
from simulator.shell.fleet import Wanted
from simulator.shell.recorder import Recorder
from simulator.shell.runner import FAILED_STATION, Runner

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2
RECONCILE_SECONDS = 5.0
LOAD_CHUNK = 250
SLICE = 25  # commands handed out before the loop may look at its sockets again
NORMAL = 1000


class Floor(Protocol):
    """What the desk needs of its node."""

    id: str
    held: dict[int, int]
    runners: dict[UUID, Runner]
    recorder: Recorder
    gate: asyncio.Event

    def start_runner(self, assignment: Assignment) -> None: ...

    async def stop_runners(
        self, charger_ids: Iterable[UUID], code: int, reason: str, *, kind: str = "", parked: bool = False
    ) -> None: ...

    def note(self, record: Record) -> None: ...


class Desk:
    def __init__(self, node: Floor, database: DatabaseThread) -> None:
        self._node = node
        self._database = database
        self._woken = asyncio.Event()
        self._rung = True
        self._digest: dict[str, Any] = {}
        self._reconciled_at = 0.0
        self._unbuildable: dict[UUID, int] = {}  # revision that could not be built
        self._retiring: set[UUID] = set()  # about to speak another OCPP version

    def wake(self) -> None:
        self._rung = True
        self._woken.set()

    def reconcile_soon(self) -> None:
        self._reconciled_at = 0.0
        self.wake()

    async def run(self) -> None:
        while True:
            try:
                await self._round()
            except Exception:
                logger.warning("desk round failed", exc_info=True)
                await asyncio.sleep(1.0)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    async def _round(self) -> None:
        held = dict(self._node.held)
        if not held or not self._node.gate.is_set():
            return
        rung, self._rung = self._rung, False
        if self._has_retired() or await self._is_stale(held, rung=rung):
            await self.reconcile()
        orders = await self._database.run(inbox.claim, self._node.id, list(held))
        await self._hand_out(orders)
        if len(orders) == inbox.MOST:
            self._woken.set()

    async def _is_stale(self, held: Collection[int], *, rung: bool) -> bool:
        if time.monotonic() - self._reconciled_at > RECONCILE_SECONDS:
            await self._database.run(inbox.time_out, list(held))
            await self._end_lost(list(held))
            return True
        return rung and await self._database.run(fleet.digest, list(held)) != self._digest

    async def _end_lost(self, held: list[int]) -> None:
        """Overdue rows that were handed out and that no station knows of any more."""
        runners = self._node.runners
        overdue = await self._database.run(inbox.overdue, held)
        lost = [pk for pk, charger in overdue if charger not in runners or not runners[charger].works_on(pk)]
        if lost:
            await self._node.recorder.flush()  # what became of one may be on its way
            await self._database.run(inbox.end_lost, lost)

    # --- what should run --------------------------------------------------------------------------------------------

    async def reconcile(self) -> None:
        """Makes the runners what the rows say."""
        held = list(self._node.held)
        self._digest = await self._database.run(fleet.digest, held)
        rows = {row.charger_id: row for row in await self._database.run(fleet.wanted, held)}
        self._reconciled_at = time.monotonic()
        runners = self._node.runners
        gone = [key for key, one in runners.items() if key not in rows and one.assignment.shard in held]
        stopped = [key for key in runners if key in rows and not rows[key].running]
        changed = [key for key, one in runners.items() if _is_changed(one, rows.get(key))]
        self._retiring = self._still_retiring({key: rows[key] for key in changed})
        changed = [key for key in changed if key not in self._retiring]
        await self._node.stop_runners(gone, NORMAL, "deleted")
        await self._node.stop_runners(stopped, NORMAL, "stopped", kind="stopped")
        await self._node.stop_runners(changed, NORMAL, "configuration changed", parked=True)
        if stopped or changed:
            await self._node.recorder.flush()  # their next life starts from the saved state
        await self._start([row for row in rows.values() if row.running and row.charger_id not in runners])

    def _still_retiring(self, changed: Mapping[UUID, Wanted]) -> set[UUID]:
        """Of those whose settings have changed: who has yet to tell its CSMS that it ends, in the version it speaks."""
        runners = [self._node.runners[key] for key in changed]
        retiring = [one for one in runners if changed[one.charger_id].subprotocol != one.assignment.setup.subprotocol]
        for runner in retiring:
            runner.retire()
        return {one.charger_id for one in retiring if not one.is_retired}

    def _has_retired(self) -> bool:
        runners = [self._node.runners.get(key) for key in self._retiring]
        return any(one is None or one.is_retired or one.ended for one in runners)

    async def _start(self, rows: list[Wanted]) -> None:
        fresh = [row for row in rows if self._unbuildable.get(row.charger_id) != row.revision]
        for start in range(0, len(fresh), LOAD_CHUNK):
            chunk = {row.charger_id: row.revision for row in fresh[start : start + LOAD_CHUNK]}
            for assignment in await self._database.run(fleet.load, list(chunk)):
                chunk.pop(assignment.charger_id)
                self._node.start_runner(assignment)
            self._unbuildable.update(chunk)

    # --- commands ---------------------------------------------------------------------------------------------------

    async def _hand_out(self, orders: list[inbox.Order]) -> None:
        """In order; a charger not seen yet, and a start or stop, first make the runners what the rows say.

        Once is enough for all: what the orders ask for was written before they were claimed.
        """
        if any(one.name in inbox.LIFECYCLE or one.charger_id not in self._node.runners for one in orders):
            await self.reconcile()
        for number, order in enumerate(orders, start=1):
            await self._node.gate.wait()
            self._execute(order)
            if number % SLICE == 0:
                await asyncio.sleep(0)  # sockets and timers have their turns

    def _execute(self, order: inbox.Order) -> None:
        runner = self._node.runners.get(order.charger_id)
        running = runner is not None and not runner.ended
        if order.name == "start_charger":
            self._end(order, "accepted" if running else "failed", _start_reason(running=running))
        elif order.name == "stop_charger":
            self._end(order, "failed" if running else "accepted", _stop_reason(running=running))
        elif order.deadline <= time.time():
            self._end(order, "timed_out", inbox.OVERDUE)
        elif runner is None or runner.ended:
            self._end(order, "failed", "The charger is not running.")
        elif not runner.takes_commands:
            self._end(order, "failed", FAILED_STATION)
        else:
            runner.execute(order.command_id, order.name, order.payload, deadline=order.deadline)

    def _end(self, order: inbox.Order, state: str, reason: str) -> None:
        """The row's end without the station's doing."""
        epoch = self._node.held.get(order.shard)
        if epoch is not None:
            fact = CommandAdvanced(order.command_id, state, time.time(), reason)
            self._node.note(Record(order.tenant_id, order.charger_id, order.shard, epoch, [fact]))


def _is_changed(runner: Runner, row: Wanted | None) -> bool:
    return row is not None and row.running and row.revision != runner.assignment.revision


def _start_reason(*, running: bool) -> str:
    return "The charger is running." if running else "The charger could not be started; see its status."


def _stop_reason(*, running: bool) -> str:
    return "The charger was started again meanwhile." if running else "The charger is stopped."
