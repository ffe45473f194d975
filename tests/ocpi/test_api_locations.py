"""`/ocpi/cpos/{cpo_id}/locations` and `/tariffs` as a tenant's client sees them (gateway contract, 15.4)."""

from typing import Any
from uuid import UUID

import pytest

from chargers.models import Charger, ProvisioningStatus
from locations.models import Location
from ocpi.building import running
from ocpi.building.sites import create_site
from ocpi.models import Cpo, CpoLocation, Evse, EvseStatus, LocationJob, Push, Tariff
from ocpi.protocol import reading
from ocpi.protocol.versions import binding
from tenants.models import Organization
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.ocpi import builder
from tests.ocpi.builder import built, order, work
from tests.ocpi.schemas import problems
from tests.ocpi.test_provisioning import receiver, subjects

pytestmark = pytest.mark.django_db
STATION = {
    "name": "Station square", "address": "Stationsplein 1", "city": "Utrecht", "country": "NL",
    "coordinates": {"latitude": 52.0894, "longitude": 5.1101},
}  # fmt: skip
CHARGE = {
    "template": {
        "brand_slug": "abb", "model_slug": "terra-184", "connector_type": "CCS2", "ocpp_version": "OCPP2.0.1",
        "ws_url": "ws://csms.example/ocpp", "identity_prefix": "SITE_A_", "template_name": "Fast",
    },
    "charger_ids": ["001", "002"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def presets(db: None) -> None:
    builder.seed()


@pytest.fixture
def cpo(tenant: Organization) -> Cpo:
    """NL*LAB, READY, with one location of one charger."""
    return built(tenant, "smoke-single")


def path(cpo: Cpo, *rest: str) -> str:
    return "/".join([f"/ocpi/cpos/{cpo.pk}", *rest])


def add(client: ApiClient, cpo: Cpo, *items: Any) -> Any:
    return client.post(path(cpo, "locations"), {"locations": list(items)})


def added(client: ApiClient, cpo: Cpo, *items: Any) -> Any:
    """What the job says when it has ended."""
    accepted = add(client, cpo, *items)
    assert accepted.status_code == 202, accepted.json()
    work()
    return client.get(accepted.json()["status_url"]).json()


# --- adding -----------------------------------------------------------------------------------------------------------


def test_an_explicit_location_with_its_chargers(user_client: ApiClient, cpo: Cpo, tenant: Organization) -> None:
    accepted = add(user_client, cpo, {**STATION, "public": True, "parking_type": "PARKING_LOT", "charges": [CHARGE]})
    body = accepted.json()
    assert (accepted.status_code, body["status"]) == (202, "PROVISIONING")
    assert body["status_url"] == f"/ocpi/cpos/{cpo.pk}/locations/jobs/{body['job_id']}"
    assert user_client.get(body["status_url"]).json()["results"] is None
    work()
    job = user_client.get(body["status_url"]).json()
    assert (job["status"], job["results"]["location_ids"]) == ("READY", ["NL-LAB-L002"])
    shown = job["results"]["created"][0]
    assert (shown["name"], shown["timezone"], shown["parking_type"]) == (
        "Station square",
        "Europe/Amsterdam",
        "PARKING_LOT",
    )
    assert [one["identity"] for one in shown["chargers"]] == ["SITE_A_001", "SITE_A_002"]
    assert [one["evse_uid"] for one in shown["chargers"][0]["evses"]] == ["NL-LAB-0002_C1", "NL-LAB-0002_C2"]
    assert ["topology_default_id" in one for one in shown["chargers"]] == [True, False]
    with scope(tenant):
        charger = Charger.objects.get(identity="SITE_A_001")
        assert (charger.ws_url, charger.name, str(charger.location_id)) == (
            "ws://csms.example/ocpp", "Fast 001", shown["ocpp_location_id"],
        )  # fmt: skip
        site = binding("2.2.1").location(reading.locations(cpo).get(ocpi_id="NL-LAB-L002"))
        assert problems("2.2.1", "Location", site) == []
        assert {one["status"] for one in site["evses"]} == {"UNKNOWN"}
        assert {tuple(one["connectors"][0]["tariff_ids"]) for one in site["evses"]} == {("AC-ENERGY",)}


def test_a_job_waits_for_the_foundations_of_its_cpo(user_client: ApiClient, tenant: Organization) -> None:
    """Ordered in the moment after the CPO itself, and taken up by a worker before the build is."""
    cpo = order(tenant, "smoke-single")
    accepted = add(user_client, cpo, {"template": "residential-ac-single"}).json()
    running.run_job(UUID(accepted["job_id"]))
    assert user_client.get(accepted["status_url"]).json()["status"] == "PROVISIONING"
    work()
    results = user_client.get(accepted["status_url"]).json()["results"]
    assert results["location_ids"] == ["NL-LAB-L002"]
    with scope(tenant):
        assert len({one.ws_url for one in Charger.objects.all()}) == 1
        assert {tuple(one.tariffs.values_list("tariff_id", flat=True)) for one in Evse.objects.all()} == {
            ("AC-ENERGY",)
        }


def test_no_site_is_added_to_a_cpo_that_has_no_csms(user_client: ApiClient, tenant: Organization) -> None:
    cpo = order(tenant, "smoke-single")
    Cpo.objects.unscoped().update(status=ProvisioningStatus.FAILED)
    results = added(user_client, cpo, {"template": "residential-ac-single"}, {**STATION, "charges": [CHARGE]})[
        "results"
    ]
    assert [(one["index"], "has failed" in one["error"]) for one in results["failed"]] == [(0, True)]
    assert len(results["created"][0]["chargers"]) == 2


def test_a_template_with_what_it_overrides(user_client: ApiClient, cpo: Cpo, tenant: Organization) -> None:
    overrides = {"name": "Harbour", "country": None, "identity_prefix": "HB_", "ocpp_version": "OCPP1.6", "shape": "x"}
    results = added(user_client, cpo, {"template": "retail-mixed", "overrides": overrides})["results"]
    shown = results["created"][0]
    assert (shown["name"], shown["city"], shown["public"]) == ("Harbour", "Birmingham", True)
    assert {one["ocpp_version"] for one in shown["chargers"]} == {"OCPP1.6"}
    assert [one["identity"] for one in shown["chargers"]] == [f"HB_{n:03d}" for n in range(2, 8)]
    with scope(tenant):
        assert {one.ws_url for one in Charger.objects.all()} == {Charger.objects.get(identity="City-NLLAB-001").ws_url}


def test_the_same_template_twice_keeps_identities_apart(user_client: ApiClient, cpo: Cpo) -> None:
    one = {"template": "residential-ac-single"}
    results = added(user_client, cpo, one, one)["results"]
    identities = [charger["identity"] for site in results["created"] for charger in site["chargers"]]
    assert identities == ["City-NLLAB-L01_002", "City-NLLAB-L02_003"]
    more = added(user_client, cpo, one)["results"]
    assert (more["location_ids"], more["created"][0]["chargers"][0]["identity"]) == (["NL-LAB-L004"], "City-NLLAB-004")


def test_a_site_whose_identity_is_taken_fails_alone(user_client: ApiClient, cpo: Cpo) -> None:
    taken = {**CHARGE, "template": {**CHARGE["template"], "identity_prefix": "City-NLLAB-"}}  # type: ignore[dict-item]
    results = added(user_client, cpo, {**STATION, "charges": [taken]}, STATION)["results"]
    assert (results["created_count"], results["failed_count"]) == (1, 1)
    assert (results["failed"][0]["index"], results["failed"][0]["name"]) == (0, "Station square")
    assert "City-NLLAB-001 is taken" in results["failed"][0]["error"]
    assert results["location_ids"] == ["NL-LAB-L003"]


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({"template": "nowhere"}, 400),
        ({"template": "retail-mixed", "overrides": {"ocpp_version": "OCPP2.0.1"}}, 400),
        ({**STATION, "charges": [{**CHARGE, "template": {**CHARGE["template"], "model_slug": "none"}}]}, 400),  # type: ignore[dict-item]
        ({**STATION, "charges": [{**CHARGE, "template": {**CHARGE["template"], "connector_type": "X"}}]}, 400),  # type: ignore[dict-item]
        ({**STATION, "charges": [{**CHARGE, "charger_ids": ["a:b"]}]}, 400),
        ({**STATION, "city": "x" * 46}, 422),
        ({**STATION, "owner_name": "x" * 101}, 422),
        ({**STATION, "charges": [{**CHARGE, "template": {"brand_slug": "abb"}}]}, 422),
        ({**STATION, "country": "XX"}, 422),
        ({**STATION, "coordinates": {"latitude": 1}}, 422),
        ({**STATION, "parking_type": "ROOF"}, 422),
        ({"name": "only"}, 422),
        ({"template": "retail-mixed", "overrides": {"ws_url": "x"}}, 422),
        ("text", 422),
    ],
)
def test_what_cannot_be_is_refused_at_once(user_client: ApiClient, cpo: Cpo, item: Any, status: int) -> None:
    answer = add(user_client, cpo, item)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["detail"][0]["loc"][:3] == ["body", "locations", 0]
    assert not LocationJob.objects.unscoped().exists()
    assert Cpo.objects.unscoped().get().chargers_made == 1


