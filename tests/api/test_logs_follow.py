"""Following a log over a real server: server-sent events, cut and resumed."""

import asyncio
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from chargers.api import log_following
from chargers.api.log_following import Follower
from chargers.api.log_serializers import log_entry
from chargers.models import Charger, Message
from chargers.services.tailing import ChargerTail
from chargers.services.traffic import Filters
from locations.models import Location
from ocpplab.api import streams
from tenants import tokens
from tenants.models import Organization
from tenants.scoping import scope
from tests.api.web import Web, web
from tests.conftest import ApiClient
from tests.factories import new_charger
from tests.ops.processes import eventually

NOON = datetime(2026, 4, 2, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Json = dict[str, Any]
Record = Callable[..., None]


@pytest.fixture
def record() -> Record:
    """Records frames with these sequence numbers; the message id tells charger, epoch and number."""

    def add(charger: Charger, *numbers: int, epoch: int = 1, **fields: Any) -> None:
        rows = [
            Message(
                tenant_id=charger.tenant_id,
                charger_id=charger.pk,
                epoch=epoch,
                sequence=number,
                at=NOON + timedelta(seconds=number),
                text=f'[2,"{number}","Heartbeat",{{}}]',
                message_id=f"{charger.identity}/{epoch}-{number}",
                **{"direction": "cp_to_csms", "message_type": "CALL", "action": "Heartbeat", **fields},
            )
            for number in numbers
        ]
        with scope(charger.tenant_id):
            Message.objects.record(rows)

    return add


@pytest.fixture
def other(location: Location, charger: Charger) -> Charger:
    with scope(location.tenant_id):
        return new_charger(location, "CP-2", charger.model)


class Events:
    """The stream as an EventSource reads it: `id` is the last event's, as it would be sent on a reconnect."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.lines = answer.iter_lines()
        self.id = ""

    def __iter__(self) -> Iterator[Json]:
        data: list[str] = []
        for line in self.lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.id = value
            elif name == "data":
                data.append(value)
            elif not line and data:
                yield json.loads("\n".join(data))
                data = []

    def next(self, number: int) -> list[str]:
        """The message ids of that many events."""
        events = iter(self)
        return [next(events)["message_id"] for _ in range(number)]


@contextmanager
def following(client: httpx.Client, path: str, last: str = "", **query: Any) -> Iterator[Events]:
    """Returns once the server follows: the head of the stream is there."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
    with client.stream("GET", path, params=query, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream"
        events = Events(answer)
        assert next(events.lines).startswith("retry: ")
        yield events


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Web]:
    with web(tmp_path / "web.log") as running:
        yield running
    assert "Traceback" not in running.said()


@pytest.fixture
def client(server: Web, user_token: str) -> Iterator[httpx.Client]:
    with server.client(user_token) as http:
        yield http


def test_what_comes_while_a_follower_is_cut_off_arrives_once_after_it_resumes(
    client: httpx.Client, charger: Charger, record: Record
) -> None:
    record(charger, 1, 2)
    path = f"/chargers/{charger.pk}/logs/follow"
    with following(client, path) as events:
        record(charger, 3, 4)
        record(charger, 5)
        assert events.next(2) == ["CP-1/1-3", "CP-1/1-4"]
        last = events.id
    record(charger, 6)
    record(charger, 1, 2, epoch=2)
    with following(client, path, last) as events:
        assert events.next(4) == ["CP-1/1-5", "CP-1/1-6", "CP-1/2-1", "CP-1/2-2"]
        record(charger, 3, epoch=2)
        assert events.next(1) == ["CP-1/2-3"]


def test_frames_of_a_node_that_had_lost_its_lease_still_arrive(
    client: httpx.Client, charger: Charger, record: Record
) -> None:
    record(charger, 1)
    path = f"/chargers/{charger.pk}/logs/follow"
    with following(client, path) as events:
        record(charger, 1, epoch=2)
        assert events.next(1) == ["CP-1/2-1"]
        record(charger, 2, epoch=1)
        assert events.next(1) == ["CP-1/1-2"]
        last = events.id
    record(charger, 3, epoch=1)
    record(charger, 2, epoch=2)
    with following(client, path, last, seconds=0) as events:
        assert [one["message_id"] for one in events] == ["CP-1/1-3", "CP-1/2-2"]


def test_a_location_is_followed_as_a_whole(
    client: httpx.Client, charger: Charger, other: Charger, record: Record
) -> None:
    path = f"/locations/{charger.location_id}/logs/follow"
    record(charger, 1)
    with following(client, path) as events:
        record(other, 1)
        record(charger, 2)
        entry = next(iter(events))
        assert (entry["message_id"], entry["charger_id"]) == ("CP-2/1-1", str(other.pk))
        assert events.next(1) == ["CP-1/1-2"]
        last = events.id
    record(charger, 3)
    record(other, 2)
    with following(client, path, last) as events:
        assert events.next(2) == ["CP-1/1-3", "CP-2/1-2"]
    with following(client, path, last, charger_ids=str(other.pk)) as events:
        assert events.next(1) == ["CP-2/1-2"]


def test_a_follower_may_begin_behind_a_log_entry_or_at_a_time_and_end_by_itself(
    client: httpx.Client, charger: Charger, record: Record
) -> None:
    record(charger, *range(1, 1200))
    record(charger, 1200, action="BootNotification")
    for path in (f"/chargers/{charger.pk}/logs/follow", f"/locations/{charger.location_id}/logs/follow"):
        with following(client, path, start_date=NOON.isoformat(), seconds=0) as events:
            assert [one["message_id"] for one in events] == [f"CP-1/1-{number}" for number in range(1, 1201)]
        with following(client, path, start_date=NOON.isoformat(), seconds=0, event="bootnotification") as events:
            assert [one["message_id"] for one in events] == ["CP-1/1-1200"]
    path = f"/chargers/{charger.pk}/logs/follow"
    with following(client, path, after="1-1198", seconds=0) as events:
        assert [one["message_id"] for one in events] == ["CP-1/1-1199", "CP-1/1-1200"]


def test_there_is_room_for_so_many_and_a_place_is_free_again_when_one_leaves(
    tmp_path: Path, user_token: str, charger: Charger, record: Record
) -> None:
    path = f"/chargers/{charger.pk}/logs/follow"
    with web(tmp_path / "web.log", LOG_FOLLOWERS="1") as server, server.client(user_token) as client:
        with following(client, path):
            refused = client.get(path)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert isinstance(refused.json()["detail"], str)
        # The server learns of the closed socket in its own time.
        eventually(lambda: client.get(path, params={"seconds": 0}).status_code == 200, "a place is free", 20)


def test_followers_hold_no_thread_and_end_with_the_server(
    server: Web, client: httpx.Client, charger: Charger, record: Record
) -> None:
    path = f"/chargers/{charger.pk}/logs/follow"
    client.get(path, params={"seconds": 0})
    before = server.threads()
    with ExitStack() as stack:
        followers = [stack.enter_context(following(client, path)) for _ in range(20)]
        record(charger, 1)
        assert [events.next(1) for events in followers] == [["CP-1/1-1"]] * 20
        assert server.threads() < before + 10
        assert connections_to_the_database() < 10
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) is not None
    assert "Task was destroyed" not in server.said()


