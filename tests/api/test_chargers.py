"""`/chargers` (gateway contract, section 8)."""

import pytest
from django.conf import LazySettings

from catalog.models import ChargerModel
from chargers.models import Charger, ProvisioningStatus, StationState, shard_of
from chargers.services.provisioning import update_charger, update_chargers
from locations.models import Location
from tenants.models import AuditEntry, Organization
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import LocationFactory

Body = dict[str, object]


@pytest.fixture
def body(location: Location, model: ChargerModel) -> Body:
    return {
        "identity": "CP-NEW",
        "brand_slug": "wallbox",
        "model_slug": "wallbox-pulsar-plus",
        "connector_type": "Type2",
        "ws_url": "ws://127.0.0.1:9/ocpp",
        "location_id": str(location.pk),
    }


def test_a_created_charger_answers_with_its_model_in_watts(user_client: ApiClient, body: Body) -> None:
    answer = user_client.post("/chargers", {**body, "charge_point_name": "Bay 1"})
    assert answer.status_code == 201
    shown = answer.json()
    assert shown["id"]
    expected = {
        "identity": "CP-NEW",
        "name": "Bay 1",
        "vendor_name": "Wallbox",
        "model": "Pulsar Plus",
        "ocpp_version": "OCPP1.6",
        "number_of_connectors": 1,
        "max_charging_power": 22000,
        "connector_type": "Type2",
        "location_id": body["location_id"],
        "status": "PENDING",
        "connection_status": "connecting",
    }
    assert expected.items() <= shown.items()
    assert user_client.get(f"/chargers/{shown['id']}").json() == shown


def test_a_created_charger_has_its_shard_outlets_state_and_audit_row(
    user_client: ApiClient, body: Body, tenant: Organization
) -> None:
    charger_id = user_client.post("/chargers", body).json()["id"]
    with scope(tenant):
        charger = Charger.objects.get(pk=charger_id)
        assert charger.shard == shard_of(charger.pk)
        assert [(one.evse_id, one.connector_id, one.max_power_w) for one in charger.connectors.all()] == [(1, 1, 22000)]
    assert StationState.objects.filter(charger=charger).exists()
    entry = AuditEntry.objects.get(verb="create_charger")
    assert (entry.object_id, entry.organization_id) == (charger_id, tenant.pk)


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"brand_slug": "nobody"}, 400, "nobody"),
        ({"model_slug": "nothing"}, 400, "nothing"),
        ({"connector_type": "Type9"}, 400, "Type9"),
        ({"ocpp_version": "OCPP2.0.1"}, 400, "OCPP1.6"),
        ({"location_id": "00000000-0000-4000-8000-000000000000"}, 400, "location"),
        ({"location_id": "not-an-id"}, 400, "location"),
    ],
)
def test_what_makes_no_sense_is_400_with_a_sentence(
    user_client: ApiClient, body: Body, change: Body, status: int, word: str
) -> None:
    answer = user_client.post("/chargers", {**body, **change})
    assert answer.status_code == status
    assert word in answer.json()["detail"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"identity": "a:b"}, "identity"),
        ({"identity": "x" * 49}, "identity"),
        ({"identity": ""}, "identity"),
        ({"identity": 5}, "identity"),
        ({"identity": "a\0b"}, "identity"),
        ({"identity": None}, "identity"),
        ({"ocpp_version": "ocpp1.6"}, "ocpp_version"),
        ({"location_id": None}, "location_id"),
        ({"ws_url": "http://csms.example/"}, "ws_url"),
        ({"ws_url": "ws://user:pw@csms.example/"}, "ws_url"),
        ({"ws_url": "ws://csms.example/#x"}, "ws_url"),
        ({"ws_url": "ws:///nohost"}, "ws_url"),
        ({"ws_url": "ws://csms.example:99999/"}, "ws_url"),
        ({"ws_url": "ws://[::1/"}, "ws_url"),
        ({"ws_url": "ws://169.254.169.254/latest"}, "ws_url"),
        ({"ws_url": "ws://2852039166/"}, "ws_url"),
        ({"ws_url": "ws://[::ffff:169.254.1.1]/"}, "ws_url"),
        ({"ws_url": "ws://[fe80::1]/"}, "ws_url"),
        ({"ws_url": "ws://metadata.google.internal/"}, "ws_url"),
        ({"ws_url": "ws://csms.example/a b"}, "ws_url"),
    ],
)
def test_what_fails_validation_is_422_and_names_the_field(
    user_client: ApiClient, body: Body, change: Body, field: str
) -> None:
    answer = user_client.post("/chargers", {**body, **change})
    assert answer.status_code == 422
    item = answer.json()["detail"][0]
    assert item["loc"] == ["body", field]
    assert isinstance(item["msg"], str)
    assert isinstance(item["type"], str)


