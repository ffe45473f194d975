"""The chargers of a location, many at a time (gateway contract, section 7)."""

from typing import Any

import pytest

from catalog.models import ChargerModel
from chargers.models import Charger, StationState
from locations.models import Location
from tenants.models import Organization
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import LocationFactory, new_charger

TEMPLATE = {
    "brand_slug": "wallbox",
    "model_slug": "wallbox-pulsar-plus",
    "connector_type": "Type2",
    "ws_url": "ws://127.0.0.1:9/ocpp",
    "identity_prefix": "SITE_",
    "template_name": "Bay",
}
ONE = {name: value for name, value in TEMPLATE.items() if name not in ("identity_prefix", "template_name")}


@pytest.fixture
def path(location: Location) -> str:
    return f"/locations/{location.pk}/chargers"


def identities(chargers: list[dict[str, Any]]) -> list[str]:
    return [one["identity"] for one in chargers]


def test_a_group_makes_identities_and_names_of_its_template(
    user_client: ApiClient, path: str, model: ChargerModel
) -> None:
    answer = user_client.post(path, [{"template": TEMPLATE, "charger_ids": ["001", "002"]}])
    assert answer.status_code == 201
    result = answer.json()
    assert (result["created_count"], result["failed_count"], result["failed"]) == (2, 0, [])
    assert identities(result["created"]) == ["SITE_001", "SITE_002"]
    assert [one["name"] for one in result["created"]] == ["Bay 001", "Bay 002"]
    assert identities(user_client.get(path).json()["data"]) == ["SITE_001", "SITE_002"]


@pytest.mark.parametrize(
    ("ids", "number", "named", "count"),
    [(None, 3, [], 3), (["a"], 3, ["SITE_a"], 3), (["a", "b", "c"], 2, ["SITE_a", "SITE_b"], 2), ([], 1, [], 1)],
)
def test_ids_are_padded_or_cut_to_the_number(
    user_client: ApiClient, path: str, model: ChargerModel, ids: list[str], number: int, named: list[str], count: int
) -> None:
    group = {"template": TEMPLATE, "charger_ids": ids, "chargers_number": number}
    created = user_client.post(path, [group]).json()["created"]
    assert len(created) == count
    assert identities(created)[: len(named)] == named
    assert len(set(identities(created))) == count


def test_one_bad_item_does_not_fail_the_others(user_client: ApiClient, path: str, charger: Charger) -> None:
    chargers = [
        {**ONE, "identity": "NEW-1"},
        {**ONE, "identity": charger.identity},
        {**ONE, "identity": "NEW-1"},
        {**ONE, "identity": "NEW-2", "brand_slug": "nobody"},
        {**ONE, "identity": "NEW-3", "location_id": "00000000-0000-4000-8000-000000000000"},
        {**ONE, "identity": "NEW-4", "location_id": str(charger.location_id)},
    ]
    answer = user_client.post(f"{path}/create-chargers", {"chargers": chargers})
    result = answer.json()
    assert answer.status_code == 201
    assert identities(result["created"]) == ["NEW-1", "NEW-4"]
    assert [one["identity"] for one in result["failed"]] == [charger.identity, "NEW-1", "NEW-2", "NEW-3"]
    assert all(one["error"] for one in result["failed"])


