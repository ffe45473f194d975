"""Kill -9 of a process while an eMSP charges at a bundle: nothing doubled, nothing lost, nothing stuck."""

import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any

import httpx
import pytest

from tests.e2e.lab import Lab
from tests.ocpi.emsp import Emsp
from tests.ops.processes import eventually

pytestmark = pytest.mark.slow
READY_SECONDS = 90.0
BACK_SECONDS = 60.0
Json = Any


class Tenant:
    """The owner of a bundle, over REST."""

    def __init__(self, lab: Lab) -> None:
        token = {"Authorization": f"Bearer {lab.facts['user_token']}"}
        retried = httpx.HTTPTransport(retries=3)
        self.http = httpx.Client(base_url=lab.facts["base_url"], headers=token, timeout=20, transport=retried)

    def bundle(self, template: str) -> Json:
        body = {"template": template, "country_code": "NL", "party_id": "CRA", "name_prefix": "crash"}
        made = self.http.post("/ocpi/cpos", json=body)
        assert made.status_code == 202, made.text
        until(lambda: self.http.get(made.json()["status_url"]).json()["status"] == "READY", READY_SECONDS)
        return made.json()

    def leave(self, cpo: Json) -> None:
        self.http.delete(f"/ocpi/cpos/{cpo['cpo_id']}")
        self.http.close()


def until(condition: Callable[[], Any], seconds: float) -> None:
    def safely() -> bool:
        try:
            return bool(condition())
        except httpx.HTTPError:
            return False  # the web process is just coming back

    eventually(safely, "the condition holds", seconds)


@pytest.fixture
def emsp() -> Iterator[Emsp]:
    with Emsp() as platform:
        yield platform
        assert platform.violations == []  # a CDR that comes twice is one


@pytest.fixture
def cpo(lab: Lab, emsp: Emsp) -> Iterator[Json]:
    tenant = Tenant(lab)
    cpo = tenant.bundle("smoke-single")
    answer = emsp.register(cpo["ocpi_peer_url"], cpo["token_a"])
    assert answer.code == 1000, answer.text
    changed = tenant.http.patch(f"/ocpi/cpos/{cpo['cpo_id']}/settings", json={"update_interval": 1})
    assert changed.status_code == 200, changed.text
    yield cpo
    tenant.leave(cpo)


def session_in(emsp: Emsp, status: str) -> Json:
    return next((one for one in emsp.objects["sessions"].values() if one["status"] == status), None)


def start(emsp: Emsp) -> Json:
    (location,) = emsp.pull("locations")
    assert location["evses"][0]["status"] == "AVAILABLE"
    answer, path = emsp.command(
        "START_SESSION",
        token=emsp.new_token("CARD-1"),
        location_id=location["id"],
        evse_uid=location["evses"][0]["uid"],
    )
    assert answer.data["result"] == "ACCEPTED", answer.text
    assert emsp.result(path)["result"] == "ACCEPTED"
    return emsp.wait_for(lambda: session_in(emsp, "ACTIVE"), "an active session", BACK_SECONDS)


def stop(emsp: Emsp, session: Json) -> str:
    answer, path = emsp.command("STOP_SESSION", session_id=session["id"])
    assert answer.data["result"] == "ACCEPTED", answer.text
    return path


def restarted(lab: Lab, name: str, old: int) -> None:
    eventually(lambda: lab.programs().get(name) not in (None, old), f"{name} runs again", BACK_SECONDS)


def expect_one_bill(emsp: Emsp, session: Json) -> None:
    done = emsp.wait_for(lambda: session_in(emsp, "COMPLETED"), "a completed session", BACK_SECONDS)
    emsp.wait_for(lambda: emsp.objects["cdrs"], "a CDR", BACK_SECONDS)
    assert emsp.pull("sessions") == [done]
    assert done["id"] == session["id"]
    (cdr,) = emsp.pull("cdrs")
    assert list(emsp.objects["cdrs"].values()) == [cdr]
    assert (cdr["session_id"], cdr["total_energy"]) == (done["id"], done["kwh"])
    assert cdr["total_cost"]["excl_vat"] == pytest.approx(0.30 * cdr["total_energy"], abs=0.0001)


