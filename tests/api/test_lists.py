"""Filters, order and sparse fields of lists; entity tags of locations and chargers."""

from datetime import timedelta
from typing import Any

import pytest

from catalog.models import ChargerModel
from chargers.models import Charger, ChargerCommand, ConnectionStatus
from locations.models import Location
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import LocationFactory, new_charger


@pytest.fixture
def sites(location: Location) -> list[Location]:
    with scope(location.tenant_id):
        Location.objects.filter(pk=location.pk).update(name="Zuid", city="Rotterdam", country="NL")
        return [
            location,
            LocationFactory(name="Nord", city="Berlin", country="DE", public=True),
            LocationFactory(name="Alt", city="berlin", country="DE", status="inactive"),
        ]


def names(client: ApiClient, query: str) -> list[str]:
    answer = client.get(f"/locations?{query}")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["total"] == len(answer.json()["data"])
    return [one["name"] for one in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Zuid", "Nord", "Alt"]),
        ("city=BERLIN", ["Nord", "Alt"]),
        ("country=DE&public=true", ["Nord"]),
        ("public=false", ["Zuid", "Alt"]),
        ("status=inactive", ["Alt"]),
        ("name=or", ["Nord"]),
        ("country=XX", []),
        ("ordering=name", ["Alt", "Nord", "Zuid"]),
        ("ordering=-country,name", ["Zuid", "Alt", "Nord"]),
        ("ordering=-created_at", ["Alt", "Nord", "Zuid"]),
    ],
)
def test_locations_are_narrowed_and_sorted(
    user_client: ApiClient, sites: list[Location], query: str, found: list[str]
) -> None:
    assert names(user_client, query) == found


def found(client: ApiClient, query: str, path: str = "/chargers") -> list[str]:
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.json()
    return [one["identity"] for one in answer.json()["data"]]


@pytest.fixture
def fleet(charger: Charger, charger_201: Charger, model: ChargerModel, sites: list[Location]) -> list[Charger]:
    """CP-1 and CS-1 at the first site, CP-2 at the second; CS-1 is connected."""
    Charger.objects.unscoped().filter(pk=charger_201.pk).update(connection_status=ConnectionStatus.CONNECTED)
    with scope(charger.tenant_id):
        return [charger, charger_201, new_charger(sites[1], "CP-2", model)]


@pytest.mark.parametrize(
    ("query", "identities"),
    [
        ("identity=cp", ["CP-1", "CP-2"]),
        ("ocpp_version=OCPP2.0.1", ["CS-1"]),
        ("brand_slug=abb", ["CS-1"]),
        ("model_slug=terra-184", ["CS-1"]),
        ("connection_status=connected", ["CS-1"]),
        ("ordering=-identity", ["CS-1", "CP-2", "CP-1"]),
        ("location_id=nonsense", []),
        ("location_id=", ["CP-1", "CS-1", "CP-2"]),
    ],
)
def test_chargers_are_narrowed_and_sorted(
    user_client: ApiClient, fleet: list[Charger], query: str, identities: list[str]
) -> None:
    assert found(user_client, query) == identities


def test_the_chargers_of_a_location_are_narrowed_too(user_client: ApiClient, fleet: list[Charger]) -> None:
    first, second = fleet[0].location_id, fleet[2].location_id
    assert found(user_client, f"location_id={second}") == ["CP-2"]
    assert found(user_client, "identity=CP&ordering=-identity", f"/locations/{first}/chargers") == ["CP-1"]
    assert found(user_client, f"identity=CP&charger_ids={fleet[1].pk}", f"/locations/{first}/chargers") == []


def test_commands_are_narrowed_and_sorted(user_client: ApiClient, charger: Charger) -> None:
    for path, body in (("plug-connector", {}), ("start-session", {"id_tag": "T"}), ("unplug-connector", {})):
        assert user_client.post(f"/chargers/{charger.pk}/{path}", body).status_code == 202
    ChargerCommand.objects.unscoped().filter(event_type="plug_connector").update(state="accepted")

    def events(query: str) -> list[str]:
        return [one["event_type"] for one in user_client.get(f"/chargers/{charger.pk}/commands?{query}").json()["data"]]

    assert events("state=accepted") == ["plug_connector"]
    assert events("event_type=start_session") == ["start_session"]
    assert events("ordering=-event_type") == ["unplug_connector", "start_session", "plug_connector"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/locations?status=gone", "status"),
        ("/locations?public=maybe", "public"),
        ("/locations?ordering=password", "ordering"),
        ("/locations?ordering=name,-slug", "ordering"),
        ("/locations?city=%00", "city"),
        ("/locations?fields=id,password", "fields"),
        ("/chargers?fields=shard", "fields"),
        ("/chargers?status=ready", "status"),
        ("/chargers?identity=" + "x" * 201, "identity"),
    ],
)
def test_what_a_list_does_not_know_is_422(user_client: ApiClient, path: str, name: str) -> None:
    answer = user_client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", name]