def test_a_suffix_that_makes_no_identity_fails_alone(user_client: ApiClient, path: str, model: ChargerModel) -> None:
    group = {"template": TEMPLATE, "charger_ids": ["ok", "with:colon", "x" * 45]}
    result = user_client.post(path, [group]).json()
    assert identities(result["created"]) == ["SITE_ok"]
    assert result["failed_count"] == 2


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ([], ["body"]),
        ([{"template": TEMPLATE}], ["body", 0]),
        ([{"template": TEMPLATE, "chargers_number": 0}], ["body", 0, "chargers_number"]),
        ([{"template": TEMPLATE, "chargers_number": 1001}], ["body", 0, "chargers_number"]),
        ([{"template": TEMPLATE, "chargers_number": 101}], ["body"]),
        ([{"template": {**TEMPLATE, "ws_url": "http://x"}, "chargers_number": 1}], ["body", 0, "template", "ws_url"]),
        ([5], ["body", 0]),
        ({}, ["body", "chargers"]),
        ({"chargers": []}, ["body", "chargers"]),
        ({"chargers": [{**ONE}]}, ["body", "chargers", 0, "identity"]),
        ({"chargers": [{**ONE, "identity": str(n)} for n in range(101)]}, ["body", "chargers"]),
        ("text", ["body"]),
    ],
)
def test_a_body_of_neither_form_is_422(user_client: ApiClient, path: str, body: object, loc: list[object]) -> None:
    answer = user_client.post(path, body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == loc


def test_a_hundred_chargers_cost_hardly_more_queries_than_one(
    user_client: ApiClient, path: str, model: ChargerModel, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(22):  # SQLite inserts some 50 rows at a time
        user_client.post(path, [{"template": TEMPLATE, "chargers_number": 100}])
    assert StationState.objects.count() == 100


def test_updates_report_item_by_item(
    user_client: ApiClient, path: str, charger: Charger, charger_201: Charger, tenant: Organization
) -> None:
    with scope(tenant):
        elsewhere = new_charger(LocationFactory(), "ELSEWHERE", charger.model)
    patches = [
        {"charger_id": str(charger.pk), "name": "First"},
        {"charger_id": str(charger_201.pk), "location_id": str(elsewhere.location_id)},
        {"charger_id": str(elsewhere.pk), "name": "Not here"},
        {"charger_id": "nonsense", "name": "Nobody"},
    ]
    answer = user_client.put(path, {"chargers": patches})
    result = answer.json()
    assert answer.status_code == 200
    assert (result["updated_count"], result["failed_count"]) == (1, 3)
    assert [one["name"] for one in result["updated"]] == ["First"]
    failed = {one["charger_id"] for one in result["failed"]}
    assert failed == {str(charger_201.pk), str(elsewhere.pk), "nonsense"}
    assert user_client.put(f"{path}/update-chargers", {"chargers": patches[:1]}).json()["updated_count"] == 1
    assert user_client.get(f"/chargers/{elsewhere.pk}").json()["name"] is None


def test_deleting_needs_names(user_client: ApiClient, path: str, charger: Charger) -> None:
    answer = user_client.delete(path)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "charger_ids"]
    assert user_client.get(f"/chargers/{charger.pk}").status_code == 200


def test_deleting_reports_what_was_not_there(
    user_client: ApiClient, path: str, charger: Charger, charger_201: Charger
) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"
    result = user_client.delete(f"{path}?charger_ids={charger.pk}&charger_ids={nobody}").json()
    assert (result["deleted_count"], result["deleted"], result["failed_count"]) == (1, [str(charger.pk)], 1)
    assert result["failed"][0]["charger_id"] == nobody
    named = user_client.post(f"{path}/delete-chargers", {"charger_ids": [str(charger_201.pk)]})
    assert (named.status_code, named.json()["deleted_count"]) == (200, 1)


def test_the_list_skips_ids_of_elsewhere(
    user_client: ApiClient, path: str, charger: Charger, charger_201: Charger
) -> None:
    query = f"?charger_ids={charger_201.pk}&charger_ids=nonsense&charger_ids=00000000-0000-4000-8000-000000000000"
    assert identities(user_client.get(path + query).json()["data"]) == ["CS-1"]
    assert identities(user_client.get(f"{path}/get-chargers").json()["data"]) == ["CP-1", "CS-1"]


def test_a_strangers_location_is_not_found(stranger_client: ApiClient, path: str) -> None:
    for method in ("get", "post", "put"):
        answer = getattr(stranger_client, method)(path, {"chargers": []} if method != "get" else None)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Location not found."})
    assert stranger_client.delete(f"{path}?charger_ids=x").status_code == 404
