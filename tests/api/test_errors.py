"""Errors are JSON of one shape, whatever is sent (gateway contract, section 2)."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.test import Client

from chargers.models import Charger
from tests.api.routes import Route, api_routes
from tests.conftest import ApiClient

JSON = "application/json"


@pytest.fixture
def client(user_token: str) -> ApiClient:
    """An exception that nothing catches shows as the 500 a caller would get."""
    return ApiClient(user_token, raise_request_exception=False)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/locations/", "/chargers//logs", "/ocpp", "/robots.txt", "/a%00b", "/%ff"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_path_is_404_json(client: ApiClient, path: str, method: str) -> None:
    answer = getattr(client, method)(path)
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("patch", "/locations", {"GET", "POST", "HEAD"}),
        ("post", "/chargers/x", {"GET", "PUT", "DELETE", "HEAD"}),
        ("get", "/chargers/x/start-session", {"POST"}),
        ("options", "/locations", {"GET", "POST", "HEAD"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    client: ApiClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = getattr(client, method)(path)
    assert answer.status_code == 405
    assert isinstance(answer.json()["detail"], str)
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/", "/health", "/docs", "/docs/errors.md", "/openapi.json", "/llms.txt"])
@pytest.mark.parametrize("method", ["post", "delete", "patch", "options"])
def test_open_pages_refuse_other_methods_in_json(path: str, method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert answer.status_code == 405
    assert isinstance(answer.json()["detail"], str)
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"nope", b'{"name": NaN}', b'{"name": Infinity}', b"\xff\xfe", b'{"name": "\xc3("}', b"[" * 200_000,
        b'{"a":' * 100_000, b'{"power_w": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_malformed_json_is_422(client: ApiClient, body: bytes) -> None:
    answer = client.generic("POST", "/locations", body, content_type=JSON)
    assert answer.status_code == 422
    item = answer.json()["detail"][0]
    assert (item["loc"], item["type"]) == (["body"], "json_invalid")


def writes() -> list[Route]:
    """Those that find what their path names."""
    absent = ("run_id", "cpo_id")
    return [
        route
        for route in api_routes()
        if route.method in ("post", "put", "patch") and not any(f"<str:{name}>" in route.path for name in absent)
    ]


@pytest.mark.parametrize("route", writes(), ids=lambda route: f"{route.method} {route.path}")
def test_every_write_refuses_a_body_that_it_cannot_read(client: ApiClient, charger: Charger, route: Route) -> None:
    path = route.filled(location_id=charger.location_id, charger_id=charger.pk)
    malformed = client.generic(route.method.upper(), path, b'{"name": ', content_type=JSON)
    assert (malformed.status_code, malformed.json()["detail"][0]["type"]) == (422, "json_invalid")
    form = client.generic(route.method.upper(), path, b"name=x", content_type="application/x-www-form-urlencoded")
    assert form.status_code == 415
    assert isinstance(form.json()["detail"], str)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "a/b; c"]
)
def test_a_body_that_is_not_json_is_415(client: ApiClient, content_type: str) -> None:
    answer = client.generic("POST", "/locations", b"name=x", content_type=content_type)
    assert answer.status_code == 415
    assert isinstance(answer.json()["detail"], str)


def test_a_body_of_more_than_5_mib_is_413(client: ApiClient) -> None:
    answer = client.generic("POST", "/locations", b" " * (5 * 1024 * 1024 + 1), content_type=JSON)
    assert answer.status_code == 413
    assert isinstance(answer.json()["detail"], str)
    fits = client.generic("POST", "/locations", b" " * (5 * 1024 * 1024 - 2) + b"{}", content_type=JSON)
    assert fits.status_code == 422


def test_only_json_is_served(client: ApiClient) -> None:
    answer = client.get("/locations", HTTP_ACCEPT="text/html")
    assert answer.status_code == 406
    assert isinstance(answer.json()["detail"], str)


def test_a_body_without_a_type_or_content_is_empty(client: ApiClient, charger: Charger) -> None:
    answer = client.generic("POST", f"/chargers/{charger.pk}/stop-session", b"", content_type="")
    assert (answer.status_code, answer.json()["payload"]) == (202, {})


HOSTILE: list[Any] = [
    None, True, 0, -1, 10**40, 1.5, 1e308, "", "\0", "x" * 10_000, [], [[]], {}, {"a": {}}, "\u202e", "💥", [None], " ",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "00000000-0000-0000-0000-000000000000", "../../x",
]  # fmt: skip
BODIES = {
    "locations": {
        "name": "n", "address": "a", "city": "c", "country": "FR", "coordinates": {"latitude": 1, "longitude": 2},
        "timezone": "Europe/Paris", "owner_name": "o", "public": True,
    },
    "chargers": {
        "identity": "X", "brand_slug": "wallbox", "model_slug": "wallbox-pulsar-plus", "connector_type": "Type2",
        "ws_url": "ws://h/", "ocpp_version": "OCPP1.6", "charge_point_name": "n", "location_id": "l",
        "location_name": "l",
    },
    "chargers/CP-1/start-session": {
        "id_tag": "T", "connector_id": 1, "duration_seconds": 1, "target_energy_kwh": 1.5,
    },
    "chargers/CP-1/power-update": {"power_w": 1, "evse_id": 1, "connector_id": 1},
    "chargers/CP-1/reset": {"type": "Soft"},
    "chargers/CP-1/stop-transaction": {"transaction_id": "1"},
}  # fmt: skip


@pytest.mark.parametrize(("path", "field"), [(path, field) for path, body in BODIES.items() for field in body])
def test_no_value_of_a_field_is_an_internal_error(client: ApiClient, charger: Charger, path: str, field: str) -> None:
    body = {**BODIES[path], **({"location_id": str(charger.location_id)} if path == "chargers" else {})}
    for value in HOSTILE:
        answer = client.generic("POST", f"/{path}", json.dumps({**body, field: value}), content_type=JSON)
        assert answer.status_code in (201, 202, 400, 422), (value, answer.content)
        answer.json()


def test_a_lone_surrogate_is_refused_and_may_be_repeated_in_the_answer(client: ApiClient, charger: Charger) -> None:
    for body in ('{"type": "\\ud800"}', '{"\\ud800": "\\ud800"}', '{"type": {"\\ud800": 1}}'):
        for route in ("reset", "configuration", "plug-connector"):
            answer = client.generic("POST", f"/chargers/{charger.pk}/{route}", body, content_type=JSON)
            assert answer.status_code in (202, 422)
            answer.json()


@pytest.mark.parametrize(
    "query",
    [
        "page=1e3", "limit=%00", "location_id=%00", "location_id=%ff", "page=" + "9" * 30, "charger_ids=%00",
        "start_date=%00", "event=%00", "message_id=%00", "offset=9223372036854775808", "offset=-1", "limit=1001",
        "start_date=9999-12-31T23:59:59Z", "end_date=0001-01-01T00:00:00Z", "end_date=0001-01-01T00:00:00%2B14:00",
        "keys=%00", "keys=,,,", "include=everything", "direction=up",
    ],
)  # fmt: skip
def test_no_query_is_an_internal_error(client: ApiClient, charger: Charger, query: str) -> None:
    lists = ["locations", "chargers", f"locations/{charger.location_id}/chargers", "chargers/CP-1/logs"]
    for path in (*lists, "chargers/CP-1/connections", "chargers/CP-1/configuration", "chargers/CP-1/commands"):
        answer = client.get(f"/{path}?{query}")
        assert answer.status_code in (200, 422), (path, answer.content)
        answer.json()


@pytest.mark.parametrize(
    "reference", ["%00", "%ff", "%ed%a0%80", "x" * 3000, "'", "%F0%9F%92%A5", "%2e", "*", "-1", "0"]
)
def test_no_id_is_an_internal_error(client: ApiClient, charger: Charger, reference: str) -> None:
    for path in (f"chargers/{reference}", f"locations/{reference}", f"chargers/CP-1/commands/{reference}"):
        assert client.get(f"/{path}").status_code == 404
    assert client.delete(f"/locations/{reference}").status_code == 404
    assert client.put(f"/chargers/{reference}", {}).status_code == 404


def test_an_internal_error_is_json_and_tells_nothing(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    from locations.api import views

    def broken(*args: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views.services, "find_location", broken)
    answer = client.get("/locations/x")
    assert answer.status_code == 500
    assert "secret" not in answer.json()["detail"]


def test_without_its_database_it_is_503_and_worth_repeating(client: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from locations.api import views

    def gone(*args: object) -> None:
        raise OperationalError("secret detail")

    monkeypatch.setattr(views.services, "find_location", gone)
    answer = client.get("/locations/x")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "secret" not in answer.json()["detail"]
