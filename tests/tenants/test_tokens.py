"""Bearer tokens as a caller may forge or lose them (gateway contract, section 1.1)."""

import time
from typing import Any

import jwt
import pytest
from django.conf import LazySettings

from tenants import tokens
from tenants.models import Organization, User
from tests.conftest import ApiClient


@pytest.fixture
def claims(tenant: Organization) -> dict[str, Any]:
    """What a valid user token of `tenant` claims."""
    text, _ = tokens.issue(role="user", organization=tenant)
    return jwt.decode(text, options={"verify_signature": False})


def signed(claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode(claims, tokens.signing_key("1"), algorithm="HS256", headers={"kid": "1", **header})


def status(token: str) -> int:
    return ApiClient(token).get("/locations").status_code


def test_the_claims_are_the_contracts(claims: dict[str, Any], tenant: Organization) -> None:
    assert (claims["role"], claims["organization_id"]) == ("user", str(tenant.pk))
    assert {"sub", "exp", "jti"} <= claims.keys()
    assert status(signed(claims)) == 200


@pytest.mark.parametrize("missing", ["role", "organization_id", "jti"])
def test_a_signed_token_without_a_claim_is_403(claims: dict[str, Any], missing: str) -> None:
    del claims[missing]
    assert status(signed(claims)) == 403


@pytest.mark.parametrize(("claim", "value"), [("role", "root"), ("organization_id", "x"), ("jti", "x")])
def test_a_signed_token_with_a_senseless_claim_is_403(claims: dict[str, Any], claim: str, value: str) -> None:
    assert status(signed({**claims, claim: value})) == 403


def test_forgeries_are_401(claims: dict[str, Any]) -> None:
    forged = jwt.encode(claims, "x" * 40, algorithm="HS256", headers={"kid": "1"})
    unsigned = jwt.encode(claims, None, algorithm="none", headers={"kid": "1"})
    unknown_key = signed(claims, kid="9")
    expired = signed({**claims, "exp": int(time.time()) - 1})
    eternal = signed({name: value for name, value in claims.items() if name != "exp"})
    other_role = signed({**claims, "role": "admin"})
    for token in (forged, unsigned, unknown_key, expired, eternal, other_role):
        assert status(token) == 401


def test_a_token_lives_on_when_the_signing_key_changes(claims: dict[str, Any], settings: LazySettings) -> None:
    old = signed(claims)
    settings.JWT_KEYS = {**settings.JWT_KEYS, "2": "another secret"}
    settings.JWT_SIGNING_KEY_ID = "2"
    assert status(old) == 200
    settings.JWT_KEYS = {"2": "another secret"}
    assert status(old) == 401


def test_the_token_of_a_person_who_may_no_longer_sign_in_is_401(viewer_token: str) -> None:
    assert status(viewer_token) == 200
    User.objects.update(is_active=False)
    assert status(viewer_token) == 401
