"""Whole logs as NDJSON and CSV, from the real server and from the view."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chargers.models import Charger, ConnectionEvent, Message
from chargers.services.charger_log import ChargerLog
from tenants.scoping import scope
from tests.api.web import web
from tests.conftest import ApiClient

NOON = datetime(2026, 4, 2, 12, 0, tzinfo=UTC)
NDJSON, CSV = "application/x-ndjson", "text/csv"


def record(charger: Charger, number: int, **fields: Any) -> None:
    given = {"direction": "cp_to_csms", "message_type": "CALL", "action": "Heartbeat", "text": "[]"} | fields
    rows = [
        Message(
            tenant_id=charger.tenant_id, charger_id=charger.pk, epoch=1, sequence=index, message_id=str(index),
            at=NOON + timedelta(seconds=index), **given,
        )
        for index in range(1, number + 1)
    ]  # fmt: skip
    with scope(charger.tenant_id):
        Message.objects.record(rows)


def body_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


@pytest.fixture
def read(user_client: ApiClient, charger: Charger) -> Callable[..., Any]:
    def get(accept: str = "application/json", **query: Any) -> Any:
        answer = user_client.get(f"/chargers/{charger.pk}/logs", query, HTTP_ACCEPT=accept)
        assert answer.status_code == 200, answer.content
        return answer

    return get


@pytest.mark.parametrize(("accept", "query"), [(NDJSON, {}), ("*/*", {"format": "ndjson"})])
def test_every_match_is_a_line_whatever_the_limit(
    charger: Charger, read: Callable[..., Any], accept: str, query: dict[str, str]
) -> None:
    record(charger, 1201)
    answer = read(accept, limit=5, **query)
    assert answer.headers["Content-Type"] == f"{NDJSON}; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="CP-1-log.ndjson"'
    entries = [json.loads(line) for line in body_of(answer).splitlines()]
    assert [one["message_id"] for one in entries] == [str(index) for index in range(1, 1202)]
    assert entries[0] == read().json()["data"][0]
    newest = read(accept, order="newest", start_date=(NOON + timedelta(seconds=1200)).isoformat(), **query)
    assert [json.loads(line)["message_id"] for line in body_of(newest).splitlines()] == ["1201", "1200"]


def test_a_spreadsheet_gets_rows_and_never_a_formula(charger: Charger, read: Callable[..., Any]) -> None:
    evil = '=HYPERLINK("http://x","y")'
    record(charger, 2, text=f'{evil}\n"quoted",é', action="@SUM(A1)", transaction="-1", note="+cmd|x")
    answer = read(format="csv")
    assert answer.headers["Content-Type"] == f"{CSV}; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(body_of(answer))))
    assert len(rows) == 2
    assert rows[0]["message"] == f'\'{evil}\n"quoted",é'
    assert (rows[0]["action"], rows[0]["note"]) == ("'@SUM(A1)", "'+cmd|x")
    assert (rows[0]["transaction"], rows[0]["masked"]) == ("-1", "false")


def test_connections_and_a_location_have_their_columns(
    user_client: ApiClient, charger: Charger, read: Callable[..., Any]
) -> None:
    record(charger, 1)
    ConnectionEvent.objects.unscoped().create(
        tenant_id=charger.tenant_id, charger=charger, epoch=1, sequence=0, at=NOON, kind="refused", code=401
    )
    rows = list(csv.DictReader(io.StringIO(body_of(read(format="csv", include="connections")))))
    assert [(row["kind"], row["code"], row["action"]) for row in rows] == [
        ("refused", "401", ""),
        ("", "", "Heartbeat"),
    ]
    answer = user_client.get(f"/locations/{charger.location_id}/logs", {"format": "csv"})
    (row,) = csv.DictReader(io.StringIO(body_of(answer)))
    assert (row["charger_id"], row["action"]) == (str(charger.pk), "Heartbeat")


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_stream_that_fails_says_so_in_its_last_line(
    charger: Charger, read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    record(charger, 700)
    whole = ChargerLog.lines

    def break_off(log: ChargerLog, after: Any, **options: Any) -> Any:
        if after is not None:
            raise RuntimeError("the disk is gone")
        return whole(log, after, **options)

    monkeypatch.setattr(ChargerLog, "lines", break_off)
    lines = body_of(read(format=form)).splitlines()
    assert len(lines) == 201 + (form == "csv")
    if form == "ndjson":
        assert json.loads(lines[-1])["entries"] == 200
        assert "not all of it" in json.loads(lines[-1])["error"]
    else:
        assert lines[-1].startswith("#error,")


def test_errors_are_json_and_an_unknown_type_is_406(user_client: ApiClient, charger: Charger) -> None:
    answer = user_client.get(f"/chargers/{charger.pk}/logs?limit=0", HTTP_ACCEPT=CSV)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "limit"])
    answer = user_client.get("/chargers/nobody/logs", HTTP_ACCEPT=NDJSON)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Charger not found."})
    assert user_client.get(f"/chargers/{charger.pk}/logs", HTTP_ACCEPT="image/png").status_code == 406
    head = user_client.head(f"/chargers/{charger.pk}/logs?format=csv")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_real_server_streams_it_all(tmp_path: Path, user_token: str, charger: Charger) -> None:
    record(charger, 5000, text='[2,"é","Heartbeat",{}]')
    with web(tmp_path / "web.log") as server, server.client(user_token) as client:
        for path in (f"/chargers/{charger.pk}/logs", f"/locations/{charger.location_id}/logs"):
            with client.stream("GET", path, headers={"Accept": NDJSON}) as answer:
                assert answer.headers["transfer-encoding"] == "chunked"
                numbers = [json.loads(line)["message_id"] for line in answer.iter_lines()]
            assert numbers == [str(index) for index in range(1, 5001)]
    assert "Traceback" not in server.said()
    assert "StreamingHttpResponse must consume" not in server.said()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_slow_reader_costs_the_server_no_memory(tmp_path: Path, user_token: str, charger: Charger) -> None:
    record(charger, 6000, text="x" * 20_000)
    with web(tmp_path / "web.log") as server, server.client(user_token) as client:
        client.get("/health")
        before = server.resident_bytes()
        with client.stream("GET", f"/chargers/{charger.pk}/logs?format=ndjson") as answer:
            read = answer.iter_raw(1_000_000)
            next(read)
            for _ in range(20):  # the server is idle enough to have written it all by now, if nothing held it back
                assert client.get("/health").status_code == 200
            assert server.resident_bytes() - before < 60_000_000
            assert sum(map(len, read)) > 110_000_000
    assert "Traceback" not in server.said()
