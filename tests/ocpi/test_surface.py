"""What holds for every address below /ocpi/peer: who gets in, the envelope, headers, paths."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ocpi import credentials
from ocpi.models import Cpo, Credential, Exchange, Peer
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.bundle import call, encoded
from tests.ocpi.conftest import Visitor


@pytest.fixture
def token_a(cpo: Cpo) -> str:
    with scope(cpo.tenant_id):
        return credentials.mint(cpo, Credential.A)


def versions(cpo: Cpo) -> str:
    return f"/ocpi/peer/{cpo.pk}/versions"


def module(cpo: Cpo, path: str = "locations", version: str = "2.2.1") -> str:
    return f"/ocpi/peer/{cpo.pk}/{version}/{path}"


def test_versions_and_details_open_with_token_a(client: Client, cpo: Cpo, token_a: str, settings: Any) -> None:
    settings.PUBLIC_URL = "https://lab.example/"
    listed = call(client, "GET", versions(cpo), token=token_a)
    base = f"https://lab.example/ocpi/peer/{cpo.pk}"
    assert (listed.http, listed.code) == (200, 1000)
    assert listed.data == [{"version": "2.2.1", "url": f"{base}/2.2.1"}]
    details = call(client, "GET", module(cpo, "").rstrip("/"), token=token_a)
    assert details.data["version"] == "2.2.1"
    assert {(one["identifier"], one["role"]) for one in details.data["endpoints"]} == {
        ("credentials", "SENDER"),
        ("locations", "SENDER"),
        ("tariffs", "SENDER"),
        ("sessions", "SENDER"),
        ("cdrs", "SENDER"),
        ("tokens", "RECEIVER"),
        ("commands", "RECEIVER"),
        ("chargingprofiles", "RECEIVER"),
    }
    assert {one["url"] for one in details.data["endpoints"]} == {
        f"{base}/2.2.1/{one['identifier']}" for one in details.data["endpoints"]
    }


def test_details_of_211_name_no_roles(client: Client, cpo: Cpo, token_a: str) -> None:
    with scope(cpo.tenant_id):
        Cpo.objects.filter(pk=cpo.pk).update(versions="2.1.1,2.2.1")
    details = call(client, "GET", module(cpo, "", "2.1.1"), token=token_a, version="2.1.1")
    names = {one["identifier"] for one in details.data["endpoints"]}
    assert names == {"credentials", "locations", "tariffs", "sessions", "cdrs", "tokens", "commands"}
    assert all(set(one) == {"identifier", "url"} for one in details.data["endpoints"])


def test_a_version_that_is_not_offered(client: Client, cpo: Cpo, token_a: str) -> None:
    """In whichever form the token comes: the caller cannot know the form of a version that is not there."""
    for version in ("2.1.1", "2.3.0", "9.9"):
        for form in ("2.1.1", "2.2.1"):
            answer = call(client, "GET", module(cpo, "", version), token=token_a, version=form)
            assert (answer.http, answer.code) == (404, 3002), (version, form)


def test_every_address_works_with_and_without_a_slash(visitor: Visitor) -> None:
    for path in (f"/ocpi/peer/{visitor.cpo.pk}/versions", "", "/locations", "/locations/LOC1/E1/1", "/tariffs"):
        plain, slashed = visitor.get(path), visitor.get(f"{path}/")
        assert (plain.http, slashed.http) == (200, 200), path
        assert plain.data == slashed.data


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token ",
        "Bearer {raw}",
        "Basic {base64}",
        "Token !!!!",
        "Token unknown",
        "Token {base64} more",
        "Token " + "a" * 5000,
        "Token 4pyT",
    ],
)
def test_whoever_has_no_valid_token_is_told_401(visitor: Visitor, client: Client, header: str) -> None:
    header = header.format(raw=visitor.token, base64=encoded(visitor.token))
    for url in (versions(visitor.cpo), module(visitor.cpo), module(visitor.cpo, "no/such/path")):
        answer = call(client, "GET", url, Authorization=header)
        assert (answer.http, answer.code) == (401, 2000), url
        assert answer.header("WWW-Authenticate") == "Token"


def test_a_strange_token_is_refused_as_an_unknown_one_is(
    visitor: Visitor, register: Callable[..., Visitor], tenant: Organization, client: Client
) -> None:
    with scope(tenant):
        other = register(bundle.new_cpo("OTH"))
    strange = call(client, "GET", module(visitor.cpo), token=other.token)
    unknown = call(client, "GET", module(visitor.cpo), token="x" * 43)
    gone = call(client, "GET", f"/ocpi/peer/{visitor.cpo.pk + 1000}/2.2.1/locations", token=visitor.token)
    assert strange.http == unknown.http == gone.http == 401
    for answer in (strange, unknown, gone):
        answer.body.pop("timestamp")
    assert strange.body == unknown.body == gone.body


def test_an_expired_or_destroyed_bundle_lets_nobody_in(visitor: Visitor, token_a: str, client: Client) -> None:
    for ended in ({"expires_at": timezone.now() - timedelta(seconds=1)}, {"destroyed_at": timezone.now()}):
        with scope(visitor.cpo.tenant_id):
            Cpo.objects.filter(pk=visitor.cpo.pk).update(**{"expires_at": None, "destroyed_at": None, **ended})
        assert visitor.get("/locations").http == 401
        assert call(client, "GET", versions(visitor.cpo), token=token_a).http == 401


def test_a_raw_token_is_refused_where_base64_is_due(visitor: Visitor, client: Client) -> None:
    raw = {"Authorization": f"Token {visitor.token}"}
    assert call(client, "GET", versions(visitor.cpo), **raw).http == 200
    answer = call(client, "GET", module(visitor.cpo), **raw)
    assert answer.http == 401
    assert "Base64" in answer.message
    with scope(visitor.cpo.tenant_id):
        Cpo.objects.filter(pk=visitor.cpo.pk).update(settings={"lenient_auth": True})
    assert call(client, "GET", module(visitor.cpo), **raw).http == 200


def test_211_takes_the_raw_token(tenant: Organization, register: Callable[..., Visitor], client: Client) -> None:
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1")
    visitor = register(cpo, "2.1.1")
    assert visitor.get("/locations").http == 200
    base64 = {"Authorization": f"Token {encoded(visitor.token)}"}
    assert call(client, "GET", module(cpo, version="2.1.1"), **base64).http == 401
    assert call(client, "GET", versions(cpo), **base64).http == 200


def test_a_newline_within_the_encoded_token_is_overlooked(visitor: Visitor, client: Client) -> None:
    header = f"Token {encoded(visitor.token + chr(10))}"
    assert call(client, "GET", module(visitor.cpo), Authorization=header).http == 200


def test_tokens_outlive_a_new_secret_while_the_old_one_stands_behind_it(visitor: Visitor, settings: Any) -> None:
    old = list(settings.SEALING_KEYS)
    settings.SEALING_KEYS = ["a-new-secret-of-the-operator", *old]
    assert visitor.get("/locations").http == 200
    settings.SEALING_KEYS = ["a-new-secret-of-the-operator"]
    assert visitor.get("/locations").http == 401


def test_token_a_opens_no_module(client: Client, cpo: Cpo, token_a: str) -> None:
    for path in ("locations", "tariffs", "sessions", "cdrs", "tokens/NL/EMS/X", "commands/START_SESSION"):
        assert call(client, "GET", module(cpo, path), token=token_a).http == 401, path


def test_unknown_paths_and_methods_wear_the_envelope(visitor: Visitor, client: Client) -> None:
    for path in ("/nothing", "/locations/LOC1/E1/1/more", "/hubclientinfo/NL/HUB", "/locations/NOPE", "/tariffs/T1"):
        answer = visitor.get(path)
        assert answer.http == 404, path
    assert visitor.get("/locations/LOC1/NOPE").http == visitor.get("/locations/LOC1/E1/2").http == 404
    for url in ("/ocpi/peer/", "/ocpi/peer/abc/versions", "/ocpi/peer"):
        assert client.get(url).status_code == 404
        assert "status_code" in json.loads(client.get(url).content) or url == "/ocpi/peer"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/locations", "GET"),
        ("DELETE", "/tariffs", "GET"),
        ("PATCH", "/sessions", "GET"),
        ("PUT", "/cdrs", "GET"),
        ("POST", "/tokens/NL/EMS/X", "GET, PUT, PATCH"),
        ("DELETE", "/tokens/NL/EMS/X", "GET, PUT, PATCH"),
        ("GET", "/commands/START_SESSION", "POST"),
        ("POST", "/chargingprofiles/S1", "GET, PUT, DELETE"),
        ("OPTIONS", "/locations", "GET"),
    ],
)
def test_methods_that_are_not_offered(visitor: Visitor, method: str, path: str, allowed: str) -> None:
    answer = visitor.call(method, path, {})
    assert (answer.http, answer.code) == (405, 2000)
    assert answer.header("Allow") == allowed


def test_what_is_no_json_is_told_400_and_2001(visitor: Visitor) -> None:
    for body in (b"{", b"", b"\xff", b'{"a": NaN}', b"[" * 100_000):
        answer = visitor.call("PUT", "/tokens/NL/EMS/X", body)
        assert (answer.http, answer.code) == (400, 2001), body[:10]


def test_a_body_that_is_too_large_wears_the_envelope_too(visitor: Visitor) -> None:
    answer = visitor.call("PUT", "/tokens/NL/EMS/X", b"{" + b" " * (6 * 1024 * 1024) + b"}")
    assert (answer.http, answer.code) == (413, 2000)


def test_a_crash_is_an_envelope_with_3000(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(cpo: Cpo) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("ocpi.protocol.reading.tariffs", crash)
    answer = visitor.get("/tariffs")
    assert (answer.http, answer.code) == (500, 3000)
    assert "boom" not in answer.response.content.decode()
    assert "boom" in caplog.text


def test_message_ids_are_echoed_and_routing_turned_round(visitor: Visitor) -> None:
    answer = visitor.get(
        "/locations", X_Request_ID="r-1", X_Correlation_ID="c-1", OCPI_from_country_code="nl", OCPI_from_party_id="ems"
    )
    names = ("X-Request-ID", "X-Correlation-ID", "OCPI-from-country-code", "OCPI-from-party-id")
    assert [answer.header(name) for name in names] == ["r-1", "c-1", "NL", "LAB"]
    assert [answer.header(name) for name in ("OCPI-to-country-code", "OCPI-to-party-id")] == ["NL", "EMS"]
    bare = visitor.get("/locations")
    assert bare.header("X-Request-ID")
    assert bare.header("X-Correlation-ID")
    refused = visitor.get("/locations", Authorization="Token no", X_Request_ID="r-2", X_Correlation_ID="c-2")
    assert [refused.header(name) for name in names[:2]] == ["r-2", "c-2"]
    listed = visitor.get(f"/ocpi/peer/{visitor.cpo.pk}/versions", X_Correlation_ID="c-3")
    assert (listed.header("X-Correlation-ID"), listed.header("X-Request-ID")) == ("c-3", None)
    assert visitor.get("").header("OCPI-from-party-id") is None  # versions and credentials are not routed


def test_211_has_none_of_those_headers(tenant: Organization, register: Callable[..., Visitor]) -> None:
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1")
    answer = register(cpo, "2.1.1").get("/locations", X_Request_ID="r-1")
    assert not [name for name in answer.response.headers if name.lower().startswith(("x-request", "x-corr", "ocpi"))]


def test_a_stranger_in_the_to_headers_is_overlooked_unless_routing_is_strict(visitor: Visitor) -> None:
    headers = {"OCPI_to_country_code": "DE", "OCPI_to_party_id": "ZZZ"}
    assert visitor.get("/locations", **headers).code == 1000
    with scope(visitor.cpo.tenant_id):
        Cpo.objects.filter(pk=visitor.cpo.pk).update(settings={"strict_routing": True})
    refused = visitor.get("/locations", **headers)
    assert (refused.http, refused.code) == (200, 2001)
    assert visitor.get("/locations", OCPI_to_country_code="nl", OCPI_to_party_id="lab").code == 1000
    assert visitor.get("/locations").code == 1000


def test_failed_attempts_are_limited_per_address_and_valid_tokens_are_not(
    visitor: Visitor, client: Client, settings: Any
) -> None:
    settings.OCPI_FAILED_AUTH_LIMIT = "3/hour"
    client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    answers = [call(client, "GET", versions(visitor.cpo), token="wrong").http for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    limited = call(client, "GET", versions(visitor.cpo), token="wrong")
    assert int(limited.header("Retry-After") or 0) > 0
    assert visitor.get("/locations").http == 200


def test_tokens_are_nowhere_to_be_read_again(
    visitor: Visitor, token_a: str, client: Client, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """Not in rows, not in the record of exchanges, not in the log, in no form."""
    with caplog.at_level(logging.DEBUG):
        call(client, "GET", versions(visitor.cpo), token=token_a)
        assert visitor.get("/credentials").data["token"] == visitor.token
        visitor.get(f"/locations?hint={visitor.token}")
        visitor.call("PUT", "/credentials", {"token": "short-token-b", "url": "http://169.254.169.254/", "roles": []})
    with scope(visitor.cpo.tenant_id):
        rows = [*Exchange.objects.values(), *Credential.objects.values(), *Peer.objects.values()]
    kept = json.dumps(rows, default=str) + caplog.text
    for secret in (visitor.token, token_a):
        assert secret not in kept
        assert encoded(secret) not in kept
    assert "short-token-b" not in kept
    assert Exchange.objects.unscoped().count() == 4
