"""The CSMS on trial: violations and answer times, of a charger and of a location."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargers.models import Charger
from chargers.services.ingest import Record, ingest
from simulator.core.facts import AnyFact, CallUnanswered, Frame
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import new_charger

NINE = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
Told = Callable[..., None]


def at(minutes: float) -> float:
    return (NINE + timedelta(minutes=minutes)).timestamp()


def wrong(sequence: int, minutes: float, action: str = "Reset", code: str = "missing_property") -> Frame:
    words = f"{action}: type is missing."
    text = f'[2,"{sequence}","{action}",{{}}]'
    return Frame(
        sequence, "csms_to_cp", text, at(minutes), "CALL", str(sequence), action,
        violation_code=code, violation=words,
    )  # fmt: skip


def answer(sequence: int, minutes: float, milliseconds: float, action: str = "Heartbeat") -> Frame:
    return Frame(
        sequence, "csms_to_cp", "[3]", at(minutes), "CALLRESULT", str(sequence), action, answer_ms=milliseconds
    )


def call(sequence: int, minutes: float, action: str = "Heartbeat") -> Frame:
    return Frame(sequence, "cp_to_csms", "[2]", at(minutes), "CALL", str(sequence), action)


def tell(charger: Charger, *facts: AnyFact, again: bool = False) -> None:
    """What a node hands in for a charger."""
    record = Record(charger.tenant_id, charger.pk, charger.shard, 3, list(facts))
    ingest([record], snapshots={}, epochs=lambda shards: dict.fromkeys(shards, 3), again=again)


@pytest.fixture
def second(charger: Charger) -> Charger:
    with scope(charger.tenant_id):
        return new_charger(charger.location, "CP-2", charger.model)


def read(client: ApiClient, path: str, **query: Any) -> Any:
    found = client.get(path, query)
    assert found.status_code == 200, found.content
    return found.json()


def test_a_violation_is_shown_with_its_frame_and_its_explanation(user_client: ApiClient, charger: Charger) -> None:
    tell(charger, call(1, 0), wrong(2, 1))
    page = read(user_client, f"/chargers/{charger.pk}/violations")
    assert page == {
        "data": [
            {
                "id": "3-2",
                "charger_id": str(charger.pk),
                "timestamp": "2026-04-02T09:01:00.000000Z",
                "action": "Reset",
                "message_type": "CALL",
                "message_id": "2",
                "code": "missing_property",
                "explanation": "Reset: type is missing.",
                "message": '[2,"2","Reset",{}]',
            }
        ],
        "total": 1,
        "page": 1,
        "limit": 50,
        "by_action": [{"action": "Reset", "count": 1}],
    }


def test_violations_are_counted_by_action_and_read_page_by_page(user_client: ApiClient, charger: Charger) -> None:
    tell(charger, *(wrong(n, n, "Reset" if n % 3 else "ClearCache") for n in range(1, 10)))
    path = f"/chargers/{charger.pk}/violations"
    assert read(user_client, path)["by_action"] == [
        {"action": "Reset", "count": 6},
        {"action": "ClearCache", "count": 3},
    ]
    pages = [read(user_client, path, limit=4, page=number)["data"] for number in (1, 2, 3, 4)]
    assert [[one["message_id"] for one in page] for page in pages] == [list("1234"), list("5678"), ["9"], []]
    only = read(user_client, path, event="clearcache")
    assert (only["total"], [one["message_id"] for one in only["data"]]) == (3, ["3", "6", "9"])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("09:00:00", "12:00:00", "12345"),
        ("09:30:00", "10:29:00", "23"),
        ("09:31:00", "09:59:59", ""),
        ("10:00:00", "11:00:00", "345"),
        ("11:00:00", "11:59:00", "5"),
    ],
)
def test_totals_agree_with_the_rows_at_the_edges_of_hours(
    user_client: ApiClient, charger: Charger, start: str, end: str, expected: str
) -> None:
    tell(charger, *(wrong(number, minutes) for number, minutes in enumerate((0, 30, 60, 90, 120), start=1)))
    query = {"start_date": f"2026-04-02T{start}Z", "end_date": f"2026-04-02T{end}Z"}
    page = read(user_client, f"/chargers/{charger.pk}/violations", **query)
    assert "".join(one["message_id"] for one in page["data"]) == expected
    assert page["total"] == len(expected)


def test_a_code_picks_one_kind(user_client: ApiClient, charger: Charger) -> None:
    tell(charger, wrong(1, 0), wrong(2, 1, code="too_long"), wrong(3, 2, "ClearCache", "too_long"))
    page = read(user_client, f"/chargers/{charger.pk}/violations", code="too_long")
    assert (page["total"], [one["id"] for one in page["data"]]) == (2, ["3-2", "3-3"])
    assert read(user_client, f"/chargers/{charger.pk}/violations", code="nonsense")["by_action"] == []


def test_a_location_shows_the_violations_of_all_its_chargers_by_time(
    user_client: ApiClient, charger: Charger, second: Charger
) -> None:
    tell(charger, wrong(1, 0), wrong(2, 5))
    tell(second, wrong(1, 3, "ClearCache"))
    page = read(user_client, f"/locations/{charger.location_id}/violations")
    assert [one["charger_id"] for one in page["data"]] == [str(charger.pk), str(second.pk), str(charger.pk)]
    assert page["total"] == 3
    assert page["by_action"] == [{"action": "Reset", "count": 2}, {"action": "ClearCache", "count": 1}]


def test_violations_are_not_counted_in_the_log_of_a_million(
    user_client: ApiClient, charger: Charger, django_assert_num_queries: Any
) -> None:
    tell(charger, *(wrong(n, n) for n in range(20)))
    with django_assert_num_queries(4) as queries:  # token, charger, counters, rows
        read(user_client, f"/chargers/{charger.pk}/violations")
    assert not [one for one in queries.captured_queries if "COUNT(" in one["sql"]]


@pytest.mark.parametrize("query", ["page=0", "limit=1001", "start_date=2026-04-02", "limit=x"])
def test_a_query_out_of_bounds_is_422(user_client: ApiClient, charger: Charger, query: str) -> None:
    found = user_client.get(f"/chargers/{charger.pk}/violations?{query}")
    assert found.status_code == 422
    assert found.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


def test_answer_times_by_action(user_client: ApiClient, charger: Charger) -> None:
    beats = [answer(n, n / 10, n) for n in range(1, 101)]
    tell(charger, *beats, answer(101, 50, 2500.5, "Authorize"), wrong(102, 51))
    found = read(user_client, f"/chargers/{charger.pk}/timings")
    assert [one["action"] for one in found["data"]] == ["Authorize", "Heartbeat"]
    authorize, heartbeat = found["data"]
    assert authorize == {
        "action": "Authorize", "count": 1, "p50_ms": 2500.5, "p95_ms": 2500.5, "max_ms": 2500.5, "timeouts": 0,
    }  # fmt: skip
    assert heartbeat["count"] == 100
    assert heartbeat["p50_ms"] == pytest.approx(50, rel=0.045)
    assert heartbeat["p95_ms"] == pytest.approx(95, rel=0.045)
    assert heartbeat["max_ms"] == 100
    assert (found["overall"]["count"], found["overall"]["max_ms"]) == (101, 2500.5)


def test_answer_times_of_a_span_are_those_of_its_frames(user_client: ApiClient, charger: Charger) -> None:
    tell(charger, answer(1, 10, 5), answer(2, 70, 50), answer(3, 130, 500), answer(4, 131, 5000))
    query = {"start_date": "2026-04-02T09:30:00Z", "end_date": "2026-04-02T11:10:00Z"}
    found = read(user_client, f"/chargers/{charger.pk}/timings", **query)["overall"]
    assert (found["count"], found["max_ms"]) == (2, 500)


def test_a_call_that_times_out_is_counted_once_however_often_it_is_told(
    user_client: ApiClient, charger: Charger
) -> None:
    facts = [call(1, 0), call(2, 1), answer(3, 1, 20), call(4, 2), CallUnanswered(1, at(0)), CallUnanswered(4, at(2))]
    tell(charger, *facts)
    tell(charger, *facts, again=True)
    path = f"/chargers/{charger.pk}/timings"
    assert read(user_client, path)["overall"]["timeouts"] == 2
    first = {"end_date": "2026-04-02T09:00:30Z"}
    assert read(user_client, path, **first)["overall"]["timeouts"] == 1
    logs = read(user_client, f"/chargers/{charger.pk}/logs")["data"]
    assert [one["delivery"] for one in logs] == ["unanswered", "", "", "unanswered"]


def test_a_call_that_timed_out_before_the_connection_was_cut_stays_unanswered(
    user_client: ApiClient, charger: Charger
) -> None:
    tell(charger, call(1, 0), CallUnanswered(1, at(0)), call(2, 1))
    cut = Record(charger.tenant_id, charger.pk, charger.shard, 3, unconfirmed=(0, 2))
    ingest([cut], snapshots={}, epochs=lambda shards: dict.fromkeys(shards, 3), again=True)
    tell(charger, CallUnanswered(1, at(0)), again=True)
    logs = read(user_client, f"/chargers/{charger.pk}/logs")["data"]
    assert [one["delivery"] for one in logs] == ["unanswered", "unconfirmed"]
    assert read(user_client, f"/chargers/{charger.pk}/timings")["overall"]["timeouts"] == 1


def test_a_location_adds_up_its_chargers(user_client: ApiClient, charger: Charger, second: Charger) -> None:
    tell(charger, answer(1, 0, 10))
    tell(second, answer(1, 0, 1000), call(2, 0), CallUnanswered(2, at(0)))
    found = read(user_client, f"/locations/{charger.location_id}/timings")
    assert found["data"] == [{"action": "Heartbeat", **found["overall"]}]
    assert (found["overall"]["count"], found["overall"]["max_ms"], found["overall"]["timeouts"]) == (2, 1000, 1)


def test_a_stranger_sees_neither(
    stranger_client: ApiClient, charger: Charger, charger_201: Charger, stranger: Any
) -> None:
    tell(charger, wrong(1, 0), answer(2, 0, 10))
    for path in (f"/chargers/{charger.pk}", f"/locations/{charger.location_id}"):
        for what in ("violations", "timings"):
            assert stranger_client.get(f"{path}/{what}").status_code == 404
