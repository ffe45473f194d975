"""The catalog over REST: shapes, filters, refusals, and how many queries an answer costs."""

from typing import Any

import pytest
from django.contrib.staticfiles import finders

from catalog.models import Brand, ChargerModel
from catalog.services import seed_catalog
from tests.conftest import ApiClient

pytestmark = pytest.mark.django_db

BRANDS = "/catalog/brands"
WALLBOX = "/catalog/brands/wallbox/models"


@pytest.fixture(autouse=True)
def catalog(db: None) -> None:
    seed_catalog()


def slugs(client: ApiClient, path: str, **query: Any) -> list[str]:
    response = client.get(path, {"limit": 100, **query})
    assert response.status_code == 200, response.json()
    return [row["slug"] for row in response.json()["data"]]


def test_brands_come_in_pages(user_client: ApiClient):
    body = user_client.get(BRANDS, {"limit": 2, "page": 2}).json()
    assert (body["total"], body["page"], body["limit"]) == (Brand.objects.count(), 2, 2)
    assert len(body["data"]) == 2
    assert set(body["data"][0]) == {"id", "slug", "name", "image_url", "created_at"}


def test_a_model_has_the_contracts_fields_and_ours(user_client: ApiClient):
    body = user_client.get(f"{WALLBOX}/wallbox-pulsar-plus").json()
    brand = Brand.objects.get(slug="wallbox")
    expected = {
        "slug": "wallbox-pulsar-plus",
        "name": "Pulsar Plus",
        "brand_slug": "wallbox",
        "brand_id": str(brand.pk),
        "image_url": "http://testserver/static/catalog/wallbox/wallbox-pulsar-plus.svg",
        "connector_count": 1,
        "current_type": "ac",
        "supported_kwh": [7.4, 22],
        "connector_types": ["Type2"],
        "ocpp_versions": ["OCPP1.6"],
        "max_power_w": 22_000,
        "source_date": "2026-11-21",
        "source_basis": "partly",
    }
    assert {key: body[key] for key in expected} == expected
    assert isinstance(body["id"], str)
    assert body["created_at"].endswith("Z")
    assert body["connectors"] == [
        {
            "number": 1,
            "evse_id": 1,
            "connector_id": 1,
            "type": "Type2",
            "format": "cable",
            "phases": 3,
            "max_current_a": 32,
            "max_voltage_v": 400,
            "max_power_w": 22_000,
        }
    ]


def test_a_picture_url_names_a_static_file_that_exists(user_client: ApiClient):
    for path in (BRANDS, WALLBOX):
        url = user_client.get(path).json()["data"][0]["image_url"]
        assert url.startswith("http://testserver/static/catalog/")
        assert finders.find(url.removeprefix("http://testserver/static/"))


def test_a_picture_that_staff_named_may_lie_elsewhere_or_nowhere(user_client: ApiClient):
    ChargerModel.objects.filter(slug="wallbox-pulsar-plus").update(image="https://example.org/photo.jpg")
    ChargerModel.objects.filter(slug="wallbox-pulsar-max").update(image="")
    urls = [row["image_url"] for row in user_client.get(WALLBOX).json()["data"][:2]]
    assert urls == ["https://example.org/photo.jpg", None]


def test_models_of_a_brand_are_listed_in_the_order_of_the_file(user_client: ApiClient):
    assert slugs(user_client, "/catalog/brands/easee/models") == ["easee-charge", "easee-home", "easee-one"]


def test_models_are_filtered_by_each_trait_and_by_all(user_client: ApiClient):
    abb = "/catalog/brands/abb/models"
    assert slugs(user_client, abb, current_type="ac") == ["terra-ac-w22-t"]
    assert slugs(user_client, abb, connector_type="CHAdeMO") == ["terra-54-cjg"]
    assert slugs(user_client, abb, ocpp_version="OCPP2.0.1") == ["terra-184", "terra-360"]
    assert slugs(user_client, abb, current_type="ac", connector_type="CCS2") == []


def test_brands_are_filtered_by_what_their_models_offer(user_client: ApiClient):
    assert slugs(user_client, BRANDS, connector_type="NACS") == ["wallbox"]
    assert "easee" not in slugs(user_client, BRANDS, current_type="dc")
    assert slugs(user_client, BRANDS, connector_type="Type2", current_type="dc", ocpp_version="OCPP2.0.1") == []


@pytest.mark.parametrize("path", [BRANDS, WALLBOX])
@pytest.mark.parametrize(
    ("name", "value"),
    [("connector_type", "Type 2"), ("connector_type", ""), ("current_type", "AC"), ("ocpp_version", "ocpp1.6")],
)
def test_a_word_outside_the_lists_is_refused(user_client: ApiClient, path: str, name: str, value: str):
    response = user_client.get(path, {name: value})
    assert response.status_code == 422
    (item,) = response.json()["detail"]
    assert item["loc"] == ["query", name]
    assert item["type"] == "enum"
    assert item["msg"]


def test_a_bad_page_is_refused(user_client: ApiClient):
    assert user_client.get(WALLBOX, {"limit": 101}).json()["detail"][0]["loc"] == ["query", "limit"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/catalog/brands/nobody/models", "Brand not found."),
        ("/catalog/brands/nobody/models/terra-184", "Model not found."),
        ("/catalog/brands/wallbox/models/terra-184", "Model not found."),
    ],
)
def test_what_is_not_there_is_not_found(user_client: ApiClient, path: str, detail: str):
    response = user_client.get(path)
    assert response.status_code == 404
    assert response.json() == {"detail": detail}


@pytest.mark.parametrize("path", [BRANDS, WALLBOX, f"{WALLBOX}/wallbox-pulsar-plus"])
def test_a_token_is_needed_and_the_organization_header_ignored(
    anonymous: ApiClient, user_client: ApiClient, viewer_client: ApiClient, admin_token: str, path: str
):
    assert anonymous.get(path).status_code == 401
    assert viewer_client.get(path).status_code == 200
    assert ApiClient(admin_token).get(path).status_code == 200
    assert user_client.get(path, HTTP_X_ORGANIZATION_ID="whatever").status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_catalog_is_read_only(user_client: ApiClient, method: str):
    response = getattr(user_client, method)(BRANDS)
    assert response.status_code == 405
    assert isinstance(response.json()["detail"], str)


@pytest.mark.parametrize(
    ("path", "queries"),
    # the token, then: count and page; the brand, count and page; the model with its brand
    [(BRANDS, 3), (f"{BRANDS}?connector_type=CCS2", 3), (WALLBOX, 4), (f"{WALLBOX}/wallbox-pulsar-plus", 2)],
)
def test_an_answer_costs_the_same_queries_however_long_it_is(
    user_client: ApiClient, path: str, queries: int, django_assert_num_queries
):
    with django_assert_num_queries(queries):
        assert user_client.get(path).status_code == 200
