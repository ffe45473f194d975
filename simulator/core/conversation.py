"""The RPC conversation on one connection (OCPP-J, section 4): one own CALL at a time, every CALL of the CSMS answered.

The station says what it is, what its handlers are and what it wants to send; here is how that goes over the wire:
reading frames, answering, matching answers to the own CALL that is out, timeouts and the retries of contract 1.4.
"""

from typing import Any, NamedTuple

import msgspec

from simulator.core import rpc, schemas, tolerance, verdicts
from simulator.core.calls import TRANSACTION, Call
from simulator.core.errors import Kind, Refusal
from simulator.core.facts import CallUnanswered, Close, Frame, Instant
from simulator.core.machine import Machine
from simulator.core.network_faults import NetworkFaults

CP_TO_CSMS, CSMS_TO_CP = "cp_to_csms", "csms_to_cp"
UNSUPPORTED_DATA = 1003
MOST_ANSWERS_KEPT = 100
MOST_CLOSED_KEPT = 4  # own calls that are over, to tell a late or repeated answer from one to nothing
# Answers that change no fact of the station, so that nothing needs to be concluded or stored. They are most of the
# traffic of a fleet: leaving the rest out halves what a heartbeat costs.
QUIET_ANSWERS = {"Heartbeat", "MeterValues"}


class Out(msgspec.Struct):
    """The own CALL that is out. `sequence` is 0 until its frame has gone out as it is; `sent` is when it did."""

    message_id: str
    call: Call
    sent: Instant
    transaction: str = ""  # the OCPP transaction id that went out with it
    sequence: int = 0


class Closed(NamedTuple):
    """An own CALL that is over."""

    message_id: str
    action: str
    transaction: str
    answered: bool


MALFORMED = {Kind.FRAMEWORK, Kind.FORMAT, Kind.MISSING, Kind.COUNT, Kind.TYPE, Kind.PROPERTY}


