"""`/locations` (gateway contract, section 6)."""

import re

import pytest

from chargers.models import Charger
from locations.models import Location
from tenants.models import AuditEntry, Organization
from tenants.scoping import scope
from tests.conftest import ApiClient

BODY = {
    "name": "Paris La Défense Hub",
    "address": "1 Parvis de la Défense",
    "city": "Paris",
    "country": "FR",
    "coordinates": {"latitude": 48.89, "longitude": 2.24},
}


def test_a_created_location_has_a_slug_of_its_name(user_client: ApiClient) -> None:
    answer = user_client.post("/locations", {**BODY, "timezone": "Europe/Paris", "owner_name": "Acme", "unknown": 1})
    assert answer.status_code == 201
    shown = answer.json()
    assert re.fullmatch(r"paris-la-defense-hub-[0-9a-f]{8}", shown["slug"])
    assert {**BODY, "timezone": "Europe/Paris", "owner_name": "Acme", "public": False, "status": "active"}.items() <= (
        shown.items()
    )
    assert shown["created_at"].endswith("Z")
    assert user_client.get(f"/locations/{shown['id']}").json() == shown
    assert AuditEntry.objects.filter(verb="create_location", object_id=shown["id"]).exists()


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"name": None}, ["body", "name"]),
        ({"name": ""}, ["body", "name"]),
        ({"country": "XX"}, ["body", "country"]),
        ({"country": "fr"}, ["body", "country"]),
        ({"country": "FRA"}, ["body", "country"]),
        ({"timezone": "Mars/Olympus"}, ["body", "timezone"]),
        ({"timezone": "../../etc/passwd"}, ["body", "timezone"]),
        ({"public": "yes"}, ["body", "public"]),
        ({"coordinates": None}, ["body", "coordinates"]),
        ({"coordinates": {"latitude": 91, "longitude": 0}}, ["body", "coordinates", "latitude"]),
        ({"coordinates": {"latitude": 0, "longitude": -180.5}}, ["body", "coordinates", "longitude"]),
        ({"coordinates": {"latitude": "48", "longitude": 0}}, ["body", "coordinates", "latitude"]),
        ({"coordinates": {"latitude": True, "longitude": 0}}, ["body", "coordinates", "latitude"]),
        ({"coordinates": {"longitude": 0}}, ["body", "coordinates", "latitude"]),
        ({"city": "Nul\0"}, ["body", "city"]),
    ],
)
def test_a_body_that_fails_validation_is_422(user_client: ApiClient, change: dict[str, object], loc: list[str]) -> None:
    answer = user_client.post("/locations", {**BODY, **change})
    assert answer.status_code == 422
    assert all(item["loc"] == loc for item in answer.json()["detail"])


def test_what_is_optional_may_be_null(user_client: ApiClient, tenant: Organization) -> None:
    shown = user_client.post("/locations", {**BODY, "timezone": None, "owner_name": None, "public": None}).json()
    assert (shown["timezone"], shown["owner_name"], shown["public"]) == (None, None, False)


def test_an_update_is_partial_and_null_clears_what_is_optional(user_client: ApiClient, location: Location) -> None:
    path = f"/locations/{location.pk}"
    assert user_client.put(path, {"timezone": "Europe/Paris"}).json()["timezone"] == "Europe/Paris"
    shown = user_client.put(path, {"timezone": None, "coordinates": {"latitude": 1, "longitude": 2.5}}).json()
    assert shown["timezone"] is None
    assert shown["coordinates"] == {"latitude": 1.0, "longitude": 2.5}
    assert shown["name"] == "Depot"
    assert user_client.put(path, {"name": None}).status_code == 422
    assert user_client.put(path, {"status": "gone"}).status_code == 422
    assert user_client.put(path, {"status": "inactive"}).json()["status"] == "inactive"


def test_a_slug_is_taken_once_in_an_organization(
    user_client: ApiClient, stranger_client: ApiClient, location: Location
) -> None:
    other = user_client.post("/locations", BODY).json()["id"]
    assert user_client.put(f"/locations/{other}", {"slug": location.slug}).status_code == 400
    theirs = stranger_client.post("/locations", BODY).json()["id"]
    assert stranger_client.put(f"/locations/{theirs}", {"slug": location.slug}).json()["slug"] == location.slug


def test_deleting_takes_the_chargers_along_and_may_be_repeated(
    user_client: ApiClient, stranger_client: ApiClient, charger: Charger
) -> None:
    path = f"/locations/{charger.location_id}"
    assert stranger_client.delete(path).status_code == 404
    assert user_client.delete(path).status_code == 204
    assert user_client.get(path).status_code == 404
    assert user_client.get(f"/chargers/{charger.pk}").status_code == 404
    assert user_client.delete(path).status_code == 204
    assert stranger_client.delete(path).status_code == 404
    assert user_client.delete("/locations/00000000-0000-4000-8000-000000000000").status_code == 404
    assert user_client.delete("/locations/nonsense").status_code == 404
    assert AuditEntry.objects.filter(verb="delete_charger", object_id=str(charger.pk)).exists()


def test_the_list_pages_in_the_order_of_creation(user_client: ApiClient, location: Location) -> None:
    names = ["Depot"] + [user_client.post("/locations", {**BODY, "name": f"N{n}"}).json()["name"] for n in range(4)]
    page = user_client.get("/locations", {"page": 2, "limit": 2}).json()
    assert [one["name"] for one in page["data"]] == names[2:4]
    assert (page["total"], page["page"], page["limit"]) == (5, 2, 2)
    beyond = user_client.get("/locations", {"page": 99}).json()
    assert (beyond["data"], beyond["total"]) == ([], 5)


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=x",
        "page=1_0",
        "page=%201",
        "page=%2B1",
        "page=%EF%BC%91",
        "limit=0",
        "limit=101",
        "limit=",
        "page=" + "9" * 5000,
    ],
)
def test_a_page_out_of_bounds_is_422(user_client: ApiClient, query: str) -> None:
    answer = user_client.get(f"/locations?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


def test_lists_cost_the_same_number_of_queries_however_long(
    user_client: ApiClient, location: Location, tenant: Organization, django_assert_num_queries: object
) -> None:
    with scope(tenant):
        Location.objects.bulk_create(
            Location(slug=f"s{n}", name="n", address="a", city="c", country="FR", latitude=0, longitude=0)
            for n in range(30)
        )
    with django_assert_num_queries(3):  # the token, the count, the page
        answer = user_client.get("/locations?limit=100")
    assert len(answer.json()["data"]) == 31
