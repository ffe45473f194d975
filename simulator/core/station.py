"""A station: what OCPP-J and the device itself demand of every version.

Pure: bytes and times come in through the methods below, and `take()` gives what they caused. Versions are lists of
blocks (see `block.py`) with a table of error spellings.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any, ClassVar

from simulator.core import rpc, schemas
from simulator.core.block import Block
from simulator.core.calls import HEARTBEAT, TRANSACTION, Call, Outbox
from simulator.core.commands import CommandTracker
from simulator.core.configuration import ACCEPTED, REBOOT_REQUIRED, Configuration
from simulator.core.errors import CommandRefused, Kind, Refusal
from simulator.core.facts import (
    AnyFact,
    Close,
    ConnectionChanged,
    Drop,
    Frame,
    Instant,
    Order,
    Outcome,
    Send,
)
from simulator.core.link import BackOff, Link
from simulator.core.memory import Memory
from simulator.core.network_faults import NetworkFaults
from simulator.core.physical.connector import Connector
from simulator.core.setup import Setup

CP_TO_CSMS, CSMS_TO_CP = "cp_to_csms", "csms_to_cp"
GOING_AWAY, UNSUPPORTED_DATA = 1001, 1003
REBOOT_FLUSH_S = 10.0  # how long a reset waits for its last messages
MOST_ANSWERS_KEPT = 100
PARKED = "parked"
# Inputs that change no fact of the station, so that nothing needs to be concluded or stored. They are most of the
# traffic of a fleet: leaving the rest out halves what a heartbeat costs.
QUIET_TIMERS = {"heartbeat", "ping"}
QUIET_ANSWERS = {"Heartbeat", "MeterValues"}
# An installer at the device needs no CSMS.
INSTALLER_COMMANDS = {
    "update_configuration",
    "reset_cache",
    "set_local_auth_list",
    "clear_local_auth_list",
    "inject_fault",
    "clear_fault",
}


def random_id() -> str:
    return str(uuid.uuid4())


class Station:
    """One simulated charge point or charging station. Not thread-safe; each method is one input."""

    subprotocol: ClassVar[str]
    block_classes: ClassVar[tuple[type[Block[Any]], ...]]
    error_codes: ClassVar[Mapping[Kind, str]]
    answers_broken_frames: ClassVar[bool]  # 2.0.1 answers what is no frame with id "-1", 1.6 cannot

    def __init__(
        self,
        setup: Setup,
        memory: dict[str, Any],
        now: Instant,
        sequence: int = 0,
        ids: Callable[[], str] = random_id,
    ) -> None:
        self.setup = setup
        self.now = now
        self.ids = ids
        self.sequence = sequence
        self.store = Memory(memory)
        self.random = Random(setup.seed)
        self.configuration = self.build_configuration(self.store.get("configuration", {}))
        self.outbox = Outbox(self.store)
        self.commands = CommandTracker()
        self.link = Link(self.random)
        self.timers: dict[str, float] = {}
        registration = self.store.get("registration", {})
        self.registration: str = registration.get("status", "")
        self.accepted_ever: bool = registration.get("accepted_ever", False)
        self.boot_reason: str = registration.get("boot_reason", "")
        self.clock_offset: float = registration.get("clock_offset", 0.0)
        self.connectors = [
            Connector(outlet, setup.options, setup.seed, self.store.get(self._section(outlet)), now, number)
            for number, outlet in enumerate(setup.outlets, start=1)
        ]
        self.wire = NetworkFaults(self)
        self._facts: list[AnyFact] = []
        self._orders: list[Order] = []
        self._out: tuple[str, Call] | None = None
        self._answered: dict[str, str] = {}
        self._timeouts_in_a_row = 0
        self._quiet = False
        self._reboot: str = ""
        self.reset_command: str = ""
        self._deferred: list[tuple[str, str, dict[str, Any]]] = []
        self.blocks = [*(block_class(self) for block_class in self.block_classes), self.wire]
        self._methods = self._collect_methods()

    # --- what versions provide --------------------------------------------------------------------------------------

    def build_configuration(self, overrides: dict[str, str]) -> Configuration:
        raise NotImplementedError

    def boot(self) -> None:
        """Queue a BootNotification."""
        raise NotImplementedError

    def message_timeout(self) -> float:
        raise NotImplementedError

    def transaction_attempts(self) -> tuple[int, float]:
        """(sends in total, interval in s) of the retry rule for transaction messages."""
        raise NotImplementedError

    def back_off(self) -> BackOff:
        return BackOff()

    def prepared(self, call: Call) -> dict[str, Any]:
        """The payload as it goes out now; 1.6 fills in transaction ids that were unknown when it was queued."""
        return call.payload

    # --- inputs -----------------------------------------------------------------------------------------------------

    def power_up(self, now: Instant, reason: str = "PowerUp") -> None:
        """The machine starts. `resume`: it ran before, perhaps elsewhere.

        After an orderly `shut_down` that is a mere reconnect, if the CSMS had accepted us. Otherwise the process was
        killed under it, and that is a power loss (contract Q8).
        """
        self._enter(now)
        parked = self.store.get(PARKED, False)
        self.store.delete(PARKED)
        if reason != "resume" or not parked or self.registration != "Accepted":
            self.registration = ""
            self.boot_reason = "PowerUp" if reason == "resume" else reason
            if not parked and self.setup.options.on_power_loss != "resume":
                for block in self.blocks:
                    block.power_lost()
        self.link.wait(now.mono)
        self._leave()

    def wants_connection(self, now: Instant) -> bool:
        return self.link.connect_at is not None and now.mono >= self.link.connect_at and not self.wire.cut

    def connecting(self, now: Instant) -> None:
        self._enter(now)
        self.link.connecting()
        self._connection("connecting")
        self._leave()

    def connected(self, now: Instant) -> None:
        self._enter(now)
        self.link.opened()
        self._answered.clear()
        self._timeouts_in_a_row = 0
        self._connection("connected", reason=self.subprotocol)
        if self.registration == "Accepted" and not self.setup.options.boot_on_reconnect:
            self._come_online(after_boot=False)
        elif "boot" not in self.timers:  # Pending or Rejected: never earlier than the CSMS's interval (contract 2.2)
            self.boot()
        self._leave()

    def refused(self, now: Instant, code: int | None, reason: str) -> None:
        """The connection could not be made: `code` is the HTTP status where there was one."""
        self._enter(now)
        self._connection("refused", code=code, reason=reason)
        self._reconnect_later()
        self._leave()

    def disconnected(self, now: Instant, code: int | None, reason: str) -> None:
        self._enter(now)
        self._connection("closed", code=code, reason=reason)
        if self.link.state in ("connected", "closing"):
            self._lose_connection()
            self._reconnect_later()
        self._leave()

    def receive(self, text: str, now: Instant) -> None:
        self._enter(now)
        self._timeouts_in_a_row = 0
        self._receive(text)
        self._leave()

    def receive_binary(self, encoded: str, now: Instant) -> None:
        """OCPP-J knows text frames only: the base64 of the frame is logged and the connection closed with 1003."""
        self._enter(now)
        self._record(Frame(0, CSMS_TO_CP, encoded, now.wall, encoding="base64", note="binary frame"))
        self._orders.append(Close(UNSUPPORTED_DATA, "text frames only"))
        self._leave()

    def tick(self, now: Instant) -> None:
        self._enter(now)
        due = sorted((at, name) for name, at in self.timers.items() if at <= now.mono and not self.wire.dark)
        self._quiet = bool(due) and all(name in QUIET_TIMERS for _, name in due)
        for _, name in due:
            # An earlier timer of this tick may have cancelled or moved this one.
            if self.timers.get(name, now.mono + 1) <= now.mono:
                del self.timers[name]
                what, _, argument = name.partition(":")
                self._methods[f"{what}_due"](argument)
        self._leave()

    def execute(self, command_id: str, name: str, params: dict[str, Any], now: Instant) -> None:
        """Does a user's command; what became of it comes as CommandAdvanced facts."""
        self._enter(now)
        self.commands.begin(command_id, now)
        if self._not_up_yet() and name not in INSTALLER_COMMANDS:
            self.commands.hold(command_id)
            self._deferred.append((command_id, name, params))
        else:
            self._do(command_id, name, params)
        self._leave()

    def pong(self, now: Instant) -> None:
        self.timers.pop("pong", None)

    def shut_down(self, now: Instant, *, parked: bool = True) -> None:
        """Close politely, keep everything. `parked`: the machine only moves or waits, its power stays on."""
        self._enter(now)
        if parked:
            self.store.put(PARKED, True)
        if self.link.connected:
            self._orders.append(Close(GOING_AWAY, "going away"))
        self.link.off()
        self.timers.clear()
        self._leave()

    # --- outputs ----------------------------------------------------------------------------------------------------

    def take(self) -> Outcome:
        """Everything caused since the last call."""
        outcome = Outcome(self._facts, self.store.changes(), self._orders)
        self._facts, self._orders = [], []
        return outcome

    def next_deadline(self) -> float | None:
        """Mono time at which `tick` must be called, or a connection is wanted; None: never by itself."""
        events = [connector.next_event(self.now) for connector in self.connectors]
        events += [block.next_event() for block in self.blocks]
        events += [None if self.wire.cut else self.link.connect_at, self.commands.next_deadline()]
        events += [] if self.wire.dark else self.timers.values()
        times = [event for event in events if event is not None]
        if self.link.connected and self.outbox.queue and self._out is None and self.outbox.not_before > self.now.mono:
            times.append(self.outbox.not_before)
        return min(times) if times else None

    @property
    def memory(self) -> dict[str, Any]:
        return self.store.snapshot()

    def picture(self, now: Instant) -> dict[str, Any]:
        """What `GET /chargers/{id}/state` shows."""
        self.now = now
        for connector in self.connectors:
            connector.advance(now)
        shown: dict[str, Any] = {
            "registration": self.registration or None,
            "connection": self.link.state,
            "queue_length": len(self.outbox.queue),
        }
        for block in self.blocks:
            shown |= block.picture()
        return shown

    # --- for blocks -------------------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Connected and accepted: transactions may be reported."""
        return self.link.connected and self.registration == "Accepted"

    @property
    def clock(self) -> float:
        """The station's own wall clock, set by the CSMS's answers (contract H2)."""
        return self.now.wall + self.clock_offset + self.wire.skew

    @contextmanager
    def as_of(self, clock: float) -> Iterator[None]:
        """What happens within the block happened at that time of the station's clock."""
        before = self.now
        self.now = Instant(before.mono, clock - self.clock_offset - self.wire.skew)
        try:
            yield
        finally:
            self.now = before

    def set_timer(self, name: str, delay: float) -> None:
        """`<what>` or `<what>:<argument>`; `<what>_due(argument)` of a block is called once after `delay` s."""
        self.timers[name] = self.now.mono + delay

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def fact(self, fact: AnyFact) -> None:
        self._facts.append(fact)

    def order(self, order: Order) -> None:
        self._orders.append(order)

    def call(self, call: Call) -> None:
        """Queues an own CALL for the command at hand, if any. Only transaction messages wait out a lost connection."""
        call.command_id = call.command_id or self.commands.cause
        call.queued_offline = not self.online
        if call.priority != TRANSACTION and not self.link.connected:
            return
        if call.priority == HEARTBEAT and any(one.priority == HEARTBEAT for one in self.outbox.waiting):
            return
        self.outbox.add(call)
        if self.online:
            self.commands.call_opened(call.command_id)
        elif call.priority == TRANSACTION:
            self.commands.note(call.command_id, "Offline: the message is queued and goes out after the reconnect.")

    def connector(self, number: int) -> Connector | None:
        return next((one for one in self.connectors if one.number == number), None)

    def save_configuration(self) -> None:
        self.store.put("configuration", dict(self.configuration.overrides))

    def accept_registration(self, csms_time: float | None) -> None:
        self.registration, self.accepted_ever, self.boot_reason = "Accepted", True, ""
        self.set_clock(csms_time)
        self.commands.release(self.reset_command)
        self.reset_command = ""
        self._come_online(after_boot=True)

    def set_clock(self, csms_time: float | None) -> None:
        if csms_time is not None and self.wire.clock_set():
            self.clock_offset = csms_time - self.now.wall

    def installed(self, result: dict[str, Any]) -> None:
        """Ends an installer's command at the device with this result; its `status` says whether anything changed."""
        command_id = self.commands.cause
        self.commands.answer(command_id, result)
        if result.get("status", ACCEPTED) in (ACCEPTED, REBOOT_REQUIRED):
            self.commands.note(command_id, "Done inside the station; no message is needed.")
        else:
            self.commands.finish(command_id, "rejected", result.get("msg") or result["status"], self.now)

    def reboot(self, reason: str) -> None:
        """Once the last messages are out (or 10 s have passed): close, stay down, boot again with this reason.

        The command that caused it ends when the CSMS has accepted the boot.
        """
        if any(fault.code == "ResetFailure" for connector in self.connectors for fault in connector.faults):
            self.commands.note(self.commands.cause, "The reset fails: ResetFailure is active.")
            return
        self._reboot = reason
        self._await_boot()
        self.set_timer("reboot_forced", REBOOT_FLUSH_S)

    def _await_boot(self) -> None:
        self.reset_command = self.commands.cause or self.reset_command
        self.commands.hold(self.reset_command)

    @property
    def rebooting(self) -> bool:
        """On its way down, or without power."""
        return bool(self._reboot) or self.wire.dark

    def drop_link(self, reason: str) -> None:
        """The link is dead though the socket looks open: nothing more goes out on it."""
        if self.wire.mute:
            return  # a frozen station notices nothing
        self.link.closing()
        self._orders.append(Close(GOING_AWAY, reason))

    # --- what faults do to the machine (see `network_faults.py`) ----------------------------------------------------

    def lose_link(self, order: Order) -> None:
        """Ends the connection by this order; the station sees it lost at once."""
        if self.link.connected:
            self._orders.append(order)
            self._lose_connection()
            self._reconnect_later()

    def lose_power(self) -> None:
        """Silence. What counts a transaction's time goes on counting, all else is forgotten."""
        self._await_boot()
        if self.link.connected:
            self._orders.append(Drop("silence"))
            self._lose_connection()
        self.link.off()
        self.timers = {name: at for name, at in self.timers.items() if ":" in name}
        self._reboot = ""
        self._went_down()

    def regain_power(self) -> None:
        self.registration, self.boot_reason = "", "PowerUp"
        self.set_timer("boot_done", self.setup.options.boot_seconds)

    @property
    def all_said(self) -> bool:
        return self.outbox.idle and self._out is None

    def _went_down(self) -> None:
        for connector in self.connectors:
            connector.open_contactor()
        for block in self.blocks:
            block.went_down()

    # --- a user's commands ------------------------------------------------------------------------------------------

    def _not_up_yet(self) -> bool:
        """Still booting, or at the first connection since power-up: a command waits for that, up to its deadline."""
        first_attempt = self.link.state in ("waiting", "connecting") and self.link.failures == 0
        return not self.accepted_ever or self.rebooting or first_attempt or "boot_done" in self.timers

    def _do(self, command_id: str, name: str, params: dict[str, Any]) -> None:
        method = self._methods.get(f"do_{name}")
        with self.commands.caused_by(command_id):
            try:
                if method is None:
                    raise CommandRefused(f"This station does not know the command {name}.")
                method(params)
                self._settle_blocks()  # what follows from it is this command's too
            except CommandRefused as refused:
                self.commands.finish(command_id, "rejected", str(refused), self.now)
            except Exception as error:  # one command must not stop the charger
                reason = f"Internal error in the simulator: {type(error).__name__}: {error}"
                self.commands.finish(command_id, "failed", reason, self.now)

    def _do_deferred(self) -> None:
        deferred, self._deferred = self._deferred, []
        for command_id, name, params in deferred:
            self.commands.release(command_id)
            if self.commands.is_pending(command_id):
                self._do(command_id, name, params)

    # --- connection -------------------------------------------------------------------------------------------------

    def _connection(self, kind: str, *, code: int | None = None, reason: str = "") -> None:
        self.sequence += 1
        self._facts.append(ConnectionChanged(self.sequence, kind, self.now.wall, code, reason[:255]))

    def _reconnect_later(self) -> None:
        delay = self.link.failed(self.now.mono, self.back_off())
        self._connection("reconnecting", reason=f"next attempt in {delay:.1f} s")
        if self.accepted_ever:
            self._do_deferred()  # no longer a matter of moments: what is possible offline is done offline

    def _come_online(self, *, after_boot: bool) -> None:
        for block in self.blocks:
            block.came_online(after_boot=after_boot)
        self._do_deferred()

    def _lose_connection(self) -> None:
        """Transaction messages stay, their counters unchanged; the rest is told anew after the reconnect."""
        lost = self.outbox.drop_waiting()
        if self._out is not None:
            _, call = self._out
            self._out = None
            if call.priority == TRANSACTION:
                call.sends -= 1  # contract 1.4: a lost connection is no failed attempt
                self.commands.note(call.command_id, "The connection was lost; the message goes out again.")
                self.commands.call_closed(call.command_id)
            else:
                lost.append(call)
        for call in self.outbox.queue:
            call.queued_offline = True
        self.timers.pop("call_timeout", None)
        self.timers.pop("pong", None)
        for block in self.blocks:
            block.went_offline()
        for call in lost:
            self._fail(call, "lost")

    def reboot_forced_due(self, _: str) -> None:
        self._go_down()

    def _go_down(self) -> None:
        self.timers.clear()
        if self.link.connected:
            self._orders.append(Close(GOING_AWAY, "rebooting"))
            self._connection_down()
        self.link.off()
        self.registration, self.boot_reason, self._reboot = "", self._reboot, ""
        self._went_down()
        self.set_timer("boot_done", self.setup.options.boot_seconds)

    def _connection_down(self) -> None:
        self._lose_connection()
        self.link.off()

    def boot_done_due(self, _: str) -> None:
        self.link.failures = 0
        self.link.wait(self.now.mono)

    # --- frames in --------------------------------------------------------------------------------------------------

    def _record(self, frame: Frame) -> int:
        """Logs a frame under the next sequence number."""
        self.sequence += 1
        fields = {name: getattr(frame, name) for name in frame.__struct_fields__}
        fields["sequence"] = self.sequence
        self._facts.append(Frame(**fields))
        return self.sequence

    def _receive(self, text: str) -> None:
        incoming = rpc.read(text)
        if incoming.problem:
            self._receive_broken(text, incoming)
        elif incoming.message_type == rpc.CALL:
            self._receive_call(text, incoming)
        else:
            self._receive_answer(text, incoming)

    def _receive_broken(self, text: str, incoming: rpc.Incoming) -> None:
        name = rpc.NAMES.get(incoming.message_type, "")
        self._record(Frame(0, CSMS_TO_CP, text, self.now.wall, name, incoming.message_id[:64], note=incoming.problem))
        if self.answers_broken_frames and incoming.message_type not in (rpc.CALLRESULT, rpc.CALLERROR):
            unknown_type = incoming.problem == "unknown message type"
            kind = Kind.MESSAGE_TYPE if unknown_type else Kind.FRAMEWORK
            message_id = incoming.message_id if 0 < len(incoming.message_id) <= rpc.MAX_ID else "-1"
            self._send_error(message_id, "", Refusal(kind, incoming.problem))
        elif incoming.message_type == rpc.CALL and incoming.message_id:
            self._send_error(incoming.message_id, "", Refusal(Kind.FORMAT, incoming.problem))

    def _receive_call(self, text: str, incoming: rpc.Incoming) -> None:
        blanked = rpc.masked(incoming.action, incoming.payload)
        logged = text if blanked is None else rpc.call(incoming.message_id, incoming.action, blanked)
        self._record(
            Frame(
                0,
                CSMS_TO_CP,
                logged,
                self.now.wall,
                "CALL",
                incoming.message_id[:64],
                incoming.action[:50],
                transaction=_transaction_of(incoming.payload),
                masked=blanked is not None,
            )
        )
        if incoming.message_id in self._answered:
            self._send_text(self._answered[incoming.message_id], incoming.message_id, incoming.action, "CALLRESULT")
            return
        if self.registration == "Rejected":
            self._refuse_while_rejected(incoming)
            return
        if self.wire.mute:
            return
        if (chosen := self.wire.chosen_answer(incoming.action, incoming.message_id)) is not None:
            self._send_text(chosen, incoming.message_id, incoming.action, rpc.NAMES[int(chosen[1])], injected=True)
            return
        try:
            answer = self._answer(incoming)
        except Refusal as refusal:
            self._send_error(incoming.message_id, incoming.action, refusal)
        except Exception as error:  # contract 1.5: an own fault while handling is answered, and kills nothing
            self._send_error(incoming.message_id, incoming.action, Refusal(Kind.INTERNAL, type(error).__name__))
        else:
            wire = rpc.result(incoming.message_id, answer)
            self._keep_answer(incoming.message_id, wire)
            self._send_text(wire, incoming.message_id, incoming.action, "CALLRESULT")

    def _refuse_while_rejected(self, incoming: rpc.Incoming) -> None:
        """1.6 stays silent until it may boot again; 2.0.1 says SecurityError."""
        if self.answers_broken_frames:
            self._send_error(incoming.message_id, incoming.action, Refusal(Kind.SECURITY, "not accepted yet"))

    def _answer(self, incoming: rpc.Incoming) -> dict[str, Any]:
        if len(incoming.message_id) > rpc.MAX_ID:
            kind = Kind.FRAMEWORK if self.answers_broken_frames else Kind.FORMAT
            raise Refusal(kind, "the message id is longer than 36 characters")
        if schemas.validator(self.subprotocol, incoming.action, "request") is None:
            raise Refusal(Kind.NOT_IMPLEMENTED, f"unknown action {incoming.action[:100]}")
        handler = self._methods.get(f"on_{incoming.action}")
        if handler is None:
            raise Refusal(Kind.NOT_SUPPORTED, f"{incoming.action} is not supported")
        if not isinstance(incoming.payload, dict):
            raise Refusal(Kind.FORMAT, "the payload is not an object")
        violation = schemas.violation(self.subprotocol, incoming.action, "request", incoming.payload)
        if violation is not None and self.setup.options.strict_schema:
            raise Refusal(violation.kind, str(violation))
        answer: dict[str, Any] = handler(incoming.payload)
        return answer

    def _keep_answer(self, message_id: str, wire: str) -> None:
        self._answered[message_id] = wire
        if len(self._answered) > MOST_ANSWERS_KEPT:
            del self._answered[next(iter(self._answered))]

    def _receive_answer(self, text: str, incoming: rpc.Incoming) -> None:
        name = rpc.NAMES[incoming.message_type]
        if self._out is None or self._out[0] != incoming.message_id:
            note = "answers no open call (late or unknown id)"
            self._record(Frame(0, CSMS_TO_CP, text, self.now.wall, name, incoming.message_id[:64], note=note))
            return
        _, call = self._out
        self._out = None
        self.timers.pop("call_timeout", None)
        violation = None
        if incoming.message_type == rpc.CALLRESULT:
            violation = schemas.violation(self.subprotocol, call.action, "response", incoming.payload)
        frame = Frame(
            0,
            CSMS_TO_CP,
            text,
            self.now.wall,
            name,
            incoming.message_id[:64],
            call.action,
            transaction=_transaction_of(call.payload) or _transaction_of(incoming.payload),
            note=f"invalid response: {violation}"[:200] if violation else "",
        )
        self.commands.frame(call.command_id, self._record(frame), self.now)
        with self.commands.caused_by(call.command_id):
            if incoming.message_type == rpc.CALLRESULT and violation is None:
                self._succeed(call, incoming.payload)
            else:
                self._fail(call, "error" if violation is None else "invalid", incoming.error_code)
            self._quiet = call.action in QUIET_ANSWERS and not call.command_id
            if not self._quiet:
                self._settle_blocks()  # what follows belongs to the same command

    # --- own calls --------------------------------------------------------------------------------------------------

    def _succeed(self, call: Call, answer: dict[str, Any]) -> None:
        if call.priority == TRANSACTION:
            self.outbox.done(call)
        if not call.injected and (method := self._methods.get(f"{call.action}_answered")):
            method(call, answer)
        self.commands.call_closed(call.command_id)

    def _fail(self, call: Call, problem: str, error_code: str = "") -> None:
        """`problem`: error (CALLERROR), invalid (answer breaks its schema), timeout, or lost (connection gone)."""
        if call.priority == TRANSACTION and not self._give_up(call):
            return
        with self.commands.caused_by(call.command_id):
            if not call.injected and (method := self._methods.get(f"{call.action}_failed")):
                method(call, problem)
            else:
                self.commands.note(call.command_id, _explanation(call.action, problem, error_code))
        self.commands.call_closed(call.command_id)

    def _give_up(self, call: Call) -> bool:
        """The retry rule of contract 1.4; True once the message is discarded."""
        attempts, interval = self.transaction_attempts()
        if call.sends >= max(1, attempts):
            self.outbox.done(call)
            return True
        self.outbox.store(call)
        self.outbox.not_before = self.now.mono + interval * call.sends
        return False

    def call_timeout_due(self, _: str) -> None:
        if self._out is None:
            return
        _, call = self._out
        self._out = None
        self._timeouts_in_a_row += 1
        self._fail(call, "timeout")
        if self._timeouts_in_a_row >= 2 and self.link.connected:
            self.drop_link("no answer to two calls in a row")

    def _pump(self) -> None:
        """One own CALL at a time (OCPP-J 1.6, 4.1.1): sends the next if none is out."""
        if self._out is not None or not self.link.connected or self.wire.holds_calls:
            return
        accepted = self.registration == "Accepted"
        call = self.outbox.next(
            self.now.mono,
            only_asked=self.registration == "Pending",
            only_boot=not accepted and self.registration != "Pending",
        )
        if call is not None:
            self._send_call(call)
        elif self._reboot and self.outbox.idle:
            self._go_down()

    def _send_call(self, call: Call) -> None:
        call.sends += 1
        message_id = self.ids()
        payload = call.payload if call.injected else self.prepared(call)
        self._out = (message_id, call)
        self.set_timer("call_timeout", self.message_timeout())
        wire = rpc.call(message_id, call.action, payload)
        blanked = rpc.masked(call.action, payload)
        frame = Frame(
            0,
            CP_TO_CSMS,
            wire if blanked is None else rpc.call(message_id, call.action, blanked),
            self.now.wall,
            "CALL",
            message_id,
            call.action,
            transaction=_transaction_of(payload),
            masked=blanked is not None,
            injected=call.injected,
        )
        self._send(frame, wire, call.command_id)
        if not call.injected and (sent := self._methods.get(f"{call.action}_sent")):
            sent(call)

    def _send_error(self, message_id: str, action: str, refusal: Refusal) -> None:
        wire = rpc.error(message_id, self.error_codes[refusal.kind], refusal.description)
        self._keep_answer(message_id, wire)
        self._send_text(wire, message_id, action, "CALLERROR")

    def _send_text(self, wire: str, message_id: str, action: str, message_type: str, *, injected: bool = False) -> None:
        frame = Frame(0, CP_TO_CSMS, wire, self.now.wall, message_type, message_id[:64], action[:50], injected=injected)
        self._send(frame, wire, self.commands.cause)

    def _send(self, frame: Frame, wire: str, command_id: str) -> None:
        """Faults of the network may change, double, hold or swallow it."""
        for shown, order in self.wire.outgoing(frame, wire):
            self.put_out(shown, order, command_id)

    def put_out(self, frame: Frame, order: Send, command_id: str = "") -> None:
        """Logs a frame and sends it: both happen at once or not at all."""
        self.commands.frame(command_id or self.commands.cause, self._record(frame), self.now)
        self._orders.append(order)

    # --- each input -------------------------------------------------------------------------------------------------

    def _enter(self, now: Instant) -> None:
        self.now = now
        self._quiet = False
        for connector in self.connectors:
            connector.advance(now)

    def _settle_blocks(self) -> None:
        for block in self.blocks:
            block.settle()

    def _leave(self) -> None:
        if not self._quiet:
            self._settle_blocks()
        self._pump()
        self._facts.extend(self.commands.settle(self.now, self._why_silent()))
        if not self._quiet:
            self._save()

    def _why_silent(self) -> str:
        if self.online:
            return "Done; nothing has changed that the protocol would report."
        return "Offline: the CSMS learns of it after the reconnect."

    def _save(self) -> None:
        self.store.put(
            "registration",
            {
                "status": self.registration,
                "accepted_ever": self.accepted_ever,
                "boot_reason": self.boot_reason,
                "clock_offset": round(self.clock_offset, 3),
            },
        )
        for connector in self.connectors:
            if connector.running is not None:
                connector.running.seen_at = round(self.clock, 1)
            self.store.put(self._section(connector.outlet), connector.record())
        for block in self.blocks:
            block.save()

    @staticmethod
    def _section(outlet: Any) -> str:
        return f"connector.{outlet.evse_id}.{outlet.connector_id}"

    def _collect_methods(self) -> dict[str, Callable[..., Any]]:
        methods: dict[str, Callable[..., Any]] = {
            "call_timeout_due": self.call_timeout_due,
            "reboot_forced_due": self.reboot_forced_due,
            "boot_done_due": self.boot_done_due,
        }
        suffixes = ("_due", "_answered", "_failed", "_sent")
        for block in self.blocks:
            for name in dir(block):
                if name.startswith(("on_", "do_")) or name.endswith(suffixes):
                    methods[name] = getattr(block, name)
        return methods


def _transaction_of(payload: Any) -> str:
    """The OCPP transaction id that a payload names, as text."""
    if not isinstance(payload, dict):
        return ""
    found = payload.get("transactionId")
    if found is None and isinstance(payload.get("transactionInfo"), dict):
        found = payload["transactionInfo"].get("transactionId")
    return "" if found is None else str(found)[:36]


def _explanation(action: str, problem: str, error_code: str) -> str:
    words = {
        "error": f"the CSMS answered {action} with {error_code or 'an error'}",
        "invalid": f"the CSMS's answer to {action} breaks its schema",
        "timeout": f"the CSMS did not answer {action}",
        "lost": f"the connection was lost before {action} was answered",
    }
    return f"Done, but {words[problem]}."