def test_an_empty_list_is_422(user_client: ApiClient, cpo: Cpo) -> None:
    assert add(user_client, cpo).status_code == 422


def test_a_job_that_breaks_goes_on_where_it_stopped(
    user_client: ApiClient, cpo: Cpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, deaths = create_site, iter(range(99))

    def dies_every_other_time(*args: Any) -> Any:
        made = real(*args)
        if next(deaths) % 2 == 0:
            raise SystemError("killed before the commit")
        return made

    monkeypatch.setattr("ocpi.building.adding.create_site", dies_every_other_time)
    accepted = add(user_client, cpo, STATION, STATION, STATION).json()
    work(5)
    job = user_client.get(accepted["status_url"]).json()
    assert (job["status"], job["results"]["created_count"]) == ("READY", 3)
    assert CpoLocation.objects.unscoped().count() == 4


def test_a_job_that_breaks_every_time_fails_and_says_what_was_made(
    user_client: ApiClient, cpo: Cpo, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = add(user_client, cpo, STATION, STATION).json()

    def breaks(*args: Any) -> Any:
        raise SystemError("always")

    monkeypatch.setattr("ocpi.building.adding.create_site", breaks)
    work(5)
    job = user_client.get(accepted["status_url"]).json()
    assert (job["status"], job["error"]["code"], job["error"]["step"]) == (
        "FAILED", "internal_error", "create-location 1 of 2",
    )  # fmt: skip


# --- reading and changing ---------------------------------------------------------------------------------------------


def test_the_list_and_one_of_it(user_client: ApiClient, cpo: Cpo, tenant: Organization) -> None:
    page = user_client.get(path(cpo, "locations")).json()
    assert (page["total"], page["data"][0]["id"]) == (1, "NL-LAB-L001")
    one = user_client.get(path(cpo, "locations", "NL-LAB-L001")).json()
    assert one == page["data"][0]
    assert one["organization_id"] == str(tenant.pk)
    assert user_client.get(f"/locations/{one['ocpp_location_id']}").json()["name"] == one["name"]
    assert user_client.get(path(cpo, "locations", "NL-LAB-L009")).status_code == 404
    assert user_client.get(path(cpo, "locations", "jobs", "x")).status_code == 404


def test_the_list_costs_the_same_for_many(
    user_client: ApiClient, tenant: Organization, django_assert_max_num_queries: Any
) -> None:
    cpo = built(tenant, "wide-area", overrides={"locations": 40})
    with django_assert_max_num_queries(8):
        assert len(user_client.get(path(cpo, "locations")).json()["data"]) == 40


def test_a_patch_changes_both_locations_and_peers_are_told(
    user_client: ApiClient, cpo: Cpo, tenant: Organization
) -> None:
    with scope(tenant):
        peer = receiver(cpo)
    changes = {"name": "North", "coordinates": {"latitude": 52.5, "longitude": 5.5}, "parking_type": "PARKING_LOT"}
    body = user_client.patch(path(cpo, "locations", "NL-LAB-L001"), changes).json()
    assert (body["name"], body["coordinates"]["latitude"], body["parking_type"]) == ("North", 52.5, "PARKING_LOT")
    with scope(tenant):
        assert Location.objects.get().name == "North"
        shown = binding("2.2.1").location(reading.locations(cpo).get())
        assert (shown["name"], shown["parking_type"]) == ("North", "PARKING_LOT")
        assert subjects(peer) == {("location", "PUT")}
        assert Push.objects.count() == 1
    assert user_client.patch(path(cpo, "locations", "NL-LAB-L001"), {"country": "XX"}).status_code == 422
    assert user_client.patch(path(cpo, "locations", "nope"), {}).status_code == 404


def test_what_the_plain_location_may_hold_reaches_peers_within_their_limits(
    user_client: ApiClient, cpo: Cpo, tenant: Organization
) -> None:
    with scope(tenant):
        plain = Location.objects.get()
    changes = {"name": "Two\nlines\tand \u007f", "city": "x" * 120, "owner_name": "y" * 120, "address": "z" * 200}
    assert user_client.put(f"/locations/{plain.pk}", changes).status_code == 200
    with scope(tenant):
        for version in ("2.1.1", "2.2.1", "2.3.0"):
            site = binding(version).location(reading.locations(cpo).get())
            assert problems(version, "Location", site) == []
            assert site["name"] == "Two lines and  "


def test_a_deleted_location_is_gone_here_and_removed_for_peers(
    user_client: ApiClient, cpo: Cpo, tenant: Organization
) -> None:
    one = path(cpo, "locations", "NL-LAB-L001")
    assert [user_client.delete(one).status_code for _ in range(2)] == [204, 204]
    assert user_client.get(one).status_code == 404
    assert user_client.get("/chargers").json()["total"] == 0
    assert user_client.get(f"/ocpi/cpos/{cpo.pk}").json()["topology"]["evses"] == 0
    assert user_client.delete(path(cpo, "locations", "nope")).status_code == 404
    with scope(tenant):
        assert Evse.objects.get().status == EvseStatus.REMOVED


# --- tariffs ----------------------------------------------------------------------------------------------------------

NIGHT: dict[str, Any] = {
    "id": "NIGHT",
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}]}],
    "tariff_alt_url": None,
}


