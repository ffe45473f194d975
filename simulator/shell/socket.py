"""One WebSocket to a CSMS: websockets' protocol without I/O on a bare asyncio transport, all callbacks synchronous.

A connected charger costs no task. The order never varies: feed the bytes, write what the protocol answers by itself
(pongs, close frames), then deliver what it understood.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Mapping
from socket import SO_LINGER, SOL_SOCKET
from ssl import SSLCertVerificationError, SSLContext, SSLError
from typing import Protocol

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidURI
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI, parse_uri

from simulator.core.credentials import BAD_CERTIFICATE, Credentials
from simulator.core.facts import ShapeLink
from simulator.shell import endings
from simulator.shell.address import Resolver
from simulator.shell.slow_line import SlowLine
from simulator.shell.tls import context_for
from simulator.shell.turns import Turns

CONNECT_TIMEOUT = 20.0  # s: name, TCP, TLS and the HTTP upgrade together
CLOSE_TIMEOUT = 2.0  # s for the CSMS to answer a close frame and to end TCP
SILENCE = 300.0  # s that a cut connection's end of TCP is kept, so that the CSMS hears nothing of it
LINGER_NOT = struct.pack("ii", 1, 0)
MAX_MESSAGE = 256 * 1024  # bytes; the protocol closes with 1009 beyond it
SLICE = 8  # events delivered before other chargers get their turn
# Our window is small, for frames are short and connections many; the CSMS's is left to it, as not all can limit it.
DEFLATE = ClientPerMessageDeflateFactory(client_max_window_bits=11, compress_settings={"memLevel": 4})
BACKLOG = 64  # events waiting before a CSMS that floods is not read any more


class Handler(Protocol):
    """Who is told. `refused` and `closed` come at most once, one of them last; nothing comes after `abort`."""

    def connected(self) -> None: ...

    def refused(self, code: int | None, reason: str) -> None:
        """No session came about. `code`: HTTP status, 1002 for the subprotocol, 1015 for the CSMS's certificate, None
        for whatever else is below HTTP."""

    def text(self, text: str) -> None: ...

    def binary(self, data: bytes) -> None: ...

    def pong(self) -> None: ...

    def closed(self, code: int, reason: str) -> None: ...


class _Client(ClientProtocol):
    """Takes any subprotocol: a wrong one is closed with 1002 (OCPP-J 3.1.2), for which the handshake must succeed."""

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        chosen = headers.get_all("Sec-WebSocket-Protocol")
        return Subprotocol(", ".join(chosen)) if chosen else None

    answers_pings = True

    def send_frame(self, frame: Frame) -> None:
        if self.answers_pings or frame.opcode is not Opcode.PONG:
            super().send_frame(frame)


class Lost:
    """The transport has ended; last event of a connection."""


class Socket(asyncio.Protocol):
    def __init__(
        self,
        handler: Handler,
        resolver: Resolver,
        turns: Turns,
        url: str,
        subprotocol: str,
        headers: Mapping[str, str] | None = None,
        tls: SSLContext | None = None,
        *,
        compression: bool = False,
    ) -> None:
        """`tls`: for a wss URL; without one the system's trust and no client certificate.

        `compression`: permessage-deflate is offered. It costs some 30 KiB a connection where the CSMS takes it.
        """
        self._handler: Handler | None = handler
        self._resolver = resolver
        self._turns = turns
        self._url = url
        self._offered = subprotocol
        self._headers = headers or {}
        self._tls = tls
        self._extensions = (DEFLATE,) if compression else None
        self._problem: Exception | None = None
        self._heard = False
        self._loop = asyncio.get_running_loop()
        self._client: _Client | None = None
        self._transport: asyncio.Transport | None = None
        self._opened = False
        self._events: deque[Frame | Response | Lost] = deque()
        self._fragments: list[Frame] = []
        self._holds: set[str] = set()
        self._reading = True
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._answers_pings = True
        self._line: SlowLine | None = None

    # --- what the runner asks for -----------------------------------------------------------------------------------

    def open(self) -> None:
        self._task = self._loop.create_task(self._connect())

    @property
    def is_open(self) -> bool:
        return self._opened and self._handler is not None and self._state is State.OPEN

    @property
    def _state(self) -> State:
        return self._client.state if self._client is not None else State.CONNECTING

    @property
    def is_closing(self) -> bool:
        """A close frame has gone one way or the other; `closed` is still to come."""
        return self._opened and not self.is_open and self._handler is not None

    def send_text(self, text: str) -> bool:
        """False when the connection is not open any more: the frame does not leave."""
        if self._client is None or not self.is_open:
            return False
        size = self._line.fragment_bytes if self._line is not None else 0
        self._send_fragments(text.encode(), size) if size else self._client.send_text(text.encode())
        self._write()
        return True

    def _send_fragments(self, data: bytes, size: int) -> None:
        """One message in frames of so many bytes (RFC 6455, 5.4)."""
        assert self._client is not None
        self._client.send_text(data[:size], fin=len(data) <= size)
        for start in range(size, len(data), size):
            self._client.send_continuation(data[start : start + size], fin=start + size >= len(data))

    def send_bytes(self, data: bytes, *, as_text: bool) -> bool:
        """A message whose bytes need not be what its kind promises."""
        if self._client is None or not self.is_open:
            return False
        if as_text:
            self._client.send_text(data)
        else:
            self._client.send_binary(data)
        self._write()
        return True

    def answer_pings(self, wanted: bool) -> None:
        self._answers_pings = wanted
        if self._client is not None:
            self._client.answers_pings = wanted

    def shape(self, asked: ShapeLink) -> None:
        """Slows the line down from now on, in both directions, or lets it be fast again."""
        if self._line is None and asked == ShapeLink():
            return
        if self._line is None:
            self._line = SlowLine(self._loop, self._put)
        self._line.shape(asked.latency_s, asked.bytes_per_second, asked.fragment_bytes)
        if not self._line.is_slow:
            self.free("line")

    def ping(self) -> None:
        if self._client is not None and self.is_open:
            self._client.send_ping(b"ocpp")
            self._write()

    def close(self, code: int, reason: str = "") -> None:
        """A close frame after everything sent so far; `closed` follows within CLOSE_TIMEOUT. Not open yet: abort."""
        if self._client is None or not self._opened:
            self.abort()
        elif self._client.state is State.OPEN:
            self._client.send_close(code, endings.clipped(reason))
            self._write()
            self._limit(CLOSE_TIMEOUT + (self._line.backlog_s if self._line is not None else 0.0))

    def give_up(self, code: int, reason: str) -> None:
        """As `close`, but nobody waits for the answer: no callback follows."""
        if self._client is None or self._transport is None or not self.is_open:
            self.abort()
            return
        self._client.send_close(code, endings.clipped(reason))
        self._write()
        self._handler = None
        self._transport.close()

    def abort(self) -> None:
        """Ends the connection without another byte, and without another callback."""
        self._handler = None
        self._events.clear()
        self._stop_line()
        if self._task is not None:
            self._task.cancel()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def freeze(self) -> None:
        """Half open: nothing is read or written any more, though TCP stays up."""
        self.hold("frozen")
        self._events.clear()
        self._stop_line()

    def reset(self) -> None:
        """Ends TCP with RST instead of FIN, as a cut that somebody on the way notices; no callback follows."""
        if self._transport is not None:
            tcp = self._transport.get_extra_info("socket")
            if tcp is not None:
                tcp.setsockopt(SOL_SOCKET, SO_LINGER, LINGER_NOT)
        self.abort()

    def fall_silent(self) -> None:
        """As if the cable were cut: no byte more in either direction, no end of TCP either; no callback follows."""
        if self._transport is None:
            self.abort()
            return
        self._handler = None
        self._events.clear()
        self._stop_line()
        self._cancel_limit()
        self._transport.pause_reading()
        self._loop.call_later(SILENCE, self._transport.abort)

    def hold(self, reason: str) -> None:
        """Reads and delivers nothing until every reason given is freed again."""
        self._holds.add(reason)
        self._set_reading()

    def free(self, reason: str) -> None:
        if reason in self._holds:
            self._holds.discard(reason)
            self._turns.ask(self)

    # --- opening ----------------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._dial(parse_uri(self._url))
        except TimeoutError:
            self._refuse(None, f"No connection within {CONNECT_TIMEOUT:.0f} s.")
        except InvalidURI as error:
            self._refuse(None, str(error))
        except (OSError, UnicodeError) as error:
            self._refuse(BAD_CERTIFICATE if isinstance(error, SSLCertVerificationError) else None, endings.words(error))

    async def _dial(self, uri: WebSocketURI) -> None:
        """Tries the name's addresses in turn. Raises the last address's OSError."""
        addresses = await self._resolver.resolve(uri)
        self._client = _Client(
            uri, subprotocols=[Subprotocol(self._offered)], extensions=self._extensions or None, max_size=MAX_MESSAGE
        )
        self._client.answers_pings = self._answers_pings
        tls = (self._tls or context_for(Credentials())) if uri.secure else None
        for last, address in zip([*[False] * (len(addresses) - 1), True], addresses, strict=True):
            try:
                await self._loop.create_connection(
                    lambda: self,
                    address.host,
                    address.port,
                    ssl=tls,
                    server_hostname=uri.host if uri.secure else None,
                )
            except OSError:
                if last:
                    raise
            else:
                return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]
        assert self._client is not None
        if self._handler is None:
            transport.abort()  # type: ignore[attr-defined]
            return
        request: Request = self._client.connect()
        request.headers.update(self._headers)
        self._client.send_request(request)
        self._write()
        self._limit(CONNECT_TIMEOUT)
        self._set_reading()

    def _answered(self, response: Response) -> None:
        assert self._client is not None
        problem = self._client.handshake_exc
        if problem is not None:
            self._refuse(*endings.refusal(problem, response))
        elif self._client.subprotocol != self._offered:
            named = self._client.subprotocol or "none"
            reason = f"The CSMS chose the subprotocol {named}; offered was {self._offered}."
            self._client.send_close(CloseCode.PROTOCOL_ERROR, endings.clipped(reason))
            self._write()
            self._refuse(1002, reason)
        else:
            self._cancel_limit()
            self._opened = True
            if self._handler is not None:
                self._handler.connected()

    def _refuse(self, code: int | None, reason: str) -> None:
        handler, self._handler = self._handler, None
        self._cancel_limit()
        if self._transport is not None:
            self._transport.close()
        if handler is not None:
            handler.refused(code, reason)

    # --- bytes ------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        assert self._client is not None
        if self._handler is None:
            return
        self._heard = True
        self._client.receive_data(data)
        if self._line is not None and self._line.is_slow:
            self.hold("line")
            self._loop.call_later(self._line.seconds_for(len(data)), self.free, "line")
        self._fed()

    def eof_received(self) -> None:
        assert self._client is not None
        if self._handler is not None:
            self._client.receive_eof()
            self._fed()

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._client is not None
        self._problem = exc
        self._cancel_limit()
        if self._handler is not None:
            if self._client.state is not State.CLOSED and not self._client.reader.eof:
                self._client.receive_eof()
                self._take_events()
            self._events.append(Lost())
            self._turns.ask(self)

    def pause_writing(self) -> None:
        # The CSMS does not read: it gets no more answers until it does.
        self.hold("writing")

    def resume_writing(self) -> None:
        self.free("writing")

    def _fed(self) -> None:
        assert self._client is not None
        self._write()
        self._take_events()
        if self._client.handshake_exc is not None and not self._events:
            self._refuse(*self._unanswered())  # no HTTP at all
            return
        if self._client.close_expected() and self._timer is None:
            self._limit(CLOSE_TIMEOUT)
        self._turns.ask(self)
        if len(self._events) > BACKLOG:
            self._set_reading()

    def _take_events(self) -> None:
        assert self._client is not None
        self._events.extend(event for event in self._client.events_received() if not isinstance(event, Request))

    def _write(self) -> None:
        assert self._client is not None
        data = b"".join(self._client.data_to_send())  # the marker for end of stream is empty: TCP ends by `close`
        if data and self._line is not None:
            self._line.send(data)
        elif data:
            self._put(data)

    def _put(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _stop_line(self) -> None:
        if self._line is not None:
            self._line.stop()

    def _limit(self, seconds: float) -> None:
        self._cancel_limit()
        self._timer = self._loop.call_later(seconds, self._overdue)

    def _cancel_limit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _overdue(self) -> None:
        self._timer = None
        if not self._opened:
            self._refuse(None, f"No answer to the WebSocket handshake within {CONNECT_TIMEOUT:.0f} s.")
        if self._transport is not None:
            self._transport.abort()

    # --- events -----------------------------------------------------------------------------------------------------

    def deliver(self) -> bool:
        """Hands on a slice of what waits; called when it is this socket's turn."""
        for _ in range(SLICE):
            if not self._events or self._holds:
                break
            self._handle(self._events.popleft())
        self._set_reading()
        return bool(self._events) and not self._holds

    def _set_reading(self) -> None:
        """Reads exactly while there is nothing left to deliver and nobody holds."""
        wanted = not self._events and not self._holds
        if wanted == self._reading or self._transport is None or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _handle(self, event: Frame | Response | Lost) -> None:
        if isinstance(event, Lost):
            self._ended()
        elif isinstance(event, Response):
            self._answered(event)
        elif event.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            self._collect(event)
        elif event.opcode is Opcode.PONG and self._handler is not None:
            self._handler.pong()

    def _collect(self, frame: Frame) -> None:
        """A message may come in fragments; its kind is the first one's (RFC 6455, 5.4)."""
        self._fragments.append(frame)
        if not frame.fin or self._handler is None:
            return
        whole, self._fragments = self._fragments, []
        data = b"".join(part.data for part in whole) if len(whole) > 1 else bytes(frame.data)
        if whole[0].opcode is Opcode.BINARY:
            self._handler.binary(data)
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            assert self._client is not None
            self._client.fail(CloseCode.INVALID_DATA, "text is not UTF-8")
            self._write()
            self._limit(CLOSE_TIMEOUT)
        else:
            self._handler.text(text)

    def _ended(self) -> None:
        handler, self._handler = self._handler, None
        if handler is None:
            return
        assert self._client is not None
        if self._opened:
            handler.closed(*endings.closing(self._client))
        else:
            handler.refused(*self._unanswered())

    def _unanswered(self) -> tuple[int | None, str]:
        """Why there was no HTTP answer. In TLS 1.3 a client certificate is refused after our part of the handshake."""
        assert self._client is not None
        if isinstance(self._problem, SSLError):
            return None, endings.words(self._problem)
        if not self._heard and self._transport is not None and self._transport.get_extra_info("ssl_object"):
            return None, endings.CUT_AFTER_TLS
        return endings.refusal(self._client.handshake_exc, None)
