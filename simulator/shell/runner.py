"""One station and its socket. A plain object of the loop thread: every input goes through it, one at a time.

The order never varies: input, spool and queue what it caused, carry out its orders, set the next deadline.
"""

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from uuid import UUID

from chargers.services.ingest import Record, Snapshot
from simulator.core import tail
from simulator.core.credentials import TLS_BASIC, Credentials
from simulator.core.facts import (
    AnswerPings,
    AnyFact,
    Close,
    CommandAdvanced,
    ConnectionChanged,
    Drop,
    FetchQueued,
    Frame,
    FreezeSocket,
    Instant,
    Order,
    Outcome,
    Ping,
    Send,
    SendBytes,
    ShapeLink,
)
from simulator.core.transfers import CancelTransfer, Download, Transferred, Upload
from simulator.core.url import connection_url, secured
from simulator.shell.address import Resolver
from simulator.shell.assignment import Assignment
from simulator.shell.confirming import Confirmation
from simulator.shell.pacing import Pace
from simulator.shell.recorder import Recorder
from simulator.shell.socket import Socket
from simulator.shell.spool import SpoolFull, encoded
from simulator.shell.timers import Timers
from simulator.shell.tls import context_for
from simulator.shell.transfers import Transfers
from simulator.shell.turns import Turns

logger = logging.getLogger(__name__)
QUOTA_FRAMES = 1_000  # not yet in the table: more, and this charger's CSMS is not read
RESTART_FIRST, RESTART_MOST = 5.0, 60.0  # s before a station that raised is started again
SPIN_GUARD = 0.01  # s; a deadline in the past may not keep the loop busy
WAITING_FOR_SOCKET = 0.5
PICTURE_SECONDS = 5.0
FINAL = frozenset({"accepted", "rejected", "failed", "timed_out"})
GOING_AWAY, ABNORMAL, INTERNAL_ERROR = 1001, 1006, 1011
FAILED_STATION = "The simulated station failed; it starts again after a pause."


class Surroundings(Protocol):
    """What the node gives its runners."""

    recorder: Recorder
    timers: Timers
    pace: Pace
    resolver: Resolver
    transfers: Transfers
    turns: Turns
    gate: asyncio.Event
    clock: Callable[[], Instant]

    def may_speak(self) -> bool:
        """False once the lease may have passed to somebody else; the node then abandons its runners itself."""

    def fetch_queued(
        self, charger_id: UUID, numbers: tuple[int, ...], found: Callable[[Mapping[int, Any]], None]
    ) -> None:
        """Reads messages of a long queue back and calls `found` with them, once they can be had."""

    def spool_failed(self, retry: Callable[[], bool]) -> None:
        """Closes the gate until `retry` says True."""


