"""The gallery of location templates (gateway contract, section 15.1)."""

import pytest
from django.core.management import call_command

from catalog.services import find_model
from locations.places import countries, timezones
from locations.templates import templates
from tests.conftest import ApiClient

PATHS = ("/templates/locations", "/ocpp/templates/locations", "/ocpi/templates/locations")
PARKING = {"ALONG_MOTORWAY", "PARKING_GARAGE", "PARKING_LOT", "ON_DRIVEWAY", "ON_STREET", "UNDERGROUND_GARAGE"}


@pytest.mark.parametrize("path", PATHS)
def test_every_route_shows_the_same_gallery(user_client: ApiClient, path: str) -> None:
    shown = user_client.get(path).json()
    assert shown["total"] == len(shown["data"]) >= 6
    assert {"urban-ac-hub", "highway-dc-station", "residential-ac-single"} <= {one["slug"] for one in shown["data"]}
    assert shown == user_client.get(PATHS[0]).json()


@pytest.mark.parametrize("kind", ["AC", "DC", "AC-DC"])
@pytest.mark.parametrize("version", ["OCPP1.6", "OCPP2.0.1"])
def test_filters(user_client: ApiClient, kind: str, version: str) -> None:
    found = user_client.get(PATHS[0], {"type": kind, "ocpp_version": version}).json()["data"]
    assert all(one["type"] == kind and one["ocpp_version"] in (version, "mixed") for one in found)
    everything = user_client.get(PATHS[0]).json()["data"]
    assert len(found) == sum(one["type"] == kind and one["ocpp_version"] in (version, "mixed") for one in everything)


@pytest.mark.parametrize("query", [{"type": "ac"}, {"ocpp_version": "ocpp1.6"}, {"type": ""}])
def test_an_unknown_filter_value_is_422(user_client: ApiClient, query: dict[str, str]) -> None:
    answer = user_client.get(PATHS[0], query)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", next(iter(query))]


@pytest.mark.django_db
def test_every_group_is_a_charger_of_the_catalog() -> None:
    call_command("seed_catalog", verbosity=0)
    for template in templates():
        site = template["site"]
        assert site["country"] in countries()
        assert site["timezone"] in timezones()
        assert site["parking_type"] in PARKING
        for group in template["charger_groups"]:
            model = find_model(group["brand_slug"], group["model_slug"])
            assert model is not None, group
            assert group["connector_type"] in model.connector_types, group
            assert model.supports(group["ocpp_version"]), group
            assert group["power_kw"] in model.power_levels_kw, group
