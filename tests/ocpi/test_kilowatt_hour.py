"""One kilowatt-hour, from the eMSP's start to its bill: every step on a real socket."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.models import ChargerModel
from ocpi import reconciling
from tenants.models import Organization
from tests.ocpi.emsp import Emsp
from tests.ocpi.lab import Cpolab, running, web

pytestmark = pytest.mark.slow
FAST = 120.0  # physics run so many times faster: a kilowatt-hour at 11 kW in under three seconds


@pytest.fixture
def lab(transactional_db: None, tenant: Organization, settings: Any, tmp_path: Path) -> Iterator[Cpolab]:
    with web(tmp_path / "web.log") as address, running(tenant, address, settings, tmp_path) as lab:
        yield lab
    said = (tmp_path / "web.log").read_text()
    assert "Traceback" not in said, said[-3000:]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_kilowatt_hour_is_started_metered_stopped_and_billed(lab: Cpolab, emsp: Emsp, model: ChargerModel) -> None:
    charger = lab.add_charger("KWH-1", model, time_scale=FAST, configuration={"MeterValueSampleInterval": "1"})
    lab.until_status(charger, "AVAILABLE")
    lab.register(emsp)
    token = emsp.new_token("CARD-1")

    answer, path = emsp.command(
        "START_SESSION",
        token=token,
        location_id="LOC1",
        evse_uid="KWH-1_C1",
        connector_id="1",
        authorization_reference="REF-1",
    )
    assert (answer.code, answer.data["result"]) == (1000, "ACCEPTED"), answer.text
    assert emsp.result(path)["result"] == "ACCEPTED"
    lab.eventually(lambda: len(lab.calls(charger, "RemoteStartTransaction")) == 2, "the call and its answer in the log")

    def session(status: str, kwh: float = 0) -> Any:
        found = [one for one in emsp.objects["sessions"].values() if one["status"] == status and one["kwh"] >= kwh]
        return found[0] if found else None

    active = emsp.wait_for(lambda: session("ACTIVE"), "an active session")
    assert active["auth_method"] == "COMMAND"
    assert active["authorization_reference"] == "REF-1"
    assert active["cdr_token"]["contract_id"] == token["contract_id"]
    emsp.wait_for(lambda: session("ACTIVE", 1), "a kilowatt-hour")

    answer, path = emsp.command("STOP_SESSION", session_id=active["id"])
    assert answer.data["result"] == "ACCEPTED", answer.text
    assert emsp.result(path)["result"] == "ACCEPTED"
    done = emsp.wait_for(lambda: session("COMPLETED"), "a completed session")
    emsp.wait_for(lambda: emsp.objects["cdrs"], "a CDR")
    (cdr,) = emsp.objects["cdrs"].values()

    assert cdr["session_id"] == done["id"] == active["id"]
    (start, _), (stop, _) = lab.calls(charger, "StartTransaction"), lab.calls(charger, "StopTransaction")
    wh = payload(stop)["meterStop"] - payload(start)["meterStart"]
    assert_billed(cdr, done, wh)
    assert_timed(cdr, done, payload(start)["timestamp"], payload(stop)["timestamp"])
    # Told as it went: what the peer appended from its PATCHes is what a pull gives.
    patches = [one for one in emsp.requests("sessions", "PATCH") if "charging_periods" in one.body]
    assert patches
    assert emsp.pull("sessions") == [done]
    assert emsp.pull("cdrs") == [cdr]
    (found,) = lab.rows(lambda: reconciling.of_cpo(lab.cpo))
    assert (found.ocpp_wh, found.ocpi_wh, found.problems) == (wh, wh, ())
    assert lab.evse(charger).status == "CHARGING"  # until the cable is out
    lab.until_status(charger, "AVAILABLE")


def assert_billed(cdr: Any, session: Any, wh: int) -> None:
    """By hand: 0.39 per kWh (at least 0.50), 21 % VAT; energy is what the charger's own meter says."""
    assert wh >= 1000
    assert cdr["total_energy"] == session["kwh"] == wh / 1000
    excl = max(Decimal("0.39") * wh / 1000, Decimal("0.5"))
    incl = max(excl * Decimal("1.21"), Decimal("0.605"))
    assert cdr["total_cost"] == {"excl_vat": rounded(excl), "incl_vat": rounded(incl)}
    assert cdr["total_cost"] == session["total_cost"]
    volumes = [one for period in cdr["charging_periods"] for one in period["dimensions"]]
    energy = sum(Decimal(str(one["volume"])) for one in volumes if one["type"] == "ENERGY")
    assert energy == Decimal(str(cdr["total_energy"]))


def assert_timed(cdr: Any, session: Any, started: str, stopped: str) -> None:
    """The CDR's times are the session's, and those that the charger told."""
    start, end = cdr["start_date_time"], cdr["end_date_time"]
    assert (start, end) == (session["start_date_time"], session["end_date_time"])
    assert moment(started) - moment(start) < timedelta(seconds=1)
    assert moment(stopped) - moment(end) < timedelta(seconds=1)
    hours = (moment(end) - moment(start)).total_seconds() / 3600
    assert cdr["total_time"] == pytest.approx(hours, abs=0.0001)


def payload(message: Any) -> Any:
    return json.loads(message.text)[3]


def rounded(value: Decimal) -> float:
    return float(value.quantize(Decimal("0.0001"), ROUND_HALF_UP))
