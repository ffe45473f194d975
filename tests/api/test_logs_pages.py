"""Deep into a charger's log and back, and the filters that no counter knows."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chargers.models import Charger, ConnectionEvent, Message
from chargers.services import log_pages
from tenants.scoping import scope
from tests.conftest import ApiClient

NOON = datetime(2026, 4, 2, 12, 0, tzinfo=UTC)
Json = dict[str, Any]


@pytest.fixture
def long_log(charger: Charger) -> list[str]:
    """The ids of 60 frames of three epochs, in wire order."""
    keys = [(epoch, sequence) for epoch in (1, 2, 7) for sequence in range(1, 21)]
    rows = [
        Message(
            tenant_id=charger.tenant_id, charger_id=charger.pk, epoch=epoch, sequence=sequence, message_id=f"{index}",
            at=NOON + timedelta(minutes=index), direction="cp_to_csms" if index % 2 else "csms_to_cp",
            message_type="CALL", action="MeterValues" if index % 3 else "Heartbeat", text=f'[2,"{index}","Über",{{}}]',
            masked=index == 5, injected=index in (6, 7), violation_code="schema" if index == 8 else "",
        )
        for index, (epoch, sequence) in enumerate(keys)
    ]  # fmt: skip
    with scope(charger.tenant_id):
        Message.objects.record(rows)
    return [f"{epoch}-{sequence}" for epoch, sequence in keys]


@pytest.fixture
def read(user_client: ApiClient, charger: Charger) -> Callable[..., Json]:
    def get(**query: Any) -> Json:
        answer = user_client.get(f"/chargers/{charger.pk}/logs", query)
        assert answer.status_code == 200, answer.content
        page: Json = answer.json()
        return page

    return get


def ids(page: Json) -> list[str]:
    return [entry["id"] for entry in page["data"]]


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize("limit", [1, 7, 60])
def test_cursors_lead_through_all_of_it_and_back(
    long_log: list[str], read: Callable[..., Json], order: str, limit: int
) -> None:
    expected = long_log if order == "oldest" else long_log[::-1]
    pages = [read(order=order, limit=limit)]
    while pages[-1]["next"]:
        pages.append(read(order=order, limit=limit, cursor=pages[-1]["next"]))
    assert [one for page in pages for one in ids(page)] == expected
    assert pages[0]["previous"] is None
    assert [(page["offset"], page["total"]) for page in pages] == [(offset, 60) for offset in range(0, 60, limit)]
    for earlier, later in zip(pages[-2::-1], pages[:0:-1], strict=True):
        back = read(order=order, limit=limit, cursor=later["previous"])
        assert (ids(back), back["offset"], back["total"]) == (ids(earlier), earlier["offset"], 60)
        assert bool(back["previous"]) == bool(earlier["offset"])


def test_a_page_by_offset_has_cursors_too(long_log: list[str], read: Callable[..., Json]) -> None:
    page = read(offset=30, limit=10)
    assert ids(read(limit=5, cursor=page["next"])) == long_log[40:45]
    assert ids(read(limit=5, cursor=page["previous"])) == long_log[25:30]
    assert read(offset=55, limit=10)["next"] is None


def test_what_is_written_meanwhile_moves_no_page(
    long_log: list[str], charger: Charger, read: Callable[..., Json]
) -> None:
    page = read(order="newest", limit=10)
    with scope(charger.tenant_id):
        Message.objects.record([
            Message(tenant_id=charger.tenant_id, charger_id=charger.pk, epoch=9, sequence=1, at=NOON, text="[]")
        ])  # fmt: skip
    assert ids(read(order="newest", limit=10, cursor=page["next"])) == long_log[-11:-21:-1]
    assert ids(read(order="newest", limit=1)) == ["9-1"]


def test_a_deep_page_by_cursor_costs_one_query_for_its_rows(
    long_log: list[str], user_client: ApiClient, charger: Charger, read: Callable[..., Json],
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    cursor = read(limit=10, offset=5)["next"]
    with django_assert_num_queries(4) as queries:  # token, charger, the rest of this epoch, later epochs
        read(limit=10, cursor=cursor)
    assert not [one for one in queries.captured_queries if "COUNT(" in one["sql"] or "OFFSET" in one["sql"]]


def test_connections_have_their_place_in_cursors(
    long_log: list[str], charger: Charger, read: Callable[..., Json]
) -> None:
    for epoch, sequence in ((1, 0), (2, 0), (2, 21)):
        ConnectionEvent.objects.unscoped().create(
            tenant_id=charger.tenant_id, charger=charger, epoch=epoch, sequence=sequence, at=NOON, kind="connected"
        )
    expected = ["1-0", *long_log[:20], "2-0", *long_log[20:40], "2-21", *long_log[40:]]
    for order, wanted in (("oldest", expected), ("newest", expected[::-1])):
        pages = [read(include="connections", order=order, limit=8)]
        while pages[-1]["next"]:
            pages.append(read(include="connections", order=order, limit=8, cursor=pages[-1]["next"]))
        assert [one for page in pages for one in ids(page)] == wanted
        assert pages[0]["total"] == 63


@pytest.mark.parametrize("cursor", ["nonsense", "W10", "WyJ4Iiw1XQ", "é", "=", "A" * 600])
def test_a_senseless_cursor_is_422(user_client: ApiClient, charger: Charger, cursor: str) -> None:
    answer = user_client.get(f"/chargers/{charger.pk}/logs", {"cursor": cursor})
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "cursor"])


def test_a_cursor_belongs_to_its_filters_and_its_log(
    long_log: list[str], user_client: ApiClient, charger: Charger, charger_201: Charger, read: Callable[..., Json]
) -> None:
    cursor = read(limit=5)["next"]
    for path, query in (
        (f"/chargers/{charger.pk}/logs", {"event": "Heartbeat"}),
        (f"/chargers/{charger.pk}/logs", {"order": "newest"}),
        (f"/chargers/{charger_201.pk}/logs", {}),
        (f"/locations/{charger.location_id}/logs", {}),
    ):
        answer = user_client.get(path, {"cursor": cursor, **query})
        assert answer.status_code == 422
        assert "other filters" in answer.json()["detail"][0]["msg"]
    question = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=="))[0]
    for position in (["1"], ["1", "x"], [str(2**130), "1"], ["1", "2", "3"], [str(2**70), str(2**70)]):
        forged = log_pages.Cursor(question, position, is_back=False, offset=0, total=60, is_exact=True).encoded()
        assert user_client.get(f"/chargers/{charger.pk}/logs", {"cursor": forged}).status_code in (200, 422)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"masked": "true"}, ["5"]),
        ({"injected": "true"}, ["6", "7"]),
        ({"violation": "true"}, ["8"]),
        ({"injected": "true", "event": "heartbeat"}, ["6"]),
        ({"text": '"41","Ü'}, ["41"]),
        ({"text": "100%"}, []),
        ({"text": ' "1"'}, []),
        ({"message_id": "17", "direction": "cp_to_csms"}, ["17"]),
    ],
)
def test_filters_on_what_frames_are_and_say(
    long_log: list[str], read: Callable[..., Json], query: Json, expected: list[str]
) -> None:
    page = read(**query)
    assert [entry["message_id"] for entry in page["data"]] == expected
    assert (page["total"], page["total_is"]) == (len(expected), "exact")


def test_a_text_is_not_counted_beyond_the_page(long_log: list[str], read: Callable[..., Json]) -> None:
    page = read(text="Über", limit=10)
    assert (page["total"], page["total_is"]) == (11, "at_least")
    last = read(text="Über", limit=10, offset=50)
    assert (last["total"], last["total_is"], last["next"]) == (60, "exact", None)


def test_other_filters_are_counted_up_to_a_bound(
    long_log: list[str], read: Callable[..., Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (read(direction="cp_to_csms", limit=5)["total"], read(violation="false", limit=5)["total"]) == (30, 59)
    monkeypatch.setattr(log_pages, "MOST_COUNTED", 20)
    page = read(direction="cp_to_csms", limit=5)
    assert (page["total"], page["total_is"]) == (20, "at_least")
    assert len(read(direction="cp_to_csms", limit=5, offset=22)["data"]) == 5
    assert read(direction="cp_to_csms", offset=99)["data"] == []
