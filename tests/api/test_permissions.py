"""Who may do what: every route of the API with every sort of caller (gateway contract, section 1.1)."""

from typing import Any

import pytest

from chargers.models import Charger
from ocpi.models import Cpo, CpoLocation, Peer, Tariff
from ocpi.moments import now_ms
from tenants.models import Organization
from tenants.scoping import scope
from tests.api.routes import Route, api_routes
from tests.conftest import ApiClient
from tests.ocpi import bundle

ROUTES = api_routes()
SCOPED = [route for route in ROUTES if route.tenant_scoped]
WRITES = [route for route in SCOPED if route.method != "get"]
READS = [route for route in SCOPED if route.method == "get"]
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def charger(charger: Charger) -> Charger:
    """Its location belongs to a CPO with one peer."""
    with scope(charger.tenant_id):  # type: ignore[arg-type]
        times = {"created_at": now_ms(), "last_updated": now_ms()}
        cpo = Cpo.objects.create(
            country_code="NL", party_id="LAB", name_prefix="P", template="none", template_version=1, seed=1
        )
        CpoLocation.objects.create(cpo=cpo, ocpi_id="L1", location=charger.location, country="NLD", **times)
        Tariff.objects.create(cpo=cpo, tariff_id="T1", content={"currency": "EUR", "elements": []}, **times)
        Peer.objects.create(pk=1, cpo=cpo, state="registered", version="2.2.1")
        bundle.new_cdr(cpo, peer=None)
    return charger


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


# Enough for every command: fields that one does not know are ignored.
EVENT = {
    "id_tag": "T", "power_w": 1, "configuration": {"HeartbeatInterval": "9"}, "list_version": 1, "entries": [],
    "fault_type": "GroundFailure", "action": "heartbeat", "ocpp_version": "ocpp1.6", "payload": {},
    "state": "ready", "text": "[]", "limit": 16, "unit": "A",
}  # fmt: skip


def call(client: ApiClient, route: Route, charger: Charger | None = None, **headers: str) -> Any:
    cpo = Cpo.objects.unscoped().filter(tenant=charger.tenant_id).first() if charger else None
    path = route.filled(
        location_id=charger.location_id if charger else NOWHERE,
        ocpi_location_id="L1",
        cpo_id=cpo.pk if cpo else 2**40,
        tariff_id="T1",
        cdr_id="C1",
        peer_id="1",
        id_token="CARD",
        charger_id=charger.pk if charger else NOWHERE,
        command_id="a1b2c3d4e5f6",
        job_id=NOWHERE,
        run_id=NOWHERE,
        transaction_id=NOWHERE,
        brand_slug="wallbox",
        model_slug="wallbox-pulsar-plus",
    )
    if route.is_targeted:
        target = {"charger_id": str(charger.pk) if charger else NOWHERE}
        return client.post(path, {"target": target, "event": EVENT}, **headers)
    return getattr(client, route.method)(path, **headers)


def test_the_table_covers_the_whole_contract() -> None:
    assert len(SCOPED) > 160
    assert {route.path.split("/")[0] for route in ROUTES} >= {"catalog", "locations", "chargers", "commands", "ocpp"}


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_without_a_valid_token_it_is_401(anonymous: ApiClient, route: Route) -> None:
    for authorization in (None, "Bearer", "Bearer nonsense", "Basic dXNlcjpwdw==", "Bearer a.b.c", "Bearer é"):
        answer = call(anonymous, route, **({"HTTP_AUTHORIZATION": authorization} if authorization else {}))
        assert answer.status_code == 401
        assert isinstance(answer.json()["detail"], str)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_an_expired_or_revoked_token_is_401(expired_token: str, revoked_token: str, route: Route) -> None:
    for token in (expired_token, revoked_token):
        answer = call(ApiClient(token), route)
        assert answer.status_code == 401
        assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("route", SCOPED, ids=name)
def test_a_user_token_with_the_header_is_403_even_for_its_own_organization(
    user_token: str, tenant: Organization, route: Route
) -> None:
    answer = call(ApiClient(user_token, tenant), route)
    assert answer.status_code == 403
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("route", SCOPED, ids=name)
def test_an_admin_token_needs_an_organization_that_exists(admin_token: str, route: Route) -> None:
    for headers in (
        {},
        {"HTTP_X_ORGANIZATION_ID": ""},
        {"HTTP_X_ORGANIZATION_ID": "x"},
        {"HTTP_X_ORGANIZATION_ID": NOWHERE},
    ):
        answer = call(ApiClient(admin_token), route, **headers)
        assert answer.status_code == 403
        assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("route", WRITES, ids=name)
def test_a_viewer_may_not_write(viewer_client: ApiClient, route: Route) -> None:
    answer = call(viewer_client, route)
    assert (answer.status_code, answer.json()) == (403, {"detail": "The role viewer may only read."})


@pytest.mark.parametrize("route", READS, ids=name)
def test_a_viewer_and_an_admin_may_read(
    viewer_client: ApiClient, admin_client: ApiClient, charger: Charger, route: Route
) -> None:
    absent = ("command_id", "job_id", "run_id", "transaction_id")
    expected = 404 if any(name in route.path for name in absent) else 200
    assert call(viewer_client, route, charger).status_code == expected
    assert call(admin_client, route, charger).status_code == expected


@pytest.mark.parametrize("route", [route for route in SCOPED if "<" in route.path or route.is_targeted], ids=name)
def test_a_stranger_sees_what_is_not_there(
    stranger_client: ApiClient, user_client: ApiClient, charger: Charger, route: Route
) -> None:
    theirs = call(stranger_client, route, charger)
    nothing = call(user_client, route)
    if (route.method, route.path) == ("delete", "ocpi/cpos/<str:cpo_id>"):
        assert theirs.status_code == nothing.status_code == 204  # without effect (gateway contract, 15.2)
        assert call(user_client, Route("get", route.path, True), charger).status_code == 200
        return
    assert theirs.status_code == nothing.status_code == 404
    assert theirs.json() == nothing.json()


# The catalog of faults is everybody's.
LISTS = [route for route in READS if "<" not in route.path and not route.path.endswith("faults")]


@pytest.mark.parametrize("route", LISTS, ids=name)
def test_a_stranger_lists_nothing(stranger_client: ApiClient, charger: Charger, route: Route) -> None:
    assert call(stranger_client, route).json()["data"] == []


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.tenant_scoped], ids=name)
def test_the_catalog_ignores_the_header(user_token: str, admin_token: str, tenant: Organization, route: Route) -> None:
    for client in (ApiClient(user_token, tenant), ApiClient(admin_token), ApiClient(admin_token, tenant)):
        assert call(client, route).status_code in (200, 404)
