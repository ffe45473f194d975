"""A station on a bench: its clock is a number, its CSMS a table of answers, and every frame it sends is judged."""

import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from importlib.resources import files
from typing import Any

import jsonschema

from simulator.core import tail, timestamps
from simulator.core.credentials import Security
from simulator.core.facts import (
    Close,
    CommandAdvanced,
    Drop,
    FetchQueued,
    Frame,
    Instant,
    Order,
    Outcome,
    Ping,
    Send,
    SendBytes,
)
from simulator.core.setup import Options, Outlet, Setup
from simulator.core.station import Station
from simulator.core.stations import STATIONS
from simulator.core.transfers import CancelTransfer, Download, Transferred, Upload
from simulator.shell.vault import VAULT
from tests.contract import witness

NOW = "2026-04-02T09:15:00Z"
WALL = 1_775_121_300.0  # the same moment in Unix seconds
Answer = dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any] | None] | None
ANSWERS: dict[str, dict[str, Answer]] = {
    "ocpp1.6": {
        "BootNotification": {"status": "Accepted", "interval": 300, "currentTime": NOW},
        "Heartbeat": {"currentTime": NOW},
        "Authorize": {"idTagInfo": {"status": "Accepted"}},
        "StopTransaction": {},
    },
    "ocpp2.0.1": {
        "BootNotification": {"status": "Accepted", "interval": 300, "currentTime": NOW},
        "Heartbeat": {"currentTime": NOW},
        "Authorize": {"idTokenInfo": {"status": "Accepted"}},
    },
}
SOCKET = Outlet(1, 1, "Type2", "socket", 3, 32.0, 230.0, 22_000)
CABLE = Outlet(1, 1, "Type2", "cable", 3, 32.0, 230.0, 22_000)
DC = Outlet(1, 1, "CCS2", "cable", 1, 300.0, 920.0, 150_000)


def schema(subprotocol: str, action: str, direction: str) -> dict[str, Any]:
    """The official schema, read by the tests themselves."""
    version, suffix = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request")}[subprotocol]
    name = f"{action}{'Response' if direction == 'response' else suffix}.json"
    text = (files("ocpp") / version / "schemas" / name).read_text(encoding="utf-8-sig")
    return exact(text)


def exact(text: str) -> Any:
    """JSON with decimals: 1.6's `multipleOf: 0.1` is meant of the digits on the wire, not of binary fractions."""
    return json.loads(text, parse_float=Decimal)


