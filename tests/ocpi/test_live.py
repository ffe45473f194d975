"""Charging at real simulated chargers through OCPI: profiles that bite, reservations, cards, and OCPP 2.0.1."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.models import ChargerModel
from chargers.models import Charger
from chargers.services import commands
from tenants.models import Organization
from tests.ocpi.emsp import Emsp
from tests.ocpi.lab import Cpolab, running, web

pytestmark = pytest.mark.slow
FAST = 60.0
SAMPLES = {
    "OCPP1.6": {"MeterValueSampleInterval": "1"},
    "OCPP2.0.1": {"SampledDataCtrlr.TxUpdatedInterval": "1"},
}
VERSIONS = tuple(SAMPLES)


@pytest.fixture
def lab(transactional_db: None, tenant: Organization, settings: Any, tmp_path: Path) -> Iterator[Cpolab]:
    with web(tmp_path / "web.log") as address, running(tenant, address, settings, tmp_path) as lab:
        yield lab


@pytest.fixture
def models(model: ChargerModel, dc_model: ChargerModel) -> dict[str, ChargerModel]:
    return {"OCPP1.6": model, "OCPP2.0.1": dc_model}


def add(lab: Cpolab, identity: str, models: dict[str, ChargerModel], version: str) -> Charger:
    """A charger of this version, charging fast and telling each second, at the moment it is available."""
    charger = lab.add_charger(
        identity, models[version], time_scale=FAST, ocpp_version=version, configuration=SAMPLES[version]
    )
    lab.until_status(charger, "AVAILABLE")
    return charger


def session_in(emsp: Emsp, status: str) -> Any:
    return next((one for one in emsp.objects["sessions"].values() if one["status"] == status), None)


def start(emsp: Emsp, evse_uid: str, uid: str = "CARD-1") -> Any:
    token = emsp.new_token(uid)
    answer, path = emsp.command("START_SESSION", token=token, location_id="LOC1", evse_uid=evse_uid)
    assert answer.data["result"] == "ACCEPTED", answer.text
    assert emsp.result(path)["result"] == "ACCEPTED"
    return emsp.wait_for(lambda: session_in(emsp, "ACTIVE"), "an active session")


def stop(emsp: Emsp, session: Any) -> Any:
    answer, path = emsp.command("STOP_SESSION", session_id=session["id"])
    assert answer.data["result"] == "ACCEPTED", answer.text
    assert emsp.result(path)["result"] == "ACCEPTED"
    emsp.wait_for(lambda: emsp.objects["cdrs"], "a CDR")
    return next(iter(emsp.objects["cdrs"].values()))


def powers(emsp: Emsp) -> list[float]:
    """Average power of the periods that were told, in their order."""
    session = next(iter(emsp.objects["sessions"].values()))
    dimensions = [one for period in session.get("charging_periods", []) for one in period["dimensions"]]
    return [one["volume"] for one in dimensions if one["type"] == "POWER" and one["volume"]]


@pytest.mark.parametrize(("version", "unit", "limit"), [("OCPP1.6", "A", 6.0), ("OCPP2.0.1", "W", 20_000.0)])
def test_a_charging_profile_lowers_the_measured_power(
    lab: Cpolab, emsp: Emsp, models: dict[str, ChargerModel], version: str, unit: str, limit: float
) -> None:
    add(lab, "PRO-1", models, version)
    lab.register(emsp)
    session = start(emsp, "PRO-1_C1")
    emsp.wait_for(lambda: len(powers(emsp)) >= 3, "periods at full power")
    full = max(powers(emsp))
    url = f"{emsp.endpoints['chargingprofiles']}/{session['id']}"
    profile = {
        "charging_rate_unit": unit,
        "charging_profile_period": [{"start_period": 0, "limit": limit}],
    }
    response_url = f"{emsp.url}/2.2.1/results/profile/1"
    answer = emsp.call("PUT", url, {"charging_profile": profile, "response_url": response_url})
    assert answer.data["result"] == "ACCEPTED", answer.text
    assert emsp.result("/results/profile/1")["result"] == "ACCEPTED"
    active = emsp.wait_for(lambda: emsp.objects["chargingprofiles"].get(session["id"]), "the active profile")
    assert active["charging_profile"]["charging_profile_period"][0]["limit"] == limit
    emsp.wait_for(lambda: powers(emsp)[-1] < full / 2, "a period at a lower power")
    stop(emsp, session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reservation_is_held_used_and_billed(
    lab: Cpolab, emsp: Emsp, models: dict[str, ChargerModel], version: str
) -> None:
    charger = add(lab, "RES-1", models, version)
    lab.register(emsp)
    expiry = (datetime.now(UTC) + timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer, path = emsp.command(
        "RESERVE_NOW",
        token=emsp.new_token("CARD-1"),
        expiry_date=expiry,
        reservation_id="R-1",
        location_id="LOC1",
        evse_uid="RES-1_C1",
    )
    assert answer.data["result"] == "ACCEPTED", answer.text
    assert emsp.result(path)["result"] == "ACCEPTED"
    reserved = emsp.wait_for(lambda: session_in(emsp, "RESERVATION"), "a reservation")
    lab.until_status(charger, "RESERVED")
    active = start(emsp, "RES-1_C1")
    assert active["id"] == reserved["id"]
    cdr = stop(emsp, active)
    assert cdr["session_id"] == reserved["id"]
    assert cdr["total_reservation_cost"]["excl_vat"] > 0


def test_a_card_at_a_2_0_1_station_is_asked_about_and_billed(lab: Cpolab, emsp: Emsp, dc_model: ChargerModel) -> None:
    charger = lab.add_charger("NEW-1", dc_model, 2, time_scale=FAST, ocpp_version="OCPP2.0.1")
    lab.until_status(charger, "AVAILABLE", 2)
    lab.register(emsp)
    emsp.authorize = lambda uid, references: {
        "allowed": "ALLOWED",
        "token": emsp.new_token(uid),
        "authorization_reference": "RTA-1",
    }
    lab.rows(lambda: commands.issue_one(charger, "start_session", {"id_tag": "WALK-IN", "connector_id": 2}))
    session = emsp.wait_for(lambda: session_in(emsp, "ACTIVE"), "an active session")
    assert (session["auth_method"], session["authorization_reference"]) == ("AUTH_REQUEST", "RTA-1")
    assert session["evse_uid"] == "NEW-1_C2"
    (request,) = emsp.requests("tokens", "POST")
    assert request.path.endswith("/WALK-IN/authorize")
    cdr = stop(emsp, session)
    assert cdr["cdr_token"]["uid"] == "WALK-IN"
    assert cdr["auth_method"] == "AUTH_REQUEST"

    started = start(emsp, "NEW-1_C1")
    assert (started["auth_method"], started["evse_uid"]) == ("COMMAND", "NEW-1_C1")
    assert len(lab.calls(charger, "RequestStartTransaction")) == 2  # the call and its answer
    assert len(emsp.requests("tokens", "POST")) == 1  # nobody was asked about the command's token
    answer, path = emsp.command("STOP_SESSION", session_id=started["id"])
    assert answer.data["result"] == "ACCEPTED"
    assert emsp.result(path)["result"] == "ACCEPTED"
    emsp.wait_for(lambda: len(emsp.objects["cdrs"]) == 2, "the second CDR")
