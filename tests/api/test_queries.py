"""No list and no fan-out costs more queries for many rows than for few, whatever the route family."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chargers.models import Charger, ChargerCommand
from tenants.scoping import scope
from tests.api.node import StandIn
from tests.api.routes import Route, api_routes
from tests.api.test_permissions import EVENT, call, name
from tests.conftest import ApiClient
from tests.factories import LocationFactory, new_charger

ROUTES = [route for route in api_routes() if route.tenant_scoped]
# Neither how the waiting asks whether any is left, as often as it takes, nor how a transaction gets its turn.
STATEMENT = re.compile("SELECT (?!1 AS)|INSERT|UPDATE|DELETE")
READS = [route for route in ROUTES if route.method == "get"]
# What waits for stations has a test of its own.
DEEDS = ("configuration", "local-auth-list", "fault", "cache/reset", "proxy-message")
FANOUTS = [
    route
    for route in ROUTES
    if route.method == "post"
    and not route.path.endswith(DEEDS)
    and (route.is_targeted or ("location_id" in route.path and "chargers/" in route.path))
    and not route.path.endswith(("create-chargers", "delete-chargers"))
]


def queries_of(client: ApiClient, route: Route, charger: Charger, expected: tuple[int, ...]) -> int:
    with CaptureQueriesContext(connection) as queries:
        if route.method == "get":
            answer = call(client, route, charger)
        elif route.is_targeted:
            answer = client.post(
                f"/{route.path}", {"target": {"location_id": str(charger.location_id)}, "event": EVENT}
            )
        else:
            answer = client.post(route.filled(location_id=charger.location_id), EVENT)
    assert answer.status_code in expected, answer.content
    return len(queries)


def more_of_everything(charger: Charger, number: int = 12) -> None:
    with scope(charger.tenant_id):
        for index in range(number):
            LocationFactory()
            new_charger(charger.location, f"{number}-{index}", charger.model)
        commands = [
            ChargerCommand(
                charger=charger, shard=charger.shard, event_type="reset", ocpp_version="ocpp1.6",
                deadline_at="2030-01-01T00:00:00Z",
            )
            for _ in range(number)
        ]  # fmt: skip
        ChargerCommand.objects.bulk_create(commands)


@pytest.mark.parametrize("route", READS, ids=name)
def test_reading_costs_the_same_for_many(user_client: ApiClient, charger: Charger, route: Route) -> None:
    more_of_everything(charger, 1)
    few = queries_of(user_client, route, charger, (200, 404))
    more_of_everything(charger)
    assert queries_of(user_client, route, charger, (200, 404)) == few <= 12


@pytest.mark.parametrize("route", FANOUTS, ids=name)
def test_a_fan_out_costs_the_same_for_many(user_client: ApiClient, charger: Charger, route: Route) -> None:
    more_of_everything(charger, 1)
    few = queries_of(user_client, route, charger, (202,))
    more_of_everything(charger)
    assert queries_of(user_client, route, charger, (202,)) == few <= 16


WAITING = [
    route
    for route in ROUTES
    if route.method == "post"
    and "location_id" in route.path
    and route.path.endswith(DEEDS)
    and "jobs" not in route.path
]


@pytest.mark.django_db(transaction=True)
def test_fan_outs_that_wait_cost_the_same_for_many(user_client: ApiClient, charger: Charger) -> None:
    def queries(route: Route) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = user_client.post(route.filled(location_id=charger.location_id), EVENT)
        assert (answer.status_code, answer.json()["failed"]) == (200, []), answer.content
        return len([one for one in captured if STATEMENT.match(one["sql"])])

    with StandIn(lambda command: ("accepted", "", {})):
        few = {name(route): queries(route) for route in WAITING}
        more_of_everything(charger)
        assert {name(route): queries(route) for route in WAITING} == few
    assert max(few.values()) <= 12


def test_options_cost_the_same_for_many(user_client: ApiClient, charger: Charger) -> None:
    def queries(scale: float) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = user_client.patch(f"/locations/{charger.location_id}/chargers/options", {"time_scale": scale})
        assert (answer.status_code, answer.json()["failed_count"]) == (200, 0)
        return len(captured)

    few = queries(2)
    more_of_everything(charger)
    assert queries(3) == few <= 16


def test_the_table_has_every_fan_out() -> None:
    assert len(FANOUTS) >= 2 * 15 + 2 * 12
    assert len(WAITING) == 2 * 4


def test_bulk_update_and_delete_cost_the_same_for_many(user_client: ApiClient, charger: Charger) -> None:
    more_of_everything(charger)
    ids = [str(key) for key in Charger.objects.unscoped().order_by("created_at").values_list("pk", flat=True)]

    def cost(method: str, path: str, body: Any = None) -> int:
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(user_client, method)(path, body)
        assert answer.status_code == 200
        return len(queries)

    for prefix in ("", "/ocpp"):
        fleet = f"{prefix}/locations/{charger.location_id}/chargers"
        patches = [{"charger_id": one, "name": "N"} for one in ids]
        assert cost("put", fleet, {"chargers": patches[:2]}) == cost("put", fleet, {"chargers": patches})
    fleet = f"/locations/{charger.location_id}/chargers"
    one, many = ids[:1], ids[1:]
    assert cost("delete", f"{fleet}?charger_ids={one[0]}") == cost(
        "delete", f"{fleet}?" + "&".join(f"charger_ids={key}" for key in many)
    )
