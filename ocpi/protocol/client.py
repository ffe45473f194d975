"""The one HTTP client for calling peers: guarded, limited in time and size, and on the record.

`send` does no more than HTTP: it neither reads nor writes the database, so it may run beside many others on one loop.
`record` keeps what happened. A peer that is slow, huge, dead or hostile is a `problem` of the reply, not an exception.
"""

import asyncio
import json
import ssl
import time
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
from django.conf import settings
from django.utils import timezone

from chargers.addresses import AddressRefused
from chargers.guarded_http import Guarded
from ocpi.models import Cpo, Exchange, Peer
from ocpi.protocol import addresses, routing
from ocpi.protocol.masking import masked
from ocpi.protocol.routing import Party
from ocpi.protocol.versions import binding
from ocpplab.sealing import unseal

LARGEST = 5 * 1024 * 1024
REDIRECTS = (307, 308)
USER_AGENT = "OCPPLAB-Gateway"
LONGEST_PROBLEM = 300
NOT_WAITED_FOR = "not waited for: another peer's answer was enough"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a peer. `version` decides how the token is sent and which headers go with it.

    `routing` holds the routing headers, empty for versions and credentials. `encodes` overrides the version's form of
    the token where no version has been agreed yet.
    """

    method: str
    url: str
    token: str = field(repr=False)
    version: str
    body: Any = field(default=None, repr=False)
    module: str = ""
    peer: Peer | None = None
    routing: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str = ""
    attempt: int = 1
    seconds: float = field(default_factory=lambda: settings.OCPI_PEER_SECONDS)
    encodes: bool | None = None

    @property
    def encodes_token(self) -> bool:
        return binding(self.version).encodes_tokens if self.encodes is None else self.encodes


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `problem` says in words why the call did not succeed; `http` is None when nothing came.

    `retryable` is about the way, not the matter: nothing came, or an answer that another attempt may change.
    """

    http: int | None = None
    status_code: int | None = None
    status_message: str = ""
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    problem: str = ""
    duration: float = 0.0  # ms
    request_id: str = ""

    @property
    def ok(self) -> bool:
        """HTTP 2xx with 1xxx."""
        return not self.problem

    @property
    def retryable(self) -> bool:
        if self.http is None or self.http in (408, 425, 429) or self.http >= 500:
            return not self.ok
        return self.status_code is not None and 3000 <= self.status_code < 4000


class TooLarge(Exception):
    """The peer's answer is larger than anyone needs."""


def to_peer(
    peer: Peer,
    method: str,
    url: str,
    body: Any = None,
    *,
    module: str,
    correlation_id: str = "",
    attempt: int = 1,
    seconds: float | None = None,
    party: Party | None = None,
) -> Call:
    """A call with the peer's Token B, in the form of its version. Raises Unsealable when the token cannot be read.

    `party` is the one of the peer's that the message concerns, where it concerns one.
    """
    routed = binding(peer.version).routes and module not in routing.UNROUTED
    return Call(
        method,
        url,
        unseal(peer.sealed_token),
        peer.version,
        body,
        module,
        peer,
        routing.call_headers(peer.cpo, peer, party) if routed else {},
        correlation_id or str(uuid.uuid4()),  # what is sent is also what the log of exchanges shows
        attempt,
        settings.OCPI_PEER_SECONDS if seconds is None else seconds,
    )


def send_blocking(call: Call) -> Reply:
    """For threads without an event loop."""
    return asyncio.run(send(call))


def send_all_blocking(calls: Sequence[Call], enough: Callable[[Call, Reply], bool]) -> list[Reply]:
    """All at once, for threads without an event loop; once one reply is enough nobody waits for the others."""
    return asyncio.run(_send_all(calls, enough))


async def _send_all(calls: Sequence[Call], enough: Callable[[Call, Reply], bool]) -> list[Reply]:
    tasks = {asyncio.create_task(send(call)): call for call in calls}
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if any(enough(tasks[task], task.result()) for task in done):
            break
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return [Reply(problem=NOT_WAITED_FOR) if task.cancelled() else task.result() for task in tasks]


async def send(call: Call) -> Reply:
    """One attempt, of at most `call.seconds` in all; a redirect of the kind that keeps the method is followed once."""
    request_id = str(uuid.uuid4())
    call = call if call.correlation_id else replace(call, correlation_id=str(uuid.uuid4()))
    started = time.perf_counter()
    try:
        async with asyncio.timeout(call.seconds):
            reply = await _follow(call, request_id)
    except TimeoutError:
        reply = Reply(problem=f"no answer within {call.seconds:g} s")
    except TooLarge:
        reply = Reply(problem=f"the answer is larger than {LARGEST // 1024 // 1024} MB")
    except AddressRefused as refused:
        reply = Reply(problem=f"address refused: {refused}")
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        reply = Reply(problem=_reason(error))
    except (httpcore.UnsupportedProtocol, ValueError, UnicodeError) as error:
        reply = Reply(problem=f"no usable URL: {error}")
    return replace(reply, duration=(time.perf_counter() - started) * 1000, request_id=request_id)