def test_the_worker_dies_while_a_session_runs(lab: Lab, emsp: Emsp, cpo: Json) -> None:
    session = start(emsp)
    old = lab.kill("worker")
    path = stop(emsp, session)  # asked for while nobody follows
    restarted(lab, "worker", old)
    assert emsp.result(path, BACK_SECONDS)["result"] == "ACCEPTED"
    expect_one_bill(emsp, session)


def test_the_worker_dies_while_the_cdr_is_on_its_way(lab: Lab, emsp: Emsp, cpo: Json) -> None:
    session = start(emsp)
    slow = gate_before_cdrs(emsp)
    stop(emsp, session)
    emsp.wait_for(lambda: emsp.requests("cdrs"), "the CDR arrives", BACK_SECONDS)
    old = lab.kill("worker")
    slow.set()
    restarted(lab, "worker", old)
    # HTTP leaves open whether the first one counted: the same CDR, with the same id, comes again.
    emsp.wait_for(lambda: len(emsp.requests("cdrs")) > 1, "the CDR comes again", BACK_SECONDS)
    assert len({one.body["id"] for one in emsp.requests("cdrs")}) == 1
    emsp.violations.clear()
    expect_one_bill(emsp, session)


def gate_before_cdrs(emsp: Emsp) -> Any:
    """The next CDR is received and answered only once the gate is opened."""
    gate = threading.Event()
    serve = emsp.serve

    def waiting(request: Any) -> Any:
        answer = serve(request)
        if request.module == "cdrs" and not gate.is_set():
            emsp.note(request)
            gate.wait(BACK_SECONDS)
        return answer

    emsp.serve = waiting  # type: ignore[method-assign]
    return gate


def test_the_web_process_dies_while_a_handshake_is_open(lab: Lab, emsp: Emsp, cpo: Json) -> None:
    """Neither side knows whether it worked: the same Token A works again, and nobody is registered twice."""
    tenant = Tenant(lab)
    path = f"/ocpi/cpos/{cpo['cpo_id']}"
    token_a = tenant.http.post(f"{path}/tokens", json={}).json()["token_a"]
    with Emsp(party="TWO") as other:
        serve, killed = other.serve, list[int]()

        def deadly(request: Any) -> Any:
            if not killed:
                killed.append(lab.programs()["web"])  # before the other side can notice
                lab.kill("web")
            return serve(request)

        other.serve = deadly  # type: ignore[method-assign]
        with pytest.raises((OSError, HTTPException)):
            other.register(cpo["ocpi_peer_url"], token_a)
        restarted(lab, "web", killed[0])
        until(lambda: tenant.http.get(path).status_code == 200, BACK_SECONDS)
        assert tenant.http.get(f"{path}/peers").json()["total"] == 1
        assert other.register(cpo["ocpi_peer_url"], token_a).code == 1000
        assert len(other.pull("locations")) == 1
        parties = [one["roles"][0]["party_id"] for one in tenant.http.get(f"{path}/peers").json()["data"]]
        assert parties == ["EMS", "TWO"]
    tenant.http.close()


def test_the_web_process_dies_and_with_it_the_csms(lab: Lab, emsp: Emsp, cpo: Json) -> None:
    session = start(emsp)
    old = lab.kill("web")
    restarted(lab, "web", old)
    deadline = time.monotonic() + BACK_SECONDS
    while True:  # until the charger is back at its CSMS
        try:
            answer, path = emsp.command("STOP_SESSION", session_id=session["id"])
            if answer.http == 200 and answer.data["result"] == "ACCEPTED":
                break
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert emsp.result(path)["result"] == "ACCEPTED"
    expect_one_bill(emsp, session)


def test_the_simulator_dies_and_its_charger_tells_the_end_of_the_session(lab: Lab, emsp: Emsp, cpo: Json) -> None:
    session = start(emsp)
    lab.kill("simulator")
    expect_one_bill(emsp, session)
    assert next(iter(emsp.objects["cdrs"].values()))["remark"] == "PowerLoss"
