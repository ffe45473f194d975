"""A peer's commands at a stage: sent as a platform sends them, and what came of them."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from ocpi import credentials
from ocpi.models import Credential
from simulator.csms.models import CallState, CsmsCall
from tenants.scoping import scope
from tests.ocpi.conftest import Visitor
from tests.ocpi.stage import Stage

TOKEN = {
    "country_code": "NL",
    "party_id": "EMS",
    "uid": "CARD-1",
    "type": "APP_USER",
    "contract_id": "NL-EMS-1",
    "issuer": "eMSP",
    "valid": True,
    "whitelist": "NEVER",
    "last_updated": "2026-01-01T00:00:00Z",
}
RESPONSE_URL = "http://127.0.0.1:9/results/1"


def awake(stage: Stage) -> Stage:
    """Its charger is online, and its peers have been told so."""
    stage.comes_online()
    stage.outbox()
    return stage


def visitor_of(stage: Stage) -> Visitor:
    with scope(stage.cpo.tenant_id):
        token = credentials.mint(stage.cpo, Credential.C, stage.peer)
    return Visitor(stage.cpo, stage.peer, token, "2.2.1", Client())


def command(stage: Stage, name: str, **body: Any) -> Any:
    answer = visitor_of(stage).call("POST", f"/commands/{name}", {"response_url": RESPONSE_URL, **body})
    assert answer.http == 200
    return answer


def start(stage: Stage, **body: Any) -> Any:
    return command(stage, "START_SESSION", **{"token": TOKEN, "location_id": "LOC1", "evse_uid": "E1", **body})


def reserve(stage: Stage, reservation_id: str = "RES-1", minutes: float = 30, **body: Any) -> Any:
    expiry = (timezone.now() + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = {"token": TOKEN, "expiry_date": expiry, "reservation_id": reservation_id, "location_id": "LOC1"}
    return command(stage, "RESERVE_NOW", **{**wanted, "evse_uid": "E1", **body})


def result(stage: Stage) -> str:
    """The one result that was posted to the response_url."""
    (call,) = [one for one in stage.outbox() if one.url == RESPONSE_URL]
    assert call.method == "POST"
    return call.body["result"]


def queued() -> list[tuple[str, Any]]:
    rows = CsmsCall.objects.unscoped().filter(state=CallState.QUEUED).order_by("id")
    return list(rows.values_list("action", "payload"))