async def _follow(call: Call, request_id: str) -> Reply:
    addresses.check_peer_url(call.url)
    reply = await _exchange(call, call.url, request_id)
    target = reply.headers.get("location", "")
    if reply.http not in REDIRECTS or not target:
        return reply
    target = urljoin(call.url, target)
    if _origin(target) != _origin(call.url):
        return replace(reply, problem=f"redirected to another origin: {target[:120]}")
    addresses.check_peer_url(target)
    return await _exchange(call, target, request_id)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


async def _exchange(call: Call, url: str, request_id: str) -> Reply:
    content = None if call.body is None else json.dumps(call.body, ensure_ascii=False).encode()
    limits = {"connect": call.seconds, "read": call.seconds, "write": call.seconds, "pool": call.seconds}
    async with (
        httpcore.AsyncConnectionPool(
            ssl_context=_tls(), network_backend=Guarded(addresses.resolved), max_connections=1
        ) as pool,
        pool.stream(
            call.method,
            url,
            headers=list(_headers(call, request_id, content).items()),
            content=content,
            extensions={"timeout": limits},
        ) as answer,
    ):
        text = await _body(answer.aiter_stream())
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        return judged(answer.status, headers, text)


def _headers(call: Call, request_id: str, content: bytes | None) -> dict[str, str]:
    token = b64encode(call.token.encode()).decode() if call.encodes_token else call.token
    headers = {
        "Host": urlsplit(call.url).netloc,
        "Authorization": f"Token {token}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": USER_AGENT,
    }
    if content is not None:
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    if binding(call.version).routes:
        headers |= {routing.REQUEST_ID: request_id, routing.CORRELATION_ID: call.correlation_id, **call.routing}
    return headers


async def _body(parts: AsyncIterator[bytes]) -> str:
    """Raises TooLarge."""
    received = bytearray()
    async for part in parts:
        received += part
        if len(received) > LARGEST:
            raise TooLarge
    return received.decode("utf-8", "replace")


def judged(http: int, headers: Mapping[str, str], text: str) -> Reply:
    """An answer read as an OCPI envelope."""
    try:
        envelope = json.loads(text)
        code = envelope["status_code"]
    except (ValueError, RecursionError, KeyError, TypeError):
        envelope, code = {}, None
    if isinstance(code, bool) or not isinstance(code, int) or not -32768 <= code <= 32767:
        return Reply(http, headers=headers, text=text, problem=f"HTTP {http}, and no OCPI envelope")
    message = str(envelope.get("status_message") or "")
    good = 200 <= http < 300 and 1000 <= code < 2000
    problem = "" if good else f"HTTP {http}, status_code {code}: {message}"
    return Reply(http, code, message, envelope.get("data"), headers, text, problem)


def _reason(error: BaseException) -> str:
    """What to tell a person; httpcore wraps the cause, sometimes without a word."""
    cause: BaseException = error
    while not str(cause) and (cause.__cause__ or cause.__context__):
        cause = cause.__cause__ or cause.__context__ or cause
    return f"cannot be reached: {cause or type(error).__name__}"


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def record(cpo: Cpo, call: Call, reply: Reply) -> Exchange:
    """Keeps the attempt, without tokens. Needs the CPO's scope."""
    secrets = (call.token, b64encode(call.token.encode()).decode())
    return Exchange.objects.create(
        tenant_id=cpo.tenant_id,
        cpo=cpo,
        peer=call.peer,
        direction=Exchange.OUTGOING,
        at=timezone.now(),
        method=call.method,
        url=masked(call.url, secrets)[:1000],
        module=call.module[:24],
        request_body="" if call.body is None else masked(json.dumps(call.body, ensure_ascii=False), secrets),
        response_body=masked(reply.text, secrets),
        http_status=reply.http,
        status_code=reply.status_code if reply.status_code is not None and reply.status_code >= 0 else None,
        problem=masked(reply.problem, secrets)[:LONGEST_PROBLEM],
        attempt=call.attempt,
        duration=reply.duration,
        request_id=reply.request_id,
        correlation_id=call.correlation_id[:64],
    )