class Conversation:
    """What is open between a station and its CSMS: the own CALL that is out, and what was answered already."""

    def __init__(self, station: Machine, wire: NetworkFaults) -> None:
        self.station = station
        self.wire = wire
        self._out: Out | None = None
        self._closed: list[Closed] = []
        self._disturbed = False  # by frames that a fault or a user made: stray answers may be to those
        self._answered: dict[str, str] = {}
        self._timeouts_in_a_row = 0

    @property
    def waits(self) -> bool:
        """An own CALL is out."""
        return self._out is not None

    def is_out(self, action: str) -> bool:
        return self._out is not None and self._out.call.action == action

    def opened(self) -> None:
        """A new connection: ids of the last one mean nothing on it."""
        self._answered.clear()
        self._closed.clear()
        self._disturbed = False
        self._timeouts_in_a_row = 0

    def went_out(self, frame: Frame, sequence: int) -> None:
        """A frame is on the wire; a fault may have held it, doubled it or put another in its place."""
        out = self._out
        if out is not None and not out.sequence and frame.message_id == out.message_id and not frame.note:
            out.sequence, out.sent = sequence, self.station.now
        elif frame.injected:
            self._disturbed = True

    def lost(self) -> list[Call]:
        """The connection is gone. Transaction messages stay, their counters unchanged; gives what is not kept."""
        station = self.station
        lost = station.outbox.drop_waiting()
        if self._out is not None:
            call = self._out.call
            self._out = None
            if call.priority == TRANSACTION:
                call.sends -= 1  # contract 1.4: a lost connection is no failed attempt
                station.commands.note(call.command_id, "The connection was lost; the message goes out again.")
                station.commands.call_closed(call.command_id)
            else:
                lost.append(call)
        for call in station.outbox.queue:
            call.queued_offline = True
        station.cancel_timer("call_timeout")
        return lost

    # --- frames in --------------------------------------------------------------------------------------------------

    def receive(self, text: str) -> None:
        self._timeouts_in_a_row = 0
        incoming = rpc.read(text)
        if incoming.problem:
            self._receive_broken(text, incoming)
        elif incoming.message_type == rpc.CALL:
            self._receive_call(text, incoming)
        else:
            self._receive_answer(text, incoming)

    def receive_binary(self, encoded: str) -> None:
        """OCPP-J knows text frames only: the base64 of the frame is logged and the connection closed with 1003."""
        self.station.record(
            _judged(
                Frame(0, CSMS_TO_CP, encoded, self.station.now.wall, encoding="base64", note="binary frame"),
                verdicts.of_binary(),
            )
        )
        self.station.order(Close(UNSUPPORTED_DATA, "text frames only"))

    def _receive_broken(self, text: str, incoming: rpc.Incoming) -> None:
        name = rpc.NAMES.get(incoming.message_type, "")
        wall, message_id = self.station.now.wall, incoming.message_id
        is_secret = rpc.mentions_secret(text)
        shown = rpc.MASK if is_secret else text
        frame = Frame(0, CSMS_TO_CP, shown, wall, name, message_id[:64], note=incoming.problem, masked=is_secret)
        self.station.record(_judged(frame, verdicts.of_broken(shown)))
        self.station.suspect("InvalidMessages", incoming.problem)
        if self.station.answers_broken_frames and incoming.message_type not in (rpc.CALLRESULT, rpc.CALLERROR):
            unknown_type = incoming.problem == "unknown message type"
            kind = Kind.MESSAGE_TYPE if unknown_type else Kind.FRAMEWORK
            usable_id = message_id if 0 < len(message_id) <= rpc.MAX_ID else "-1"
            self._send_error(usable_id, "", Refusal(kind, incoming.problem))
        elif incoming.message_type == rpc.CALL and message_id:
            self._send_error(message_id, "", Refusal(Kind.FORMAT, incoming.problem))

    def _receive_call(self, text: str, incoming: rpc.Incoming) -> None:
        self._record_call(text, incoming)
        if incoming.message_id in self._answered:
            given = self._answered[incoming.message_id]
            self.station.suspect("AttemptedReplayAttacks", incoming.action)
            self._send_text(given, incoming.message_id, incoming.action, rpc.NAMES[int(given[1])])
        elif self.station.registration == "Rejected":
            self._refuse_while_rejected(incoming)
        elif not self.wire.mute:
            chosen = self.wire.chosen_answer(incoming.action, incoming.message_id)
            if chosen is None:
                self._respond(incoming)
            else:
                name = rpc.NAMES[int(chosen[1])]
                self._send_text(chosen, incoming.message_id, incoming.action, name, injected=True)

    def _record_call(self, text: str, incoming: rpc.Incoming) -> None:
        blanked = rpc.masked(incoming.action, incoming.payload)
        frame = Frame(
            0,
            CSMS_TO_CP,
            text if blanked is None else rpc.call(incoming.message_id, incoming.action, blanked),
            self.station.now.wall,
            "CALL",
            incoming.message_id[:64],
            incoming.action[:50],
            transaction=_transaction_of(incoming.payload),
            masked=blanked is not None,
        )
        verdict = verdicts.of_call(self.station.subprotocol, text, incoming, secret=blanked is not None)
        self.station.record(_judged(frame, verdict))

    def _refuse_while_rejected(self, incoming: rpc.Incoming) -> None:
        """1.6 stays silent until it may boot again; 2.0.1 says SecurityError."""
        if self.station.answers_broken_frames:
            self._send_error(incoming.message_id, incoming.action, Refusal(Kind.SECURITY, "not accepted yet"))

    def _respond(self, incoming: rpc.Incoming) -> None:
        try:
            answer = self._answer(incoming)
        except Refusal as refusal:
            if refusal.kind in MALFORMED:
                self.station.suspect("InvalidMessages", incoming.action)
            self._send_error(incoming.message_id, incoming.action, refusal)
        except Exception as error:  # contract 1.5: an own fault while handling is answered, and kills nothing
            self._send_error(incoming.message_id, incoming.action, Refusal(Kind.INTERNAL, type(error).__name__))
        else:
            wire = rpc.result(incoming.message_id, answer)
            self._keep_answer(incoming.message_id, wire)
            self._send_text(wire, incoming.message_id, incoming.action, "CALLRESULT")

    def _answer(self, incoming: rpc.Incoming) -> dict[str, Any]:
        station = self.station
        if len(incoming.message_id) > rpc.MAX_ID:
            kind = Kind.FRAMEWORK if station.answers_broken_frames else Kind.FORMAT
            raise Refusal(kind, "the message id is longer than 36 characters")
        if schemas.validator(station.subprotocol, incoming.action, "request") is None:
            raise Refusal(Kind.NOT_IMPLEMENTED, f"unknown action {incoming.action[:100]}")
        handler = station.methods.get(f"on_{incoming.action}")
        if handler is None:
            raise Refusal(Kind.NOT_SUPPORTED, f"{incoming.action} is not supported")
        payload, violation = self._read(incoming.action, "request", incoming.payload)
        if not isinstance(payload, dict):
            raise Refusal(Kind.FORMAT, "the payload is not an object")
        if violation is not None:
            secret = rpc.masked(incoming.action, incoming.payload) is not None  # its answer stands in the log, too
            raise Refusal(violation.kind, "the payload breaks its schema" if secret else str(violation))
        answer: dict[str, Any] = handler(payload)
        return answer

    def _read(self, action: str, direction: str, payload: Any) -> tuple[Any, schemas.Violation | None]:
        """What a payload of the CSMS means to this charger, and what breaks its schema beyond that."""
        read = tolerance.strictly if self.station.setup.options.strict_schema else tolerance.leniently
        return read(self.station.subprotocol, action, direction, payload)

    def _keep_answer(self, message_id: str, wire: str) -> None:
        self._answered[message_id] = wire
        if len(self._answered) > MOST_ANSWERS_KEPT:
            del self._answered[next(iter(self._answered))]

    # --- answers to own calls ---------------------------------------------------------------------------------------

    def _receive_answer(self, text: str, incoming: rpc.Incoming) -> None:
        name, station = rpc.NAMES[incoming.message_type], self.station
        out = self._out
        if out is None or out.message_id != incoming.message_id:
            self._receive_stray(text, incoming)
            return
        call = out.call
        self._close(out, answered=True)
        station.cancel_timer("call_timeout")
        verdict, violation = self._verdict(text, incoming, call.action), None
        if verdict is not None and incoming.message_type == rpc.CALLRESULT:
            incoming.payload, violation = self._read(call.action, "response", incoming.payload)
        frame = Frame(
            0,
            CSMS_TO_CP,
            text,
            station.now.wall,
            name,
            incoming.message_id[:64],
            call.action,
            transaction=out.transaction or _transaction_of(incoming.payload),
            note=f"invalid response: {violation}"[:200] if violation else "",
            answer_ms=round((station.now.mono - out.sent.mono) * 1000, 3) if out.sequence else None,
        )
        station.commands.frame(call.command_id, station.record(_judged(frame, verdict)), station.now)
        self._conclude(call, incoming, valid=violation is None)

    def _receive_stray(self, text: str, incoming: rpc.Incoming) -> None:
        """An answer to no open call: late, a second one, or to nothing."""
        closed = next((one for one in self._closed if one.message_id == incoming.message_id), None)
        action, transaction, answered = closed[1:] if closed is not None else ("", "", False)
        frame = Frame(
            0,
            CSMS_TO_CP,
            text,
            self.station.now.wall,
            rpc.NAMES[incoming.message_type],
            incoming.message_id[:64],
            action,
            transaction=transaction,
            note="answers no open call (late or unknown id)",
        )
        verdict: verdicts.Verdict | None = None
        if closed is None or answered:
            if not self._disturbed:
                verdict = verdicts.of_unknown_answer(action, twice=answered)
        else:
            verdict = self._verdict(text, incoming, action)  # late, which breaks no rule of OCPP-J
        self.station.record(_judged(frame, verdict))

    def _verdict(self, text: str, incoming: rpc.Incoming, action: str) -> verdicts.Verdict | None:
        if incoming.message_type == rpc.CALLRESULT:
            return verdicts.of_result(self.station.subprotocol, action, incoming)
        return verdicts.of_error(self.station.subprotocol, text, incoming)

    def _close(self, out: Out, *, answered: bool) -> None:
        self._out = None
        closed = Closed(out.message_id, out.call.action, out.transaction, answered)
        self._closed = [*self._closed[1 - MOST_CLOSED_KEPT :], closed]

    def _conclude(self, call: Call, incoming: rpc.Incoming, *, valid: bool) -> None:
        with self.station.commands.caused_by(call.command_id):
            if incoming.message_type == rpc.CALLRESULT and valid:
                self._succeed(call, incoming.payload)
            else:
                self.fail(call, "error" if valid else "invalid", incoming.error_code)
            self.station.quiet = call.action in QUIET_ANSWERS and not call.command_id
            if not self.station.quiet:
                self.station.settle_blocks()  # what follows belongs to the same command

    def _succeed(self, call: Call, answer: dict[str, Any]) -> None:
        if call.priority == TRANSACTION:
            self.station.outbox.done(call)
        if not call.injected and (method := self.station.methods.get(f"{call.action}_answered")):
            method(call, answer)
        self.station.commands.call_closed(call.command_id)

    def fail(self, call: Call, problem: str, error_code: str = "") -> None:
        """`problem`: error (CALLERROR), invalid (answer breaks its schema), timeout, or lost (connection gone)."""
        if call.priority == TRANSACTION and not self._give_up(call):
            return
        commands = self.station.commands
        with commands.caused_by(call.command_id):
            if not call.injected and (method := self.station.methods.get(f"{call.action}_failed")):
                method(call, problem)
            else:
                commands.note(call.command_id, _explanation(call.action, problem, error_code))
        commands.call_closed(call.command_id)

    def _give_up(self, call: Call) -> bool:
        """The retry rule of contract 1.4; True once the message is discarded."""
        outbox = self.station.outbox
        attempts, interval = self.station.transaction_attempts()
        if call.sends >= max(1, attempts):
            outbox.done(call)
            return True
        outbox.store(call)
        outbox.not_before = self.station.now.mono + interval * call.sends
        return False

    def call_timeout_due(self, _: str) -> None:
        out = self._out
        if out is None:
            return
        self._close(out, answered=False)
        self._timeouts_in_a_row += 1
        if out.sequence and not self.wire.mute:  # else it is a fault of ours that nothing came
            self.station.fact(CallUnanswered(out.sequence, out.sent.wall))
        self.fail(out.call, "timeout")
        if self._timeouts_in_a_row >= 2 and self.station.link.connected:
            self.station.drop_link("no answer to two calls in a row")

    # --- frames out -------------------------------------------------------------------------------------------------

    @property
    def may_call(self) -> bool:
        """One own CALL at a time (OCPP-J 1.6, 4.1.1)."""
        return self._out is None and self.station.link.connected and not self.wire.holds_calls

    def call_next(self) -> bool:
        """Sends the own CALL whose turn it is; False where there is none."""
        station = self.station
        accepted = station.registration == "Accepted"
        call = station.outbox.next(
            station.now.mono,
            only_asked=station.registration == "Pending",
            only_boot=not accepted and station.registration != "Pending",
            choose=self.wire.next_in_queue,
        )
        if call is not None:
            self._send_call(call)
        return call is not None

    def _send_call(self, call: Call) -> None:
        station = self.station
        call.sends += 1
        message_id = station.ids()
        payload = call.payload if call.injected else station.prepared(call)
        transaction = _transaction_of(payload)
        self._out = Out(message_id, call, station.now, transaction)
        station.set_timer("call_timeout", station.message_timeout())
        wire = rpc.call(message_id, call.action, payload)
        blanked = rpc.masked(call.action, payload)
        frame = Frame(
            0,
            CP_TO_CSMS,
            wire if blanked is None else rpc.call(message_id, call.action, blanked),
            station.now.wall,
            "CALL",
            message_id,
            call.action,
            transaction=transaction,
            masked=blanked is not None,
            injected=call.injected or station.outbox.is_out_of_turn(call),
        )
        self._send(frame, wire, call.command_id)
        if not call.injected and (sent := station.methods.get(f"{call.action}_sent")):
            sent(call)

    def _send_error(self, message_id: str, action: str, refusal: Refusal) -> None:
        wire = rpc.error(message_id, self.station.error_codes[refusal.kind], refusal.description)
        self._keep_answer(message_id, wire)
        self._send_text(wire, message_id, action, "CALLERROR")

    def _send_text(self, wire: str, message_id: str, action: str, message_type: str, *, injected: bool = False) -> None:
        wall = self.station.now.wall
        frame = Frame(0, CP_TO_CSMS, wire, wall, message_type, message_id[:64], action[:50], injected=injected)
        self._send(frame, wire, self.station.commands.cause)

    def _send(self, frame: Frame, wire: str, command_id: str) -> None:
        """Faults of the network may change, double, hold or swallow it."""
        for shown, order in self.wire.outgoing(frame, wire):
            self.station.put_out(shown, order, command_id)


def _judged(frame: Frame, verdict: verdicts.Verdict | None) -> Frame:
    if verdict is None:
        return frame
    return msgspec.structs.replace(frame, violation_code=verdict.code, violation=verdict.explanation)


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
