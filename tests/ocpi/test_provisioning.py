"""Bundles from the order to the end: what a worker makes, what survives its death, what is left afterwards."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, connections
from django.db.models import Model
from django.db.models.deletion import Collector
from django.utils import timezone

from chargers.back_office import back_office
from chargers.models import Charger, Connector, ProvisioningStatus, Runtime, StationState
from chargers.services import claims
from chargers.services.provisioning import delete_chargers
from locations.models import Location
from locations.services import update_location
from ocpi import bundles, credentials
from ocpi.building import dismantling, running
from ocpi.building.sites import create_site
from ocpi.models import (
    Cpo,
    CpoLocation,
    Credential,
    Evse,
    EvseStatus,
    Exchange,
    Peer,
    PeerCommand,
    PeerState,
    Push,
    Tariff,
)
from ocpi.protocol import reading
from ocpi.protocol.versions import binding
from ocpplab.api.errors import Conflict
from simulator.csms.models import Endpoint, Station
from tenants.models import AuditEntry, Organization
from tenants.scoping import scope
from tests.factories import new_charger
from tests.ocpi import builder
from tests.ocpi.builder import boot, built, fresh, order, work
from tests.ocpi.schemas import problems

pytestmark = pytest.mark.django_db
PRESETS = [
    "small-urban-ac", "highway-dc", "mixed-depot", "smoke-single", "hpc-hub-201", "tariff-lab", "wide-area",
    "private-fleet", "legacy-211",
]  # fmt: skip


@pytest.fixture(autouse=True)
def presets(db: None) -> None:
    builder.seed()


def test_a_bundle_is_ready_once_its_chargers_have_booted(tenant: Organization) -> None:
    cpo = order(tenant)
    assert cpo.status == ProvisioningStatus.PENDING
    work()
    waiting = fresh(cpo)
    assert waiting.status == ProvisioningStatus.PROVISIONING
    assert (waiting.progress["current_step"], waiting.progress["chargers_ready"]) == ("wait-for-chargers", 0)
    assert set(Evse.objects.unscoped().values_list("status", flat=True)) == {EvseStatus.PLANNED}
    boot(cpo)
    work()
    ready = fresh(cpo)
    assert (ready.status, ready.progress["chargers_ready"]) == (ProvisioningStatus.READY, 6)
    assert ready.provisioned_at is not None


def test_a_charger_that_is_deleted_meanwhile_is_not_waited_for(tenant: Organization) -> None:
    cpo = order(tenant)
    work()
    with scope(tenant):
        delete_chargers([Charger.objects.order_by("identity")[0]])
    boot(cpo)
    work()
    assert (fresh(cpo).status, fresh(cpo).progress["chargers_total"]) == (ProvisioningStatus.READY, 5)


def test_a_connection_alone_is_no_boot(tenant: Organization) -> None:
    cpo = order(tenant)
    work()
    boot(cpo)
    Evse.objects.unscoped().filter(uid__endswith="0003").update(reported=False)
    work()
    assert fresh(cpo).progress["chargers_ready"] == 5


@pytest.mark.parametrize("template", PRESETS)
def test_every_preset_builds_and_every_object_of_it_meets_the_standard(tenant: Organization, template: str) -> None:
    cpo = built(tenant, template, **({"overrides": {"locations": 5}} if template == "wide-area" else {}))
    assert cpo.status == ProvisioningStatus.READY
    with scope(tenant):
        for version in ("2.1.1", "2.2.1", "2.3.0"):
            shape = binding(version)
            for site in reading.locations(cpo):
                assert problems(version, "Location", shape.location(site)) == []
            for tariff in reading.tariffs(cpo):
                assert problems(version, "Tariff", shape.tariff(tariff)) == []


def test_chargers_are_ordinary_ones_at_the_cpos_own_csms(tenant: Organization) -> None:
    cpo = built(tenant, "mixed-depot")
    with scope(tenant):
        url = back_office().url(cpo.csms_endpoint or 0)
        chargers = list(Charger.objects.order_by("identity"))
        assert [one.identity for one in chargers] == [f"City-NLLAB-{n:03d}" for n in range(1, 7)]
        assert {one.ws_url for one in chargers} == {url}
        assert [one.ocpp_version for one in chargers] == ["OCPP1.6"] * 4 + ["OCPP2.0.1"] * 2
        intervals = {
            key for state in StationState.objects.filter(charger__in=chargers) for key in state.memory["configuration"]
        }
        assert intervals == {"MeterValueSampleInterval", "SampledDataCtrlr.TxUpdatedInterval"}
        assert Location.objects.get().name.startswith("Depot ")
        outlets = set(Connector.objects.values_list("charger__identity", "evse_id", "connector_id"))
        assert outlets == set(Evse.objects.values_list("charger__identity", "outlet_evse", "outlet_connector"))


def test_a_depot_is_for_employees_or_the_nearest_word_of_a_version(tenant: Organization) -> None:
    cpo = order(tenant, "mixed-depot")
    work()
    with scope(tenant):
        for version, word in (("2.1.1", "CUSTOMERS"), ("2.2.1", "CUSTOMERS"), ("2.3.0", "EMPLOYEES")):
            (site,) = [binding(version).location(one) for one in reading.locations(cpo)]
            assert {tuple(one["parking_restrictions"]) for one in site["evses"]} == {(word,)}


def test_only_wanted_chargers_run_and_the_others_are_unknown(tenant: Organization) -> None:
    cpo = built(tenant, "wide-area", overrides={"locations": 6})
    assert cpo.status == ProvisioningStatus.READY
    with scope(tenant):
        assert Charger.objects.filter(runtime=Runtime.RUNNING).count() == 3
        assert (cpo.progress["chargers_ready"], cpo.progress["chargers_total"]) == (3, 3)
        assert Evse.objects.filter(status=EvseStatus.UNKNOWN).count() == 3


def test_an_evse_promises_what_its_machine_does(tenant: Organization) -> None:
    built(tenant, "hpc-hub-201")
    built(tenant, "small-urban-ac")
    with scope(tenant):
        old = Evse.objects.filter(charger__ocpp_version="OCPP1.6").first()
        assert old is not None
        assert {"RESERVABLE", "CHARGING_PROFILE_CAPABLE"} <= set(old.attributes["capabilities"])
        new = Evse.objects.filter(charger__ocpp_version="OCPP2.0.1").first()
        assert new is not None
        assert {"REMOTE_START_STOP_CAPABLE", "UNLOCK_CAPABLE"} <= set(new.attributes["capabilities"])


def world(tenant: Organization, cpo: Cpo) -> Any:
    """What two bundles of one order must have in common."""
    with scope(tenant):
        sites = CpoLocation.objects.filter(cpo=cpo).select_related("location").order_by("id")
        evses = Evse.objects.filter(cpo=cpo).select_related("charger__model").order_by("id")
        return (
            [(s.ocpi_id, s.location.name, s.location.address, s.location.latitude, s.attributes) for s in sites],  # type: ignore[union-attr]
            [(e.uid, e.evse_id, e.charger.identity, e.charger.model.slug, e.connector) for e in evses],  # type: ignore[union-attr]
            list(Tariff.objects.filter(cpo=cpo).order_by("id").values_list("tariff_id", "content")),
        )


def test_the_same_order_gives_the_same_bundle(tenant: Organization, stranger: Organization) -> None:
    one, other = built(tenant, "highway-dc"), built(stranger, "highway-dc")
    assert world(tenant, one) == world(stranger, other)
    third = built(stranger, "highway-dc", seed=43, party_id="OTH")
    assert world(tenant, one) != world(stranger, third)


def test_an_external_csms_makes_it_ready_as_soon_as_its_machines_run(tenant: Organization) -> None:
    cpo = order(tenant, "smoke-single", ws_url="ws://csms.example/ocpp")
    work()
    assert fresh(cpo).csms_endpoint is None
    with scope(tenant):
        assert Charger.objects.get().ws_url == "ws://csms.example/ocpp"
        Charger.objects.update(status=ProvisioningStatus.READY)
    work()
    assert fresh(cpo).status == ProvisioningStatus.READY


# --- parties ----------------------------------------------------------------------------------------------------------


def test_a_party_in_use_gives_way_to_a_variant(tenant: Organization, stranger: Organization) -> None:
    parties = [order(tenant).party_id for _ in range(3)]
    assert parties == ["LAB", "LAC", "LAD"]
    assert order(stranger).party_id == "LAB"
    assert order(tenant, country_code="DE").party_id == "LAB"


def test_variants_wrap_round_and_reach_the_first_character_last() -> None:
    variants = list(bundles.variants("AZZ"))
    assert variants[:3] == ["AZZ", "AZ0", "AZ1"]
    assert variants[36] == "A0Z"
    assert len(set(variants)) == len(variants) == 36**3


def test_a_party_is_free_again_after_the_end(tenant: Organization) -> None:
    first = built(tenant)
    with scope(tenant):
        dismantling.destroy(first)
    assert built(tenant).party_id == "LAB"


# --- dying and going on -----------------------------------------------------------------------------------------------


def test_a_build_that_breaks_anywhere_goes_on_without_doubles(
    tenant: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, deaths = create_site, iter(range(20))

    def dies_after_every_site(*args: Any) -> Any:
        made = real(*args)
        if next(deaths) % 2 == 0:
            raise SystemError("killed before the commit")
        return made

    monkeypatch.setattr("ocpi.building.steps.create_site", dies_after_every_site)
    cpo = order(tenant, "highway-dc")
    work(6)
    boot(cpo)
    work()
    assert fresh(cpo).status == ProvisioningStatus.READY
    with scope(tenant):
        assert (CpoLocation.objects.count(), Charger.objects.count(), Evse.objects.count()) == (3, 6, 12)
        assert (Tariff.objects.count(), Endpoint.objects.filter(label__startswith="CPO").count()) == (1, 1)


def test_what_breaks_every_time_fails_with_its_step(tenant: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*args: Any) -> Any:
        raise SystemError("always")

    monkeypatch.setattr("ocpi.building.steps.create_site", breaks)
    cpo = order(tenant, "smoke-single")
    work(claims.MOST_ATTEMPTS)
    failed = fresh(cpo)
    assert failed.status == ProvisioningStatus.FAILED
    assert (failed.error["code"], failed.error["step"], failed.error["retryable"]) == (
        "internal_error", "create-location-1", True,
    )  # fmt: skip
    with scope(tenant):
        dismantling.destroy(failed)
    assert not Location.objects.unscoped().exists()


def test_an_identity_that_is_taken_fails_and_names_it(tenant: Organization, location: Location, model: Any) -> None:
    with scope(tenant):
        new_charger(location, "City-NLLAB-002", model)
    cpo = order(tenant)
    work(claims.MOST_ATTEMPTS)
    error = fresh(cpo).error
    assert (error["code"], error["step"]) == ("charger_not_created", "create-City-NLLAB-002")
    assert "City-NLLAB-002 is taken" in error["message"]


def test_chargers_that_never_boot_fail_in_the_end(tenant: Organization) -> None:
    cpo = order(tenant, "smoke-single")
    work(2)
    row = fresh(cpo)
    long_ago = (timezone.now() - timedelta(hours=1)).isoformat()
    Cpo.objects.unscoped().update(progress={**row.progress, "since": long_ago})
    work()
    error = fresh(cpo).error
    assert (error["code"], error["step"], error["retryable"]) == ("chargers_not_ready", "wait-for-chargers", True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_build_one_bundle_once(tenant: Organization) -> None:
    cpo = order(tenant, "highway-dc")

    def run() -> None:
        running.run(cpo.pk)
        connections.close_all()

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(run), threads.submit(run)]:
            future.result()
    work()
    with scope(tenant):
        assert (CpoLocation.objects.count(), Charger.objects.count()) == (3, 6)


def test_a_build_stops_when_its_cpo_is_given_up(tenant: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    real = create_site

    def gives_up_meanwhile(cpo: Cpo, *args: Any) -> Any:
        Cpo.objects.filter(pk=cpo.pk).update(destroyed_at=timezone.now(), claim="", claimed_until=None)
        return real(cpo, *args)

    monkeypatch.setattr("ocpi.building.steps.create_site", gives_up_meanwhile)
    cpo = order(tenant, "highway-dc")
    work()
    running.finish(cpo.pk)
    assert not Cpo.objects.unscoped().exists()
    assert not Location.objects.unscoped().exists()


# --- the end ----------------------------------------------------------------------------------------------------------


def test_destroying_takes_everything_along(tenant: Organization) -> None:
    cpo = built(tenant, "highway-dc")
    with scope(tenant):
        token = bundles.renew_token_a(cpo)
        assert credentials.find(cpo.pk, token) is not None
        dismantling.destroy(cpo)
        assert credentials.find(cpo.pk, token) is None
        for rows in (Location, Charger, Evse):
            assert not rows.objects.exists()
        assert not Endpoint.objects.filter(label__startswith="CPO").exists()
    running.finish(cpo.pk)
    assert not Cpo.objects.unscoped().exists()
    assert not Credential.objects.unscoped().exists()
    assert AuditEntry.objects.filter(verb="destroy_cpo").count() == 1


def test_many_locations_go_in_a_worker(tenant: Organization) -> None:
    cpo = built(tenant, "wide-area", overrides={"locations": 25})
    with scope(tenant):
        dismantling.destroy(cpo)
        assert not Charger.objects.exists()
        assert Location.objects.count() == 25 - dismantling.LOCATIONS_AT_ONCE
    running.finish(cpo.pk)
    assert not Location.objects.unscoped().exists()


def test_what_has_outlived_its_time_is_destroyed_in_every_organization(
    tenant: Organization, stranger: Organization
) -> None:
    mine, theirs, kept = order(tenant), order(stranger), order(stranger, ttl_seconds=None)
    Cpo.objects.unscoped().filter(pk__in=[mine.pk, theirs.pk]).update(expires_at=timezone.now())
    running.run_due()
    assert list(Cpo.objects.unscoped().filter(destroyed_at=None)) == [kept]
    assert kept.expires_at is None


def test_a_bundle_destroyed_twice_is_destroyed_once(tenant: Organization) -> None:
    cpo = order(tenant)
    with scope(tenant):
        dismantling.destroy(cpo)
        dismantling.destroy(cpo)
    assert AuditEntry.objects.filter(verb="destroy_cpo").count() == 1


def test_what_a_dying_process_left_is_cleared_away(tenant: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    cpo = built(tenant, "smoke-single")
    monkeypatch.setattr(dismantling, "dismantle", lambda *args, **kwargs: None)
    with scope(tenant):
        dismantling.destroy(cpo)
    assert running.due_farewells() == [cpo.pk]
    running.finish(cpo.pk)
    assert not Charger.objects.unscoped().exists()
    assert not Cpo.objects.unscoped().exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [Endpoint, Evse, Cpo])
def test_what_comes_in_while_it_goes_does_not_break_the_end(
    tenant: Organization, monkeypatch: pytest.MonkeyPatch, model: type[Model]
) -> None:
    """A station connects, a session begins, an exchange is recorded just after the rows to delete were looked up."""
    cpo = built(tenant, "smoke-single")
    with scope(tenant):
        peer, evse, endpoint = receiver(cpo), Evse.objects.get(cpo=cpo), Endpoint.objects.get(label__startswith="CPO")
    intrusions = {
        Endpoint: lambda: Station.objects.create(endpoint=endpoint, identity="LATE"),
        Evse: lambda: PeerCommand.objects.create(
            cpo=cpo, peer=peer, kind="STOP_SESSION", response_url="http://e", deadline=timezone.now(), evse=evse
        ),
        Cpo: lambda: Exchange.objects.create(cpo=cpo, direction="incoming", at=timezone.now(), method="GET", url="/"),
    }
    collect = Collector.collect

    def intruded(collector: Collector, objects: Any, *args: Any, **kwargs: Any) -> None:
        collect(collector, objects, *args, **kwargs)
        if getattr(objects, "model", None) is model and kwargs.get("source") is None and not args:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(impatiently, tenant, intrusions[model]).result()

    monkeypatch.setattr(Collector, "collect", intruded)
    with scope(tenant):
        dismantling.destroy(cpo)
    running.finish(cpo.pk)
    assert not Cpo.objects.unscoped().exists()
    assert not Endpoint.objects.unscoped().filter(label__startswith="CPO").exists()


def impatiently(tenant: Organization, write: Callable[[], Any]) -> None:
    """Writes over a connection of its own, at once or not at all: what it names may be locked, or gone already."""
    patience = {"sqlite": "PRAGMA busy_timeout = 0", "postgresql": "SET lock_timeout = '1ms'"}[connection.vendor]
    try:
        with connection.cursor() as cursor:
            cursor.execute(patience)
        with contextlib.suppress(OperationalError, IntegrityError), scope(tenant):
            write()
    finally:
        connection.close()


# --- what peers see of it ---------------------------------------------------------------------------------------------


def receiver(cpo: Cpo) -> Peer:
    """A registered peer that wants to be told of locations and tariffs."""
    endpoints = [
        {"identifier": name, "role": "RECEIVER", "url": f"http://emsp.example/{name}"}
        for name in ("locations", "tariffs")
    ]
    peer: Peer = Peer.objects.create(cpo=cpo, state=PeerState.REGISTERED, version="2.2.1", endpoints=endpoints)
    return peer


def subjects(peer: Peer) -> set[tuple[str, str]]:
    return {(one.subject.split(":")[0], one.method) for one in Push.objects.filter(peer=peer)}


def test_a_peer_that_registers_before_the_build_sees_it_grow(tenant: Organization) -> None:
    cpo = order(tenant)
    with scope(tenant):
        peer = receiver(cpo)
    work()
    with scope(tenant):
        assert subjects(peer) == {("tariff", "PUT"), ("location", "PUT")}


def test_a_deleted_charger_is_removed_for_peers(tenant: Organization) -> None:
    cpo = built(tenant)
    with scope(tenant):
        peer = receiver(cpo)
        charger = Charger.objects.order_by("identity")[0]
        site = CpoLocation.objects.get(location=charger.location_id)
        delete_chargers([charger])
        evse = Evse.objects.get(uid="NL-LAB-0001")
        assert (evse.status, evse.charger) == (EvseStatus.REMOVED, None)
        after = CpoLocation.objects.get(pk=site.pk)
        assert after.last_updated == evse.last_updated > site.last_updated
        assert ("evse", "PATCH") in subjects(peer)


def test_a_deleted_site_stays_readable_with_its_evses_removed(tenant: Organization) -> None:
    cpo = built(tenant, "smoke-single")
    with scope(tenant):
        shape = binding("2.2.1")
        before = shape.location(reading.locations(cpo).get())
        place = Location.objects.get()
        from locations.services import delete_location

        delete_location(str(place.pk))
        after = shape.location(reading.locations(cpo).get())
        assert {one["status"] for one in after["evses"]} == {"REMOVED"}
        assert problems("2.2.1", "Location", after) == []
        for name in ("id", "name", "address", "city", "coordinates", "country", "time_zone", "parking_type"):
            assert after[name] == before[name]


def test_a_change_of_the_plain_location_is_one_for_peers(tenant: Organization) -> None:
    cpo = built(tenant, "smoke-single")
    with scope(tenant):
        peer, place, site = receiver(cpo), Location.objects.get(), CpoLocation.objects.get()
        update_location(place, {"name": "Elsewhere", "country": "BE"})
        after = CpoLocation.objects.get()
        assert (after.country, after.last_updated > site.last_updated) == ("BEL", True)
        assert ("location", "PUT") in subjects(peer)
        assert binding("2.2.1").location(reading.locations(cpo).get())["name"] == "Elsewhere"


def test_every_party_taken_is_a_conflict(tenant: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    order(tenant)
    monkeypatch.setattr(bundles, "variants", lambda party: iter([party]))
    with pytest.raises(Conflict):
        order(tenant)