def test_a_tariff_from_creation_to_deletion(user_client: ApiClient, cpo: Cpo, tenant: Organization) -> None:
    with scope(tenant):
        peer = receiver(cpo)
    made = user_client.post(path(cpo, "tariffs"), {**NIGHT, "evse_uids": ["NL-LAB-0001"]})
    assert made.status_code == 201
    assert (made.json()["id"], made.json()["evse_uids"], made.json()["party_id"]) == ("NIGHT", ["NL-LAB-0001"], "LAB")
    with scope(tenant):
        evse = binding("2.2.1").evse(reading.evses(cpo).get())
        assert evse["connectors"][0]["tariff_ids"] == ["NIGHT"]
        assert problems("2.2.1", "Tariff", binding("2.2.1").tariff(reading.tariffs(cpo).last())) == []  # type: ignore[arg-type]
    listed = user_client.get(path(cpo, "tariffs")).json()["data"]
    assert [(one["id"], one["evse_uids"]) for one in listed] == [("AC-ENERGY", []), ("NIGHT", ["NL-LAB-0001"])]
    changed = {**NIGHT, "currency": "SEK"}
    assert user_client.put(path(cpo, "tariffs", "NIGHT"), changed).json()["currency"] == "SEK"
    bounded = user_client.put(path(cpo, "tariffs", "NIGHT"), {"min_price": {"excl_vat": 1}}).json()
    assert (bounded["currency"], bounded["min_price"]) == ("SEK", {"excl_vat": 1})
    shown = user_client.put(path(cpo, "tariffs", "NIGHT"), {"min_price": None}).json()
    assert ("min_price" in shown, shown["elements"], shown["evse_uids"]) == (False, NIGHT["elements"], ["NL-LAB-0001"])
    assert user_client.put(path(cpo, "tariffs", "NIGHT"), {"currency": None}).status_code == 422
    assert user_client.get(path(cpo, "tariffs", "NIGHT")).json()["currency"] == "SEK"
    assert user_client.delete(path(cpo, "tariffs", "NIGHT")).status_code == 409
    assert user_client.delete(path(cpo, "tariffs", "AC-ENERGY")).status_code == 204
    assert user_client.get(path(cpo, "tariffs", "AC-ENERGY")).status_code == 404
    assert user_client.post(path(cpo, "tariffs"), {**NIGHT, "id": "AC-ENERGY"}).status_code == 400
    with scope(tenant):
        assert subjects(peer) == {("tariff", "PUT"), ("tariff", "DELETE"), ("evse", "PUT")}


