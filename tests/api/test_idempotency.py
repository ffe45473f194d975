"""`Idempotency-Key` on every POST (gateway contract, section 2)."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from chargers.models import Charger, ChargerCommand
from tenants import idempotency
from tenants.models import AccessToken, Organization, RememberedAnswer
from tests.conftest import ApiClient


def keyed(client: ApiClient, path: str, body: Any, key: str = "k1") -> Any:
    return client.post(path, body, HTTP_IDEMPOTENCY_KEY=key)


def test_a_repeat_returns_the_first_answer_and_does_nothing(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/start-session"
    first = keyed(user_client, path, {"id_tag": "A", "connector_id": 1})
    again = keyed(user_client, path, {"connector_id": 1, "id_tag": "A"})
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert ChargerCommand.objects.unscoped().count() == 1
    assert keyed(user_client, path, {"id_tag": "A", "connector_id": 1}, "k2").json()["id"] != first.json()["id"]


def test_another_body_under_the_same_key_is_409(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/start-session"
    keyed(user_client, path, {"id_tag": "A"})
    answer = keyed(user_client, path, {"id_tag": "B"})
    assert answer.status_code == 409
    assert "key" in answer.json()["detail"]


def test_a_key_counts_for_its_token_organization_and_route_only(
    user_client: ApiClient, admin_token: str, tenant: Organization, stranger: Organization, charger: Charger
) -> None:
    command = {"id_tag": "A"}
    made = [
        keyed(user_client, f"/chargers/{charger.pk}/start-session", command),
        keyed(user_client, f"/chargers/{charger.pk}/authorize-id-tag", command),
        keyed(ApiClient(admin_token, tenant), f"/chargers/{charger.pk}/start-session", command),
    ]
    assert len({answer.json()["id"] for answer in made}) == 3
    body = {
        "name": "n", "address": "a", "city": "c", "country": "FR", "coordinates": {"latitude": 0, "longitude": 0},
    }  # fmt: skip
    places = [keyed(ApiClient(admin_token, one), "/locations", body) for one in (tenant, stranger)]
    assert places[0].json()["id"] != places[1].json()["id"]
    assert keyed(ApiClient(admin_token, tenant), "/locations", body).json() == places[0].json()


def test_an_error_is_not_remembered(user_client: ApiClient, charger: Charger) -> None:
    assert keyed(user_client, f"/chargers/{charger.pk}/start-session", {}).status_code == 422
    assert keyed(user_client, f"/chargers/{charger.pk}/start-session", {"id_tag": "A"}).status_code == 202


def test_while_the_first_is_under_way_a_repeat_is_409(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/stop-session"
    first = keyed(user_client, path, {}).json()
    RememberedAnswer.objects.update(status=None)
    assert keyed(user_client, path, {}).status_code == 409
    RememberedAnswer.objects.update(created_at=timezone.now() - idempotency.ABANDONED)
    assert keyed(user_client, path, {}).json()["id"] != first["id"]


def test_a_key_is_forgotten_after_a_day(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/stop-session"
    first = keyed(user_client, path, {}).json()
    RememberedAnswer.objects.update(created_at=timezone.now() - idempotency.LIFETIME - timedelta(seconds=1))
    assert keyed(user_client, path, {}).json()["id"] != first["id"]


def test_a_created_charger_is_created_once(user_client: ApiClient, charger: Charger) -> None:
    body = {
        "identity": "ONCE", "brand_slug": "wallbox", "model_slug": "wallbox-pulsar-plus", "connector_type": "Type2",
        "ws_url": "ws://127.0.0.1:9/", "location_id": str(charger.location_id),
    }  # fmt: skip
    first, again = (keyed(user_client, "/chargers", body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


def test_a_key_must_be_of_use(user_client: ApiClient, charger: Charger) -> None:
    for key in ("", "x" * 256):
        answer = keyed(user_client, f"/chargers/{charger.pk}/stop-session", {}, key)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["header", "Idempotency-Key"]


def test_a_token_taken_away_takes_its_answers_along(user_client: ApiClient, charger: Charger) -> None:
    keyed(user_client, f"/chargers/{charger.pk}/stop-session", {})
    AccessToken.objects.all().delete()
    assert not RememberedAnswer.objects.exists()
