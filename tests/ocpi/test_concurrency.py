"""A real web process while handshakes are open: peers call back, others stay silent, and nobody waits for them."""

import threading
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path

import pytest

from ocpi import credentials
from ocpi.models import Cpo, Credential, Peer
from ocpi.peer import links
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.emsp import Answer, Emsp, Received, Response
from tests.ocpi.lab import web

pytestmark = pytest.mark.slow
SILENT = 6  # more than a machine has cores


@pytest.fixture
def address(transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OCPI_PEER_SECONDS", "120")  # nobody gives up before the test ends it
    with web(tmp_path / "web.log") as address:
        yield address
    assert "Traceback" not in (tmp_path / "web.log").read_text()


@pytest.fixture
def cpo(address: str, tenant: Organization) -> Cpo:
    with scope(tenant):
        return bundle.new_cpo()


def new_token_a(cpo: Cpo) -> str:
    with scope(cpo.tenant_id):
        return credentials.mint(cpo, Credential.A)


def test_a_peer_may_call_while_its_post_is_open(address: str, cpo: Cpo, emsp: Emsp) -> None:
    token_a, url = new_token_a(cpo), f"{address}{links.PREFIX}{cpo.pk}/versions"
    seen: list[Response] = []
    serve = emsp.serve

    def call_back(request: Received) -> Answer:
        seen.append(emsp.call("GET", f"{address}{links.PREFIX}{cpo.pk}/2.2.1", token=token_a))
        return serve(request)

    emsp.serve = call_back  # type: ignore[method-assign]
    answer = emsp.register(url, token_a)
    assert (answer.http, answer.code) == (200, 1000), answer.text
    assert [one.http for one in seen] == [200, 200]  # once for our GET of versions, once for that of the details


def test_silent_peers_delay_nobody(address: str, cpo: Cpo) -> None:
    """Their handshakes stay open, all at the same time, while another peer registers and reads."""
    url = f"{address}{links.PREFIX}{cpo.pk}/versions"
    platforms = [Emsp(party=f"S{number:02}") for number in range(SILENT)]
    answers: list[Response] = []

    def join(platform: Emsp, token_a: str) -> None:
        answers.append(platform.register(url, token_a))

    threads = [threading.Thread(target=join, args=(one, new_token_a(cpo))) for one in platforms]
    for platform, thread in zip(platforms, threads, strict=True):
        platform.__enter__()
        platform.script("versions", Answer(hang=True))
        thread.start()
    for platform in platforms:
        platform.wait_for_request("versions", "GET")
    with Emsp(party="OK1") as lively:
        assert lively.register(url, new_token_a(cpo)).code == 1000
        assert [one["id"] for one in lively.pull("locations")] == ["LOC1"]
    assert answers == []
    for platform in platforms:
        platform.__exit__(None, None, None)
    for thread in threads:
        thread.join(30)
    assert {one.code for one in answers} == {3001}


def test_a_web_process_that_dies_in_a_handshake_leaves_it_undone(cpo: Cpo, tmp_path: Path) -> None:
    token_a = new_token_a(cpo)
    ended: list[BaseException] = []

    def join(url: str) -> None:
        try:
            emsp.register(url, token_a)
        except (HTTPException, OSError) as error:
            ended.append(error)

    with Emsp() as emsp:
        emsp.script("versions", Answer(hang=True))
        with web(tmp_path / "first.log") as address:  # killed at the end of the block
            thread = threading.Thread(target=join, args=(f"{address}{links.PREFIX}{cpo.pk}/versions",))
            thread.start()
            emsp.wait_for_request("versions", "GET")
        thread.join(30)
        assert ended
        with scope(cpo.tenant_id):
            assert not Peer.objects.exists()
        with web(tmp_path / "second.log") as address:
            answer = emsp.register(f"{address}{links.PREFIX}{cpo.pk}/versions", token_a)
            assert (answer.http, answer.code) == (200, 1000), answer.text