def test_what_a_payment_terminal_holds_back_is_told_in_230_only(
    user_client: ApiClient, cpo: Cpo, tenant: Organization
) -> None:
    made = user_client.post(path(cpo, "tariffs"), {**NIGHT, "preauthorize_amount": 40.5})
    assert (made.status_code, made.json()["preauthorize_amount"]) == (201, 40.5)
    assert user_client.put(path(cpo, "tariffs", "NIGHT"), {"preauthorize_amount": -1}).status_code == 422
    with scope(tenant):
        row = reading.tariffs(cpo).get(tariff_id="NIGHT")
        told = {version: binding(version).tariff(row) for version in ("2.1.1", "2.2.1", "2.3.0")}
    assert {version: one.get("preauthorize_amount") for version, one in told.items()} == {
        "2.1.1": None,
        "2.2.1": None,
        "2.3.0": 40.5,
    }
    assert problems("2.3.0", "Tariff", told["2.3.0"]) == []


def test_unknown_members_of_a_tariff_are_ignored(user_client: ApiClient, cpo: Cpo) -> None:
    component = {**NIGHT["elements"][0]["price_components"][0], "a.b[0]": 1}
    body = {**NIGHT, "colour": "red", "elements": [{"price_components": [component], "mood": None}]}
    made = user_client.post(path(cpo, "tariffs"), body)
    assert made.status_code == 201
    assert "colour" not in made.json()
    assert made.json()["elements"] == [{"price_components": [NIGHT["elements"][0]["price_components"][0]]}]


