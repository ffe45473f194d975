"""Commands, charging profiles and preferences as requests: what is refused before anything is done about them."""

from typing import Any

import pytest

from ocpi.models import Cpo, PeerCommand
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle, schemas
from tests.ocpi.conftest import Visitor
from tests.ocpi.test_tokens import TOKEN

URL = "http://127.0.0.1:9/results/1"
START = {"response_url": URL, "token": TOKEN, "location_id": "LOC1", "evse_uid": "E1"}
PROFILE = {"charging_rate_unit": "W", "charging_profile_period": [{"start_period": 0, "limit": 7000.0}]}
FINE = {"start_period": 0, "limit": 6.25}  # ChargingProfilePeriod takes one decimal
LIMIT = "charging_profile.charging_profile_period[0].limit"


def start(**changes: Any) -> dict[str, Any]:
    return {name: one for name, one in {**START, **changes}.items() if one is not ...}


def test_a_command_that_nobody_knows(visitor: Visitor, tenant: Organization, register: Any) -> None:
    assert visitor.call("POST", "/commands/DANCE", START).http == 404
    assert visitor.call("POST", "/commands/start_session", START).http == 404
    with scope(tenant):
        old = register(bundle.new_cpo("OLD", versions="2.1.1"), "2.1.1")
    answer = old.call("POST", "/commands/CANCEL_RESERVATION", {"response_url": URL, "reservation_id": "1"})
    assert answer.http == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"response_url": ...}, "response_url: required"),
        ({"response_url": "gopher://127.0.0.1/"}, "response_url"),
        ({"response_url": "http://169.254.169.254/"}, "response_url"),
        ({"response_url": "http://me:secret@127.0.0.1/"}, "response_url"),
        ({"token": ...}, "token: required"),
        ({"token": {**TOKEN, "valid": None}}, "token.valid: required"),
        ({"location_id": "x" * 37}, "location_id: max length 36"),
        ({"evse_uid": ..., "connector_id": "1"}, "evse_uid"),
    ],
)
def test_a_command_whose_body_is_wrong(visitor: Visitor, changes: dict[str, Any], field: str) -> None:
    answer = visitor.call("POST", "/commands/START_SESSION", start(**changes))
    assert (answer.http, answer.code) == (200, 2001)
    assert answer.message.startswith(field), answer.message
    with scope(visitor.cpo.tenant_id):
        assert not PeerCommand.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"location_id": "NOPE"}, {"evse_uid": "NOPE"}, {"evse_uid": "E1", "connector_id": "7"}]
)
def test_a_command_for_an_unknown_place(visitor: Visitor, changes: dict[str, Any]) -> None:
    answer = visitor.call("POST", "/commands/START_SESSION", start(**changes))
    assert (answer.http, answer.code, answer.data["result"]) == (200, 2003, "REJECTED")
    assert schemas.problems("2.2.1", "CommandResponse", answer.data) == []


def test_a_command_for_a_charger_that_is_away(visitor: Visitor) -> None:
    answer = visitor.call("POST", "/commands/START_SESSION", START)
    assert (answer.http, answer.code, answer.data["result"]) == (200, 1000, "REJECTED")
    assert answer.data["message"]
    assert schemas.problems("2.2.1", "CommandResponse", answer.data) == []


def test_a_session_that_the_peer_may_not_know_of(visitor: Visitor, register: Any, cpo: Cpo) -> None:
    other = register(cpo, country="DE", party="OTH")
    with scope(cpo.tenant_id):
        bundle.new_session(cpo, other.peer, "theirs")
    answers = [
        visitor.call("POST", "/commands/STOP_SESSION", {"response_url": URL, "session_id": one})
        for one in ("theirs", "unknown")
    ]
    assert [one.data["result"] for one in answers] == ["UNKNOWN_SESSION", "UNKNOWN_SESSION"]
    assert answers[0].data == answers[1].data  # no hint that it exists


def test_211_answers_in_its_own_words(tenant: Organization, register: Any) -> None:
    with scope(tenant):
        old = register(bundle.new_cpo("OLD", versions="2.1.1"), "2.1.1")
    names = ("uid", "type", "issuer", "valid", "whitelist", "last_updated")
    token = {**{name: TOKEN[name] for name in names}, "auth_id": "X"}
    answer = old.call("POST", "/commands/START_SESSION", {**START, "token": token})
    assert answer.data == {"result": "REJECTED"}


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [
        ("PUT", "", {"charging_profile": PROFILE, "response_url": URL}),
        ("GET", f"?duration=900&response_url={URL}", None),
        ("DELETE", f"?response_url={URL}", None),
    ],
)
def test_a_profile_for_an_unknown_session(visitor: Visitor, method: str, query: str, body: Any) -> None:
    answer = visitor.call(method, f"/chargingprofiles/nobody{query}", body)
    assert (answer.http, answer.data["result"]) == (200, "UNKNOWN_SESSION")
    assert schemas.problems("2.2.1", "ChargingProfileResponse", answer.data) == []


@pytest.mark.parametrize(
    ("method", "query", "body", "field"),
    [
        ("PUT", "", {"charging_profile": PROFILE}, "response_url"),
        ("PUT", "", {"charging_profile": {"charging_rate_unit": "V"}, "response_url": URL}, "charging_profile"),
        ("PUT", "", {"charging_profile": PROFILE | {"charging_profile_period": [FINE]}, "response_url": URL}, LIMIT),
        ("GET", f"?response_url={URL}", None, "duration"),
        ("GET", f"?duration=-1&response_url={URL}", None, "duration"),
        ("GET", "?duration=900", None, "response_url"),
        ("GET", "?duration=900&response_url=ftp://x/", None, "response_url"),
        ("DELETE", "", None, "response_url"),
    ],
)
def test_a_profile_request_that_is_wrong(visitor: Visitor, method: str, query: str, body: Any, field: str) -> None:
    answer = visitor.call(method, f"/chargingprofiles/S1{query}", body)
    assert (answer.http, answer.code) == (200, 2001)
    assert answer.message.startswith(field), answer.message


def test_preferences_that_are_wrong(visitor: Visitor) -> None:
    answer = visitor.call("PUT", "/sessions/S1/charging_preferences", {"profile_type": "QUICK"})
    assert (answer.http, answer.code) == (200, 2001)
    assert visitor.call("PUT", "/sessions/S1/charging_preferences", {"profile_type": "FAST"}).http == 404
    assert visitor.call("PATCH", "/sessions/S1/charging_preferences", {}).http == 405