def test_a_missing_field_is_422(user_client: ApiClient, body: Body) -> None:
    del body["location_id"]
    detail = user_client.post("/chargers", body).json()["detail"]
    assert detail == [{"loc": ["body", "location_id"], "msg": "This field is required.", "type": "missing"}]


def test_private_addresses_are_refused_where_they_are_closed(
    user_client: ApiClient, body: Body, settings: LazySettings
) -> None:
    settings.ALLOW_PRIVATE_CSMS = False
    for host in ("127.0.0.1", "localhost", "10.1.2.3", "[::1]", "192.168.0.9", "0x7f.1"):
        assert user_client.post("/chargers", {**body, "ws_url": f"ws://{host}/"}).status_code == 422, host
    assert user_client.post("/chargers", {**body, "ws_url": "wss://csms.example/ocpp"}).status_code == 201


def test_identities_are_unique_within_an_organization_only(
    user_client: ApiClient, stranger_client: ApiClient, body: Body, stranger: Organization
) -> None:
    assert user_client.post("/chargers", body).status_code == 201
    again = user_client.post("/chargers", body)
    assert again.status_code == 400
    assert "CP-NEW" in again.json()["detail"]
    with scope(stranger):
        theirs = LocationFactory()
    assert stranger_client.post("/chargers", {**body, "location_id": str(theirs.pk)}).status_code == 201
    assert stranger_client.post("/chargers", {**body, "identity": "CP-2"}).status_code == 400


def test_a_version_not_named_is_one_that_the_model_speaks(
    user_client: ApiClient, body: Body, model: ChargerModel
) -> None:
    model.ocpp_versions = ["OCPP2.0.1"]
    model.save()
    assert user_client.post("/chargers", body).json()["ocpp_version"] == "OCPP2.0.1"


def test_any_connector_type_of_the_catalog_will_do(user_client: ApiClient, body: Body) -> None:
    assert user_client.post("/chargers", {**body, "connector_type": "CCS2"}).json()["connector_type"] == "CCS2"


def test_a_charger_is_found_by_id_and_by_identity(user_client: ApiClient, charger: Charger) -> None:
    by_id = user_client.get(f"/chargers/{charger.pk}").json()
    assert user_client.get(f"/chargers/{charger.identity}").json() == by_id


def test_a_stranger_finds_the_same_nothing_as_for_an_id_that_never_was(
    stranger_client: ApiClient, charger: Charger
) -> None:
    for reference in (charger.pk, charger.identity, "00000000-0000-4000-8000-000000000000", "%00", "x" * 300):
        answer = stranger_client.get(f"/chargers/{reference}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Charger not found."})


def test_status_tells_of_provisioning(user_client: ApiClient, charger: Charger) -> None:
    pending = {
        "charger_id": str(charger.pk),
        "status": "PENDING",
        "workflow_run_id": None,
        "error": None,
        "progress": None,
        "provisioned_at": None,
    }
    assert user_client.get(f"/chargers/{charger.pk}/status").json() == pending
    failure = {"code": "unknown_error", "message": "Out of luck."}
    Charger.objects.unscoped().filter(pk=charger.pk).update(status=ProvisioningStatus.FAILED, error=failure)
    shown = user_client.get(f"/chargers/{charger.pk}/status").json()
    assert (shown["status"], shown["error"]) == ("FAILED", failure)


def test_an_update_changes_what_was_sent_only(user_client: ApiClient, charger: Charger) -> None:
    before = user_client.get(f"/chargers/{charger.pk}").json()
    after = user_client.put(f"/chargers/{charger.pk}", {"charge_point_name": "Bay 9"}).json()
    assert after["name"] == "Bay 9"
    assert after["updated_at"] > before["updated_at"]
    same = {name: value for name, value in before.items() if name not in ("name", "updated_at")}
    assert same.items() <= after.items()


