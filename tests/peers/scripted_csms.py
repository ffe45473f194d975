"""A CSMS for tests that shares nothing with the product: it answers by script, records every frame and judges each.

async with ScriptedCsms() as csms:
    ...                                    # a charger with ws_url=csms.url and identity CP-1 connects
    await csms.wait_for("CP-1", lambda seen: seen.is_call("BootNotification"))
    await csms.call("CP-1", "Reset", {"type": "Soft"})
    assert csms.violations == []
"""

import asyncio
import inspect
import json
from collections import defaultdict
from contextlib import suppress
from http import HTTPStatus
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote
from uuid import uuid4

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tests.peers.answers import Payload, Raw, Reaction, Refusal, Rule, Script, Silence
from tests.peers.judge import Judge
from tests.peers.ledger import ERROR, PATIENCE, TO_CSMS, TO_STATION, Ledger, Seen
from tests.peers.official import FROM_STATION, V16, V201, faults

SUBPROTOCOLS = [Subprotocol(V201), Subprotocol(V16)]
# A socket that its owner has closed may take this long to be seen closed here.
CLOSING_SECONDS = 2.0


class Refused(Exception):
    """The station answered a call with an ERROR."""

    def __init__(self, seen: Seen) -> None:
        super().__init__(seen.text)
        assert seen.frame is not None
        self.code: str = seen.frame[2]


