"""What a peer is told, in the words of its own version: judged by schemas written from each specification."""

from typing import Any

import pytest

from ocpi.protocol import tokens
from ocpi.protocol.versions import binding
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import schemas
from tests.ocpi.stage import Stage, build
from tests.ocpi.test_sessions import CARD

OLD_CARD = {
    "uid": "CARD-1",
    "type": "RFID",
    "auth_id": "NL-EMS-1",
    "issuer": "eMSP",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": "2026-01-01T00:00:00Z",
}


@pytest.fixture(params=["2.1.1", "2.2.1", "2.3.0"])
def stage(request: pytest.FixtureRequest, tenant: Organization, model: Any) -> Stage:
    stage = build(tenant, model, request.param)
    with scope(tenant):
        card = OLD_CARD if request.param == "2.1.1" else CARD
        tokens.store(stage.peer, binding(request.param), card, ("NL", "EMS"))
    stage.comes_online()
    return stage


def problems(stage: Stage, name: str, body: Any) -> list[str]:
    return schemas.problems(stage.peer.version, name, body)


def test_a_whole_session_in_every_version(stage: Stage) -> None:
    key = stage.start("CARD-1", 0, meter=500)
    stage.meter(2500, 600, Current_Import=16)
    (active,) = stage.told("sessions")
    assert (active.method, problems(stage, "Session", active.body)) == ("PUT", [])
    stage.meter(4500, 1200)
    stage.stop(key, 4500, 1200)
    told = stage.outbox()
    (done,) = [call.body for call in told if call.module == "sessions"]
    (cdr,) = [call.body for call in told if call.module == "cdrs"]
    assert problems(stage, "Session", done) == []
    assert problems(stage, "CDR", cdr) == []
    assert done["kwh"] == cdr["total_energy"] == 4.0
    excl = {"2.1.1": 1.56, "2.2.1": {"excl_vat": 1.56, "incl_vat": 1.8876}}
    if stage.peer.version == "2.3.0":
        assert cdr["total_cost"]["before_taxes"] == 1.56
    else:
        assert cdr["total_cost"] == done["total_cost"] == excl[stage.peer.version]


def test_progress_and_statuses_in_every_version(stage: Stage) -> None:
    told = stage.told("locations")
    assert [call.body["status"] for call in told] == ["AVAILABLE"]
    stage.start("CARD-1", 0)
    stage.outbox()
    stage.meter(2000, 600)
    (patch,) = stage.told("sessions")
    assert patch.method == "PATCH"
    whole = {"2.1.1": 0.78}.get(stage.peer.version)
    assert whole is None or patch.body["total_cost"] == whole
    assert patch.body["charging_periods"]
