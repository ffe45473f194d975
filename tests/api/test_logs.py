"""Reading the traffic of a charger (gateway contract, section 14)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargers.models import Charger, ConnectionEvent, Message
from tenants.scoping import scope
from tests.conftest import ApiClient

NINE = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
Log = Callable[..., None]


@pytest.fixture
def log(charger: Charger) -> Log:
    """Records frames of the charger: (minutes after nine, action) each, in wire order."""
    counter = iter(range(1, 10_000))

    def record(*frames: tuple[float, str], epoch: int = 1, **fields: Any) -> None:
        rows = [
            Message(
                tenant_id=charger.tenant_id,
                charger_id=charger.pk,
                epoch=epoch,
                sequence=next(counter),
                at=NINE + timedelta(minutes=minutes),
                action=action,
                text=f'[2,"{minutes}","{action}",{{}}]',
                **{"direction": "cp_to_csms", "message_type": "CALL", "message_id": str(minutes), **fields},
            )
            for minutes, action in frames
        ]
        with scope(charger.tenant_id):
            Message.objects.record(rows)

    return record


@pytest.fixture
def logs(user_client: ApiClient, charger: Charger) -> Callable[..., Any]:
    def read(**query: Any) -> Any:
        answer = user_client.get(f"/chargers/{charger.pk}/logs", query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return read


def actions(page: dict[str, Any]) -> list[str]:
    return [entry["action"] for entry in page["data"]]


def test_an_entry_shows_the_raw_frame_as_one_string(log: Log, logs: Callable[..., Any]) -> None:
    log((0, "BootNotification"), transaction="7", masked=True, note="odd")
    page = logs()
    assert (page["total"], page["limit"], page["offset"]) == (1, 100, 0)
    assert page["data"] == [
        {
            "id": "1-1",
            "direction": "cp_to_csms",
            "action": "BootNotification",
            "message": '[2,"0","BootNotification",{}]',
            "timestamp": "2026-04-02T09:00:00.000000Z",
            "message_type": "CALL",
            "message_id": "0",
            "transaction": "7",
            "encoding": "",
            "masked": True,
            "injected": False,
            "delivery": "",
            "note": "odd",
            "violation_code": "",
            "violation": "",
            "answer_ms": None,
        }
    ]


def test_wire_order_is_epoch_then_sequence_whatever_the_clock_said(log: Log, logs: Callable[..., Any]) -> None:
    log((30, "C"), epoch=2)
    log((20, "A"), (10, "B"), epoch=1)
    assert actions(logs()) == ["A", "B", "C"]


def test_limit_and_offset_apply_after_the_filters(log: Log, logs: Callable[..., Any]) -> None:
    log(*((n, "Heartbeat" if n % 2 else "MeterValues") for n in range(10)))
    page = logs(event="heartbeat", limit=2, offset=1)
    assert [entry["message_id"] for entry in page["data"]] == ["3", "5"]
    assert (page["total"], page["limit"], page["offset"]) == (5, 2, 1)
    assert logs(offset=99)["data"] == []
    assert logs(event="Heart")["total"] == 0


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, None, 6),
        ("2026-04-02T09:00:00Z", None, 6),
        ("2026-04-02T09:00:00.000001Z", None, 5),
        ("2026-04-02T11:30:00+02:00", None, 5),
        (None, "2026-04-02T09:30:00Z", 2),
        (None, "2026-04-02T09:29:59.999999Z", 1),
        (None, "2026-04-02T10:00:00Z", 3),
        ("2026-04-02T09:30:00Z", "2026-04-02T09:45:00Z", 1),
        ("2026-04-02T09:31:00Z", "2026-04-02T09:45:00Z", 0),
        ("2026-04-02T09:30:00Z", "2026-04-02T11:10:00Z", 4),
        ("2026-04-02T10:00:00Z", "2026-04-02T11:00:00Z", 3),
        ("2026-04-02T13:00:00Z", "2026-04-02T08:00:00Z", 0),
        ("2026-04-02T09:30:00Z", "2026-04-02T09:30:00Z", 1),
        ("9999-12-31T23:59:59Z", None, 0),
    ],
)
def test_bounds_are_inclusive_and_the_total_agrees_with_the_rows(
    log: Log, logs: Callable[..., Any], start: str | None, end: str | None, expected: int
) -> None:
    log((0, "A"), (30, "B"), (60, "A"), (90, "B"), (120, "A"), (180, "B"))
    query = {name: value for name, value in (("start_date", start), ("end_date", end)) if value}
    page = logs(**query)
    assert (len(page["data"]), page["total"]) == (expected, expected)
    of_a = logs(**query, event="a")
    assert of_a["total"] == len(of_a["data"]) == actions(page).count("A")


def test_the_other_filters_pick_columns(log: Log, logs: Callable[..., Any]) -> None:
    log((1, "StartTransaction"))
    log((2, "StartTransaction"), direction="csms_to_cp", message_type="CALLRESULT", transaction="42")
    assert logs(direction="csms_to_cp")["total"] == 1
    assert logs(message_type="CALL")["total"] == 1
    assert logs(message_id="2")["data"][0]["transaction"] == "42"
    assert logs(transaction="42", event="starttransaction")["total"] == 1
    assert logs(transaction="43")["total"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "start_date=2026-04-02T09:00:00", "end_date=2026-04-02", "start_date=yesterday", "end_date=",
        "limit=0", "limit=1001", "limit=ten", "offset=-1", "direction=up",
    ],
)  # fmt: skip
def test_a_query_out_of_bounds_is_422(user_client: ApiClient, charger: Charger, query: str) -> None:
    answer = user_client.get(f"/chargers/{charger.pk}/logs?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", query.partition("=")[0]]


def test_totals_come_from_counters_and_not_from_the_big_table(
    user_client: ApiClient, charger: Charger, log: Log, django_assert_num_queries: Any
) -> None:
    log(*((n, "Heartbeat") for n in range(50)))
    with django_assert_num_queries(4) as queries:  # token, charger, counters, rows
        user_client.get(f"/chargers/{charger.pk}/logs")
    assert not [one for one in queries.captured_queries if "COUNT(*)" in one["sql"]]


def test_connections_are_interleaved_on_request(
    user_client: ApiClient, charger: Charger, log: Log, logs: Callable[..., Any]
) -> None:
    log((0, "A"), (1, "B"), epoch=1)
    log((3, "C"), epoch=2)
    for epoch, sequence, kind, code in ((1, 0, "connected", None), (1, 9, "closed", 1006), (2, 1, "connected", None)):
        ConnectionEvent.objects.unscoped().create(
            tenant_id=charger.tenant_id, charger=charger, epoch=epoch, sequence=sequence, at=NINE, kind=kind, code=code
        )
    everything = logs(include="connections")
    shown = [entry["action"] or entry["connection"]["kind"] for entry in everything["data"]]
    assert shown == ["connected", "A", "B", "closed", "connected", "C"]
    assert everything["total"] == 6
    pieces = [logs(include="connections", limit=2, offset=offset)["data"] for offset in (0, 2, 4, 6)]
    assert [entry for piece in pieces for entry in piece] == everything["data"]
    assert logs()["total"] == 3
    page = user_client.get(f"/chargers/{charger.pk}/connections", {"page": 2, "limit": 1}).json()
    assert page["total"] == 3
    assert page["data"] == [
        {"id": "1-9", "kind": "closed", "code": 1006, "reason": "", "timestamp": "2026-04-02T09:00:00.000000Z"}
    ]
