"""A scripted eMSP: an HTTP server and client that know OCPI from its specification and nothing of the product.

It records every request, keeps what it is pushed as a receiver does, checks pushed objects against the specification,
and misbehaves on demand: `emsp.script("cdrs", Answer(503), Answer(503))` fails the next two requests to that module.
"""

import base64
import json
import re
import secrets
import ssl
import threading
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tests.ocpi import schemas

Json = Any
PATIENCE = 30.0
RECEIVERS = ("locations", "tariffs", "sessions", "cdrs", "chargingprofiles")
MODULES = {
    "credentials": "RECEIVER",
    "locations": "RECEIVER",
    "tariffs": "RECEIVER",
    "sessions": "RECEIVER",
    "cdrs": "RECEIVER",
    "tokens": "SENDER",
    "commands": "SENDER",
    "chargingprofiles": "SENDER",
}
CLASSES = {"tariffs": "Tariff", "sessions": "Session", "cdrs": "CDR"}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Answer:
    """What to answer instead of the right thing. `body` replaces the envelope; `hang` keeps the socket silent."""

    http: int = 200
    code: int = 1000
    data: Json = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    hang: bool = False


@dataclass
class Received:
    """One request of the CPO's."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json
    module: str
    rest: tuple[str, ...]
    at: float


@dataclass
class Response:
    """What the CPO answered."""

    http: int
    headers: dict[str, str]
    body: Json
    text: str

    @property
    def code(self) -> int:
        return self.body["status_code"]

    @property
    def data(self) -> Json:
        return self.body.get("data")

    @property
    def next_page(self) -> str | None:
        match = re.search(r'<([^>]+)>; *rel="next"', self.headers.get("link", ""))
        return match[1] if match else None


class Emsp:
    """One platform. Use it as a context manager; `versions_url` is what a CPO begins with."""

    def __init__(
        self,
        version: str = "2.2.1",
        country: str = "NL",
        party: str = "EMS",
        *,
        modules: dict[str, str] | None = None,
        versions: list[str] | None = None,
        name: str = "Scripted eMSP",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.version, self.country, self.party, self.name = version, country, party, name
        self.modules = dict(MODULES if modules is None else modules)
        self.versions = versions or [version]
        self.token_b = secrets.token_urlsafe(24)
        self.token_a = secrets.token_urlsafe(24)  # for a CPO that starts
        self.token_c = ""  # of the CPO, once registered
        self.extra_roles: list[Json] = []
        self.received: list[Received] = []
        self.violations: list[str] = []
        self.tokens: list[Json] = []
        self.page_size = 50
        self.authorize: Callable[[str, Json], Json] = self._allowed
        self.objects: dict[str, dict[str, Json]] = defaultdict(dict)  # module -> id -> object
        self.endpoints: dict[str, str] = {}  # the CPO's
        self.on_credentials: Callable[[Json], None] | None = None
        self._scripts: dict[str, deque[Answer]] = defaultdict(deque)
        self._news = threading.Condition()
        self._closing = threading.Event()
        emsp = self

        class Handler(_Handler):
            platform = emsp

        self._server = _Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        self.versions_url = f"{self.url}/versions"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "Emsp":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    # --- what it says of itself -------------------------------------------------------------------------------------

    def credentials(self, **changes: Json) -> Json:
        """Its credentials object, in the words of its version."""
        details = {"name": self.name}
        if self.version == "2.1.1":
            party = {"country_code": self.country, "party_id": self.party, "business_details": details}
            return {"token": self.token_b, "url": self.versions_url, **party, **changes}
        role = {"role": "EMSP", "country_code": self.country, "party_id": self.party, "business_details": details}
        return {"token": self.token_b, "url": self.versions_url, "roles": [role, *self.extra_roles], **changes}

    def details(self, version: str) -> Json:
        endpoints = [
            {"identifier": name, "url": f"{self.url}/{version}/{name}"} | ({} if version == "2.1.1" else {"role": role})
            for name, role in self.modules.items()
        ]
        return {"version": version, "endpoints": endpoints}

    # --- what it was told -------------------------------------------------------------------------------------------

    def requests(self, module: str = "", method: str = "") -> list[Received]:
        with self._news:
            return [one for one in self.received if module in ("", one.module) and method in ("", one.method)]

    def wait_for(self, condition: Callable[[], Any], what: str = "", seconds: float = PATIENCE) -> Any:
        """Waits until the condition, asked after every request, is true; returns what it gave."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not (found := condition()):
                left = deadline - time.monotonic()
                assert left > 0, f"nothing came: {what or condition}; received {self.summary()}"
                self._news.wait(min(left, 0.5))
            return found

    def wait_for_request(self, module: str, method: str, seconds: float = PATIENCE) -> Received:
        """The first request of that kind."""
        found = self.wait_for(lambda: self.requests(module, method), f"{method} {module}", seconds)
        return found[0]

    def summary(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.received]

    def script(self, module: str, *answers: Answer) -> None:
        """The next requests to that module (or "*": to any) are answered so, in this order."""
        with self._news:
            self._scripts[module].extend(answers)

    def scripted(self, module: str) -> Answer | None:
        with self._news:
            for name in (module, "*"):
                if self._scripts[name]:
                    return self._scripts[name].popleft()
        return None

    def note(self, request: Received) -> None:
        with self._news:
            self.received.append(request)
            self._news.notify_all()

    def hang(self) -> None:
        self._closing.wait()

    # --- what it does as a receiver ---------------------------------------------------------------------------------

    def expected_authorization(self, token: str) -> str:
        raw = token if self.version == "2.1.1" else base64.b64encode(token.encode()).decode()
        return f"Token {raw}"

    def serve(self, request: Received) -> Answer:
        name = request.module
        if request.path.rstrip("/").endswith("/versions"):
            return Answer(data=[{"version": one, "url": f"{self.url}/{one}"} for one in self.versions])
        if name in self.versions and not request.rest:
            return Answer(data=self.details(name))
        self._check(request)
        handler = getattr(self, f"_on_{name}", None)
        return handler(request) if handler else Answer(http=404, code=2000)

    def _on_credentials(self, request: Received) -> Answer:
        if request.method == "DELETE":
            self.token_c = ""
            return Answer()
        self.token_c = request.body["token"]
        if self.on_credentials is not None:
            self.on_credentials(request.body)
        return Answer(data=self.credentials())

    def _on_locations(self, request: Received) -> Answer:
        ids = request.rest[2:]
        if request.method == "PUT":
            kind = ("Location", "EVSE", "Connector")[len(ids) - 1]
            self._judge(kind, request)
            self._put_place(ids, request.body)
        elif request.method == "PATCH":
            place = self._place(ids)
            if place is None:
                return Answer(http=404, code=2003)
            place.update(request.body)
        return Answer()

    def _place(self, ids: tuple[str, ...]) -> Json | None:
        place = self.objects["locations"].get(ids[0])
        for uid in ids[1:2]:
            place = next((one for one in (place or {}).get("evses", []) if one["uid"] == uid), None)
        return place

    def _put_place(self, ids: tuple[str, ...], body: Json) -> None:
        if len(ids) == 1:
            self.objects["locations"][ids[0]] = body
            return
        location = self.objects["locations"].setdefault(ids[0], {"id": ids[0], "evses": []})
        evses = location.setdefault("evses", [])
        evses[:] = [one for one in evses if one["uid"] != ids[1]] + [body]

    def _on_tariffs(self, request: Received) -> Answer:
        if request.method == "DELETE":
            self.objects["tariffs"].pop(request.rest[2], None)
            return Answer()
        return self._keep(request)

    def _on_sessions(self, request: Received) -> Answer:
        if request.method != "PATCH":
            return self._keep(request)
        session = self.objects["sessions"].get(request.rest[2])
        if session is None:
            return Answer(http=404, code=2000)
        periods = request.body.get("charging_periods", [])
        merged = {**session, **request.body}
        merged["charging_periods"] = [*session.get("charging_periods", []), *periods]  # receivers append
        self.objects["sessions"][request.rest[2]] = merged
        return Answer()

    def _keep(self, request: Received) -> Answer:
        self._judge(CLASSES[request.module], request)
        self.objects[request.module][request.rest[2]] = request.body
        return Answer()

    def _on_cdrs(self, request: Received) -> Answer:
        self._judge("CDR", request)
        if request.body["id"] in self.objects["cdrs"]:
            self.violations.append(f"CDR {request.body['id']} twice")
        self.objects["cdrs"][request.body["id"]] = request.body
        return Answer(headers={"Location": f"{self.url}/{self.version}/cdrs/{request.body['id']}"})

    def _on_chargingprofiles(self, request: Received) -> Answer:
        self.objects["chargingprofiles"][request.rest[0]] = request.body
        return Answer()

    def _on_results(self, request: Received) -> Answer:
        """Where response_urls of this eMSP point."""
        return Answer()

    def _on_tokens(self, request: Received) -> Answer:
        if request.method == "POST":
            return Answer(data=self.authorize(request.rest[0], request.body))
        offset = int(request.query.get("offset", 0))
        since = request.query.get("date_from", "")
        tokens = [one for one in self.tokens if one["last_updated"] >= since]
        headers = {"X-Total-Count": str(len(tokens)), "X-Limit": str(self.page_size)}
        if offset + self.page_size < len(tokens):
            query = urlencode({"offset": offset + self.page_size, "limit": self.page_size})
            headers["Link"] = f'<{self.url}/{self.version}/tokens?{query}>; rel="next"'
        return Answer(data=tokens[offset : offset + self.page_size], headers=headers)

    def _allowed(self, uid: str, references: Json) -> Json:
        token = next((one for one in self.tokens if one["uid"] == uid), None) or self.new_token(uid)
        info: Json = {"allowed": "ALLOWED", "token": token}
        return {name: one for name, one in info.items() if self.version != "2.1.1" or name != "token"}

    def _check(self, request: Received) -> None:
        headers = request.headers
        if self.version != "2.1.1":
            lacking = [name for name in ("x-request-id", "x-correlation-id") if name not in headers]
            if request.module != "credentials":
                lacking += [name for name in ("ocpi-from-country-code", "ocpi-from-party-id") if name not in headers]
            if lacking:
                self.violations.append(f"{request.method} {request.path} lacks {lacking}")
        elif any(name.startswith("ocpi-") for name in headers):
            self.violations.append(f"{request.method} {request.path} carries routing headers in 2.1.1")

    def _judge(self, kind: str, request: Received) -> None:
        found = schemas.problems(self.version, kind, request.body)
        self.violations += [f"{request.method} {request.path}: {one}" for one in found]

    # --- what it does as a client -----------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        url: str,
        body: Json = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """One request with its token (C unless given), without following anything."""
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": self.expected_authorization(self.token_c if token is None else token)}
        if self.version != "2.1.1":
            sent |= {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4())}
        if content is not None:
            sent["Content-Type"] = "application/json"
        return raw_call(method, url, content, {**sent, **(headers or {})})

    def register(self, versions_url: str, token_a: str, *, method: str = "POST") -> Response:
        """The whole handshake from its side; keeps the CPO's endpoints and Token C when it succeeds."""
        details = self.discover(versions_url, token_a)
        answer = self.call(method, details["credentials"], self.credentials(), token=token_a)
        if answer.http == 200 and answer.code == 1000:
            self.token_c = answer.data["token"]
        return answer

    def discover(self, versions_url: str, token: str) -> dict[str, str]:
        listed = self.call("GET", versions_url, token=token)
        assert listed.http == 200, listed.text
        url = next(one["url"] for one in listed.data if one["version"] == self.version)
        details = self.call("GET", url, token=token)
        assert details.http == 200, details.text
        self.endpoints = {one["identifier"]: one["url"] for one in details.data["endpoints"]}
        return self.endpoints

    def pull(self, module: str, **query: Any) -> list[Json]:
        """Every object of a list, page by page."""
        url: str | None = self.endpoints[module] + (f"?{urlencode(query)}" if query else "")
        found: list[Json] = []
        while url:
            page = self.call("GET", url)
            assert page.http == 200, page.text
            assert page.code == 1000, page.text
            found += page.data
            url = page.next_page
        return found

    def new_token(self, uid: str, **changes: Json) -> Json:
        """A token object of this eMSP in the words of its version."""
        common = {"uid": uid, "type": "RFID", "issuer": self.name, "valid": True, "whitelist": "ALLOWED"}
        common["last_updated"] = now()
        if self.version == "2.1.1":
            return {**common, "auth_id": f"DE8AA{uid}"[:36], **changes}
        party = {"country_code": self.country, "party_id": self.party}
        return {**party, **common, "contract_id": f"{self.country}-{self.party}-{uid}"[:36], **changes}

    def put_token(self, uid: str, **changes: Json) -> Response:
        token = self.new_token(uid, **changes)
        kind = "" if token["type"] == "RFID" else f"?type={token['type']}"
        return self.call("PUT", f"{self.token_url(uid)}{kind}", token)

    def token_url(self, uid: str) -> str:
        return f"{self.endpoints['tokens']}/{self.country}/{self.party}/{quote(uid, safe='')}"

    def command(self, name: str, **body: Json) -> tuple[Response, str]:
        """POSTs a command; returns the answer and the path to which its result will come."""
        path = f"/results/{name}/{uuid.uuid4()}"
        url = f"{self.url}/{self.version}{path}"
        return self.call("POST", f"{self.endpoints['commands']}/{name}", {"response_url": url, **body}), path

    def result(self, path: str, seconds: float = PATIENCE) -> Json:
        """The result that came to such a path."""
        found = self.wait_for(
            lambda: [one for one in self.received if one.path.endswith(path)], f"a result at {path}", seconds
        )
        return found[0].body