def test_a_tariff_without_an_id_gets_one(user_client: ApiClient, cpo: Cpo) -> None:
    made = user_client.post(path(cpo, "tariffs"), {name: value for name, value in NIGHT.items() if name != "id"})
    assert made.status_code == 201
    assert Tariff.objects.unscoped().filter(tariff_id=made.json()["id"]).exists()


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"currency": "euro"}, ["body", "currency"]),
        ({"elements": []}, ["body", "elements"]),
        ({"elements": [{"price_components": [{"type": "LOVE", "price": 1, "step_size": 1}]}]},
         ["body", "elements", 0, "price_components", 0, "type"]),
        ({"elements": [{"price_components": [{"type": "TIME", "price": 0.00001, "step_size": 1}]}]},
         ["body", "elements", 0, "price_components", 0, "price"]),
        ({"elements": [{"price_components": [{"type": "TIME", "price": 1, "step_size": 1}],
                        "restrictions": {"min_kwh": 5, "max_kwh": 5}}]},
         ["body", "elements", 0, "restrictions", "max_kwh"]),
        ({"energy_mix": {"supplier_name": "No word on green"}}, ["body", "energy_mix", "is_green_energy"]),
        ({"energy_mix": {"is_green_energy": True, "energy_sources": [{"source": "COW", "percentage": 1}]}},
         ["body", "energy_mix", "energy_sources", 0, "source"]),
        ({"id": "no spaces"}, ["body", "id"]),
        ({"evse_uids": "E1"}, ["body", "evse_uids"]),
    ],
)  # fmt: skip
def test_a_tariff_that_breaks_a_rule_is_422(user_client: ApiClient, cpo: Cpo, changes: Any, loc: list[Any]) -> None:
    answer = user_client.post(path(cpo, "tariffs"), {**NIGHT, **changes})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == loc


def test_an_unknown_evse_is_400(user_client: ApiClient, cpo: Cpo) -> None:
    assert user_client.post(path(cpo, "tariffs"), {**NIGHT, "evse_uids": ["E1"]}).status_code == 400
    assert not Tariff.objects.unscoped().filter(tariff_id="NIGHT").exists()


def test_jobs_belong_to_their_cpo(user_client: ApiClient, cpo: Cpo, tenant: Organization) -> None:
    url = add(user_client, cpo, STATION).json()["status_url"]
    other = built(tenant, "smoke-single")
    assert user_client.get(url.replace(f"/cpos/{cpo.pk}/", f"/cpos/{other.pk}/")).status_code == 404
    assert LocationJob.objects.unscoped().get().status == ProvisioningStatus.READY
