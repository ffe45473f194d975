"""The tokens module, for receiving."""

from typing import Any
from urllib.parse import quote

import pytest

from ocpi.models import Cpo, Token
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.conftest import Visitor

TOKEN = {
    "country_code": "NL",
    "party_id": "EMS",
    "uid": "012345678",
    "type": "RFID",
    "contract_id": "NL8ACC12E46L89",
    "visual_number": "DF000-2001-8999-1",
    "issuer": "TheNewMotion",
    "group_id": "DF000-2001-8999",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2026-03-01T08:00:00Z",
}
PATH = "/tokens/NL/EMS/012345678"


def token(**changes: Any) -> dict[str, Any]:
    return {name: one for name, one in {**TOKEN, **changes}.items() if one is not ...}


def test_a_token_is_stored_and_returned_exactly(visitor: Visitor) -> None:
    sent = token(extra={"kept": [1, 2]}, language=None)
    created = visitor.call("PUT", PATH, sent)
    assert (created.http, created.code, "data" in created.body) == (201, 1000, False)
    assert visitor.get(PATH).data == {name: one for name, one in sent.items() if one is not None}
    assert visitor.get("/tokens/nl/ems/012345678").http == 200
    assert visitor.get(f"{PATH}?type=RFID").http == 200
    assert visitor.get(f"{PATH}?type=APP_USER").http == 404


def test_put_replaces_the_whole_token(visitor: Visitor, cpo: Cpo) -> None:
    visitor.call("PUT", PATH, token())
    again = visitor.call("PUT", PATH, token(group_id=..., visual_number=..., valid=False))
    assert (again.http, again.code) == (200, 1000)
    assert "group_id" not in visitor.get(PATH).data
    with scope(cpo.tenant_id):
        row = Token.objects.get()
    assert (row.valid, row.group_id, row.key_uid, row.contract_id) == (False, "", "012345678", "NL8ACC12E46L89")


def test_patch_changes_what_it_names(visitor: Visitor) -> None:
    visitor.call("PUT", PATH, token())
    answer = visitor.call("PATCH", PATH, {"valid": False, "last_updated": "2026-03-01T09:00:00Z"})
    assert (answer.http, answer.code, "data" in answer.body) == (200, 1000, False)
    shown = visitor.get(PATH).data
    assert shown == token(valid=False, last_updated="2026-03-01T09:00:00Z")


@pytest.mark.parametrize(
    ("path", "body", "http", "code"),
    [
        (PATH, {"valid": False}, 200, 2001),
        (PATH, {"valid": "no", "last_updated": "2026-03-01T09:00:00Z"}, 200, 2001),
        (PATH, {"uid": "other", "last_updated": "2026-03-01T09:00:00Z"}, 200, 2001),
        (PATH, ["no object"], 200, 2001),
        ("/tokens/NL/EMS/unknown", {"valid": False, "last_updated": "2026-03-01T09:00:00Z"}, 404, 2004),
        ("/tokens/NL/OUT/012345678", {"valid": False, "last_updated": "2026-03-01T09:00:00Z"}, 404, 2000),
    ],
)
def test_a_patch_that_is_refused(visitor: Visitor, path: str, body: Any, http: int, code: int) -> None:
    visitor.call("PUT", PATH, token())
    answer = visitor.call("PATCH", path, body)
    assert (answer.http, answer.code) == (http, code)
    assert visitor.get(PATH).data == TOKEN


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uid": "other"}, "uid"),
        ({"country_code": "DE"}, "country_code"),
        ({"party_id": "OUT"}, "party_id"),
        ({"type": "APP_USER"}, "type"),
        ({"uid": ...}, "uid"),
        ({"whitelist": "SOMETIMES"}, "whitelist"),
        ({"valid": "true"}, "valid"),
        ({"issuer": "x" * 65}, "issuer: max length 64"),
        ({"issuer": "a\x01b"}, "issuer"),
        ({"contract_id": "é"}, "contract_id"),
        ({"contract_id": "x" * 37}, "contract_id: max length 36"),
        ({"last_updated": "2026-03-01"}, "last_updated"),
        ({"last_updated": "2026-03-01T08:00:00+02:00"}, "last_updated"),
        ({"energy_contract": {"contract_id": "x"}}, "energy_contract.supplier_name: required"),
        ({"issuer": "nul\x00"}, "body"),
    ],
)
def test_a_put_that_is_refused_names_the_field(visitor: Visitor, changes: dict[str, Any], field: str) -> None:
    answer = visitor.call("PUT", PATH, token(**changes))
    assert (answer.http, answer.code) == (200, 2001)
    assert answer.message.startswith(field), answer.message
    assert visitor.get(PATH).http == 404