def test_fields_leave_out_all_but_what_is_asked_and_what_clients_rely_on(
    user_client: ApiClient, charger: Charger
) -> None:
    for path in ("/chargers?fields=name,status", f"/chargers/{charger.pk}?fields=name,status"):
        shown: dict[str, Any] = user_client.get(path).json()
        assert set(shown.get("data", [shown])[0]) == {"id", "identity", "name", "status"}
    fleet = user_client.get(f"/locations/{charger.location_id}/chargers?fields=").json()["data"]
    assert fleet == [{"id": str(charger.pk), "identity": "CP-1"}]
    site = user_client.get(f"/locations/{charger.location_id}?fields=coordinates").json()
    assert set(site) == {"id", "coordinates"}


# --- entity tags ---


def paths(charger: Charger) -> list[str]:
    return [f"/chargers/{charger.pk}", f"/locations/{charger.location_id}"]


def test_a_reader_who_knows_the_state_gets_no_body(user_client: ApiClient, charger: Charger) -> None:
    for path in paths(charger):
        tag = user_client.get(path).headers["ETag"]
        assert tag.startswith('W/"')
        for known in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
            again = user_client.get(path, HTTP_IF_NONE_MATCH=known)
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert user_client.get(path, HTTP_IF_NONE_MATCH='W/"other"').status_code == 200
        assert user_client.get(f"{path}?fields=name").headers["ETag"] != tag


def test_an_update_of_what_somebody_else_changed_meanwhile_is_412(user_client: ApiClient, charger: Charger) -> None:
    for path in paths(charger):
        tag = user_client.get(path).headers["ETag"]
        first = user_client.put(path, {"name": "A"}, HTTP_IF_MATCH=tag)
        assert (first.status_code, first.json()["name"]) == (200, "A")
        late = user_client.put(path, {"name": "B"}, HTTP_IF_MATCH=tag)
        assert late.status_code == 412
        assert isinstance(late.json()["detail"], str)
        assert user_client.get(path).json()["name"] == "A"
        assert user_client.put(path, {"name": "C"}, HTTP_IF_MATCH=first.headers["ETag"]).status_code == 200
        assert user_client.put(path, {"name": "D"}, HTTP_IF_MATCH="*").status_code == 200
        assert user_client.put(path, {"name": "E"}, HTTP_IF_MATCH="nonsense").status_code == 412


def test_a_charger_that_connects_is_news_to_readers_and_no_obstacle_to_updates(
    user_client: ApiClient, charger: Charger
) -> None:
    path = f"/chargers/{charger.pk}"
    tag = user_client.get(path).headers["ETag"]
    Charger.objects.unscoped().filter(pk=charger.pk).update(connection_status=ConnectionStatus.CONNECTED)
    assert user_client.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 200
    assert user_client.put(path, {"name": "A"}, HTTP_IF_MATCH=tag).status_code == 200


def test_a_tag_made_by_a_stranger_opens_nothing(stranger_client: ApiClient, charger: Charger) -> None:
    for path in paths(charger):
        assert stranger_client.put(path, {"name": "A"}, HTTP_IF_MATCH="*").status_code == 404
        assert stranger_client.get(path, HTTP_IF_NONE_MATCH="*").status_code == 404


def test_a_change_of_a_moment_ago_counts(user_client: ApiClient, location: Location) -> None:
    path = f"/locations/{location.pk}"
    tag = user_client.get(path).headers["ETag"]
    later = location.updated_at + timedelta(microseconds=1)
    Location.objects.unscoped().filter(pk=location.pk).update(updated_at=later)
    assert user_client.put(path, {"name": "A"}, HTTP_IF_MATCH=tag).status_code == 412
