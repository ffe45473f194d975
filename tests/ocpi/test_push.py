"""What peers are told unasked, whatever they answer (OCPI contract, section 13): a real pusher, real eMSPs."""

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from ocpi.following.follower import Follower
from ocpi.models import Cdr, Exchange, Peer, PeerState, Push, PushState, Session, Tariff, Token
from ocpi.protocol import tokens
from ocpi.protocol.versions import binding
from ocpi.pushing import outbox
from ocpi.pushing.pusher import PusherThread
from ocpi.worker import FollowerThread
from ocpplab.sealing import seal
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.emsp import Answer, Emsp
from tests.ocpi.lab import eventually
from tests.ocpi.stage import Stage, build, endpoints_at


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    yield
    connections.close_all()


@pytest.fixture
def stage(transactional_db: None, tenant: Organization, model: Any, emsp: Emsp) -> Stage:
    stage = build(tenant, model)
    join(stage.peer, emsp)
    stage.peer.refresh_from_db()
    emsp.token_c = "unused"
    stage.comes_online()
    Push.objects.unscoped().all().delete()
    return stage


def join(peer: Peer, emsp: Emsp, modules: dict[str, str] | None = None) -> None:
    """As if it had registered; it has told all its tokens."""
    base = f"{emsp.url}/2.2.1"
    wanted = modules or {name: emsp.modules[name] for name in ("locations", "tariffs", "sessions", "cdrs")}
    Peer.objects.unscoped().filter(pk=peer.pk).update(
        endpoints=endpoints_at(base, wanted),
        sealed_token=seal(emsp.token_b),
        versions_url=emsp.versions_url,
        tokens_pulled_at=timezone.now(),
    )


@pytest.fixture
def pusher(stage: Stage) -> Iterator[PusherThread]:
    thread = PusherThread()
    thread.start()
    yield thread
    thread.stop()


def change_tariff(stage: Stage) -> None:
    with scope(stage.cpo.tenant_id):
        outbox.tariff_changed(Tariff.objects.get())


def settled(state: str) -> Callable[[], Any]:
    return lambda: Push.objects.unscoped().filter(state=state).first()


def hurry() -> None:
    """Lets the time until the next attempt pass."""
    Push.objects.unscoped().filter(state=PushState.WAITING).update(due_at=timezone.now())


def attempts(emsp: Emsp, module: str) -> list[str]:
    return [one.method for one in emsp.requests(module)]


def test_locations_evses_and_tariffs_are_put_patched_and_deleted(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    with scope(stage.cpo.tenant_id):
        evse = stage.evse()
        outbox.location_changed(evse.location)
        tariff = Tariff.objects.get()
        outbox.tariff_changed(tariff)
    emsp.wait_for(lambda: len(emsp.requests("locations")) == len(emsp.requests("tariffs")) == 1)
    with scope(stage.cpo.tenant_id):
        outbox.evse_status_changed(evse)
        evse.tariffs.clear()
        Tariff.objects.update(removed_at=timezone.now())
        outbox.tariff_removed(tariff)
    emsp.wait_for(lambda: len(emsp.requests("locations")) == len(emsp.requests("tariffs")) == 2)
    assert [(one.method, one.path) for one in emsp.requests("locations")] == [
        ("PUT", "/2.2.1/locations/NL/LAB/LOC1"),
        ("PATCH", "/2.2.1/locations/NL/LAB/LOC1/E1"),
    ]
    assert [(one.method, one.path) for one in emsp.requests("tariffs")] == [
        ("PUT", "/2.2.1/tariffs/NL/LAB/T1"),
        ("DELETE", "/2.2.1/tariffs/NL/LAB/T1"),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503),
        Answer(500, body=b"<html>broken</html>"),
        Answer(408),
        Answer(425),
        Answer(429),
        Answer(200, code=3000),
    ],
    ids=["503", "500 without envelope", "408", "425", "429", "3000"],
)
def test_what_may_pass_is_tried_again(stage: Stage, pusher: Any, emsp: Emsp, answer: Answer) -> None:
    emsp.script("tariffs", answer)
    change_tariff(stage)
    emsp.wait_for(lambda: len(emsp.requests("tariffs")) == 1)
    waiting = eventually(lambda: Push.objects.unscoped().filter(attempts=1, claimed_until=None).first())
    assert waiting.due_at > waiting.created_at + timedelta(seconds=1)
    hurry()
    emsp.wait_for(lambda: len(emsp.requests("tariffs")) == 2)
    eventually(settled(PushState.DELIVERED))