def test_updates_of_different_fields_do_not_undo_each_other(charger: Charger, tenant: Organization) -> None:
    """Both have read the charger before either writes."""
    with scope(tenant):
        one, other = (Charger.objects.get(pk=charger.pk) for _ in range(2))
        update_charger(one, {"name": "Bay 9"})
        shown = update_charger(other, {"ws_url": "ws://127.0.0.1:10/"})
        update_chargers([one], {one.pk: {"location_name": "Lab"}})
        stored = Charger.objects.get(pk=charger.pk)
    assert shown.name == "Bay 9"
    assert (stored.name, stored.ws_url, stored.location_name) == ("Bay 9", "ws://127.0.0.1:10/", "Lab")
    assert stored.revision == charger.revision + 1


def test_a_location_is_the_same_however_its_id_is_written(
    user_client: ApiClient, body: Body, location: Location
) -> None:
    odd = str(location.pk).upper()
    created = user_client.post("/chargers", {**body, "location_id": odd})
    assert (created.status_code, created.json()["location_id"]) == (201, str(location.pk))
    patch = {"charger_id": created.json()["id"], "location_id": odd, "name": "Bay 1"}
    assert user_client.put(f"/locations/{odd}/chargers", {"chargers": [patch]}).json()["updated_count"] == 1


def test_name_wins_over_charge_point_name(user_client: ApiClient, charger: Charger) -> None:
    body = {"charge_point_name": "loses", "name": "wins"}
    assert user_client.put(f"/chargers/{charger.pk}", body).json()["name"] == "wins"
    assert user_client.put(f"/chargers/{charger.pk}", {"name": None}).json()["name"] is None


def test_a_new_url_or_version_raises_the_revision(
    user_client: ApiClient, charger_201: Charger, tenant: Organization
) -> None:
    path = f"/chargers/{charger_201.pk}"

    def revision() -> int:
        with scope(tenant):
            return Charger.objects.get(pk=charger_201.pk).revision

    assert user_client.put(path, {"name": "only a name"}).status_code == 200
    assert revision() == 1
    assert user_client.put(path, {"ws_url": "ws://127.0.0.1:10/"}).json()["ws_url"] == "ws://127.0.0.1:10/"
    assert revision() == 2
    assert user_client.put(path, {"ocpp_version": "OCPP1.6"}).json()["ocpp_version"] == "OCPP1.6"
    assert revision() == 3
    with scope(tenant):
        numbers = list(charger_201.connectors.order_by("evse_id").values_list("evse_id", "connector_id"))
    assert numbers == [(1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"ocpp_version": "OCPP2.0.1"}, 400),
        ({"connector_type": "none"}, 400),
        ({"location_id": "00000000-0000-4000-8000-000000000000"}, 400),
        ({"ws_url": "ftp://x"}, 422),
        ({"ws_url": None}, 422),
        ({"name": 5}, 422),
        ([], 422),
    ],
)
def test_a_bad_update_is_refused_and_changes_nothing(
    user_client: ApiClient, charger: Charger, change: object, status: int
) -> None:
    before = user_client.get(f"/chargers/{charger.pk}").json()
    assert user_client.put(f"/chargers/{charger.pk}", change).status_code == status
    assert user_client.get(f"/chargers/{charger.pk}").json() == before


def test_a_charger_moves_to_another_location_of_the_organization(
    user_client: ApiClient, charger: Charger, tenant: Organization, stranger: Organization
) -> None:
    with scope(tenant):
        other = LocationFactory()
    with scope(stranger):
        foreign = LocationFactory()
    path = f"/chargers/{charger.pk}"
    assert user_client.put(path, {"location_id": str(other.pk)}).json()["location_id"] == str(other.pk)
    assert user_client.put(path, {"location_id": str(foreign.pk)}).status_code == 400


def test_a_deleted_charger_is_gone(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}"
    answer = user_client.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert user_client.get(path).status_code == 404
    assert user_client.delete(path).status_code == 404
    assert AuditEntry.objects.filter(verb="delete_charger", object_id=str(charger.pk)).exists()


def test_the_list_filters_by_location(
    user_client: ApiClient, charger: Charger, charger_201: Charger, tenant: Organization
) -> None:
    with scope(tenant):
        other = LocationFactory()
    user_client.put(f"/chargers/{charger_201.pk}", {"location_id": str(other.pk)})
    everything = user_client.get("/chargers").json()
    assert [one["identity"] for one in everything["data"]] == ["CP-1", "CS-1"]
    assert (everything["total"], everything["page"], everything["limit"]) == (2, 1, 50)
    there = user_client.get("/chargers", {"location_id": str(other.pk)}).json()
    assert [one["identity"] for one in there["data"]] == ["CS-1"]
    assert user_client.get("/chargers", {"location_id": "nowhere"}).json()["data"] == []
