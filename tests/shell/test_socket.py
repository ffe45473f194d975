"""The WebSocket alone, against real servers: what it reports, and what the other side sees."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from simulator.core.facts import ShapeLink
from simulator.shell.address import AddressRefused, Resolver, judge
from simulator.shell.socket import MAX_MESSAGE, Socket
from simulator.shell.turns import Turns


class Listener:
    """Notes what the socket reports."""

    def __init__(self) -> None:
        self.reports: list[tuple[Any, ...]] = []
        self.changed = asyncio.Event()

    def _report(self, *report: Any) -> None:
        self.reports.append(report)
        self.changed.set()

    def connected(self) -> None:
        self._report("connected")

    def refused(self, code: int | None, reason: str) -> None:
        self._report("refused", code, reason)

    def text(self, text: str) -> None:
        self._report("text", text)

    def binary(self, data: bytes) -> None:
        self._report("binary", data)

    def pong(self) -> None:
        self._report("pong")

    def closed(self, code: int, reason: str) -> None:
        self._report("closed", code, reason)

    async def until(self, kind: str, count: int = 1) -> list[tuple[Any, ...]]:
        async with asyncio.timeout(30):
            while len(found := [one for one in self.reports if one[0] == kind]) < count:
                self.changed.clear()
                await self.changed.wait()
            return found


@pytest.fixture
def listener() -> Listener:
    return Listener()


Dial = Callable[..., Socket]


@pytest.fixture
async def dial(listener: Listener) -> AsyncIterator[Dial]:
    sockets: list[Socket] = []

    def open_socket(port: int, path: str = "/CP-1", **options: Any) -> Socket:
        url = options.pop("url", f"ws://127.0.0.1:{port}{path}")
        socket = Socket(listener, Resolver(), Turns(asyncio.get_running_loop()), url, "ocpp1.6", **options)
        sockets.append(socket)
        socket.open()
        return socket

    yield open_socket
    for socket in sockets:
        socket.abort()


Handler = Callable[[ServerConnection], Awaitable[None]]


class Peer:
    """A server whose one connection is at hand."""

    def __init__(self) -> None:
        self.connection: asyncio.Future[ServerConnection] = asyncio.get_running_loop().create_future()

    async def __call__(self, connection: ServerConnection) -> None:
        self.connection.set_result(connection)
        await connection.wait_closed()


def port_of(server: Any) -> int:
    return server.sockets[0].getsockname()[1]


async def test_text_flows_both_ways_and_close_codes_arrive(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        socket = dial(port_of(server), headers={"Authorization": "Basic Q1A6cHc="})
        connection = await peer.connection
        await listener.until("connected")
        assert connection.request.headers["Authorization"] == "Basic Q1A6cHc="
        assert "Sec-WebSocket-Extensions" not in connection.request.headers
        await connection.send("ä")
        assert await listener.until("text") == [("text", "ä")]
        assert socket.send_text("ö")
        assert await connection.recv() == "ö"
        socket.close(1000, "deleted")
        assert await listener.until("closed") == [("closed", 1000, "deleted")]
        await connection.wait_closed()
        assert (connection.close_code, connection.close_reason) == (1000, "deleted")
        assert not socket.send_text("late")


async def test_compression_is_offered_where_it_is_wanted(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        socket = dial(port_of(server), compression=True)
        connection = await peer.connection
        await listener.until("connected")
        assert [extension.name for extension in connection.protocol.extensions] == ["permessage-deflate"]
        for text in ("ä" * 1000, "[3]"):
            assert socket.send_text(text)
            assert await connection.recv() == text
            await connection.send(text)
        await connection.send(["[2,", '"a"]'])
        assert [text for _, text in await listener.until("text", 3)] == ["ä" * 1000, "[3]", '[2,"a"]']
        await connection.send("x" * (MAX_MESSAGE + 1))
        assert (await listener.until("closed"))[0][1] == 1009, "what counts is the size of the text"


async def test_a_csms_may_decline_compression(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None) as server:
        socket = dial(port_of(server), compression=True)
        connection = await peer.connection
        await listener.until("connected")
        assert socket.send_text("plain")
        assert await connection.recv() == "plain"


async def test_ping_is_answered_and_a_pong_reported(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"], ping_interval=None) as server:
        socket = dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        await asyncio.wait_for(await connection.ping("echo me"), 30)
        socket.ping()
        assert len(await listener.until("pong")) == 1


async def test_fragments_are_joined_and_binary_is_handed_up(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        dial(port_of(server))
        connection = await peer.connection
        await connection.send(["[2,", '"ä"', "]"])
        assert await listener.until("text") == [("text", '[2,"ä"]')]
        await connection.send([b"\x00", b"\x01"])
        assert await listener.until("binary") == [("binary", b"\x00\x01")]


@pytest.mark.parametrize(("chosen", "named"), [(None, "none"), ("ocpp2.0.1", "ocpp2.0.1")])
async def test_a_wrong_subprotocol_is_closed_with_1002(dial: Dial, listener: Listener, chosen: str | None, named: str):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, select_subprotocol=lambda *_: chosen) as server:
        dial(port_of(server))
        connection = await peer.connection
        reason = f"The CSMS chose the subprotocol {named}; offered was ocpp1.6."
        assert await listener.until("refused") == [("refused", 1002, reason)]
        await connection.wait_closed()
        assert connection.close_code == 1002
        assert [kind for kind, *_ in listener.reports] == ["refused"]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 503])
async def test_http_refusals_carry_their_status(dial: Dial, listener: Listener, status: int):
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus(status), "no")

    async with serve(Peer(), "127.0.0.1", 0, process_request=refuse) as server:
        dial(port_of(server))
        [(_, code, reason)] = await listener.until("refused")
        assert code == status
        assert reason.startswith(f"HTTP {status} {HTTPStatus(status).phrase}")
        assert ("credentials" in reason) == (status in (401, 403))


async def test_nobody_listening_is_refused_in_words(dial: Dial, listener: Listener):
    async with serve(Peer(), "127.0.0.1", 0) as server:
        port = port_of(server)
    dial(port)
    [(_, code, reason)] = await listener.until("refused")
    assert code is None
    assert "refused" in reason.lower()


async def test_an_unknown_name_and_a_wrong_url_are_refused_in_words(dial: Dial, listener: Listener):
    dial(0, url="ws://no-such-host.invalid/CP-1")
    await listener.until("refused")
    dial(0, url="http://127.0.0.1/CP-1")
    [_, (_, code, reason)] = await listener.until("refused", 2)
    assert code is None
    assert "http" in reason


async def test_an_answer_that_is_no_http_is_refused(dial: Dial, listener: Listener):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await reader.read()  # the client gives up
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        dial(port_of(server))
        [(_, code, reason)] = await listener.until("refused")
    assert code is None
    assert "valid HTTP response" in reason


async def test_a_silent_server_is_refused_after_the_timeout(
    dial: Dial, listener: Listener, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("simulator.shell.socket.CONNECT_TIMEOUT", 0.2)

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        dial(port_of(server))
        [(_, code, reason)] = await listener.until("refused")
    assert code is None
    assert "handshake" in reason


async def test_a_cut_connection_is_1006(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        connection.transport.abort()
        [(_, code, _reason)] = await listener.until("closed")
        assert code == 1006


async def test_too_large_a_message_is_closed_with_1009(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        dial(port_of(server))
        connection = await peer.connection
        await connection.send("x" * MAX_MESSAGE)
        await listener.until("text")
        await connection.send("x" * (MAX_MESSAGE + 1))
        [(_, code, _reason)] = await listener.until("closed")
        await connection.wait_closed()
        assert (code, connection.close_code) == (1009, 1009)


async def test_broken_utf_8_is_closed_with_1007(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        dial(port_of(server))
        connection = await peer.connection
        connection.protocol.send_text(b"\xff\xfe")
        connection.transport.write(b"".join(connection.protocol.data_to_send()))
        [(_, code, _reason)] = await listener.until("closed")
        await connection.wait_closed()
        assert (code, connection.close_code) == (1007, 1007)


async def test_a_server_that_never_closes_tcp_is_left_after_the_close_timeout(
    dial: Dial, listener: Listener, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("simulator.shell.socket.CLOSE_TIMEOUT", 0.2)
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"], close_timeout=0.1) as server:
        socket = dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        connection.transport.pause_reading()
        socket.close(1000, "stopped")
        assert await listener.until("closed") == [("closed", 1000, "stopped")]


async def test_a_held_socket_is_not_read_and_loses_nothing(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"], write_limit=1024) as server:
        socket = dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        socket.hold("test")
        text = "x" * 100_000
        sending = asyncio.create_task(send_many(connection, text, 200))
        done, _ = await asyncio.wait([sending], timeout=0.3)
        assert not done, "20 MB fit into the buffers of a socket that nobody reads"
        assert [kind for kind, *_ in listener.reports] == ["connected"]
        socket.free("test")
        assert len(await listener.until("text", 200)) == 200
        await sending


async def send_many(connection: ServerConnection, text: str, count: int) -> None:
    for _ in range(count):
        await connection.send(text)


async def test_an_aborted_socket_reports_nothing_and_sends_nothing(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        socket = dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        socket.abort()
        assert not socket.send_text("late")
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert [kind for kind, *_ in listener.reports] == ["connected"]


async def test_wss_trusts_the_system_and_nobody_else(dial: Dial, listener: Listener, tmp_path: Any):
    certificate = own_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with serve(Peer(), "127.0.0.1", 0, subprotocols=["ocpp1.6"], ssl=context) as server:
        url = f"wss://localhost:{port_of(server)}/CP-1"
        dial(0, url=url)
        [(_, code, reason)] = await listener.until("refused")
        assert code == 1015
        assert "certificate" in reason.lower()
        dial(0, url=url, tls=ssl.create_default_context(cafile=certificate))
        await listener.until("connected")


def own_certificate(folder: Any) -> str:
    """A self-signed certificate for localhost with its key, in one file."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return str(path)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "fe80::1%eth0",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "0.0.0.0",
        "224.0.0.1",
        "100.100.100.200",
    ],
)
def test_link_local_and_metadata_addresses_are_never_allowed(host: str):
    with pytest.raises(AddressRefused):
        judge(host)