class Rig:
    """Feeds a station and collects what it does. `answers` may hold a payload, a function of the request, or None
    (no answer at all: the test answers, or time passes)."""

    def __init__(
        self,
        subprotocol: str = "ocpp1.6",
        outlets: tuple[Outlet, ...] = (SOCKET, Outlet(2, 2, "Type2", "socket", 3, 32.0, 230.0, 22_000)),
        options: Options | None = None,
        seed: int = 7,
        memory: dict[str, Any] | None = None,
        security: Security | None = None,
    ) -> None:
        self.security = security or Security()
        if subprotocol == "ocpp2.0.1":
            outlets = tuple(Outlet(o.evse_id, 1, o.type, o.format, o.phases, *_rest(o)) for o in outlets)
        self.setup = Setup(
            "CP-1",
            subprotocol,
            "Acme",
            "Post 22",
            "SN-0001",
            "1.2.3",
            "ac",
            outlets,
            seed,
            options=options or Options(),
        )
        self.mono = 1000.0
        self.wall_shift = 0.0
        self.is_down = False  # the CSMS: it refuses every connection
        self.frames: list[Frame] = []
        self.facts: list[Any] = []
        self._wanted: list[tuple[int, ...]] = []
        self.kept: dict[str, Any] = {}  # what the station has handed over: the far end of its queue
        self.pings = 0
        self.pongs = True  # pings are answered
        self.closed: list[Close | Drop] = []
        self.transfers: list[Download | Upload] = []  # ordered and not done
        self.open_call: list[Any] | None = None
        self.answers = dict(ANSWERS[subprotocol])
        self.answers["Heartbeat"] = lambda _: {"currentTime": self.csms_time}
        self.next_transaction = itertools.count(501)
        if subprotocol == "ocpp1.6":
            self.answers["StartTransaction"] = lambda _: {
                "transactionId": next(self.next_transaction),
                "idTagInfo": {"status": "Accepted"},
            }
        self._ids = itertools.count(1)
        self._commands = itertools.count(1)
        self.station = self._build(memory or {})

    def rebuilt(self) -> Station:
        """Another station of this setup, new from the factory."""
        return self._build({})

    def _build(self, memory: dict[str, Any]) -> Station:
        station_class = STATIONS[self.setup.subprotocol]
        return station_class(self.setup, memory, self.now, security=self.security, vault=VAULT)

    @property
    def now(self) -> Instant:
        return Instant(self.mono, WALL - 1000.0 + self.mono + self.wall_shift)

    @property
    def csms_time(self) -> str:
        """The CSMS's clock goes right: a station that follows it is not thrown back by every heartbeat."""
        return timestamps.written(WALL - 1000.0 + self.mono)

    def wire_time(self) -> str:
        """Now, as the station writes it."""
        return timestamps.written(self.station.clock)

    # --- life -------------------------------------------------------------------------------------------------------

    def boot(self) -> "Rig":
        self.station.power_up(self.now)
        self.connect()
        return self

    def connect(self) -> None:
        self.collect()
        assert self.station.wants_connection(self.now), "the station does not want to connect"
        self.dial()
        self.settle()

    def dial(self) -> None:
        """The connection is made; the CSMS says nothing yet."""
        self.station.connecting(self.now)
        witness.note(self.setup.subprotocol, "connect", payload={"subprotocol": self.station.wire.subprotocol})
        self.station.connected(self.now)

    def go_down(self) -> None:
        """The CSMS is gone until `reconnect`."""
        self.is_down = True
        self.drop()

    def drop(self) -> None:
        """The connection is cut."""
        self.open_call = None
        self.station.disconnected(self.now, 1006, "cut")
        self.collect()

    def reconnect(self) -> None:
        self.is_down = False
        self.run_until(lambda: self.station.wants_connection(self.now))
        self.connect()

    def restart(self, *, killed: bool = False) -> None:
        """The product stops, or is killed, and starts again: only the memory is left."""
        self.is_down = False
        if not killed:
            self.station.shut_down(self.now)
            self.station.disconnected(self.now, 1001, "going away")
            self.collect()
        memory = json.loads(json.dumps(self.station.memory))
        self.open_call = None
        self.mono += 3
        self.station = self._build(memory)
        self.station.power_up(self.now, "resume")
        self.connect()

    # --- time -------------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        end = self.mono + seconds
        self.run_until(lambda: False, end)
        self.mono = max(self.mono, end)

    def run_until(self, holds: Callable[[], bool], end: float | None = None) -> None:
        """Lets time pass, deadline by deadline, pongs included."""
        end = self.mono + 3600 if end is None else end
        while not holds():
            deadline = self.station.next_deadline()
            if deadline is None or deadline > end:
                return
            self.mono = max(deadline, self.mono + 0.001)
            if self.pongs:
                self.station.pong(self.now)
            if self.is_down and self.station.wants_connection(self.now):
                self.station.connecting(self.now)
                self.station.refused(self.now, None, "down")
            self.station.tick(self.now)
            self.settle()

    # --- talking ----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Answers what the table has answers for, until nothing is open."""
        self.collect()
        self._fetch()
        while self.open_call is not None:
            _, message_id, action, payload = self.open_call
            answer = self.answers.get(action, {})
            if callable(answer):
                answer = answer(payload)
            if answer is None:
                return
            self.mono += 0.01
            self.reply(message_id, answer)
            self._fetch()

    def reply(self, message_id: str, payload: dict[str, Any]) -> None:
        self.open_call = None
        self.station.receive(json.dumps([3, message_id, payload]), self.now)
        self.collect()

    def reply_error(self, code: str = "InternalError") -> None:
        assert self.open_call is not None
        message_id, self.open_call = self.open_call[1], None
        self.station.receive(json.dumps([4, message_id, code, "", {}]), self.now)
        self.settle()

    def csms(self, action: str, **payload: Any) -> dict[str, Any]:
        """A CALL of the CSMS; returns the answer's payload, or {"error": code}."""
        message_id = f"csms-{next(self._ids)}"
        self.receive(json.dumps([2, message_id, action, payload]))
        answer = next(f for f in reversed(self.frames) if f.message_id == message_id and f.direction == "cp_to_csms")
        self.settle()
        body = json.loads(answer.text)
        return {"error": body[2]} if body[0] == 4 else body[2]

    def receive(self, text: str) -> None:
        """The CSMS sends this text."""
        witness.sent(text)
        self.station.receive(text, self.now)
        self.collect()

    def command(self, name: str, **params: Any) -> str:
        command_id = f"command-{next(self._commands)}"
        self.station.execute(command_id, name, params, self.now)
        self.settle()
        return command_id

    def outcome(self, command_id: str) -> CommandAdvanced:
        """The last that was heard of a command."""
        return next(
            fact for fact in reversed(self.facts) if isinstance(fact, CommandAdvanced) and fact.command_id == command_id
        )

    def transferred(self, *, failure: str = "", size: int = 9, digest: str = "") -> Download | Upload:
        """The transfer under way ends so; it is returned."""
        [order] = self.transfers
        self.transfers = []
        self.station.transferred(Transferred(order.key, failure, failure, size, digest), self.now)
        self.settle()
        return order

    # --- what was seen ----------------------------------------------------------------------------------------------

    def collect(self) -> None:
        outcome = self.station.take()
        self._keep(outcome)
        self._witness(outcome.orders)
        for fact in outcome.facts:
            self.facts.append(fact)
            if isinstance(fact, Frame):
                self.frames.append(fact)
                if fact.direction == "cp_to_csms" and not fact.injected:
                    self.judge(fact)
        self.closed += [order for order in outcome.orders if isinstance(order, Close | Drop)]
        for order in outcome.orders:
            match order:
                case Download() | Upload():
                    self.transfers.append(order)
                case CancelTransfer(key=key):
                    self.transfers = [one for one in self.transfers if one.key != key]
        sent = [order.text for order in outcome.orders if isinstance(order, Send)]
        logged = [f for f in outcome.facts if isinstance(f, Frame) and f.direction == "cp_to_csms"]
        assert len(sent) == len(logged), "what is sent and what is logged must be the same frames"

    def _keep(self, outcome: Outcome) -> None:
        """What a shell does for a long queue."""
        for name, value in outcome.changes.items():
            if not name.startswith(tail.PREFIX):
                continue
            if value is None:
                self.kept.pop(name, None)
            else:
                self.kept[name] = json.loads(json.dumps(value))
        self._wanted += [one.numbers for one in outcome.orders if isinstance(one, FetchQueued)]

    def _fetch(self) -> None:
        while self._wanted:
            asked = self._wanted.pop(0)
            found = {number: self.kept[tail.name_of(number)] for number in asked if tail.name_of(number) in self.kept}
            self.station.queued(asked, found, self.now)
            self.collect()

    def _witness(self, orders: list[Order]) -> None:
        version = self.setup.subprotocol
        for order in orders:
            match order:
                case SendBytes(data=data):
                    witness.note(version, "broken", payload=data)
                case Send(text=text):
                    witness.received(version, text)
                case Close(code=code):
                    witness.note(version, "close", str(code))
                case Ping():
                    self.pings += 1
                    witness.note(version, "ping")
                case Drop(kind=kind):
                    witness.note(version, "drop", kind)

    def judge(self, frame: Frame) -> None:
        body = json.loads(frame.text)
        if body[0] == 2:
            assert self.open_call is None, f"a second CALL while {self.open_call} is open"
            self.open_call = body
            jsonschema.validate(exact(frame.text)[3], schema(self.setup.subprotocol, body[2], "request"))
        elif body[0] == 3:
            jsonschema.validate(exact(frame.text)[2], schema(self.setup.subprotocol, frame.action, "response"))

    def calls(self, action: str = "") -> list[dict[str, Any]]:
        """Payloads of the station's own CALLs, in wire order."""
        bodies = [json.loads(f.text) for f in self.frames if f.direction == "cp_to_csms" and f.message_type == "CALL"]
        return [body[3] for body in bodies if action in ("", body[2])]

    def actions(self) -> list[str]:
        """Names of the station's own CALLs, in wire order; a 1.6 status with its connector and word."""
        return [
            _label(json.loads(f.text)) for f in self.frames if f.direction == "cp_to_csms" and f.message_type == "CALL"
        ]

    def forget(self) -> None:
        self.frames.clear()


def _label(body: list[Any]) -> str:
    action, payload = body[2], body[3]
    if action != "StatusNotification":
        return action
    number = payload.get("evseId", payload["connectorId"])
    return f"{number} {payload.get('status', payload.get('connectorStatus'))}"


def _rest(outlet: Outlet) -> tuple[float, float, int]:
    return outlet.max_current_a, outlet.voltage_v, outlet.max_power_w
