"""A CPO and an eMSP that was written by others, from the published package `extrawest-ocpi`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.models import ChargerModel
from ocpi import credentials
from ocpi.models import Cpo, CpoLocation, Credential, Peer, Push, PushState, Token
from ocpi.peer import handshake, links
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.environments import Extrawest, extrawest
from tests.ocpi.lab import Cpolab, eventually, running, web

pytestmark = pytest.mark.slow
FAST = 120.0  # physics run so many times faster


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Extrawest]:
    with extrawest(tmp_path_factory.mktemp("extrawest") / "log") as running:
        yield running


@pytest.fixture
def cpo(served: str, tenant: Organization) -> Cpo:
    with scope(tenant):
        cpo = bundle.new_cpo()
        for number in range(5):
            bundle.new_location(cpo, f"MORE{number}", number)
        without_energy_mix(cpo)
        return cpo


def without_energy_mix(cpo: Cpo) -> None:
    """The package's class for it is not the specification's: environ_impact is no list there."""
    for row in CpoLocation.objects.filter(cpo=cpo):
        row.attributes.pop("energy_mix")
        row.save()


def test_it_registers_pulls_every_list_and_pushes_a_token(cpo: Cpo, platform: Extrawest) -> None:
    with scope(cpo.tenant_id):
        token_a = credentials.mint(cpo, Credential.A)
    answer = platform.do("register", versions_url=links.versions_url(cpo), token_a=token_a)
    assert (answer["http"], answer["status_code"]) == (200, 1000), answer
    with scope(cpo.tenant_id):
        peer = Peer.objects.get()
        bundle.new_session(cpo, peer)
        bundle.new_cdr(cpo, peer)
    pulled = platform.do("pull")
    assert pulled == {
        "locations": ["LOC1", *(f"MORE{number}" for number in range(5))],
        "tariffs": ["T1"],
        "sessions": ["S1"],
        "cdrs": ["C1"],
    }
    assert platform.do("token", uid="CARD-9") == 201
    with scope(cpo.tenant_id):
        assert Token.objects.get().contract_id == "NL-EXW-CARD-9"


def test_we_register_there(cpo: Cpo, platform: Extrawest) -> None:
    with scope(cpo.tenant_id):
        peer = handshake.register(cpo, platform.versions_url, platform.token_a)
        assert peer.endpoint("cdrs", "RECEIVER") == f"{platform.url}/ocpi/emsp/2.2.1/cdrs"
    assert platform.do("pull")["tariffs"] == ["T1"]


@pytest.fixture
def lab(transactional_db: None, tenant: Organization, settings: Any, tmp_path: Path) -> Iterator[Cpolab]:
    with web(tmp_path / "web.log") as address, running(tenant, address, settings, tmp_path) as lab:
        yield lab


def test_it_starts_a_session_is_pushed_every_step_and_stops_it(
    lab: Cpolab, platform: Extrawest, model: ChargerModel
) -> None:
    charger = lab.add_charger("EXW-1", model, time_scale=FAST)
    lab.until_status(charger, "AVAILABLE")
    lab.rows(lambda: without_energy_mix(lab.cpo))
    token_a = lab.rows(lambda: credentials.mint(lab.cpo, Credential.A))
    assert platform.do("register", versions_url=lab.versions_url, token_a=token_a)["status_code"] == 1000
    assert platform.do("token", uid="CARD-7") in (200, 201)  # 200: the CPO has pulled its tokens meanwhile
    assert platform.do("pull")["locations"] == ["LOC1"]

    place = {"location_id": "LOC1", "evse_uid": "EXW-1_C1"}
    started = platform.do("command", command="START_SESSION", body={"token": "CARD-7", **place})
    assert started["result"] == "ACCEPTED"
    eventually(lambda: platform.kept("commands").get(started["uid"]), "the command's result")
    assert platform.kept("commands")[started["uid"]]["result"] == "ACCEPTED"

    def session(status: str) -> Any:
        return next((one for one in platform.kept("sessions").values() if one["status"] == status), None)

    def status() -> str:
        evses = platform.kept("locations")["LOC1"]["evses"]
        return next(one["status"] for one in evses if one["uid"] == "EXW-1_C1")

    active = eventually(lambda: session("ACTIVE"), "an active session")
    eventually(lambda: status() == "CHARGING", "the EVSE's status")
    stopped = platform.do("command", command="STOP_SESSION", body={"session_id": active["id"]})
    assert stopped["result"] == "ACCEPTED"
    eventually(lambda: session("COMPLETED"), "a completed session")
    cdr = eventually(lambda: next(iter(platform.kept("cdrs").values()), None), "a CDR")
    assert (cdr["session_id"], cdr["cdr_token"]["contract_id"]) == (active["id"], "NL-EXW-CARD-7")
    pulled = platform.do("pull")
    assert (pulled["sessions"], pulled["cdrs"]) == ([active["id"]], [cdr["id"]])
    refused = Push.objects.unscoped().filter(state=PushState.REFUSED)
    assert not refused, [(one.subject, one.problem) for one in refused]
