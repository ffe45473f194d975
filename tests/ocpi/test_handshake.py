"""Registration by either side's initiative, renewal and the end, over real sockets."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from ocpi import credentials, tasks
from ocpi.models import Cpo, Credential, Exchange, Peer, PeerRole, PeerState, Push, PushState, Token
from ocpi.peer import handshake, links
from ocpplab.sealing import unseal
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle, schemas
from tests.ocpi.emsp import MODULES, Answer, Emsp, Received, Response

pytestmark = pytest.mark.usefixtures("served")
VERSIONS = schemas.VERSIONS


@pytest.fixture
def cpo(served: str, tenant: Organization) -> Cpo:
    with scope(tenant):
        return bundle.new_cpo()


@pytest.fixture
def token_a(cpo: Cpo) -> str:
    return new_token_a(cpo)


def new_token_a(cpo: Cpo) -> str:
    with scope(cpo.tenant_id):
        return credentials.mint(cpo, Credential.A)


@pytest.fixture
def url(cpo: Cpo) -> str:
    return links.versions_url(cpo)


def rows(cpo: Cpo) -> dict[str, int]:
    """What a failed handshake may not change."""
    with scope(cpo.tenant_id):
        live = Credential.objects.filter(revoked_at=None, used_at=None)
        return {
            "peers": Peer.objects.count(),
            "roles": PeerRole.objects.count(),
            "A": live.filter(kind="A").count(),
            "C": live.filter(kind="C").count(),
        }


@pytest.fixture(params=VERSIONS)
def in_version(request: pytest.FixtureRequest, served: str, tenant: Organization) -> Iterator[tuple[Cpo, Emsp]]:
    with scope(tenant):
        cpo = bundle.new_cpo("VER", versions=request.param)
    with Emsp(request.param) as platform:
        yield cpo, platform
        assert platform.violations == []


def test_an_emsp_registers(in_version: tuple[Cpo, Emsp]) -> None:
    cpo, emsp = in_version
    token_a = new_token_a(cpo)
    answer = emsp.register(links.versions_url(cpo), token_a)
    assert (answer.http, answer.code) == (200, 1000), answer.text
    assert schemas.problems(emsp.version, "Credentials", answer.data) == []
    assert answer.data["url"] == links.versions_url(cpo)
    assert emsp.summary() == ["GET /versions", f"GET /{emsp.version}"]
    assert [one["id"] for one in emsp.pull("locations")] == ["LOC1"]
    with scope(cpo.tenant_id):
        peer = Peer.objects.get()
    assert (peer.state, peer.version, peer.versions_url) == (PeerState.REGISTERED, emsp.version, emsp.versions_url)
    assert unseal(peer.sealed_token) == emsp.token_b
    assert emsp.token_b not in peer.sealed_token
    assert peer.endpoint("locations", "RECEIVER") == f"{emsp.url}/{emsp.version}/locations"
    again = emsp.call("GET", links.versions_url(cpo), token=token_a)
    assert again.http == 401
    assert emsp.call("POST", emsp.endpoints["credentials"], emsp.credentials(), token=token_a).http == 401


def test_a_cpo_registers_itself(in_version: tuple[Cpo, Emsp]) -> None:
    """While our POST is open the platform calls us with the token that came with it."""
    cpo, emsp = in_version
    seen: list[Response] = []

    def call_back(body: Any) -> None:
        listed = emsp.call("GET", body["url"], token=body["token"])
        seen.extend((listed, emsp.call("GET", listed.data[0]["url"], token=body["token"])))

    emsp.on_credentials = call_back
    with scope(cpo.tenant_id):
        peer = handshake.register(cpo, emsp.versions_url, emsp.token_a)
        assert (peer.state, peer.version) == (PeerState.REGISTERED, emsp.version)
        assert unseal(peer.sealed_token) == emsp.token_b
        assert PeerRole.objects.filter(peer=peer, role="EMSP", country_code="NL", party_id="EMS").exists()
    assert [one.http for one in seen] == [200, 200]
    sent = emsp.requests("credentials", "POST")[0].body
    assert schemas.problems(emsp.version, "Credentials", sent) == []
    emsp.discover(links.versions_url(cpo), emsp.token_c)
    assert [one["id"] for one in emsp.pull("locations")] == ["LOC1"]


def test_get_credentials_echoes_the_token_presented(url: str, token_a: str, emsp: Emsp) -> None:
    emsp.discover(url, token_a)
    assert emsp.call("GET", emsp.endpoints["credentials"], token=token_a).data["token"] == token_a
    emsp.register(url, token_a)
    assert emsp.call("GET", emsp.endpoints["credentials"]).data["token"] == emsp.token_c


def test_methods_by_state(url: str, token_a: str, emsp: Emsp) -> None:
    emsp.discover(url, token_a)
    for method in ("PUT", "DELETE"):
        answer = emsp.call(method, emsp.endpoints["credentials"], emsp.credentials(), token=token_a)
        assert (answer.http, answer.headers["allow"]) == (405, "GET, POST")
    emsp.register(url, token_a)
    answer = emsp.call("POST", emsp.endpoints["credentials"], emsp.credentials())
    assert (answer.http, answer.headers["allow"]) == (405, "GET, PUT, DELETE")


def test_renewal_rotates_the_token(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    emsp.register(url, token_a)
    old, emsp.token_b = emsp.token_c, "a-new-token-b"
    emsp.modules.pop("chargingprofiles")
    answer = emsp.call("PUT", emsp.endpoints["credentials"], emsp.credentials())
    assert (answer.http, answer.code) == (200, 1000)
    emsp.token_c = answer.data["token"]
    assert emsp.token_c != old
    assert emsp.call("GET", emsp.endpoints["locations"], token=old).http == 401
    assert emsp.call("GET", emsp.endpoints["locations"]).http == 200
    with scope(cpo.tenant_id):
        peer = Peer.objects.get()
    assert unseal(peer.sealed_token) == "a-new-token-b"
    assert peer.endpoint("chargingprofiles", "SENDER") is None
    assert len(emsp.requests("versions")) == 2  # read anew, although the version is the same


def test_renewal_at_another_version_makes_it_the_current_one(cpo: Cpo, url: str, token_a: str) -> None:
    with scope(cpo.tenant_id):
        Cpo.objects.filter(pk=cpo.pk).update(versions="2.1.1,2.2.1")
    with Emsp("2.1.1", versions=["2.1.1", "2.2.1"]) as emsp:
        emsp.register(url, token_a)
        emsp.put_token("CARD-1")
        emsp.version = "2.2.1"
        emsp.discover(url, emsp.token_c)
        answer = emsp.call("PUT", emsp.endpoints["credentials"], emsp.credentials())
        assert (answer.http, answer.code) == (200, 1000), answer.text
        emsp.token_c = answer.data["token"]
        token = emsp.call("GET", emsp.token_url("CARD-1")).data
        assert (token["contract_id"], token["country_code"]) == ("DE8AACARD-1", "NL")
        assert schemas.problems("2.2.1", "Token", {name: token[name] for name in token if name != "auth_id"}) == []
    with scope(cpo.tenant_id):
        assert Peer.objects.get().version == "2.2.1"


def test_leaving_ends_everything_at_once(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    emsp.register(url, token_a)
    emsp.put_token("CARD-1")
    with scope(cpo.tenant_id):
        peer = Peer.objects.get()
        bundle.new_session(cpo, peer)
        Push.objects.create(cpo=cpo, peer=peer, subject="session:1", method="PUT", plan="state", due_at=peer.created_at)
    answer = emsp.call("DELETE", emsp.endpoints["credentials"])
    assert (answer.http, answer.code, "data" in answer.body) == (200, 1000, False)
    assert emsp.call("GET", emsp.endpoints["credentials"]).http == 401
    with scope(cpo.tenant_id):
        peer = Peer.objects.get()
        assert (peer.state, peer.sealed_token, peer.endpoints) == (PeerState.UNREGISTERED, "", [])
        assert Push.objects.get().state == PushState.GIVEN_UP
        assert not Token.objects.exists()
    emsp.register(url, new_token_a(cpo))  # it may come back, and its sessions are still its own
    assert [one["id"] for one in emsp.pull("sessions")] == ["S1"]


def test_we_may_end_it_too(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    emsp.register(url, token_a)
    with scope(cpo.tenant_id):
        reply = handshake.unregister(Peer.objects.get())
    assert reply is not None
    assert reply.ok
    assert len(emsp.requests("credentials", "DELETE")) == 1
    with Emsp(party="EM2") as dead:
        dead.register(url, new_token_a(cpo))
    with scope(cpo.tenant_id):
        peer = Peer.objects.get(state=PeerState.REGISTERED)
        reply = handshake.unregister(peer)
        peer.refresh_from_db()
    assert reply is not None
    assert "cannot be reached" in reply.problem
    assert peer.state == PeerState.UNREGISTERED


# --- what goes wrong ------------------------------------------------------------------------------------------------

ENVELOPE = {"status_code": 1000, "timestamp": "2026-03-01T08:00:00Z"}


def listing(*versions: str, base: str = "http://127.0.0.1:9") -> bytes:
    return json.dumps({**ENVELOPE, "data": [{"version": one, "url": f"{base}/{one}"} for one in versions]}).encode()


@pytest.mark.parametrize(
    ("module", "answer", "code"),
    [
        ("versions", Answer(http=500), 3001),
        ("versions", Answer(http=401, code=2000), 3001),
        ("versions", Answer(code=2001), 3001),
        ("versions", Answer(body=b"<html>"), 3001),
        ("versions", Answer(body=b'{"versions": []}'), 3001),
        ("versions", Answer(data={"not": "a list"}), 3001),
        ("versions", Answer(http=302, headers={"Location": "/elsewhere"}), 3001),
        ("versions", Answer(http=307, headers={"Location": "http://localhost:9/versions"}), 3001),
        ("versions", Answer(body=listing("2.2.1")), 3001),  # nobody listens at port 9
        ("versions", Answer(body=listing("2.2.1", base="http://169.254.169.254")), 3001),
        ("versions", Answer(body=listing("2.1.1", "2.3.0")), 3002),
        ("versions", Answer(data=[]), 3002),
        ("2.2.1", Answer(http=404, code=2000), 3001),
        ("2.2.1", Answer(data={"version": "2.2.1"}), 3001),
        ("2.2.1", Answer(data={"version": "2.2.1", "endpoints": [{"identifier": "tokens"}]}), 3001),
        ("2.2.1", Answer(data={"version": "2.2.1", "endpoints": []}), 3003),
    ],
)
def test_a_peer_that_cannot_be_used_changes_nothing(
    cpo: Cpo, url: str, token_a: str, emsp: Emsp, module: str, answer: Answer, code: int
) -> None:
    before = rows(cpo)
    emsp.script(module, answer)
    refused = emsp.register(url, token_a)
    assert (refused.http, refused.code) == (200, code), refused.text
    assert rows(cpo) == before
    assert emsp.register(url, token_a).code == 1000


def test_a_peer_that_only_sends_what_we_send_does_not_match(cpo: Cpo, url: str, token_a: str) -> None:
    with Emsp(modules={"credentials": "SENDER", "locations": "SENDER", "hubclientinfo": "SENDER"}) as emsp:
        assert emsp.register(url, token_a).code == 3003
        emsp.modules = {"credentials": "RECEIVER", "tokens": "SENDER"}
        assert emsp.register(url, token_a).code == 1000


def test_an_answer_that_is_too_large_is_not_read(url: str, token_a: str, emsp: Emsp) -> None:
    emsp.script("versions", Answer(body=b"[" + b" " * (6 * 1024 * 1024) + b"]"))
    refused = emsp.register(url, token_a)
    assert (refused.code, "5 MB" in refused.body["status_message"]) == (3001, True)


def test_a_silent_peer_is_not_waited_for(url: str, token_a: str, emsp: Emsp, cpo: Cpo, settings: Any) -> None:
    settings.OCPI_PEER_SECONDS = 0.3
    before = rows(cpo)
    emsp.script("versions", Answer(hang=True))
    assert emsp.register(url, token_a).code == 3001
    assert rows(cpo) == before


def test_a_redirect_within_the_origin_is_followed_once(url: str, token_a: str, emsp: Emsp) -> None:
    emsp.script("versions", Answer(http=308, headers={"Location": "/versions/"}))
    assert emsp.register(url, token_a).code == 1000
    assert emsp.summary()[:2] == ["GET /versions", "GET /versions/"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:169.254.169.254"])
def test_a_name_is_judged_by_what_it_means_when_it_is_called(
    url: str, token_a: str, emsp: Emsp, settings: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    port = urlsplit(emsp.url).port
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **kwargs: Any) -> Any:
        return real(address if host == "emsp.example" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    settings.OCPI_ALLOW_PRIVATE_PEERS = False
    emsp.discover(url, token_a)
    named = emsp.credentials(url=f"http://emsp.example:{port}/versions")
    answer = emsp.call("POST", emsp.endpoints["credentials"], named, token=token_a)
    assert answer.code == 3001
    assert "address refused" in answer.body["status_message"]
    assert emsp.received == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"token": None}, "token: required"),
        ({"token": "x" * 65}, "token: max length 64"),
        ({"token": "with space"}, "token"),
        ({"token": "ümlaut"}, "token"),
        ({"url": None}, "url: required"),
        ({"url": "ftp://127.0.0.1/"}, "url"),
        ({"url": "http://user:pass@127.0.0.1/"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "http://metadata.google.internal/"}, "url"),
        ({"url": "http://[fe80::1]/"}, "url"),
        ({"url": "http://[::169.254.169.254]/"}, "url"),
        ({"url": "http://[64:ff9b::169.254.169.254]/"}, "url"),
        ({"url": "http://[2002:a9fe:a9fe::1]/"}, "url"),
        ({"url": "http://①②⑦.0.0.1/"}, "url"),
        ({"url": "http://emsp.example/vérsions"}, "url"),
        ({"roles": []}, "roles: at least one"),
        ({"roles": None}, "roles: required"),
        ({"roles": [{"role": "EMSP"}]}, "roles[0].business_details: required"),
    ],
)
def test_credentials_that_are_not_valid(
    cpo: Cpo, url: str, token_a: str, emsp: Emsp, changes: dict[str, Any], field: str
) -> None:
    before = rows(cpo)
    emsp.discover(url, token_a)
    answer = emsp.call("POST", emsp.endpoints["credentials"], emsp.credentials(**changes), token=token_a)
    assert (answer.http, answer.code) == (200, 2001)
    assert answer.body["status_message"].startswith(field), answer.text
    assert rows(cpo) == before
    assert emsp.summary() == []
    malformed = emsp.call("POST", emsp.endpoints["credentials"], b"{", token=token_a)
    assert (malformed.http, malformed.code) == (400, 2001)


def test_a_party_may_be_registered_once(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    role = emsp.credentials()["roles"][0]
    emsp.extra_roles = [{**role, "party_id": "ems"}]
    twice = emsp.register(url, token_a)
    assert (twice.http, twice.code) == (200, 2001)
    emsp.extra_roles = [{**role, "role": "NSP"}]
    assert emsp.register(url, token_a).code == 1000
    with Emsp() as other:
        refused = other.register(url, new_token_a(cpo))
        assert (refused.http, refused.code) == (200, 2001)
        assert "another peer" in refused.body["status_message"]
    assert emsp.call("PUT", emsp.endpoints["credentials"], emsp.credentials()).code == 1000  # its own is no conflict


def test_a_renewal_that_fails_leaves_the_old_token(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    emsp.register(url, token_a)
    before = rows(cpo)
    emsp.script("versions", Answer(http=503))
    answer = emsp.call("PUT", emsp.endpoints["credentials"], {**emsp.credentials(), "token": "other-b"})
    assert (answer.http, answer.code) == (200, 3001)
    assert emsp.call("GET", emsp.endpoints["locations"]).http == 200
    assert rows(cpo) == before
    with scope(cpo.tenant_id):
        assert unseal(Peer.objects.get().sealed_token) == emsp.token_b


@pytest.mark.parametrize("rivals", ["one token", "one party"])
def test_one_of_two_handshakes_wins(cpo: Cpo, url: str, token_a: str, rivals: str) -> None:
    """Both stand in the middle of it at the same time; the other one is told 401, or 2001 for the party."""
    meet = threading.Barrier(2, timeout=60)
    share_token = rivals == "one token"
    platforms = [Emsp(party="EM1"), Emsp(party="EM2" if share_token else "EM1")]
    tokens = [token_a, token_a if share_token else new_token_a(cpo)]
    answers: list[Response] = []

    def join(platform: Emsp, token: str) -> None:
        with platform:
            serve = platform.serve

            def met(request: Received) -> Answer:
                if request.module == "2.2.1":
                    meet.wait()
                return serve(request)

            platform.serve = met  # type: ignore[method-assign]
            answers.append(platform.register(url, token))

    threads = [threading.Thread(target=join, args=pair) for pair in zip(platforms, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    told = sorted((one.http, one.code) for one in answers)
    assert told == ([(200, 1000), (401, 2000)] if share_token else [(200, 1000), (200, 2001)])
    assert rows(cpo) == {"peers": 1, "roles": 1, "A": 0 if share_token else 1, "C": 1}


def test_a_bundle_that_ends_meanwhile_registers_nobody(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    def end(request: Any, serve: Callable[[Any], Answer] = emsp.serve) -> Answer:
        with scope(cpo.tenant_id):
            credentials.revoke_all(cpo)
        connection.close()  # this thread's
        return serve(request)

    emsp.serve = end  # type: ignore[method-assign]
    emsp.discover(url, token_a)
    answer = emsp.call("POST", emsp.endpoints["credentials"], emsp.credentials(), token=token_a)
    assert answer.http == 401
    assert rows(cpo)["peers"] == 0


@pytest.mark.parametrize(
    ("module", "answer"),
    [
        ("versions", Answer(http=500)),
        ("versions", Answer(data=[{"version": "2.1.1", "url": "http://127.0.0.1:9/"}])),
        ("2.2.1", Answer(http=401, code=2000)),
        ("credentials", Answer(http=405, code=2000)),
        ("credentials", Answer(code=3001)),
        ("credentials", Answer(data={"token": "b"})),
        ("credentials", Answer(body=b"no envelope")),
    ],
)
def test_a_registration_of_ours_that_fails_leaves_nothing(cpo: Cpo, emsp: Emsp, module: str, answer: Answer) -> None:
    before = rows(cpo)
    emsp.script(module, answer)
    with scope(cpo.tenant_id), pytest.raises(handshake.RegistrationFailed):
        handshake.register(cpo, emsp.versions_url, emsp.token_a)
    assert rows(cpo) == before
    given = emsp.requests("credentials", "POST")
    if given:
        assert emsp.call("GET", links.versions_url(cpo), token=given[0].body["token"]).http == 401


def test_what_a_dead_process_left_of_a_registration_is_cleared_away(cpo: Cpo, emsp: Emsp) -> None:
    with scope(cpo.tenant_id):
        for minutes in (1, 60):
            left = Peer.objects.create(cpo=cpo, version="2.2.1", state=PeerState.REGISTERING)
            token = credentials.mint(cpo, Credential.C, left)
            Peer.objects.filter(pk=left.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
        handshake.register(cpo, emsp.versions_url, emsp.token_a)
    tasks.tend_bundles()
    states = sorted(Peer.objects.unscoped().values_list("state", flat=True))
    assert states == [PeerState.REGISTERED, PeerState.REGISTERING]  # the young one may be under way
    assert emsp.call("GET", links.versions_url(cpo), token=token).http == 401


def test_no_table_holds_a_token(cpo: Cpo, url: str, token_a: str, emsp: Emsp, caplog: pytest.LogCaptureFixture) -> None:
    """A, B, C, the one that was rotated away, and one that only came back from a platform: in no form, in no column."""
    caplog.set_level(logging.DEBUG)
    emsp.register(url, token_a)
    secrets = [token_a, emsp.token_b, emsp.token_c]
    answer = emsp.call("PUT", emsp.endpoints["credentials"], emsp.credentials())
    emsp.token_c = answer.data["token"]
    with Emsp(party="EM2") as other, scope(cpo.tenant_id):
        handshake.register(cpo, other.versions_url, other.token_a)
        other.call("GET", links.versions_url(cpo), token=other.token_c)
        secrets += [emsp.token_c, other.token_a, other.token_b, other.token_c]
    dump = caplog.text
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            dump += repr(cursor.fetchall())
    assert "ocpi/peer" in dump
    for secret in secrets:
        assert secret not in dump
        assert bundle.encoded(secret).rstrip("=")[:-1] not in dump


def test_every_exchange_is_on_the_record_without_tokens(cpo: Cpo, url: str, token_a: str, emsp: Emsp) -> None:
    emsp.register(url, token_a)
    with scope(cpo.tenant_id):
        kept = list(Exchange.objects.order_by("id").values())
    ways = [(one["direction"], one["method"], one["http_status"], one["status_code"]) for one in kept]
    assert ways == [
        ("incoming", "GET", 200, 1000),
        ("incoming", "GET", 200, 1000),
        ("outgoing", "GET", 200, 1000),
        ("outgoing", "GET", 200, 1000),
        ("incoming", "POST", 200, 1000),
    ]
    text = json.dumps(kept, default=str)
    for secret in (token_a, emsp.token_b, emsp.token_c):
        assert secret not in text
        assert bundle.encoded(secret) not in text
    assert len({one["correlation_id"] for one in kept[2:]}) == 1


def test_a_peer_may_be_reached_at_public_addresses_only(
    url: str, token_a: str, emsp: Emsp, settings: Any, cpo: Cpo
) -> None:
    """Where the operator says so; a name is judged by what it resolves to, when it is called."""
    settings.OCPI_ALLOW_PRIVATE_PEERS = False
    emsp.discover(url, token_a)
    for address in (emsp.versions_url, emsp.versions_url.replace("127.0.0.1", "localhost")):
        answer = emsp.call("POST", emsp.endpoints["credentials"], emsp.credentials(url=address), token=token_a)
        assert (answer.code, emsp.requests("versions")) == (2001, [])
    settings.OCPI_REQUIRE_HTTPS = True
    answer = emsp.call("POST", emsp.endpoints["credentials"], emsp.credentials(), token=token_a)
    assert "https" in answer.body["status_message"]


def test_the_modules_of_a_scripted_emsp_pair_with_ours() -> None:
    assert set(MODULES) == {
        "credentials", "locations", "tariffs", "sessions", "cdrs", "tokens", "commands", "chargingprofiles",
    }  # fmt: skip