def connections_to_the_database() -> int:
    """SQLite has none that would have to be counted."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        number: int = cursor.fetchone()[0]
    return number


def test_across_chargers_nothing_is_passed_over_that_shows_itself_late(
    client: httpx.Client, charger: Charger, other: Charger, record: Record
) -> None:
    """A transaction that began earlier, and has the lesser ids, commits after another one."""
    if connection.vendor != "postgresql":
        return  # has one writer at a time
    inserted, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                # As the recorder does first: this gives the transaction its number before any frame has one.
                list(Charger.objects.unscoped().filter(pk=charger.pk).select_for_update(no_key=True))
                record(charger, 1)
                inserted.set()
                may_commit.wait(30)
        finally:
            connection.close()

    with following(client, f"/locations/{charger.location_id}/logs/follow") as events:
        writer = threading.Thread(target=slow)
        writer.start()
        assert inserted.wait(30)
        record(other, 1)
        with following(client, f"/chargers/{other.pk}/logs/follow", after="0-0") as own:
            assert own.next(1) == ["CP-2/1-1"], "of one charger it shows at once"
        may_commit.set()
        writer.join()
        assert events.next(2) == ["CP-1/1-1", "CP-2/1-1"]


def told(follower: Follower) -> list[str]:
    async def read() -> list[str]:
        return [piece.decode() async for piece in follower]

    try:
        return asyncio.run(read())
    finally:  # with its threads go their connections to the tests' database
        streams._pool().shutdown()
        streams._pool.cache_clear()


def test_a_follower_outlives_neither_its_token_nor_its_charger(
    tenant: Organization, charger: Charger, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_following, "HEARTBEAT_SECONDS", 0.0)
    _, token = tokens.issue(role="user", organization=tenant)

    def follower() -> Follower:
        with scope(tenant):
            return Follower(ChargerTail(charger.pk, Filters(), {1: 7}), log_entry, token.pk, None)

    tokens.revoke(token)
    assert told(follower()) == [
        "retry: 2000\n\n",
        ": still here\nid: 1-7\n\n",
        'event: end\ndata: {"reason": "The token has expired or was revoked."}\n\n',
    ]
    _, token = tokens.issue(role="user", organization=tenant)
    Charger.objects.unscoped().filter(pk=charger.pk).delete()
    assert "is gone" in told(follower())[-1]


@pytest.mark.parametrize("query", ["after=yesterday", "after=1_2", "seconds=-1", "direction=up", "after=1-2-3"])
def test_a_senseless_query_is_422(user_client: ApiClient, charger: Charger, query: str) -> None:
    for path in (f"/chargers/{charger.pk}/logs/follow", f"/locations/{charger.location_id}/logs/follow"):
        answer = user_client.get(f"{path}?{query}", HTTP_ACCEPT="text/event-stream")
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]
    answer = user_client.get(path, HTTP_LAST_EVENT_ID="1-2-3")
    assert answer.json()["detail"][0]["loc"] == ["header", "Last-Event-ID"]
