"""A bench that does anything at all to a station, in either version, and holds every rule against what comes out.

What must hold (contract, section 10): frames are schema-valid, one own CALL is open at most, ids never repeat,
registers never fall, each transaction starts and ends once with gap-free events, 1.6 statuses move only as
table 3.3 allows, every CALL with a readable id is answered once, and nothing ever ends in an internal error.
"""

import json
from collections import Counter
from typing import Any

from simulator.core import schemas
from simulator.core.facts import (
    Close,
    CommandAdvanced,
    Drop,
    Frame,
    Instant,
    Send,
    TransactionEnded,
    TransactionStarted,
)
from simulator.core.setup import Outlet, Setup
from simulator.core.stations import STATIONS
from simulator.core.transfers import Download, Transferred, Upload
from simulator.shell.vault import VAULT
from tests.core.stimuli import CALLS, COMMANDS, GARBAGE, answer_to, pick, spoiled

WALL = 1_775_121_300.0
CABINET_W = 150_000  # of those outlets that are DC
CALL_TIMEOUT_S = 30.0
MOST_TICKS = 3000  # in one stretch of time; more would be a station that spins
OUTLETS = (
    (Outlet(1, 1, "Type2", "socket", 3, 32.0, 230.0, 22_000), Outlet(2, 1, "Type2", "socket", 3, 32.0, 230.0, 22_000)),
    (Outlet(1, 1, "Type2", "cable", 3, 16.0, 230.0, 11_000), Outlet(2, 1, "Type2", "socket", 1, 32.0, 230.0, 7_400)),
    (Outlet(1, 1, "CCS2", "cable", 1, 300.0, 920.0, 150_000), Outlet(2, 1, "CCS2", "cable", 1, 200.0, 500.0, 50_000)),
)

# OCPP 1.6, behaviour contract table 3.3. A repeated status (another error, a trigger) is no transition.
SUSPENDED = {"Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Available", "Unavailable", "Faulted"}
ANY = {
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEV",
    "SuspendedEVSE",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
}
TRANSITIONS = {
    "Available": {"Preparing", "Reserved", "Unavailable", "Faulted", "Charging", "SuspendedEV", "SuspendedEVSE"},
    "Preparing": {"Charging", "SuspendedEV", "SuspendedEVSE", "Available", "Finishing", "Faulted", "Unavailable"},
    "Charging": {"SuspendedEV", "SuspendedEVSE", "Finishing", "Available", "Unavailable", "Faulted"},
    "SuspendedEV": SUSPENDED,
    "SuspendedEVSE": SUSPENDED,
    "Finishing": {"Available", "Preparing", "Unavailable", "Faulted"},
    "Reserved": {"Preparing", "Available", "Unavailable", "Faulted"},
    "Unavailable": ANY,
    "Faulted": ANY,
}