UNSTORABLE = (
    b'{"status_code": 2002, "status_message": "half \\ud83d, none \\u0000", "timestamp": "2026-03-01T08:00:00Z"}'
)


@pytest.mark.parametrize(
    "answer",
    [Answer(400, code=2000), Answer(200, code=2001), Answer(404, code=2000), Answer(200, code=2002, body=UNSTORABLE)],
)
def test_what_the_peer_refuses_is_not_repeated(stage: Stage, pusher: Any, emsp: Emsp, answer: Answer) -> None:
    emsp.script("tariffs", answer)
    change_tariff(stage)
    refused = eventually(settled(PushState.REFUSED))
    assert str(answer.code) in refused.problem
    assert attempts(emsp, "tariffs") == ["PUT"]


def test_the_plan_ends_and_nothing_is_replayed(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    emsp.script("tariffs", *[Answer(503)] * 4)
    change_tariff(stage)
    for number in range(1, 5):
        emsp.wait_for(lambda number=number: len(emsp.requests("tariffs")) == number)
        eventually(lambda number=number: Push.objects.unscoped().filter(attempts=number, claimed_until=None).first())
        hurry()
    assert eventually(settled(PushState.GIVEN_UP)).attempts == 4
    assert Exchange.objects.unscoped().filter(module="tariffs", direction="outgoing").count() == 4


@pytest.mark.parametrize("is_date", [False, True])
def test_a_peer_that_asks_for_time_gets_it(stage: Stage, pusher: Any, emsp: Emsp, is_date: bool) -> None:
    wait = format_datetime(timezone.now() + timedelta(seconds=120), usegmt=True) if is_date else "120"
    emsp.script("tariffs", Answer(429, headers={"Retry-After": wait}))
    change_tariff(stage)
    push = eventually(lambda: Push.objects.unscoped().filter(attempts=1, claimed_until=None).first())
    assert push.due_at > timezone.now() + timedelta(seconds=100)


@pytest.mark.parametrize("answer", [Answer(404, code=2000), Answer(200, code=2003)], ids=["404", "2003"])
def test_a_patch_of_what_the_peer_does_not_know_is_followed_by_the_whole(
    stage: Stage, pusher: Any, emsp: Emsp, answer: Answer
) -> None:
    emsp.script("locations", answer, answer)
    with scope(stage.cpo.tenant_id):
        outbox.evse_status_changed(stage.evse())
    eventually(settled(PushState.REFUSED))
    assert attempts(emsp, "locations") == ["PATCH", "PUT"]  # once, then it is given up


def test_a_redirect_to_the_same_origin_is_followed_with_method_body_and_token(
    stage: Stage, pusher: Any, emsp: Emsp
) -> None:
    emsp.script("tariffs", Answer(307, headers={"Location": f"{emsp.url}/2.2.1/tariffs/NL/LAB/T1/"}))
    change_tariff(stage)
    eventually(settled(PushState.DELIVERED))
    first, second = emsp.requests("tariffs")
    assert (second.method, second.path, second.body) == ("PUT", "/2.2.1/tariffs/NL/LAB/T1/", first.body)
    assert second.headers["authorization"] == first.headers["authorization"]


def test_three_401_in_a_row_pause_everything_for_that_peer(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    emsp.script("tariffs", *[Answer(401, code=2000)] * 3)
    for number in range(1, 4):
        change_tariff(stage)
        emsp.wait_for(lambda number=number: len(emsp.requests("tariffs")) == number)
        eventually(lambda: not Push.objects.unscoped().filter(state=PushState.WAITING).exists())
    eventually(lambda: Peer.objects.unscoped().get().state == PeerState.REJECTED)
    change_tariff(stage)
    assert not Push.objects.unscoped().filter(state=PushState.WAITING).exists()


def test_after_ten_failures_a_peer_is_offline_until_a_probe_succeeds(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    Peer.objects.unscoped().update(failures=9)
    emsp.script("tariffs", Answer(503))
    change_tariff(stage)
    offline = eventually(lambda: Peer.objects.unscoped().filter(state=PeerState.OFFLINE).first())
    assert offline.probe_at > timezone.now() + timedelta(seconds=30)
    change_tariff(stage)
    assert not Push.objects.unscoped().filter(state=PushState.WAITING).exists()
    Peer.objects.unscoped().update(probe_at=timezone.now())
    eventually(lambda: Peer.objects.unscoped().filter(state=PeerState.REGISTERED, failures=0).exists())
    assert any(one.path == "/versions" for one in emsp.received)
    change_tariff(stage)
    emsp.wait_for(lambda: len(emsp.requests("tariffs")) == 2)


def test_an_endpoint_is_called_as_the_peer_has_spelled_it(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    """Some frameworks redirect an address without its slash, and lose the body."""
    modules = {"cdrs": "RECEIVER", "tariffs": "RECEIVER", "tokens": "SENDER"}
    slashed = [{**one, "url": f"{one['url']}/"} for one in endpoints_at(f"{emsp.url}/2.2.1", modules)]
    Peer.objects.unscoped().update(endpoints=slashed, tokens_pulled_at=None)
    change_tariff(stage)
    with scope(stage.cpo.tenant_id):
        stage.peer.refresh_from_db()
        outbox.cdr_made(bundle.new_cdr(stage.cpo, stage.peer))
    emsp.wait_for(lambda: emsp.requests("cdrs") and emsp.requests("tariffs") and emsp.requests("tokens"))
    paths = {one.path for name in modules for one in emsp.requests(name)}
    assert paths == {"/2.2.1/cdrs/", "/2.2.1/tariffs/NL/LAB/T1", "/2.2.1/tokens/"}


def test_a_cdr_keeps_the_address_that_the_peer_gives_it(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    emsp.script("cdrs", Answer(201, headers={"Location": f"{emsp.url}/2.2.1/cdrs/C1"}))
    with scope(stage.cpo.tenant_id):
        outbox.cdr_made(bundle.new_cdr(stage.cpo, stage.peer), correlation_id="flow-1")
    eventually(lambda: Cdr.objects.unscoped().get().peer_url == f"{emsp.url}/2.2.1/cdrs/C1")
    (request,) = emsp.requests("cdrs")
    assert request.headers["x-correlation-id"] == "flow-1"


def test_every_attempt_is_on_record_without_the_token(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    emsp.script("tariffs", Answer(503))
    change_tariff(stage)
    eventually(lambda: Push.objects.unscoped().filter(attempts=1, claimed_until=None).exists())
    hurry()
    eventually(settled(PushState.DELIVERED))
    first, second = Exchange.objects.unscoped().filter(direction="outgoing").order_by("id")
    sent = [one.headers["x-correlation-id"] for one in emsp.requests("tariffs")]
    assert [first.correlation_id, second.correlation_id] == sent
    assert [(one.method, one.module, one.http_status, one.attempt) for one in (first, second)] == [
        ("PUT", "tariffs", 503, 1),
        ("PUT", "tariffs", 200, 2),
    ]
    assert emsp.token_b not in "".join(one.request_body + one.response_body + one.url for one in (first, second))


@pytest.fixture
def black_hole() -> Iterator[str]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        held: list[socket.socket] = []

        def swallow() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=swallow, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in held:
            one.close()


def test_a_dead_peer_delays_nobody_else(stage: Stage, pusher: Any, emsp: Emsp, black_hole: str) -> None:
    with scope(stage.cpo.tenant_id):
        dead = bundle.new_peer(stage.cpo, party="DED")
        Peer.objects.filter(pk=dead.pk).update(endpoints=endpoints_at(black_hole), tokens_pulled_at=timezone.now())
        for number in range(20):
            tariff = bundle.new_tariff(stage.cpo, f"X{number}")
            outbox.tariff_changed(tariff)
    emsp.wait_for(lambda: len(emsp.objects["tariffs"]) == 20)
    stuck = Push.objects.unscoped().filter(peer=dead, state=PushState.WAITING)
    assert stuck.count() == 20  # not one of them has been answered meanwhile
    stage.status("Charging", 1)
    emsp.wait_for(lambda: [one for one in emsp.requests("locations") if one.body.get("status") == "CHARGING"])
    assert stuck.exists()


def test_a_pull_only_peer_is_told_nothing(stage: Stage, emsp: Emsp) -> None:
    join(stage.peer, emsp, {"tokens": "SENDER", "cdrs": "SENDER"})
    change_tariff(stage)
    with scope(stage.cpo.tenant_id):
        stage.peer.refresh_from_db()
        outbox.cdr_made(bundle.new_cdr(stage.cpo, stage.peer))
    assert not Push.objects.unscoped().exists()


def test_tokens_are_pulled_once_page_by_page_and_then_as_deltas(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    emsp.tokens = [emsp.new_token(f"CARD-{number}") for number in range(120)]
    emsp.tokens.append({**emsp.new_token("WRONG"), "party_id": "ZZZ"})
    emsp.tokens.append({**emsp.new_token("BROKEN"), "valid": "perhaps"})
    emsp.tokens.append({**emsp.new_token("UNSTORABLE"), "theirs": "\0"})
    emsp.tokens[7] |= {"visual_number": None}
    join(stage.peer, emsp, {"tokens": "SENDER"})
    Peer.objects.unscoped().update(tokens_pulled_at=None)
    pulled = eventually(lambda: Peer.objects.unscoped().get().tokens_pulled_at)
    assert Token.objects.unscoped().count() == 120
    assert "visual_number" not in Token.objects.unscoped().get(key_uid="CARD-7").content
    asked = emsp.requests("tokens", "GET")
    assert len(asked) == 3
    assert "date_from" not in asked[0].query
    Peer.objects.unscoped().update(tokens_pulled_at=pulled - timedelta(days=2))
    restarted = PusherThread()
    restarted.start()
    try:
        eventually(lambda: (Peer.objects.unscoped().get().tokens_pulled_at or pulled) > pulled)
    finally:
        restarted.stop()
    assert "date_from" in emsp.requests("tokens", "GET")[3].query


def test_two_followers_and_two_pushers_do_everything_once(stage: Stage, pusher: Any, emsp: Emsp) -> None:
    with scope(stage.cpo.tenant_id):
        tokens.store(stage.peer, binding("2.2.1"), emsp.new_token("CARD-1"), ("NL", "EMS"))
    threads: list[Any] = [FollowerThread(), FollowerThread(), PusherThread()]
    for thread in threads:
        thread.start()
    stage.follower = IdleFollower()
    try:
        key = stage.start("CARD-1", 0)
        for number in range(1, 6):
            stage.meter(number * 1000, number * 600)
        stage.stop(key, 6000, 3600)
        emsp.wait_for(lambda: emsp.objects["cdrs"], "a CDR")
        emsp.wait_for(lambda: [one for one in emsp.objects["sessions"].values() if one["status"] == "COMPLETED"])
    finally:
        for thread in threads:
            thread.stop()
    (session,), (cdr,) = Session.objects.unscoped().all(), Cdr.objects.unscoped().all()
    assert list(emsp.objects["sessions"]) == [session.session_id]
    assert (float(session.kwh), cdr.content["total_energy"]) == (6.0, 6.0)
    energies = [one["volume"] for period in session.periods for one in period["dimensions"] if one["type"] == "ENERGY"]
    assert sum(energies) == pytest.approx(6.0)
    assert len(emsp.requests("cdrs")) == 1


class IdleFollower(Follower):
    """Leaves the work to the threads."""

    def look(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        pass