class Station:
    """One identity as the CSMS knows it. `connections` counts all there ever were; `closes` are their close codes."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.connections = 0
        self.closes: list[int | None] = []
        self.socket: ServerConnection | None = None
        self.online = asyncio.Event()
        self.offline = asyncio.Event()
        self.pending: dict[str, asyncio.Future[Seen]] = {}


class ScriptedCsms(Ledger):
    """`violations` says what stations did wrong. `refuse_with` turns connections away with that HTTP status.

    `message_timeout`: seconds after which a station may give up on an answer that the script withholds.
    """

    def __init__(self, *, message_timeout: float = 30.0, tls: SSLContext | None = None) -> None:
        super().__init__()
        self.tls = tls
        self.script = Script()
        self.violations: list[str] = []
        self.message_timeout = message_timeout
        self.refuse_with: HTTPStatus | None = None
        self.refused = 0
        self.port = 0
        self.server: Server | None = None
        self.stations: defaultdict[str, Station] = defaultdict(lambda: Station(self.judge()))
        self.reactions: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp" if self.tls is None else f"wss://localhost:{self.port}/ocpp"

    # --- the server ---

    async def start(self) -> None:
        """Listens, on the same port as before if it was stopped."""
        self.server = await serve(
            self.serve_station,
            "127.0.0.1",
            self.port,
            subprotocols=SUBPROTOCOLS,
            process_request=self.admit,
            compression=None,
            ssl=self.tls,
        )
        self.port = next(iter(self.server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Closes every connection with 1001 and listens no more."""
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()
        self.server = None
        for task in self.reactions:
            task.cancel()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.server is not None:
            await self.stop()

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.refuse_with is not None:
            self.refused += 1
            return connection.respond(self.refuse_with, "not here\n")
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if not {word.strip() for word in offered.split(",")} & set(SUBPROTOCOLS):
            self.violations.append(f"{request.path}: offers no OCPP subprotocol but {offered!r}")
        return None

    def judge(self) -> Judge:
        return Judge(self.violations.append, self.message_timeout)

    def station(self, identity: str) -> Station:
        station = self.stations[identity]
        station.judge.accuse = lambda fault: self.violations.append(f"{identity}: {fault}")
        return station

    async def serve_station(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        identity = unquote(socket.request.path.rsplit("/", 1)[-1])
        station = self.station(identity)
        await self.expect_alone(identity, station)
        station.connections += 1
        station.socket = socket
        station.judge.connected(socket.subprotocol or "")
        station.offline.clear()
        station.online.set()
        try:
            async for text in socket:
                self.received(identity, station, text)
        except ConnectionClosed:
            pass
        finally:
            station.closes.append(socket.close_code)
            if station.socket is socket:
                station.socket = None
                station.online.clear()
                station.offline.set()
                self.give_up(station)

    async def expect_alone(self, identity: str, station: Station) -> None:
        """One connection per station; the end of the last one may be seen a moment later than this one's begin."""
        if station.socket is None:
            return
        try:
            await asyncio.wait_for(station.offline.wait(), CLOSING_SECONDS)
        except TimeoutError:
            self.violations.append(f"{identity}: a second connection while the first is open")

    @staticmethod
    def give_up(station: Station) -> None:
        for waiting in station.pending.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("The station is gone."))

    # --- frames ---

    def received(self, identity: str, station: Station, text: str | bytes) -> None:
        if isinstance(text, bytes):
            self.violations.append(f"{identity}: a binary frame")
            return
        seen = self.record(identity, TO_CSMS, text, station.connections)
        station.judge.see(seen)
        if seen.is_answer() and seen.message_id in station.pending:
            waiting = station.pending[seen.message_id]
            if not waiting.done():
                waiting.set_result(seen)
        elif seen.is_call() and len(seen.frame or ()) == 4:
            task = asyncio.create_task(self.react(identity, station, seen))
            self.reactions.add(task)
            task.add_done_callback(self.reactions.discard)

    async def react(self, identity: str, station: Station, call: Seen) -> None:
        socket = station.socket
        reaction = self.script.rules.get(call.action) or self.default(station, call)
        if callable(reaction):
            chosen = reaction(identity, call.payload)
            reaction = await chosen if inspect.isawaitable(chosen) else chosen
        text = self.worded(call, reaction, station.judge.subprotocol)
        if text and socket is station.socket and socket is not None:
            await self.send(identity, text)

    def default(self, station: Station, call: Seen) -> Reaction:
        if call.action not in FROM_STATION[station.judge.subprotocol]:
            return Refusal("NotImplemented")
        return self.script.default(call.action, call.payload)

    def worded(self, call: Seen, reaction: Reaction, subprotocol: str) -> str:
        """The answer's text; empty for silence. An invalid answer of the script counts as a violation, unless Raw."""
        match reaction:
            case Silence():
                return ""
            case Raw(text):
                return text.replace("{id}", call.message_id)
            case Refusal(code, description):
                return json.dumps([4, call.message_id, code, description, {}])
            case _:
                wrong = faults(subprotocol, call.action, reaction, response=True)
                self.violations += [f"the script's own answer to {call.action}: {fault}" for fault in wrong]
                return json.dumps([3, call.message_id, reaction])

    async def send(self, identity: str, text: str) -> None:
        """Puts any text on the wire."""
        station = self.station(identity)
        assert station.socket is not None, f"{identity} is not connected"
        station.judge.see(self.record(identity, TO_STATION, text, station.connections))
        with suppress(ConnectionClosed):
            await station.socket.send(text)

    # --- for tests ---

    def answer(self, action: str, rule: Rule) -> None:
        """From now on every call of this action gets this."""
        self.script.rules[action] = rule

    async def call(
        self, identity: str, action: str, payload: Payload, *, checked: bool = True, deadline: float = PATIENCE
    ) -> Any:
        """The payload of the station's RESULT. Raises Refused for an ERROR, ConnectionError if the station goes.

        `checked=False` sends what the schema forbids.
        """
        station = self.station(identity)
        wrong = faults(station.judge.subprotocol, action, payload, response=False) if checked else []
        assert not wrong, f"The test calls {action} with {payload}: {wrong}"
        message_id = str(uuid4())
        waiting = station.pending[message_id] = asyncio.get_running_loop().create_future()
        try:
            await self.send(identity, json.dumps([2, message_id, action, payload]))
            seen = await asyncio.wait_for(waiting, deadline)
        except TimeoutError:
            station.judge.forget(message_id)
            raise AssertionError(f"{identity} did not answer {action} in {deadline:g} s") from None
        finally:
            del station.pending[message_id]
        if seen.kind == ERROR:
            raise Refused(seen)
        return seen.payload

    async def connected(self, *identities: str, deadline: float = PATIENCE) -> None:
        waiting = [self.station(identity).online.wait() for identity in identities]
        await asyncio.wait_for(asyncio.gather(*waiting), deadline)

    async def disconnected(self, identity: str, deadline: float = PATIENCE) -> None:
        await asyncio.wait_for(self.station(identity).offline.wait(), deadline)

    async def close(self, identity: str, code: int = 1000) -> None:
        station = self.station(identity)
        assert station.socket is not None
        await station.socket.close(code)

    def drop(self, identity: str) -> None:
        """Cuts the connection as a broken line does: no close frame."""
        station = self.station(identity)
        assert station.socket is not None
        station.socket.transport.abort()
