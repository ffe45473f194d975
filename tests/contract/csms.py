"""The scripted CSMS of the scenarios: it tells what comes over the wire, and says only what it is given to say.

It knows OCPP-J's envelope, a WebSocket library and nothing of the product. All stations of a test process share one
server; the path tells them apart.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from ssl import SSLContext

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response

from tests.contract import witness

SUBPROTOCOLS = ["ocpp1.6", "ocpp2.0.1"]
DOWN = 503


@dataclass
class Peer:
    """One station, over all of its connections. The functions are told what it does, as it happens."""

    heard: Callable[[str | bytes], None]
    ended: Callable[[int | None, str], None]
    pinged: Callable[[], None]
    changed: Callable[[], None]
    connection: ServerConnection | None = None
    is_down: bool = False  # it is refused
    pongs: bool = True  # its pings are answered
    said: int = 0  # texts, pings and pongs of this connection
    pings: int = 0
    ponged: int = 0
    _cut: set[ServerConnection] = field(default_factory=set)  # ended by us

    async def say(self, text: str) -> None:
        assert self.connection is not None, "the station is not connected"
        witness.sent(text)
        self.said += 1
        await self.connection.send(text)

    def cut(self) -> None:
        """Ends TCP without a close frame."""
        if self.connection is not None:
            self._cut.add(self.connection)
            self.connection.transport.abort()

    def take(self, connection: ServerConnection) -> None:
        """A new connection puts an end to the one before: its station fell silent."""
        if self.connection is not None:
            self.connection.transport.abort()
        self.connection = connection
        self.said = self.pings = self.ponged = 0
        self.changed()

    def lose(self, connection: ServerConnection, code: int | None, reason: str) -> None:
        if connection not in self._cut:
            witness.end(str(connection.subprotocol), code)
            self.ended(code, reason)
        if self.connection is connection:
            self.connection = None
        self.changed()


class Connection(ServerConnection):
    """Notes pings, and leaves them without an answer where a scenario wants that."""

    peer: Peer

    def process_event(self, event: object) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            witness.note(str(self.subprotocol), "ping")
            self.peer.pings += 1
            self.peer.pinged()
            self.peer.changed()
        super().process_event(event)  # type: ignore[arg-type]

    def listen_for(self, peer: Peer) -> None:
        self.peer = peer
        send_frame = self.protocol.send_frame

        def send(frame: Frame) -> None:
            if frame.opcode is Opcode.PONG and not peer.pongs:
                return
            peer.ponged += frame.opcode is Opcode.PONG
            send_frame(frame)

        self.protocol.send_frame = send  # type: ignore[method-assign]


class Csms:
    """`start` belongs to the loop that it then lives on."""

    def __init__(self) -> None:
        self._peers: dict[str, Peer] = {}
        self._names = count(1)
        self._servers: list[Server] = []

    async def start(self, tls: SSLContext | None = None) -> None:
        """Serves at one more port."""
        server = await serve(
            self._listen,
            "127.0.0.1",
            0,
            subprotocols=SUBPROTOCOLS,  # type: ignore[arg-type]
            process_request=self._asked,  # type: ignore[arg-type]
            create_connection=Connection,
            compression=None,
            ping_interval=None,
            ssl=tls,
        )
        self._servers.append(server)

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()

    async def expect(self, peer: Peer, tls: SSLContext | None) -> str:
        """The URL under which the CSMS knows this station; with `tls`, at a port that speaks nothing else."""
        if tls is not None:
            await self.start(tls)
        name = str(next(self._names))
        self._peers[name] = peer
        port = self._servers[-1 if tls else 0].sockets[0].getsockname()[1]
        return f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/{name}"

    def forget(self) -> None:
        """The test is over: nobody listens to its stations any more."""
        for peer in self._peers.values():
            peer.cut()
        self._peers.clear()
        for server in self._servers[1:]:
            server.close()
        del self._servers[1:]

    def _asked(self, connection: Connection, request: Request) -> Response | None:
        witness.request(request.path, request.headers)
        peer = self._peers.get(request.path.split("/")[1])
        if peer is None or peer.is_down:
            return connection.respond(DOWN, "The CSMS is down.\n")
        connection.listen_for(peer)
        return None

    async def _listen(self, connection: ServerConnection) -> None:
        assert isinstance(connection, Connection)
        peer = connection.peer
        peer.take(connection)
        try:
            while True:
                text = _text(await connection.recv(decode=False))
                if isinstance(text, str):
                    witness.received(str(connection.subprotocol), text)
                else:
                    witness.note(str(connection.subprotocol), "broken", payload=text)
                peer.heard(text)
                peer.changed()
        except ConnectionClosed:
            peer.lose(connection, connection.close_code, connection.close_reason or "")


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data
