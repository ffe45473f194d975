"""The CSMS's side of one conversation: reads a station's frames and says what to answer, whatever the version."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from django.utils import timezone

from simulator.core import rpc, schemas, timestamps
from simulator.core.errors import Kind, Refusal
from simulator.core.rpc import Incoming
from simulator.csms import actions
from simulator.csms.calls import CallLine
from simulator.csms.journal import Journal
from simulator.csms.models import Endpoint
from simulator.csms.stations import Picture

log = logging.getLogger(__name__)

Payload = dict[str, Any]
Handler = Callable[[Any, Payload], Awaitable[Payload]]
NO_ID = "-1"
MAX_OPEN = 100


class Desk:
    """A version binds its names: how errors are spelled, who handles what, and what is merely acknowledged."""

    subprotocol: ClassVar[str]
    error_codes: ClassVar[Mapping[Kind, str]]
    answers_bad_frames: ClassVar[bool]
    handlers: ClassVar[Mapping[str, Handler]]
    acknowledged: ClassVar[frozenset[str]]

    def __init__(self, endpoint: Endpoint, picture: Picture, journal: Journal, line: CallLine) -> None:
        self.endpoint = endpoint
        self.picture = picture
        self.journal = journal
        self.line = line
        self._open_transactions: dict[str, int] = {}
        self._last_id = ""
        self._last_answer = ""

    async def receive(self, text: str) -> str | None:
        """The answer to a text message, or None where there is none to give. Never raises on what a station sends."""
        self.journal.saw(self.picture.station_id)
        frame = rpc.read(text)
        if frame.message_type in (rpc.CALLRESULT, rpc.CALLERROR):
            if not frame.problem:
                await self.line.answered(frame)
            return None
        if frame.problem:
            return self._complain(frame)
        return await self._reply(frame)

    def _complain(self, frame: Incoming) -> str | None:
        """OCPP 1.6 has no words for what is no frame; 2.0.1 answers under the id "-1" (OCPP-J 2.0.1, 4.2.3)."""
        if frame.message_id and frame.message_type == rpc.CALL:
            return self._error(frame.message_id, Kind.FORMAT, frame.problem)
        if not self.answers_bad_frames:
            log.info("station %s sent what is no frame: %s", self.picture.station_id, frame.problem)
            return None
        kind = Kind.MESSAGE_TYPE if frame.message_type not in (0, rpc.CALL) else Kind.FRAMEWORK
        return self._error(frame.message_id[: rpc.MAX_ID] or NO_ID, kind, frame.problem)

    async def _reply(self, frame: Incoming) -> str:
        if frame.message_id == self._last_id:
            return self._last_answer  # sent again: answered again, not done again
        answer = await self._answer(frame)
        self._last_id, self._last_answer = frame.message_id, answer
        return answer

    async def _answer(self, frame: Incoming) -> str:
        message_id = frame.message_id
        if len(message_id) > rpc.MAX_ID:
            return self._error(message_id, Kind.FRAMEWORK, "a message id has at most 36 characters")
        try:
            return rpc.result(message_id, await self._handle(frame.action, frame.payload))
        except Refusal as refusal:
            return self._error(message_id, refusal.kind, refusal.description)
        except Exception:
            log.exception("the house CSMS could not handle %s of station %s", frame.action, self.picture.station_id)
            return self._error(message_id, Kind.INTERNAL, "the CSMS failed to handle this, see its log")

    async def _handle(self, action: str, payload: Any) -> Payload:
        handler = self.handlers.get(action)
        if handler is None and action not in self.acknowledged:
            kind = Kind.NOT_SUPPORTED if action in actions.known(self.subprotocol) else Kind.NOT_IMPLEMENTED
            raise Refusal(kind, f"{action[:50]} is not for a CSMS to answer" if kind is Kind.NOT_SUPPORTED else "")
        check(self.subprotocol, action, payload)
        return await handler(self, payload) if handler else {}

    def _error(self, message_id: str, kind: Kind, description: str) -> str:
        return rpc.error(message_id, self.error_codes[kind], description)

    # --- what both versions say alike -------------------------------------------------------------------------------

    def booted(self, request: Payload, *, vendor: str, model: str) -> Payload:
        """The answer to a BootNotification."""
        picture = self.picture
        picture.vendor, picture.model, picture.boot, picture.booted_at = vendor, model, request, timezone.now()
        self.journal.changed(picture)
        return {"status": "Accepted", "currentTime": now(), "interval": self.endpoint.heartbeat_interval}

    async def on_heartbeat(self, request: Payload) -> Payload:
        return {"currentTime": now()}

    async def on_data_transfer(self, request: Payload) -> Payload:
        return {"status": "UnknownVendorId"}

    async def on_sign_certificate(self, request: Payload) -> Payload:
        return {"status": "Rejected"}

    # --- running transactions ---------------------------------------------------------------------------------------

    def opened(self, transaction_id: str, pk: int) -> None:
        """Remembers the row of a running transaction, so that its meter values need no query."""
        if len(self._open_transactions) >= MAX_OPEN:
            del self._open_transactions[next(iter(self._open_transactions))]
        self._open_transactions[transaction_id] = pk

    def row_of(self, transaction_id: str) -> int | None:
        return self._open_transactions.get(transaction_id)

    def ended(self, transaction_id: str) -> None:
        self._open_transactions.pop(transaction_id, None)


def now() -> str:
    """As OCPP writes a dateTime."""
    return timestamps.written(time.time())


def check(subprotocol: str, action: str, payload: Any) -> None:
    """Raises Refusal for what the official schema forbids, and for text that no database stores."""
    if not isinstance(payload, dict):
        raise Refusal(Kind.FORMAT, "the payload is not an object")
    violation = schemas.violation(subprotocol, action, "request", payload)
    if violation is not None:
        raise Refusal(violation.kind, str(violation))
    if _has_nul(payload):
        raise Refusal(Kind.PROPERTY, "a text holds the character U+0000")


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_nul(item) for item in value)
