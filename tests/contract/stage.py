"""The product's runner on a scenario's stage: all that a node gives it, with the scenario's time and no database."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID, uuid4

from chargers.services.ingest import Record
from simulator.core.credentials import Credentials
from simulator.core.facts import Close, Drop, Frame, FreezeSocket, Instant, Order, Ping
from simulator.core.transfers import CancelTransfer, Download, Transferred, Upload
from simulator.shell.address import Resolver
from simulator.shell.assignment import Assignment
from simulator.shell.runner import Runner
from simulator.shell.socket import Socket
from simulator.shell.turns import Turns
from tests.core.bench import Scenario, kept


@dataclass
class Traffic:
    """What the station has done on the connection at hand, beside frames."""

    heard: int = 0
    pinged: int = 0
    ponged: int = 0
    frozen: bool = False  # by a fault: it reads and writes nothing
    silent: bool = False  # by a fault: the CSMS was not told that it has gone

    def note(self, orders: list[Order]) -> None:
        for order in orders:
            self.pinged += isinstance(order, Ping)
            self.frozen |= isinstance(order, FreezeSocket)
            self.silent |= isinstance(order, Drop) and order.kind == "silence"


class Stage:
    """`Surroundings` of one runner. `changed` is set after each of its inputs, `failure` if one of them raised."""

    def __init__(self, scenario: Scenario, resolver: Resolver, turns: Turns, sockets: list[Socket]) -> None:
        """`sockets` gets every socket that the runner opens."""
        self._scenario = scenario
        self.sockets = sockets
        self.resolver, self.turns = resolver, turns
        self.recorder = self.timers = self.transfers = self
        self.gate = asyncio.Event()
        self.gate.set()
        self.changed = asyncio.Event()
        self.traffic = Traffic()
        self.attempt: Callable[[], None] | None = None  # to connect, once it is let go
        self.failure: BaseException | None = None
        self.told: dict[str, Callable[[Transferred], None]] = {}  # who waits for a transfer

    def build(self, url: str, memory: Mapping[str, Any]) -> None:
        setup, security = self._scenario.setup, self._scenario.security
        self.runner = Staged(self, Assignment(uuid4(), uuid4(), 0, 1, url, setup, dict(memory), False, security))

    def reassign(self, **changes: Any) -> None:
        self.runner.assignment = replace(self.runner.assignment, **changes)

    def let_dial(self) -> None:
        """The attempt that the station is to make goes out."""
        if self.attempt is None:
            self.runner.due()
        assert self.attempt is not None, "the station does not want to connect"
        attempt, self.attempt = self.attempt, None
        attempt()

    def kill(self) -> None:
        """The process is gone: its sockets end with it, and nothing more is done."""
        self.runner.ended = True
        if self.runner.socket is not None:
            self.runner.socket.abort()
            self.runner.socket = None

    # --- what a node does -------------------------------------------------------------------------------------------

    def clock(self) -> Instant:
        return self._scenario.now

    def may_speak(self) -> bool:
        return True

    def spool_failed(self, retry: Callable[[], bool]) -> None:
        raise AssertionError("there is no spool")

    def add(self, record: Record, _line: bytes, runner: Runner, *, urgent: bool) -> None:
        """The recorder: everything is stored at once."""
        self._scenario.recorded(record.facts, record.changes)
        asyncio.get_running_loop().call_soon(runner.recorded, sum(isinstance(fact, Frame) for fact in record.facts))

    def arm(self, runner: Runner) -> None:
        """The timers: the scenario looks at the deadline itself."""

    def fetch_queued(self, _: UUID, numbers: tuple[int, ...], found: Callable[[Mapping[int, Any]], None]) -> None:
        asyncio.get_running_loop().call_soon(lambda: found(kept(self._scenario, numbers)))

    def begin(self, _: UUID, order: Download | Upload, told: Callable[[Transferred], None]) -> None:
        self.told[order.key] = told
        self._scenario.ordered(order)

    def cancel(self, key: str) -> None:
        self.told.pop(key, None)
        self._scenario.ordered(CancelTransfer(key))

    def cancel_all(self, _: UUID) -> None:
        for key in list(self.told):
            self.cancel(key)


class Staged(Runner):
    """The product's runner. The scenario sees what it does and says when an attempt to connect may go."""

    def __init__(self, stage: Stage, assignment: Assignment) -> None:
        self.stage = stage
        super().__init__(cast("Any", stage), assignment, 1, 0)

    def text(self, text: str) -> None:
        self.stage.traffic.heard += 1
        super().text(text)

    def pong(self) -> None:
        self.stage.traffic.ponged += 1
        super().pong()

    def notice(self) -> None:
        """Carries out what the scenario has made the station do by other means."""
        self._input(lambda _: None)

    def _input(self, action: Callable[[Instant], None], close: Close | None = None) -> None:
        super()._input(action, close)
        self.stage.changed.set()

    def _carry_out(self, orders: list[Order]) -> None:
        self.stage.traffic.note(orders)
        super()._carry_out(orders)

    def _new_socket(self, credentials: Credentials) -> Socket:
        socket = super()._new_socket(credentials)
        self.stage.sockets.append(socket)
        return socket

    def _ask_for_connection(self) -> None:
        self.stage.attempt = self._connect

    def _fail(self, now: Instant) -> None:
        self.stage.failure = sys.exception()
        super()._fail(now)
