"""Talking to a file server: one download or upload, every hop of it to an address that was judged."""

import asyncio
import hashlib
import socket
import ssl
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, unquote, urljoin, urlunsplit

import httpcore

from chargers import addresses
from chargers.addresses import AddressRefused
from chargers.guarded_http import Guarded
from simulator.core.transfers import BAD_MESSAGE, DENIED, FAILURE, NOT_SUPPORTED, Download, Transferred, Upload
from simulator.shell import ftp_server

MOST_REDIRECTS = 5
MOVED, MOVED_WITH_BODY = frozenset({301, 302, 303, 307, 308}), frozenset({307, 308})
STATUS_WORDS = {400: BAD_MESSAGE, 401: DENIED, 403: DENIED, 405: NOT_SUPPORTED, 415: BAD_MESSAGE, 501: NOT_SUPPORTED}
WANTS_POST = frozenset({404, 405, 501})
USER_AGENT = b"OCPPLAB-Gateway"
PATH_SAFE = "/%:@!$&'()*+,;=~"
# Of their own: a resolver may hang for long, and whoever speaks FTP must not keep the others from their names.
_resolvers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="file-resolve")
_talkers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="ftp")


@dataclass(frozen=True)
class Limits:
    """`seconds` for all of a transfer, `idle_seconds` for each answer or piece; `most_bytes` of a downloaded file."""

    seconds: float = 900.0
    idle_seconds: float = 30.0
    most_bytes: int = 512 * 1024 * 1024


class Failed(Exception):
    """The transfer did not succeed; the message says why, `failure` sorts it (`simulator.core.transfers`)."""

    def __init__(self, why: str, failure: str = FAILURE) -> None:
        super().__init__(why)
        self.failure = failure


@dataclass(frozen=True)
class Request:
    """One HTTP request. `moved`: the statuses of redirects that are followed."""

    method: str
    content: bytes | None
    headers: tuple[tuple[bytes, bytes], ...]
    moved: frozenset[int]


async def transferred(order: Download | Upload, limits: Limits) -> Transferred:
    """Raises Failed, or TimeoutError from below."""
    parts = _checked(order.url)
    if parts.scheme == "ftp":
        return await _by_ftp(order, parts, limits)
    if isinstance(order, Download):
        return await _follow(order, order.url, Request("GET", None, (), MOVED), limits)
    content = order.text.encode(errors="backslashreplace")
    name = order.name.encode("ascii", "replace")
    headers = (
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", str(len(content)).encode()),
        (b"Content-Disposition", b'attachment; filename="' + name + b'"'),
    )
    url = _file_url(order)
    try:
        return await _follow(order, url, Request("PUT", content, headers, MOVED_WITH_BODY), limits)
    except Refused as refused:
        if refused.status not in WANTS_POST:
            raise
    return await _follow(order, url, Request("POST", content, headers, MOVED_WITH_BODY), limits)


