"""What a station hands to its shell: frames to log and send, facts, and orders about the connection.

All are plain frozen structs that encode to JSON with a `type` tag, so that one spool record holds any of them.
"""

from typing import Any, NamedTuple

import msgspec


class Instant(NamedTuple):
    """One reading of both clocks: `mono` never jumps and measures durations (s); `wall` is Unix time (s)."""

    mono: float
    wall: float


class Fact(msgspec.Struct, frozen=True, tag=True, tag_field="type", omit_defaults=True):
    pass


class Frame(Fact, frozen=True, tag="frame"):
    """One OCPP frame in either direction, in wire order by `sequence`.

    `text` is fit for the log (secrets masked: what goes out then differs). `action` of a result or error is that of
    the call it answers. `violation` says how a frame of the CSMS breaks the protocol, `answer_ms` how
    long the CSMS took for this answer to an own call.
    """

    sequence: int
    direction: str
    text: str
    at: float
    message_type: str = ""
    message_id: str = ""
    action: str = ""
    transaction: str = ""
    encoding: str = ""
    masked: bool = False
    injected: bool = False
    note: str = ""
    violation_code: str = ""
    violation: str = ""
    answer_ms: float | None = None


class CallUnanswered(Fact, frozen=True, tag="unanswered"):
    """The CSMS let the own CALL with this frame number time out; `at` is when it was sent."""

    sequence: int
    at: float


class ConnectionChanged(Fact, frozen=True, tag="connection"):
    """connecting, connected, refused, closed, reconnecting or stopped; numbered with the frames."""

    sequence: int
    kind: str
    at: float
    code: int | None = None
    reason: str = ""


class ConnectorStatusChanged(Fact, frozen=True, tag="status"):
    """A new status as the CSMS is told it; 1.6 reports connector 0 (the station) as evse 0, connector 0."""

    evse_id: int
    connector_id: int
    status: str
    error_code: str
    at: float


class TransactionStarted(Fact, frozen=True, tag="transaction_started"):
    """`key` is the station's own UUID. Meter readings are the register's Wh."""

    key: str
    evse_id: int
    connector_id: int
    id_tag: str
    meter_start: int
    at: float
    transaction_id: str = ""


class TransactionIdentified(Fact, frozen=True, tag="transaction_identified"):
    """OCPP 1.6: the CSMS has given the transaction its id. Also sent when a token becomes known later (2.0.1)."""

    key: str
    transaction_id: str = ""
    id_tag: str = ""


class TransactionEnded(Fact, frozen=True, tag="transaction_ended"):
    key: str
    meter_stop: int
    reason: str
    at: float


class CommandAdvanced(Fact, frozen=True, tag="command"):
    """What became of a user's command: state sent, accepted, rejected, failed or timed_out.

    State claimed carries the result of one that is done inside the station while its messages still wait.

    `frames` are sequence numbers that prove it; `result` is the answer of a synchronous command.
    """

    command_id: str
    state: str
    at: float
    reason: str = ""
    frames: list[int] = []
    result: dict[str, Any] | None = None


AnyFact = (
    Frame
    | CallUnanswered
    | ConnectionChanged
    | ConnectorStatusChanged
    | TransactionStarted
    | TransactionIdentified
    | TransactionEnded
    | CommandAdvanced
)


class Order(msgspec.Struct, frozen=True):
    """What the shell must do with the socket; never stored."""


class Send(Order, frozen=True):
    """Put this text on the wire, once its frame stands in the spool."""

    text: str


class SendBytes(Send, frozen=True):
    """Put these bytes on the wire as they are; `as_text` says which kind of WebSocket frame they claim to be."""

    data: bytes
    as_text: bool = True


class Close(Order, frozen=True):
    """Close the socket (close frame with `code`) after everything sent so far."""

    code: int
    reason: str


class Drop(Order, frozen=True):
    """The connection is gone without a close frame (mains lost, network cut): by TCP reset, or in silence."""

    kind: str = "reset"


class FreezeSocket(Order, frozen=True):
    """Neither read nor write any more, and leave TCP up."""


class AnswerPings(Order, frozen=True):
    """Whether pings of the CSMS are answered, on this connection and on later ones."""

    wanted: bool


class ShapeLink(Order, frozen=True):
    """The line is slow in both directions from now on, and messages go out in fragments; 0 is no limit each."""

    latency_s: float = 0.0
    bytes_per_second: int = 0
    fragment_bytes: int = 0


class FetchQueued(Order, frozen=True):
    """Bring these messages back from where they are kept, by `Station.queued`; needs no connection."""

    numbers: tuple[int, ...]


class Ping(Order, frozen=True):
    """Send a WebSocket ping; call `pong(now)` when its answer comes."""


class Outcome(msgspec.Struct):
    """Everything one input caused. The shell stores `facts` and `changes` first, then carries out `orders`.

    `changes` holds the changed sections of the station's memory; None deletes a section.
    """

    facts: list[AnyFact] = msgspec.field(default_factory=list)
    changes: dict[str, Any] = msgspec.field(default_factory=dict)
    orders: list[Order] = msgspec.field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.facts or self.changes or self.orders)