def test_a_token_of_somebody_else_has_no_place(visitor: Visitor) -> None:
    answer = visitor.call("PUT", "/tokens/DE/OTH/1", token(country_code="DE", party_id="OTH", uid="1"))
    assert answer.http == 404
    assert visitor.get("/tokens/DE/OTH/1").http == 404


def test_the_same_uid_may_be_an_app_user_too(visitor: Visitor) -> None:
    assert visitor.call("PUT", PATH, token()).http == 201
    assert visitor.call("PUT", f"{PATH}?type=APP_USER", token(type="APP_USER", valid=False)).http == 201
    assert visitor.get(PATH).data["valid"] is True
    assert visitor.get(f"{PATH}?type=APP_USER").data["valid"] is False


@pytest.mark.parametrize("uid", ["04/5A:7F", "/a//b", "A B?#%2F;+&=", "..", "~!@$'()*,|"])
def test_a_uid_may_be_any_printable_ascii(visitor: Visitor, uid: str) -> None:
    path = f"/tokens/NL/EMS/{quote(uid, safe='')}"
    assert visitor.call("PUT", path, token(uid=uid)).http == 201
    assert visitor.call("PATCH", f"{path}/", {"valid": False, "last_updated": "2026-03-02T08:00:00Z"}).code == 1000
    assert (visitor.get(path).data["uid"], visitor.get(path).data["valid"]) == (uid, False)


def test_two_peers_may_hold_tokens_of_one_uid(visitor: Visitor, register: Any, cpo: Cpo) -> None:
    other = register(cpo, country="DE", party="OTH")
    visitor.call("PUT", PATH, token())
    other.call("PUT", "/tokens/DE/OTH/012345678", token(country_code="DE", party_id="OTH", valid=False))
    assert visitor.get(PATH).data["valid"] is True
    assert other.get(PATH).http == 404


def test_211_says_auth_id(tenant: Organization, register: Any) -> None:
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1")
    visitor = register(cpo, "2.1.1")
    sent = {name: TOKEN[name] for name in ("uid", "type", "issuer", "valid", "whitelist", "last_updated")}
    sent["auth_id"] = "DE8ACC12E46L89"
    assert visitor.call("PUT", PATH, sent).http == 201
    assert visitor.get(PATH).data == sent
    with scope(tenant):
        row = Token.objects.get()
    assert (row.contract_id, row.key_country, row.key_party) == ("DE8ACC12E46L89", "NL", "EMS")
    unknown = visitor.call("PATCH", "/tokens/NL/EMS/none", {"last_updated": "2026-03-01T08:00:00Z"})
    assert (unknown.http, unknown.code) == (404, 2001)  # 2.1.1 has no 2004


def test_211_finds_a_token_by_its_uid_alone(tenant: Organization, register: Any) -> None:
    """Its addresses name no type (2.1.1, Tokens 2.1)."""
    with scope(tenant):
        cpo = bundle.new_cpo("OLD", versions="2.1.1")
    visitor = register(cpo, "2.1.1")
    sent = {name: TOKEN[name] for name in ("uid", "issuer", "valid", "whitelist", "last_updated")}
    sent |= {"auth_id": "DE8ACC12E46L89", "type": "OTHER"}
    assert visitor.call("PUT", PATH, sent).http == 201
    assert visitor.get(PATH).data == sent
    changed = {"type": "RFID", "last_updated": "2026-03-01T09:00:00Z"}
    assert visitor.call("PATCH", PATH, changed).code == 1000
    assert visitor.get(PATH).data == sent | changed
    assert visitor.call("PUT", PATH, sent).http == 200
    with scope(tenant):
        assert [row.type for row in Token.objects.all()] == ["OTHER"]