class Refused(Failed):
    """The server's answer is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answers HTTP {status}", STATUS_WORDS.get(status, FAILURE))
        self.status = status


def _file_url(order: Upload) -> str:
    """A URL that ends in a slash is a folder: the file goes into it. Any other is where the file goes."""
    parts = _checked(order.url)
    return urlunsplit(parts._replace(path=parts.path + order.name)) if parts.path.endswith("/") else order.url


def _checked(url: str) -> SplitResult:
    try:
        return addresses.check_transfer_url(url)
    except AddressRefused as refused:
        raise Failed(str(refused), DENIED) from None


# --- HTTP -----------------------------------------------------------------------------------------------------------


async def _follow(order: Download | Upload, url: str, request: Request, limits: Limits) -> Transferred:
    """The request, and again wherever the server sends it; credentials stay with the server they are for."""
    first = _checked(url)
    tls = _tls(order.roots, insecure=order.insecure)
    async with httpcore.AsyncConnectionPool(
        ssl_context=tls, network_backend=Guarded(_resolved), max_connections=1
    ) as pool:
        for _ in range(MOST_REDIRECTS + 1):
            parts = _checked(url)
            if parts.scheme == "http" and first.scheme == "https":
                raise Failed("redirected from https to http", DENIED)
            found = await _exchange(pool, order, parts, request, limits, credentials=_same_server(parts, first))
            if isinstance(found, Transferred):
                return found
            url = _joined(url, found)
    raise Failed(f"more than {MOST_REDIRECTS} redirects")


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        raise Failed("redirected to what is no URL") from None


def _same_server(one: SplitResult, other: SplitResult) -> bool:
    return (one.scheme, one.hostname, one.port) == (other.scheme, other.hostname, other.port)


async def _exchange(
    pool: httpcore.AsyncConnectionPool,
    order: Download | Upload,
    parts: SplitResult,
    request: Request,
    limits: Limits,
    *,
    credentials: bool,
) -> Transferred | str:
    """What the file was, or the URL that the server names instead."""
    headers = [(b"Host", parts.netloc.rpartition("@")[2].encode("idna" if not parts.netloc.isascii() else "ascii"))]
    headers += [(b"User-Agent", USER_AGENT), (b"Accept", b"*/*"), (b"Accept-Encoding", b"identity")]
    if parts.username is not None and credentials:
        headers.append((b"Authorization", _basic(parts)))
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), limits.idle_seconds)
    try:
        async with pool.stream(
            request.method,
            _target(parts),
            headers=[*headers, *request.headers],
            content=request.content,
            extensions={"timeout": timeouts},
        ) as answer:
            if answer.status in request.moved:
                return _location(answer)
            if not 200 <= answer.status < 300:
                raise Refused(answer.status)
            return await _read(order, answer, request, limits)
    except AddressRefused as refused:
        raise Failed(str(refused), DENIED) from None
    except httpcore.TimeoutException:
        raise Failed(f"the server was silent for {limits.idle_seconds:g} s") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
        raise Failed(f"{type(error).__name__}: {error}") from None


def _target(parts: SplitResult) -> httpcore.URL:
    path = quote(parts.path or "/", safe=PATH_SAFE) + (
        f"?{quote(parts.query, safe=PATH_SAFE + '?')}" if parts.query else ""
    )
    host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii")
    return httpcore.URL(scheme=parts.scheme.encode(), host=host, port=parts.port, target=path.encode())


def _basic(parts: SplitResult) -> bytes:
    return b"Basic " + b64encode(f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode())


def _location(answer: httpcore.Response) -> str:
    for name, value in answer.headers:
        if name.lower() == b"location":
            return value.decode("latin-1")
    raise Failed(f"HTTP {answer.status} without a Location")


async def _read(order: Download | Upload, answer: httpcore.Response, request: Request, limits: Limits) -> Transferred:
    """Counts and hashes what comes; nothing is kept."""
    if isinstance(order, Upload):
        return Transferred(order.key, size=len(request.content or b""))
    file = Measured(limits.most_bytes)
    async for piece in answer.aiter_stream():
        file.take(piece)
    return file.result(order.key)


class Measured:
    """The size and the SHA-256 of a file that goes by."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._hash = hashlib.sha256()

    def take(self, piece: bytes) -> None:
        """Raises Failed for more than is allowed."""
        self._size += len(piece)
        if self._size > self._most:
            raise Failed(f"the file is larger than {self._most} bytes")
        self._hash.update(piece)

    def result(self, key: str) -> Transferred:
        return Transferred(key, size=self._size, digest=self._hash.hexdigest())


@lru_cache(maxsize=64)
def _tls(roots: tuple[str, ...], *, insecure: bool) -> ssl.SSLContext:
    """The system's trust and the station's own."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if roots:
        context.load_verify_locations(cadata="\n".join(roots))
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


# --- addresses ------------------------------------------------------------------------------------------------------


async def _resolved(host: str, port: int) -> list[str]:
    """Every address of a name, each judged. Raises AddressRefused, OSError for an unknown name."""
    infos = await asyncio.get_running_loop().run_in_executor(
        _resolvers, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    found = list(dict.fromkeys(str(info[4][0]) for info in infos))
    for address in found:
        addresses.judge(ip_address(address.partition("%")[0]))
    return found


# --- FTP ------------------------------------------------------------------------------------------------------------


async def _by_ftp(order: Download | Upload, parts: SplitResult, limits: Limits) -> Transferred:
    try:
        host = (await _resolved(parts.hostname or "", parts.port or ftp_server.PORT))[0]
    except AddressRefused as refused:
        raise Failed(str(refused), DENIED) from None
    except OSError as error:
        raise Failed(f"{type(error).__name__}: {error}") from None
    visit = ftp_server.Visit(host, parts, limits.idle_seconds)
    file = Measured(limits.most_bytes)
    loop = asyncio.get_running_loop()
    try:
        if isinstance(order, Download):
            await loop.run_in_executor(_talkers, visit.fetch, file.take)
            return file.result(order.key)
        content = order.text.encode(errors="backslashreplace")
        await loop.run_in_executor(_talkers, visit.store, order.name, content)
        return Transferred(order.key, size=len(content))
    except ftp_server.NotAllowed as error:
        raise Failed(f"FTP: {error}", DENIED) from None
    except ftp_server.ERRORS as error:
        raise Failed(f"FTP: {error}") from None
    finally:
        visit.over = True