class Runner:
    __slots__ = (
        "_confirmation",
        "_cut",
        "_first",
        "_inherited",
        "_on_closed",
        "_pictured",
        "_queued",
        "_restart_at",
        "_restart_wait",
        "_retiring",
        "_sections_changed",
        "_unrecorded",
        "around",
        "assignment",
        "charger_id",
        "deadline",
        "ended",
        "epoch",
        "scheduled",
        "socket",
        "station",
    )

    def __init__(self, around: Surroundings, assignment: Assignment, epoch: int, sequence: int) -> None:
        self.around = around
        self.assignment = assignment
        self.charger_id = assignment.charger_id
        self.epoch = epoch
        self.deadline: float | None = None
        self.scheduled: float | None = None
        self.socket: Socket | None = None
        self.ended = False
        now = around.clock()
        memory, sequence, self._inherited = assignment.inherited(sequence, now)
        self.station = assignment.station(memory, sequence, now)
        self._first = True
        self._confirmation = Confirmation()
        self._cut = False  # the connection has just ended, and not by us
        self._queued = False
        self._unrecorded = 0
        self._sections_changed = True
        self._pictured = 0.0
        self._restart_at: float | None = None
        self._restart_wait = RESTART_FIRST
        self._on_closed: Callable[[], None] | None = None
        self._retiring = False

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """A charger that has run before only moves; the core decides from its memory whether it boots."""
        self._keep(self._inherited)
        reason = "resume" if self.assignment.known and self.assignment.former is None else "PowerUp"
        self._input(lambda now: self.station.power_up(now, reason, csms=self.assignment.csms))

    def retire(self) -> None:
        """Another OCPP version is wanted: what runs ends, and the CSMS is told while it can be."""
        if not self._retiring:
            self._retiring = True
            self._input(self.station.retire)

    @property
    def is_retired(self) -> bool:
        """Nothing more is to be said in this version, or nobody is there to hear it."""
        return self._retiring and (self.socket is None or not self.station.link.connected)

    def stop(
        self, code: int, reason: str, *, kind: str = "", parked: bool = False, on_closed: Callable[[], None]
    ) -> None:
        """Closes politely; `on_closed` is called when the socket is gone. `kind`: a last connection event to log.

        `parked`: the machine goes on elsewhere or in a moment; else it is switched off.
        """

        def finished() -> None:
            self._finish(kind, reason)
            on_closed()

        if self.socket is not None:
            self.socket.free("gate")
            self.socket.free("quota")
        self._on_closed = finished
        self._input(lambda now: self.station.shut_down(now, parked=parked), close=Close(code, reason))
        self._queued = False
        self.deadline = None
        if self.socket is None:
            self._on_closed = None
            finished()
        elif not self.socket.is_open and not self.socket.is_closing:
            self.socket.abort()
            self.socket = None
            self._on_closed = None
            finished()

    def abandon(self, reason: str) -> None:
        """The lease is gone or in doubt: not another byte. What happened is still logged."""
        if self.socket is not None:
            self.socket.abort()
            self.socket = None
        self.around.transfers.cancel_all(self.charger_id)
        now = self.around.clock()
        try:
            self.station.disconnected(now, ABNORMAL, reason)
            self.station.shut_down(now)  # its power stays on: if nobody has taken over, it just goes on with us
            self._cut = True
            self._keep(self.station.take())
        except Exception:
            logger.exception("station failed while abandoned", extra={"charger": str(self.charger_id)})
        self.ended = True
        self.deadline = None

    def _finish(self, kind: str, reason: str) -> None:
        if kind:
            now = self.around.clock()
            fact = ConnectionChanged(self.station.sequence + 1, kind, now.wall, None, reason)
            self.station.sequence += 1
            self._keep(Outcome([fact]))
        self.around.transfers.cancel_all(self.charger_id)
        self.ended = True
        self.deadline = None

    @property
    def takes_commands(self) -> bool:
        return not self.ended and self._restart_at is None

    def works_on(self, command_id: str) -> bool:
        return self.station.commands.is_pending(command_id)

    def execute(self, command_id: str, name: str, payload: dict[str, Any], *, deadline: float) -> None:
        """`deadline`: Unix time by which the station must have begun."""
        if name == "reset_charger":  # the machine's reset button
            name, payload = "reset", {"type": "Hard"}
        self._input(
            lambda now: self.station.execute(command_id, name, payload, now, patience=max(0.0, deadline - now.wall))
        )

    # --- inputs from the socket -------------------------------------------------------------------------------------

    def connected(self) -> None:
        self._restart_wait = RESTART_FIRST
        self._input(self.station.connected)

    def refused(self, code: int | None, reason: str) -> None:
        self.socket = None
        self._input(lambda now: self.station.refused(now, code, reason))
        self._socket_gone()

    def text(self, text: str) -> None:
        self._input(lambda now: self.station.receive(text, now))

    def binary(self, data: bytes) -> None:
        plain = base64.b64encode(data).decode()
        self._input(lambda now: self.station.receive_binary(plain, now))

    def pong(self) -> None:
        self._input(self.station.pong)

    def closed(self, code: int, reason: str) -> None:
        self.socket = None
        # A CSMS that closes reads no more of what we say; where we close, its answer to that proves that it has read.
        self._cut = code == ABNORMAL or self.station.link.connected
        self._input(lambda now: self.station.disconnected(now, code, reason))
        self._socket_gone()

    def _socket_gone(self) -> None:
        told, self._on_closed = self._on_closed, None
        if told is not None:
            told()

    # --- inputs from the clock --------------------------------------------------------------------------------------

    def due(self) -> None:
        if self._restart_at is not None:
            self._restart()
        elif not self.ended:
            self._input(self.station.tick)

    def _connect(self) -> None:
        """The pace (or the station's own back-off) lets this attempt go."""
        if not self._queued or self.ended:
            return
        self._queued = False
        self._first = False
        self._input(self.station.connecting)
        try:
            self.socket = self._new_socket(self.station.credentials())
        except ValueError as error:  # a secret or a certificate that cannot be used
            self.refused(None, str(error))
            return
        self.socket.answer_pings(self.station.wire.answers_pings)
        self.socket.shape(self.station.wire.shape)
        if not self.around.gate.is_set():
            self.socket.hold("gate")
        self.socket.open()

    def _new_socket(self, credentials: Credentials) -> Socket:
        """Raises ValueError for certificates that cannot be used."""
        around, assignment = self.around, self.assignment
        url = connection_url(credentials.url, assignment.setup.identity) if credentials.url else assignment.url
        if credentials.profile >= TLS_BASIC:
            url = secured(url)
        headers = {"Authorization": credentials.authorization} if credentials.authorization else {}
        tls = context_for(credentials) if url.startswith("wss:") else None
        offered, compression = self.station.wire.subprotocol, assignment.setup.options.compression
        return Socket(self, around.resolver, around.turns, url, offered, headers, tls, compression=compression)

    # --- the step ---------------------------------------------------------------------------------------------------

    def _input(self, action: Callable[[Instant], None], close: Close | None = None) -> None:
        if self.ended or self._restart_at is not None or not self.around.may_speak():
            return
        now = self.around.clock()
        try:
            action(now)
            outcome = self.station.take()
        except Exception:
            logger.exception("station failed", extra={"charger": str(self.charger_id)})
            self._fail(now)
            return
        orders = [close if isinstance(order, Close) and close else order for order in outcome.orders]
        if self._keep(outcome, orders):
            self._carry_out(orders)
        self._rearm(now)

    def _keep(self, outcome: Outcome, orders: list[Order] | None = None) -> bool:
        """Spools and queues; False when the disk is full: the orders then wait until the record stands."""
        if not outcome.facts and not outcome.changes:
            return True
        assigned, unconfirmed = self.assignment, self._unconfirmed(outcome.facts)
        record = Record(
            assigned.tenant_id, self.charger_id, assigned.shard, self.epoch, outcome.facts, outcome.changes, unconfirmed
        )
        self._sections_changed |= bool(outcome.changes) or not all(isinstance(f, Frame) for f in outcome.facts)
        line = encoded(record)
        try:
            self._record(record, line)
        except SpoolFull:
            self.around.spool_failed(lambda: self._retry(record, line, orders or []))
            return False
        return True

    def _unconfirmed(self, facts: list[AnyFact]) -> tuple[int, int] | None:
        """The numbers of the frames that may never have left, when the connection has been cut."""
        lost = None
        if self._cut:
            self._cut, lost = False, self._confirmation.in_doubt()
            self._confirmation = Confirmation(self._confirmation.said)
        for fact in facts:
            if isinstance(fact, Frame):
                self._confirmation.see(fact)
        return lost

    def _record(self, record: Record, line: bytes) -> None:
        self.around.recorder.add(record, line, self, urgent=any(_is_outcome(fact) for fact in record.facts))
        self._unrecorded += sum(isinstance(fact, Frame) for fact in record.facts)
        if self._unrecorded > QUOTA_FRAMES and self.socket is not None:
            self.socket.hold("quota")

    def _retry(self, record: Record, line: bytes, orders: list[Order]) -> bool:
        try:
            self._record(record, line)
        except SpoolFull:
            return False
        if not self.ended:
            self._carry_out(orders)
        return True

    def _carry_out(self, orders: list[Order]) -> None:
        for order in orders:
            if self._carry_out_offline(order):
                continue
            if self.socket is None:
                return
            if not self.around.may_speak():
                return  # the process was stopped in the middle of this step
            match order:
                case SendBytes() | FreezeSocket() | AnswerPings() | ShapeLink() | Drop():
                    self._misbehave(self.socket, order)
                case Send(text=text):
                    self.socket.send_text(text)
                case Close(code=code, reason=reason):
                    self.socket.close(code, reason)
                case Ping():
                    self.socket.ping()

    def _carry_out_offline(self, order: Order) -> bool:
        """What needs no connection to the CSMS; False for the rest."""
        match order:
            case FetchQueued(numbers=numbers):
                self._fetch(numbers)
            case Download() | Upload():
                self.around.transfers.begin(self.charger_id, order, self._transferred)
            case CancelTransfer(key=key):
                self.around.transfers.cancel(key)
            case _:
                return False
        return True

    def _transferred(self, result: Transferred) -> None:
        self._input(lambda now: self.station.transferred(result, now))

    def _fetch(self, numbers: tuple[int, ...]) -> None:
        def found(calls: Mapping[int, Any]) -> None:
            self._input(lambda now: self.station.queued(numbers, calls, now))

        self.around.fetch_queued(self.charger_id, numbers, found)

    def _misbehave(self, socket: Socket, order: Order) -> None:
        """What only an injected fault orders."""
        match order:
            case SendBytes(data=data, as_text=as_text):
                socket.send_bytes(data, as_text=as_text)
            case FreezeSocket():
                socket.freeze()
            case AnswerPings(wanted=wanted):
                socket.answer_pings(wanted)
            case ShapeLink():
                socket.shape(order)
            case Drop(kind=kind):
                if kind == "silence":
                    socket.fall_silent()
                else:
                    socket.reset()
                self.closed(ABNORMAL, "The network was cut.")

    def _rearm(self, now: Instant) -> None:
        if self.ended or self._on_closed is not None:
            self.deadline = None
            return
        waiting = self._queued
        if not waiting and self.station.wants_connection(now):
            waiting = True
            if self.socket is None:
                self._queued = True
                self._ask_for_connection()
        deadline = self.station.next_deadline()
        if deadline is not None:
            deadline = max(deadline, now.mono + (WAITING_FOR_SOCKET if waiting else SPIN_GUARD))
        self.deadline = deadline
        self.around.timers.arm(self)

    def _ask_for_connection(self) -> None:
        if self._first:
            self.around.pace.submit(self._connect)
        else:
            self._connect()

    # --- a station that raises --------------------------------------------------------------------------------------

    def _fail(self, now: Instant) -> None:
        """Keeps what it had reported, ends the connection and starts it again after a pause."""
        if self.socket is not None:
            self.socket.give_up(INTERNAL_ERROR, "the simulated station failed")
            self.socket = None
        self.around.transfers.cancel_all(self.charger_id)
        outcome = self._remains(now)
        self.station.sequence += 1
        fact = ConnectionChanged(self.station.sequence, "closed", now.wall, INTERNAL_ERROR, FAILED_STATION)
        self._keep(Outcome([*outcome.facts, fact], outcome.changes))
        self._restart_at = now.mono + self._restart_wait
        self._restart_wait = min(self._restart_wait * 2, RESTART_MOST)
        self.deadline = self._restart_at
        self.around.timers.arm(self)
        self._socket_gone()

    def _remains(self, now: Instant) -> Outcome:
        """What the failed station had reported, and the ends of the commands it had begun."""
        try:
            self.station.commands.hand_back((), FAILED_STATION, now)
            outcome = self.station.take()
            return Outcome([*outcome.facts, *self.station.commands.settle(now, "")], outcome.changes)
        except Exception:
            logger.exception("nothing to be had from a failed station", extra={"charger": str(self.charger_id)})
            return Outcome()

    def _restart(self) -> None:
        self._restart_at = None
        try:
            self.station = self.assignment.station(self.station.memory, self.station.sequence, self.around.clock())
        except Exception:
            logger.exception("station cannot be built", extra={"charger": str(self.charger_id)})
            self._fail(self.around.clock())
        else:
            self._input(lambda now: self.station.power_up(now, "resume", csms=self.assignment.csms))

    # --- for the recorder -------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot | None:
        """The whole state if it may have changed since the last flush; the picture also when it has grown old."""
        now = self.around.clock()
        if not self._sections_changed and now.mono - self._pictured < PICTURE_SECONDS:
            return None
        self._sections_changed = False
        self._pictured = now.mono
        try:
            return Snapshot(self._memory(), self.station.picture(now))
        except Exception:
            logger.exception("no picture of a station", extra={"charger": str(self.charger_id)})
            return Snapshot(self._memory(), None)

    def _memory(self) -> dict[str, Any]:
        """Without the numbers of the queue's far end: its rows tell them."""
        memory = self.station.memory
        memory.pop(tail.SECTION, None)
        return memory

    def recorded(self, frames: int) -> None:
        self._unrecorded -= frames
        if self.socket is not None and self._unrecorded <= QUOTA_FRAMES // 2:
            self.socket.free("quota")


def _is_outcome(fact: AnyFact) -> bool:
    return isinstance(fact, CommandAdvanced) and (fact.state in FINAL or fact.result is not None)
