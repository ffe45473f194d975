"""A station on a bench: its clock is a number, its CSMS a table of answers, and every frame it sends is judged."""

import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from ssl import SSLContext
from typing import Any

from simulator.core import tail, timestamps
from simulator.core.credentials import Security
from simulator.core.facts import Close, CommandAdvanced, Drop, Frame, Instant, Order, Ping
from simulator.core.setup import Options, Outlet, Setup
from simulator.core.station import Station
from simulator.core.transfers import CancelTransfer, Download, Transferred, Upload
from tests.contract import wire
from tests.contract.judge import judge
from tests.core.bench import Bench, Line

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
        tls: SSLContext | None = None,
        identity: str = "CP-1",
    ) -> None:
        """`tls`: what the CSMS shows to a station whose profile demands it."""
        self.security = security or Security()
        self.tls = tls
        if subprotocol == "ocpp2.0.1":
            outlets = tuple(Outlet(o.evse_id, 1, o.type, o.format, o.phases, *_rest(o)) for o in outlets)
        self.setup = Setup(
            identity,
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
        self._under_way: deque[Frame] = deque()  # logged, and not yet at the CSMS
        self.kept: dict[str, Any] = {}  # what the station has handed over: the far end of its queue
        self.pings = 0
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
        self.line: Line = wire.Wire(self) if wire.wanted() else Bench(self)
        self.line.build(memory or {})

    @property
    def station(self) -> Station:
        return self.line.station

    @property
    def pongs(self) -> bool:
        """Whether the station's pings are answered."""
        return self.line.pongs

    @pongs.setter
    def pongs(self, wanted: bool) -> None:
        self.line.pongs = wanted

    def rebuild(self) -> None:
        """Another station of this setup, new from the factory."""
        self.line.build({})

    @property
    def now(self) -> Instant:
        return Instant(self.mono, WALL - 1000.0 + self.mono + self.wall_shift)

    @property
    def csms_time(self) -> str:
        """The CSMS's clock goes right: a station that follows it is not thrown back by every heartbeat."""
        return timestamps.written(WALL - 1000.0 + self.mono)

    def wire_time(self) -> str:
        """Now, as the station writes it."""
        return timestamps.written(self.station.clock + self.mono - self.station.now.mono)

    # --- life -------------------------------------------------------------------------------------------------------

    def boot(self) -> "Rig":
        self.line.power_up()
        self.connect()
        return self

    def connect(self) -> None:
        self.collect()
        assert self.station.wants_connection(self.now), "the station does not want to connect"
        self.dial()
        self.settle()

    def dial(self) -> None:
        """The connection is made; the CSMS says nothing yet."""
        self.line.dial()

    def speak_tls(self, tls: SSLContext) -> None:
        """From the next connection on the CSMS shows this, and speaks nothing else."""
        self.line.speak_tls(tls)

    def go_down(self) -> None:
        """The CSMS is gone until `reconnect`."""
        self.is_down = True
        self.drop()

    def drop(self) -> None:
        """The connection is cut."""
        self.open_call = None
        self.line.cut()

    def reconnect(self) -> None:
        self.is_down = False
        self.run_until(lambda: self.station.wants_connection(self.now))
        self.connect()

    def refuse(self) -> None:
        """The attempt that is due comes to nothing."""
        self.line.refuse()

    def restart(self, *, killed: bool = False) -> None:
        """The product stops, or is killed, and starts again: only the memory is left."""
        self.is_down = False
        self.line.power_off(killed=killed)
        memory = json.loads(json.dumps(self.station.memory))
        self.open_call = None
        self.mono += 3
        self.line.build(memory)
        self.line.power_up(resume=True)
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
            deadline = self.line.deadline()
            if deadline is None or deadline > end:
                return
            self.mono = max(deadline, self.mono + 0.001)
            if self.is_down and self.station.wants_connection(self.now):
                self.refuse()
            self.line.tick()
            self.settle()

    # --- talking ----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Answers what the table has answers for, until nothing is open."""
        self.collect()
        while self.open_call is not None:
            _, message_id, action, payload = self.open_call
            answer = self.answers.get(action, {})
            if callable(answer):
                answer = answer(payload)
            if answer is None:
                return
            self.mono += 0.01
            self.reply(message_id, answer)

    def reply(self, message_id: str, payload: dict[str, Any]) -> None:
        self.open_call = None
        self.line.say(json.dumps([3, message_id, payload]))

    def reply_error(self, code: str = "InternalError") -> None:
        assert self.open_call is not None
        message_id, self.open_call = self.open_call[1], None
        self.line.say(json.dumps([4, message_id, code, "", {}]))
        self.settle()

    def csms(self, action: str, **payload: Any) -> dict[str, Any]:
        """A CALL of the CSMS; returns the answer's payload, or {"error": code}."""
        message_id = f"csms-{next(self._ids)}"
        self.line.say(json.dumps([2, message_id, action, payload]))
        answer = next(f for f in reversed(self.frames) if f.message_id == message_id and f.direction == "cp_to_csms")
        self.settle()
        body = json.loads(answer.text)
        return {"error": body[2]} if body[0] == 4 else body[2]

    def receive(self, text: str) -> None:
        """The CSMS sends this text."""
        self.line.say(text)

    def command(self, name: str, **params: Any) -> str:
        command_id = f"command-{next(self._commands)}"
        self.line.execute(command_id, name, params)
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
        self.line.transferred(Transferred(order.key, failure, failure, size, digest))
        self.settle()
        return order

    # --- what was seen ----------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """What the station has been made to do by other means than the rig's."""
        self.line.collect()

    def recorded(self, facts: Iterable[Any], changes: Mapping[str, Any]) -> None:
        """What a shell stores before it does anything else."""
        for name, value in changes.items():
            if name.startswith(tail.PREFIX) and value is None:
                self.kept.pop(name, None)
            elif name.startswith(tail.PREFIX):
                self.kept[name] = json.loads(json.dumps(value))
        self.facts += facts
        frames = [fact for fact in facts if isinstance(fact, Frame)]
        self.frames += frames
        self._under_way += [frame for frame in frames if frame.direction == "cp_to_csms"]

    def arrived(self, text: str | bytes) -> None:
        """The CSMS hears this: it must be what the log says, and good OCPP unless a fault spoilt it."""
        frame = self._under_way.popleft()
        assert frame.encoding or frame.masked or text == frame.text, "sent and logged must be the same frames"
        if frame.injected:
            return
        body = json.loads(text)
        if body[0] == 2:
            assert self.open_call is None, f"a second CALL while {self.open_call} is open"
            self.open_call = body
        judge(self.setup.subprotocol, str(text), frame.action)

    def lost(self) -> None:
        """The connection is over: what has not arrived never will, and nobody waits for an answer."""
        self._under_way.clear()
        self.open_call = None

    @property
    def all_arrived(self) -> bool:
        return not self._under_way

    def ordered(self, order: Order) -> None:
        """What a shell is told to do beside sending."""
        match order:
            case Close() | Drop():
                self.closed.append(order)
            case Ping():
                self.pings += 1
            case Download() | Upload():
                self.transfers.append(order)
            case CancelTransfer(key=key):
                self.transfers = [one for one in self.transfers if one.key != key]

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
        return str(action)
    number = payload.get("evseId", payload["connectorId"])
    return f"{number} {payload.get('status', payload.get('connectorStatus'))}"


def _rest(outlet: Outlet) -> tuple[float, float, int]:
    return outlet.max_current_a, outlet.voltage_v, outlet.max_power_w
