"""The HTTP client for calling peers: what it sends, what it makes of answers, and whom it trusts."""

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ocpi.models import Cpo, Exchange
from ocpi.protocol import client
from ocpi.protocol.client import Call, Reply
from ocpi.protocol.masking import masked
from tenants.scoping import scope
from tests.ocpi.bundle import encoded
from tests.ocpi.emsp import Answer, Emsp
from tests.pki import Authority


def ask(emsp: Emsp, url: str = "", **fields: Any) -> Reply:
    return client.send_blocking(Call("GET", url or emsp.versions_url, emsp.token_b, emsp.version, **fields))


def test_what_it_sends_in_221(emsp: Emsp) -> None:
    assert ask(emsp, correlation_id="flow-1").ok
    headers = emsp.received[0].headers
    assert headers["authorization"] == f"Token {encoded(emsp.token_b)}"
    assert headers["x-correlation-id"] == "flow-1"
    assert headers["accept-encoding"] == "identity"
    assert ask(emsp, correlation_id="flow-1").ok
    assert emsp.received[1].headers["x-request-id"] != headers["x-request-id"]


def test_what_it_sends_in_211() -> None:
    with Emsp("2.1.1") as emsp:
        assert ask(emsp).ok
    headers = emsp.received[0].headers
    assert headers["authorization"] == f"Token {emsp.token_b}"
    assert not [name for name in headers if name.startswith(("x-", "ocpi-"))]


@pytest.mark.parametrize(
    ("answer", "ok", "retryable"),
    [
        (Answer(), True, False),
        (Answer(code=1999), True, False),
        (Answer(http=201, data={"any": 1}), True, False),
        (Answer(code=2001), False, False),
        (Answer(code=3001), False, True),
        (Answer(http=401, code=2000), False, False),
        (Answer(http=404, body=b"<html>"), False, False),
        (Answer(http=408, code=2000), False, True),
        (Answer(http=429, code=2000), False, True),
        (Answer(http=500, body=b"oops"), False, True),
        (Answer(http=503, code=3000), False, True),
        (Answer(body=b"{}"), False, False),
        (Answer(body=b'{"status_code": "1000"}'), False, False),
        (Answer(body=b'{"status_code": true}'), False, False),
        (Answer(body=b'{"status_code": 1e400}'), False, False),
        (Answer(body=b"[" * 100_000), False, False),
        (Answer(body=b"\xff\xfe"), False, False),
        (Answer(http=301, headers={"Location": "/elsewhere"}), False, False),
        (Answer(http=307, headers={"Location": "/versi\xf3ns"}), False, True),
    ],
)
def test_what_it_makes_of_an_answer(emsp: Emsp, answer: Answer, ok: bool, retryable: bool) -> None:
    emsp.script("versions", answer)
    reply = ask(emsp)
    assert (reply.ok, reply.retryable) == (ok, retryable), reply.problem
    assert bool(reply.problem) is not ok


def test_a_redirect_is_followed_once_with_body_and_token(emsp: Emsp) -> None:
    emsp.script("sessions", Answer(http=307, headers={"Location": "/2.2.1/sessions/NL/LAB/S1/"}))
    url = f"{emsp.url}/2.2.1/sessions/NL/LAB/S1"
    call = Call("PUT", url, emsp.token_b, "2.2.1", {"id": "S1"})
    client.send_blocking(call)
    first, second = emsp.requests("sessions", "PUT")
    assert (second.path, second.body) == ("/2.2.1/sessions/NL/LAB/S1/", {"id": "S1"})
    assert first.headers["authorization"] == second.headers["authorization"]
    emsp.script("sessions", *[Answer(http=307, headers={"Location": "/2.2.1/sessions/again"})] * 2)
    assert not client.send_blocking(call).ok
    assert len(emsp.requests("sessions", "PUT")) == 4
    emsp.violations.clear()  # that session is none


def test_a_peer_that_is_not_there(emsp: Emsp) -> None:
    reply = ask(emsp, "http://127.0.0.1:9/versions")
    assert (reply.ok, reply.http, reply.retryable) == (False, None, True)
    assert reply.problem.startswith("cannot be reached")
    assert ask(emsp, "http://no-such-host.invalid/versions").retryable


def test_a_slow_peer_is_given_up(emsp: Emsp, settings: Any) -> None:
    settings.OCPI_PEER_SECONDS = 0.3
    emsp.script("versions", Answer(hang=True))
    assert "no answer within" in ask(emsp).problem


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Emsp]]:
    """Makes an eMSP behind TLS, with a certificate for those hosts of the authority that this process trusts."""
    trusted = Authority("Trusted")
    roots = tmp_path / "roots.pem"
    roots.write_text(trusted.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    client._tls.cache_clear()

    def make(*hosts: str, authority: Authority = trusted) -> Emsp:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.server(*hosts).written(tmp_path, "server"))
        return Emsp(tls=context)

    yield make
    client._tls.cache_clear()


def test_a_certificate_is_judged_by_the_name_that_was_asked_for(secured: Callable[..., Emsp]) -> None:
    with secured("localhost") as emsp:
        assert ask(emsp, emsp.versions_url.replace("127.0.0.1", "localhost")).ok
        refused = ask(emsp)
        assert "certificate" in refused.problem, refused.problem
        assert len(emsp.received) == 1


def test_a_certificate_of_a_strange_authority_is_refused(secured: Callable[..., Emsp]) -> None:
    with secured("127.0.0.1", authority=Authority("Stranger")) as emsp:
        assert "certificate" in ask(emsp).problem
        assert emsp.received == []


# --- the record -----------------------------------------------------------------------------------------------------


def test_what_is_kept_holds_no_token(cpo: Cpo, emsp: Emsp) -> None:
    other = "another-secret-token"
    echo = json.dumps({"status_code": 1000, "timestamp": "x", "data": {"token": other, "seen": emsp.token_b}}).encode()
    emsp.script("credentials", Answer(body=echo))
    url = f"{emsp.url}/2.2.1/credentials?t={emsp.token_b}"
    call = Call("POST", url, emsp.token_b, "2.2.1", {"token": other, "roles": []}, "credentials")
    reply = client.send_blocking(call)
    with scope(cpo.tenant_id):
        client.record(cpo, call, reply)
        kept = json.dumps(list(Exchange.objects.values()), default=str)
    assert emsp.token_b not in kept
    assert encoded(emsp.token_b) not in kept
    assert other not in kept
    assert other not in repr(call)
    assert emsp.token_b not in repr(replace(call, url=""))


def test_masking_leaves_a_drivers_token_readable() -> None:
    command = '{"token": {"uid": "CARD-1"}, "response_url": "http://127.0.0.1/"}'
    assert "CARD-1" in masked(command)
    assert masked('{"data": [{"token": "secret"}]}') == '{"data": [{"token": "***"}]}'
    assert masked('{"\\u0074oken": "secret"}') == '{"token": "***"}'
    assert masked('{"token": "secret", "url": "http://127.0.0.1/",}') == '{"token": "***", "url": "http://127.0.0.1/",}'
    assert masked("token=secret&url=http://127.0.0.1/") == "token=***&url=http://127.0.0.1/"
    assert masked('{"token": {"uid": "CARD-1"}, }') == '{"token": {"uid": "CARD-1"}, }'
    assert masked("token: max length 64") == "token: max length 64"
    assert masked("no JSON, secret", ["secret"]) == "no JSON, ***"
    assert masked("nul \x00 and half \ud800") == "nul \\u0000 and half \\ud800"
