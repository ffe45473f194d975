"""Calls of the CSMS to one station: one at a time, each claimed from its row and answered into it."""

import asyncio
import contextvars
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from simulator.core import rpc, schemas
from simulator.core.rpc import Incoming
from simulator.csms.database import in_database
from simulator.csms.models import CallState, CsmsCall

log = logging.getLogger(__name__)

ANSWER_SECONDS = 30.0
SETTLING_SECONDS = 5.0
LIFETIME = timedelta(minutes=10)
STALE = "The station did not connect in time."
LOST = "The connection was lost before the answer came."
NO_ANSWER = f"The station did not answer within {ANSWER_SECONDS:.0f} s."


@dataclass(frozen=True, slots=True)
class Pending:
    """The call that the station has yet to answer."""

    pk: int
    message_id: str
    action: str
    timer: asyncio.TimerHandle


class CallLine:
    """The outgoing side of one connection (OCPP-J 4.1.1: one CALL at a time).

    Built inside the consumer's task: what timers and the poll start later runs in the organization's scope of then.
    """

    def __init__(self, station_id: int, subprotocol: str, send: Callable[[str], Awaitable[None]]) -> None:
        self.station_id = station_id
        self._subprotocol = subprotocol
        self._send = send
        self._context = contextvars.copy_context()
        self._pending: Pending | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._claiming = asyncio.Lock()
        self._open = False
        self._closed = False
        # A station that boots wants to be greeted first; one that reconnects may stay silent for long.
        self._settling = asyncio.get_running_loop().call_later(SETTLING_SECONDS, self.open)

    def open(self) -> None:
        """From now on the station may be called: it has been answered once, or has been here for a while."""
        if not self._open:
            self._open = True
            self._settling.cancel()
            self.wake()

    def wake(self) -> None:
        """Looks for queued rows soon; does nothing while a call is out or the line is not open."""
        if self._open and not self._closed and self._pending is None:
            self._start(self._send_next())

    async def close(self) -> None:
        """The socket is gone, and with it the answer to the call that was out."""
        self._closed = True
        self._settling.cancel()
        if self._pending is not None:
            self._pending.timer.cancel()
            await in_database(finish, self._pending.pk, Outcome(CallState.FAILED, reason=LOST))

    async def answered(self, frame: Incoming) -> None:
        """A CALLRESULT or CALLERROR of the station. One that nobody waits for is logged and ignored."""
        pending = self._pending
        if pending is None or frame.message_id != pending.message_id:
            log.info("station %s answered a call that nobody waits for: %s", self.station_id, frame.message_id[:36])
            return
        pending.timer.cancel()
        await self._finish(pending, outcome(self._subprotocol, pending.action, frame))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work, context=self._context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_next(self) -> None:
        async with self._claiming:
            if self._pending is not None or self._closed:
                return
            row = await in_database(claim, self.station_id)
            if row is None or self._closed:  # a row claimed for a socket that just closed fails with the station's end
                return
            message_id = str(uuid.uuid4())
            timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._timed_out)
            self._pending = Pending(row.pk, message_id, row.action, timer)
            await self._send(rpc.call(message_id, row.action, row.payload))

    def _timed_out(self) -> None:
        if self._pending is not None and not self._closed:
            self._start(self._finish(self._pending, Outcome(CallState.FAILED, reason=NO_ANSWER)))

    async def _finish(self, pending: Pending, result: "Outcome") -> None:
        if self._pending is pending:
            self._pending = None
            await in_database(finish, pending.pk, result)
            self.wake()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, in the words of its row."""

    state: CallState
    response: Any = None
    reason: str = ""


def outcome(subprotocol: str, action: str, frame: Incoming) -> Outcome:
    """A CALLRESULT that breaks its schema counts as a failure, and its payload is kept."""
    if frame.message_type == rpc.CALLERROR:
        said = {"errorCode": frame.error_code, "errorDescription": str(frame.payload)}
        return Outcome(CallState.FAILED, said, f"{frame.error_code}: {frame.payload}"[:300])
    violation = schemas.violation(subprotocol, action, "response", frame.payload)
    if violation is not None:
        return Outcome(CallState.FAILED, frame.payload, f"The answer breaks its schema: {violation}"[:300])
    return Outcome(CallState.ANSWERED, frame.payload)


@transaction.atomic
def claim(station_id: int) -> CsmsCall | None:
    """The oldest queued call of the station, now marked as sent. What waited too long fails instead."""
    now = timezone.now()
    queued = CsmsCall.objects.filter(station_id=station_id, state=CallState.QUEUED)
    row: CsmsCall | None = queued.order_by("id").first()
    if row is not None and row.created_at < now - LIFETIME:
        stale = queued.filter(created_at__lt=now - LIFETIME)
        stale.update(state=CallState.FAILED, reason=STALE, finished_at=now)
        row = queued.order_by("id").first()
    if row is None or not queued.filter(pk=row.pk).update(state=CallState.SENT, sent_at=now):
        return None
    return row


def finish(pk: int, result: Outcome) -> None:
    CsmsCall.objects.filter(pk=pk, state=CallState.SENT).update(
        state=result.state, response=result.response, reason=result.reason, finished_at=timezone.now()
    )


def stations_with_work() -> list[int]:
    """Stations of every organization that have queued calls; one query over an index of open rows."""
    queued = CsmsCall.objects.unscoped().filter(state=CallState.QUEUED).order_by()
    return list(queued.values_list("station_id", flat=True).distinct())