def raw_call(method: str, url: str, content: bytes | None, headers: dict[str, str]) -> Response:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), content, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        shown = {name.lower(): value for name, value in answer.getheaders()}
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        return Response(answer.status, shown, body, text)
    finally:
        connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gave up is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    platform: Emsp
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        pass

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = self.understood(self.rfile.read(length) if length else b"")
        answer = self.platform.scripted(request.module) or self.judged(request)
        self.platform.note(request)
        if answer.hang:
            self.platform.hang()
            self.close_connection = True
            return
        if answer.delay:
            time.sleep(answer.delay)
        self.send(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # http.server's names

    def judged(self, request: Received) -> Answer:
        known = [self.platform.expected_authorization(one) for one in (self.platform.token_b, self.platform.token_a)]
        if request.headers.get("authorization") not in known:
            return Answer(http=401, code=2000)
        return self.platform.serve(request)

    def understood(self, content: bytes) -> Received:
        parts = urlsplit(self.path)
        steps = tuple(step for step in parts.path.split("/") if step)
        is_module = len(steps) > 1 and steps[0] in self.platform.versions
        try:
            body = json.loads(content) if content else None
        except ValueError:
            self.platform.violations.append(f"{self.command} {self.path}: the body is no JSON")
            body = None
        return Received(
            self.command,
            parts.path,
            {name: values[0] for name, values in parse_qs(parts.query).items()},
            {name.lower(): value for name, value in self.headers.items()},
            body,
            steps[1] if is_module else steps[0] if steps else "",
            steps[2:] if is_module else steps[1:],
            time.time(),
        )

    def send(self, answer: Answer) -> None:
        envelope = {"status_code": answer.code, "timestamp": now()}
        if answer.data is not None:
            envelope["data"] = answer.data
        content = json.dumps(envelope).encode() if answer.body is None else answer.body
        self.send_response(answer.http)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