class Bench:
    def __init__(self, subprotocol: str, variant: int) -> None:
        outlets = OUTLETS[variant % len(OUTLETS)]
        if subprotocol == "ocpp1.6":
            outlets = tuple(
                Outlet(o.evse_id, o.evse_id, o.type, o.format, o.phases, o.max_current_a, o.voltage_v, o.max_power_w)
                for o in outlets
            )
        self.subprotocol = subprotocol
        self.setup = Setup(
            "CP-1", subprotocol, "Acme", "Post", "SN-1", "1.0", "ac", outlets, seed=variant, shared_power_w=CABINET_W
        )
        self.mono = 1000.0
        self.next_id = 0
        self.open_call: tuple[float, list[Any]] | None = None
        self.ids: set[str] = set()
        self.expected: Counter[str] = Counter()  # answers owed to CALLs of the CSMS
        self.registers: dict[int, float] = {}
        self.meters: dict[tuple[int, bool], float] = {}
        self.statuses: dict[int, str] = {}
        self.started: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.transactions = 0  # ids handed out by this CSMS
        self.connected = False
        self.transfers: list[str] = []  # keys of all that were ordered
        self.station = STATIONS[subprotocol](self.setup, {}, self.now, vault=VAULT)
        self.station.power_up(self.now)
        self.collect()

    @property
    def now(self) -> Instant:
        return Instant(self.mono, WALL + self.mono)

    # --- what happens to the station ----------------------------------------------------------------------------------

    def do(self, stimulus: str, number: int) -> None:
        getattr(self, f"_{stimulus}")(number)
        self.collect()
        if number % 5:
            self.answer_all()

    def _command(self, number: int) -> None:
        name, params = COMMANDS[number % len(COMMANDS)](number)
        self.station.execute(f"command-{self._id()}", name, params, self.now)

    def _session(self, number: int) -> None:
        """Commands that lead somewhere, so that runs reach transactions."""
        names = ("start_session", "start_transaction", "stop_session")
        params = {"id_tag": "TAG", "connector_id": number % 2 + 1}
        self.station.execute(f"command-{self._id()}", names[number % 3], params, self.now)

    def _call(self, number: int) -> None:
        calls = CALLS[self.subprotocol]
        action, payload = calls[number % len(calls)](number, self._known_transaction())
        self._send_call(action, payload)

    def _bad_call(self, number: int) -> None:
        calls = CALLS[self.subprotocol]
        action, payload = calls[number % len(calls)](number, self._known_transaction())
        self._send_call(action, spoiled(payload, number))

    def _known_transaction(self) -> str:
        running = [one.running.transaction_id for one in self.station.connectors if one.running is not None]
        return running[0] if running else ""

    def _send_call(self, action: Any, payload: Any) -> None:
        if not self.connected:
            return
        message_id = self._id()
        silent = self.subprotocol == "ocpp1.6" and self.station.registration == "Rejected"
        if not silent:
            self.expected[message_id] += 1
        self.station.receive(json.dumps([2, message_id, action, payload]), self.now)
        self.collect()
        assert not self.expected[message_id], f"{action} was not answered"

    def _garbage(self, number: int) -> None:
        if self.connected:
            self.station.receive(GARBAGE[number % len(GARBAGE)], self.now)

    def _answer_badly(self, number: int) -> None:
        if self.open_call is None or not self.connected:
            return
        _, (_, message_id, action, payload) = self.open_call
        match number % 5:
            case 0:
                frame: list[Any] = [4, message_id, "InternalError", "no", {}]
            case 1:
                frame = [3, message_id, {"nonsense": 1}]
            case 2:
                frame = [3, "an-unknown-id", {}]
            case 3:
                frame = [
                    3,
                    message_id,
                    answer_to(self.subprotocol, action, payload, self._next_transaction(), good=False),
                ]
            case _:
                self._pass_time(CALL_TIMEOUT_S + 1)  # no answer, then a late one
                frame = [3, message_id, answer_to(self.subprotocol, action, payload, self._next_transaction())]
        if not self.connected:
            return
        if frame[1] == message_id:
            self.open_call = None if self._is_open(message_id) else self.open_call
        self.station.receive(json.dumps(frame), self.now)

    def _time(self, number: int) -> None:
        self._pass_time((0.5, 3.0, 12.0, 61.0, 200.0, 1200.0)[number % 6])

    def _transfer(self, number: int) -> None:
        """A file is there, or not; sometimes one that nobody waits for any more."""
        if self.transfers:
            key = self.transfers[-1 if number % 4 else 0]
            failure = "" if number % 3 else pick(("UploadFailure", "PermissionDenied"), number)
            self.station.transferred(Transferred(key, failure, size=number % 7), self.now)

    def _drop(self, number: int) -> None:
        if number % 3 == 0 and self.connected:
            self._lose()
            self.station.disconnected(self.now, 1006, "cut")

    def _reboot(self, number: int) -> None:
        """The product dies, or stops, and starts again from memory."""
        if number % 2:
            return
        if number % 4:
            self.station.shut_down(self.now)
            self.collect()
        memory = json.loads(json.dumps(self.station.memory))
        self._lose()
        self.registers.clear()  # what was metered since the last record is lost, as with the mains
        self.mono += 2
        self.station = STATIONS[self.subprotocol](self.setup, memory, self.now, vault=VAULT)
        self.station.power_up(self.now, "resume" if number % 8 < 4 else "PowerUp")

    def _lose(self) -> None:
        self.connected = False
        self.open_call = None
        self.expected.clear()
        self.statuses.clear()  # statuses of the time offline are not told

    def _pass_time(self, seconds: float) -> None:
        end, ticks = self.mono + seconds, 0
        while True:
            self._maybe_connect()
            deadline = self.station.next_deadline()
            if deadline is None or deadline > end:
                break
            ticks += 1
            assert ticks < MOST_TICKS, f"the station spins: {self.station.timers}"
            self.mono = max(deadline, self.mono + 0.001)
            self.station.pong(self.now)
            self.station.tick(self.now)
            self.collect()
            if ticks % 7:
                self.answer_all()
        self.mono = max(self.mono, end)

    def _maybe_connect(self) -> None:
        if not self.connected and self.station.wants_connection(self.now):
            self.station.connecting(self.now)
            self.collect()
            self.connected = True
            self.station.connected(self.now)
            self.collect()

    def answer_all(self) -> None:
        for _ in range(200):
            if self.open_call is None or not self.connected:
                return
            _, (_, message_id, action, payload) = self.open_call
            self.open_call = None
            self.mono += 0.01
            answer = answer_to(self.subprotocol, action, payload, self._next_transaction())
            self.station.receive(json.dumps([3, message_id, answer]), self.now)
            self.collect()
        raise AssertionError("the station never runs out of calls")

    def finish(self) -> None:
        """Time for everything to come to rest: whatever was queued is delivered."""
        for _ in range(6):
            self._pass_time(300.0)
            self.answer_all()
        self.check_transactions()

    def _id(self) -> str:
        self.next_id += 1
        return f"id-{self.next_id}"

    def _next_transaction(self) -> int:
        self.transactions += 1
        return self.transactions

    # --- what must hold -----------------------------------------------------------------------------------------------

    def collect(self) -> None:
        outcome = self.station.take()
        for fact in outcome.facts:
            if isinstance(fact, Frame):
                self._judge(fact)
            elif isinstance(fact, TransactionStarted):
                self.started[fact.key] += 1
                assert self.started[fact.key] == 1
            elif isinstance(fact, TransactionEnded):
                self.ended[fact.key] += 1
                assert self.started[fact.key] == self.ended[fact.key] == 1
            elif isinstance(fact, CommandAdvanced):
                assert "Internal error" not in fact.reason, fact
        self._judge_registers()
        self.transfers += [order.key for order in outcome.orders if isinstance(order, Download | Upload)]
        self._follow_orders(outcome.orders)

    def _follow_orders(self, orders: list[Any]) -> None:
        closed = False
        for order in orders:
            assert not (closed and isinstance(order, Send)), "a frame after the close"
            closed = closed or isinstance(order, Close | Drop)
        if closed and self.connected:
            self._lose()
            self.station.disconnected(self.now, 1000, "closed by the station")
            self.collect()

    def _judge(self, frame: Frame) -> None:
        if frame.direction != "cp_to_csms":
            return
        body = json.loads(frame.text)
        if body[0] == 2:
            self._judge_call(body)
        elif body[0] == 3:
            found = schemas.violation(self.subprotocol, frame.action, "response", body[2])
            assert found is None, (frame.text, str(found))
            self._answered(body[1])
        else:
            assert body[2] != "InternalError", frame.text
            self._answered(body[1])

    def _answered(self, message_id: str) -> None:
        if message_id in self.expected:
            self.expected[message_id] -= 1
            assert self.expected[message_id] == 0, f"{message_id} was answered twice"

    def _is_open(self, message_id: str) -> bool:
        return self.open_call is not None and self.open_call[1][1] == message_id

    def _judge_call(self, body: list[Any]) -> None:
        _, message_id, action, payload = body
        assert message_id not in self.ids, "an id was used twice"
        self.ids.add(message_id)
        if self.open_call is not None:
            waited = self.mono - self.open_call[0]
            assert waited >= CALL_TIMEOUT_S - 0.01, f"{action} while {self.open_call[1][2]} is open for {waited} s"
        self.open_call = (self.mono, body)
        found = schemas.violation(self.subprotocol, action, "request", payload)
        assert found is None, (body, str(found))
        if judge := getattr(self, f"_judge_{action}", None):
            judge(payload)

    def _judge_registers(self) -> None:
        for connector in self.station.connectors:
            before = self.registers.get(connector.number, 0.0)
            assert connector.register_wh >= before, "energy fell"
            self.registers[connector.number] = connector.register_wh

    def _judge_StatusNotification(self, payload: dict[str, Any]) -> None:
        if self.subprotocol != "ocpp1.6":
            return
        number, status = payload["connectorId"], payload["status"]
        before = self.statuses.get(number)
        assert before in (None, status) or status in TRANSITIONS[before], f"{number}: {before} -> {status}"
        assert (status == "Faulted") <= (payload["errorCode"] != "NoError")
        self.statuses[number] = status

    def _judge_meter(self, number: int, wh: float, *, queued: bool = True) -> None:
        """What is told of a register never falls, over transactions and restarts.

        Messages of transactions stand in a queue while others pass it, so that each kind is in order by itself.
        """
        before = self.meters.get((number, queued), 0.0)
        assert wh >= before, f"{number}: {wh} Wh after {before} Wh"
        self.meters[number, queued] = wh

    def _judge_StartTransaction(self, payload: dict[str, Any]) -> None:
        self._judge_meter(payload["connectorId"], payload["meterStart"])

    def _judge_MeterValues(self, payload: dict[str, Any]) -> None:
        number = payload.get("connectorId", payload.get("evseId"))
        for wh in _energy(payload["meterValue"]):
            self._judge_meter(number, wh, queued="transactionId" in payload)

    def _judge_StopTransaction(self, payload: dict[str, Any]) -> None:
        energy = _energy(payload.get("transactionData", []))
        assert energy == sorted(energy)
        assert not energy or payload["meterStop"] >= energy[-1]

    def _judge_TransactionEvent(self, payload: dict[str, Any]) -> None:
        key = payload["transactionInfo"]["transactionId"]
        events = self.events.setdefault(key, [])
        if events and payload["seqNo"] == events[-1]["seqNo"]:
            assert {**payload, "offline": 0} == {**events[-1], "offline": 0}, "a retry must be the same event"
            return
        assert payload["seqNo"] == len(events), f"seqNo {payload['seqNo']} after {len(events)} events"
        energy = _energy(payload.get("meterValue", []))
        assert energy == sorted(energy)
        if energy and payload["triggerReason"] != "MeterValueClock":
            self._judge_meter(payload["evse"]["id"], energy[-1])
        assert (payload["eventType"] == "Started") == (payload["seqNo"] == 0)
        assert not events or events[-1]["eventType"] != "Ended", "an event after the end"
        assert (payload["eventType"] == "Ended") == ("stoppedReason" in payload["transactionInfo"])
        events.append(payload)

    def check_transactions(self) -> None:
        """Everything that began here and is not running any more was told to its end."""
        running = {one.running.key for one in self.station.connectors if one.running is not None}
        assert set(self.started) - running == set(self.ended)
        assert not self.station.outbox.queue, "messages are left over"
        if self.subprotocol == "ocpp2.0.1":
            assert set(self.events) == set(self.started)
            for key, events in self.events.items():
                assert (events[-1]["eventType"] == "Ended") == (key not in running)
                granted = [one for one in events if one["triggerReason"] in ("Authorized", "RemoteStart")]
                assert len(granted) <= 1
                assert all("idToken" in one for one in granted)


def _energy(values: list[dict[str, Any]]) -> list[float]:
    """The register's readings in a list of MeterValues, in order."""
    samples = [sample for value in values for sample in value["sampledValue"]]
    return [float(one["value"]) for one in samples if one.get("measurand") == "Energy.Active.Import.Register"]


STIMULI = (
    *("session",) * 4,
    *("command",) * 6,
    *("call",) * 5,
    *("time",) * 6,
    *("answer_badly",) * 2,
    "bad_call",
    "garbage",
    "transfer",
    "drop",
    "reboot",
)
