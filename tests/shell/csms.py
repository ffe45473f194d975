"""A CSMS of the tests' own: real sockets, and a note of every frame it received or sent, in wire order."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import ValidationError
from websockets.asyncio.server import Request, Response, Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.contract import witness
from tests.contract.judge import judge

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Csms:
    """`frames[identity]` holds (direction as the log spells it, text). `answers` may be changed by a test."""

    def __init__(self) -> None:
        self.frames: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.sockets: dict[str, ServerConnection] = {}
        self.connects: dict[str, int] = defaultdict(int)
        self.heard: dict[ServerConnection, int] = defaultdict(int)  # frames by connection
        self.closes: list[tuple[str, int | None, str]] = []
        self.answers: dict[str, Answer] = {
            "BootNotification": lambda _: {"status": "Accepted", "currentTime": now(), "interval": 300},
            "Heartbeat": lambda _: {"currentTime": now()},
            "Authorize": lambda _: {"idTagInfo": {"status": "Accepted"}},
            "StartTransaction": lambda _: {"transactionId": 7, "idTagInfo": {"status": "Accepted"}},
        }
        self.lenient = False  # takes what is no frame, too; else the connection ends with it
        self.violations: list[str] = []  # frames that their schema forbids; a lenient one does not look
        self._asked: dict[str, str] = {}  # actions of own calls, by message id
        self.changed = asyncio.Event()
        self._server: Server | None = None
        self._ids = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ocpp"

    async def start(self, **options: Any) -> None:
        options = {"subprotocols": ["ocpp1.6", "ocpp2.0.1"], "process_request": _witness_request, **options}
        self._server = await serve(self._serve, "127.0.0.1", self.port, **options)
        self.port = self._server.sockets[0].getsockname()[1]

    @staticmethod
    def witnessing(answer: Callable[[ServerConnection, Request], Response | None]) -> Callable[..., Response | None]:
        """A `process_request` that also notes what was asked for."""

        def process(connection: ServerConnection, request: Request) -> Response | None:
            _witness_request(connection, request)
            return answer(connection, request)

        return process

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        identity = unquote(urlsplit(connection.request.path).path.rpartition("/")[2])
        self.sockets[identity] = connection
        self.connects[identity] += 1
        version = str(connection.subprotocol or "ocpp1.6")
        self._notify()
        try:
            async for text in connection:
                assert isinstance(text, str)
                self.heard[connection] += 1
                self._note(identity, "cp_to_csms", text)
                witness.received(version, text)
                self._judge(version, text)
                await self._answer(identity, connection, self._read(text))
        except ConnectionClosed:
            pass
        self.closes.append((identity, connection.close_code, connection.close_reason or ""))
        witness.end(version, connection.close_code)
        if self.sockets.get(identity) is connection:
            del self.sockets[identity]
        self._notify()

    def _judge(self, version: str, text: str) -> None:
        try:
            if not self.lenient:
                judge(version, text, self._asked.get(str(self._read(text)[1]), ""))
        except ValidationError as error:
            self.violations.append(f"{error.message} in {text}")

    def _read(self, text: str) -> list[Any]:
        try:
            frame: list[Any] = json.loads(text)
        except ValueError:
            if self.lenient:
                return [0]
            raise
        return frame

    async def _answer(self, identity: str, connection: ServerConnection, frame: list[Any]) -> None:
        if frame[0] == 2:
            answer = self.answers.get(frame[2], lambda _: {})(frame[3])
            await self.send(identity, json.dumps([3, frame[1], answer]), connection)

    async def send(self, identity: str, text: str, connection: ServerConnection | None = None) -> None:
        socket = connection or self.sockets[identity]
        self._note(identity, "csms_to_cp", text)
        witness.sent(text)
        await socket.send(text)

    async def call(self, identity: str, action: str, payload: dict[str, Any]) -> str:
        self._ids += 1
        message_id = f"csms-{self._ids}"
        self._asked[message_id] = action
        await self.send(identity, json.dumps([2, message_id, action, payload]))
        return message_id

    def _note(self, identity: str, direction: str, text: str) -> None:
        self.frames[identity].append((direction, text))
        self._notify()

    def _notify(self) -> None:
        self.changed.set()

    def received(self, identity: str, action: str) -> list[dict[str, Any]]:
        """Payloads of the calls of that action."""
        calls = [self._read(text) for direction, text in self.frames[identity] if direction == "cp_to_csms"]
        return [call[3] for call in calls if call[0] == 2 and call[2] == action]

    def answered(self, identity: str, message_id: str) -> bool:
        answers = [self._read(text) for direction, text in self.frames[identity] if direction == "cp_to_csms"]
        return any(answer[0] in {3, 4} and answer[1] == message_id for answer in answers)

    async def until(self, condition: Callable[[], bool], within: float = 30.0) -> None:
        """Returns once the condition holds, looked at after every frame, connect and close."""
        async with asyncio.timeout(within):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


def _witness_request(_: ServerConnection, request: Request) -> None:
    """What a station asks for, whether it gets it or not."""
    witness.request(request.path, request.headers)