def test_private_addresses_are_allowed_by_setting(settings: Any):
    for host in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12::1"):
        settings.ALLOW_PRIVATE_CSMS = True
        judge(host)
        settings.ALLOW_PRIVATE_CSMS = False
        with pytest.raises(AddressRefused):
            judge(host)
    judge("8.8.8.8")


async def test_a_forbidden_address_is_reported_as_refused(dial: Dial, listener: Listener, settings: Any):
    settings.ALLOW_PRIVATE_CSMS = False
    dial(9)
    [(_, code, reason)] = await listener.until("refused")
    assert code is None
    assert reason == "The private address 127.0.0.1 is not allowed on this installation."


async def test_a_shaped_line_sends_in_fragments_and_a_close_frame_comes_last(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        socket = dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        socket.shape(ShapeLink(latency_s=0.05, bytes_per_second=2_000, fragment_bytes=4))
        assert socket.send_text("0123456789")
        socket.close(1000, "done")
        assert [part async for part in connection.recv_streaming()] == ["0123", "4567", "89"]
        await connection.wait_closed()
        assert connection.close_code == 1000
        await listener.until("closed")


async def test_what_is_on_its_way_arrives_when_the_line_is_good_again(dial: Dial, listener: Listener):
    peer = Peer()
    async with serve(peer, "127.0.0.1", 0, subprotocols=["ocpp1.6"]) as server:
        socket = dial(port_of(server))
        connection = await peer.connection
        await listener.until("connected")
        socket.shape(ShapeLink(latency_s=3600.0))
        for number in range(3):
            assert socket.send_text(str(number))
        await connection.send("late")
        socket.shape(ShapeLink())
        assert [await connection.recv() for _ in range(3)] == ["0", "1", "2"]
        assert await listener.until("text") == [("text", "late")]
