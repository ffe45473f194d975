"""What an EVSE shows of its outlet (OCPI contract, section 5), as a peer is told it and as it pulls it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from chargers.models import Connector
from ocpi import bundles
from ocpi.models import ChargerChange, Cpo, Evse
from simulator.core.facts import ConnectorStatusChanged
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi.conftest import Visitor
from tests.ocpi.stage import Stage, build


@pytest.fixture
def stage(tenant: Organization, model: Any) -> Stage:
    return build(tenant, model)


@pytest.fixture
def stage_201(tenant: Organization, dc_model: Any) -> Stage:
    return build(tenant, dc_model, ocpp_version="OCPP2.0.1")


def statuses(stage: Stage) -> list[tuple[str, Any]]:
    return [(call.method, call.body["status"]) for call in stage.told("locations")]


TABLE_16 = [
    ("Preparing", "CHARGING"),
    ("Charging", "CHARGING"),
    ("SuspendedEV", "CHARGING"),
    ("SuspendedEVSE", "CHARGING"),
    ("Finishing", "CHARGING"),
    ("Reserved", "RESERVED"),
    ("Unavailable", "INOPERATIVE"),
    ("Faulted", "OUTOFORDER"),
]


@pytest.mark.parametrize(("said", "shown"), TABLE_16)
def test_a_status_of_1_6_is_patched_to_the_peer_and_back(stage: Stage, said: str, shown: str) -> None:
    stage.comes_online()
    assert statuses(stage) == [("PATCH", "AVAILABLE")]
    stage.status(said, 1)
    (call,) = stage.told("locations")
    assert (call.method, call.url) == ("PATCH", "http://127.0.0.1:9/locations/NL/LAB/LOC1/E1")
    assert call.body["status"] == shown
    stage.status("Available", 2)
    assert statuses(stage) == [("PATCH", "AVAILABLE")]


@pytest.mark.parametrize(
    ("said", "shown"),
    [("Occupied", "CHARGING"), ("Reserved", "RESERVED"), ("Unavailable", "INOPERATIVE"), ("Faulted", "OUTOFORDER")],
)
def test_a_status_of_2_0_1_concerns_its_own_evse(stage_201: Stage, said: str, shown: str) -> None:
    stage_201.comes_online()
    stage_201.outbox()
    stage_201.status(said, 1, connector=2)
    (call,) = stage_201.told("locations")
    assert call.url.endswith("/LOC1/E2")
    assert call.body["status"] == shown


def test_an_evse_is_planned_until_its_charger_has_told_a_status(stage: Stage) -> None:
    stage.connection("connected")
    assert stage.evse().status == "PLANNED"
    stage.status("Available", 0)
    assert stage.evse().status == "AVAILABLE"


def test_a_change_shows_in_a_delta_pull_of_its_location(stage: Stage, register: Callable[..., Visitor]) -> None:
    stage.comes_online()
    visitor = register(stage.cpo, party="EM2")
    before = visitor.get("/locations").data[0]["last_updated"]
    stage.status("Charging", 1)
    (location,) = visitor.get(f"/locations?date_from={before}").data
    assert location["last_updated"] == location["evses"][0]["last_updated"] > before
    assert location["evses"][0]["status"] == "CHARGING"


def grown_old(stage: Stage, seconds: float) -> None:
    """Lets that much time pass since the charger went away."""
    Evse.objects.unscoped().update(offline_since=timezone.now() - timedelta(seconds=seconds))
    stage.follower._swept = 0.0
    stage.look()


def test_a_short_loss_of_connection_is_not_shown(stage: Stage) -> None:
    stage.comes_online()
    stage.outbox()
    stage.connection("closed")
    grown_old(stage, 9)
    stage.connection("connected")
    assert stage.outbox() == []


def test_a_long_one_is_unknown_until_the_charger_is_back(stage: Stage) -> None:
    stage.comes_online()
    stage.status("Charging", 1)
    stage.outbox()
    stage.connection("closed")
    assert stage.outbox() == []
    grown_old(stage, 11)
    assert statuses(stage) == [("PATCH", "UNKNOWN")]
    stage.connection("connected")  # with nothing new to tell: the last status counts again
    assert statuses(stage) == [("PATCH", "CHARGING")]


def test_a_cpo_may_show_a_bay_that_is_taken_as_blocked(stage: Stage) -> None:
    Cpo.objects.unscoped().update(settings={"occupied_as": "BLOCKED"})
    stage.comes_online()
    stage.outbox()
    stage.status("Preparing", 1)
    assert statuses(stage) == [("PATCH", "BLOCKED")]
    stage.status("Charging", 2)
    assert statuses(stage) == [("PATCH", "CHARGING")]


@pytest.mark.parametrize("version", ["OCPP1.6", "OCPP2.0.1"])
def test_an_outlet_whose_power_unit_serves_another_is_blocked(
    tenant: Organization, dc_model: Any, version: str
) -> None:
    dc_model.connectors = [{**one, "evse": 1} for one in dc_model.connectors]
    dc_model.save()
    stage = build(tenant, dc_model, ocpp_version=version)
    first, second = ((1, 1), (1, 2)) if version == "OCPP2.0.1" else ((1, 1), (2, 2))
    for uid, (evse, connector) in (("E1", first), ("E2", second)):
        Evse.objects.unscoped().filter(uid=uid).update(outlet_evse=evse, outlet_connector=connector)
    stage.comes_online()
    stage.outbox()
    at = stage.at(1).timestamp()
    taken, free = ("Occupied", "Available") if version == "OCPP2.0.1" else ("Charging", "Available")
    stage.says(ConnectorStatusChanged(*first, taken, "NoError", at), ConnectorStatusChanged(*second, free, "", at))
    shown = dict(Evse.objects.unscoped().values_list("uid", "status"))
    assert shown == {"E1": "CHARGING", "E2": "BLOCKED"}
    stage.says(ConnectorStatusChanged(*first, free, "NoError", at))
    assert set(Evse.objects.unscoped().values_list("status", flat=True)) == {"AVAILABLE"}


def test_another_choice_shows_at_once(stage: Stage) -> None:
    stage.comes_online()
    stage.status("Preparing", 1)
    assert statuses(stage) == [("PATCH", "CHARGING")]
    with scope(stage.cpo.tenant_id):
        bundles.change_settings(stage.cpo, {"occupied_as": "BLOCKED"})
    stage.look()
    assert statuses(stage) == [("PATCH", "BLOCKED")]


def test_changes_in_a_row_reach_the_peer_as_one(stage: Stage) -> None:
    stage.comes_online()
    for second, status in enumerate(["Preparing", "Charging", "Faulted"]):
        stage.status(status, second)
    assert statuses(stage) == [("PATCH", "OUTOFORDER")]


def test_nothing_is_told_twice_however_often_one_looks(stage: Stage) -> None:
    stage.comes_online()
    stage.outbox()
    before = stage.evse().last_updated
    for _ in range(3):
        stage.look()
    assert stage.outbox() == []
    assert stage.evse().last_updated == before


def test_marks_that_have_piled_up_are_worth_one_look(stage: Stage) -> None:
    stage.comes_online()
    stage.outbox()
    Connector.objects.unscoped().update(status="Faulted")
    ChargerChange.objects.bulk_create(ChargerChange(charger=stage.charger.pk) for _ in range(1200))
    ChargerChange.objects.create(charger=uuid4())  # of a charger that was deleted meanwhile
    stage.look()
    assert statuses(stage) == [("PATCH", "OUTOFORDER")]
    stage.look()
    assert not ChargerChange.objects.exists()
