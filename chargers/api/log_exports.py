"""A whole log as a stream of lines: NDJSON for programs, CSV for spreadsheets."""

import csv
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from chargers.services.charger_log import Line
from chargers.services.log_pages import Log
from ocpplab.api.streams import accepted, streamed
from tenants.scoping import current_tenant_id, scope

logger = logging.getLogger(__name__)
NDJSON, CSV = "application/x-ndjson", "text/csv"
ACCEPTED = frozenset({NDJSON, CSV})
LINES_AT_ONCE = 200
CUT_SHORT = "The log could not be read to its end: what stands above is not all of it."
COLUMNS = (
    "charger_id", "id", "timestamp", "direction", "message_type", "action", "message_id", "transaction", "message",
    "encoding", "masked", "injected", "delivery", "note", "violation_code", "violation", "answer_ms",
)  # fmt: skip
CONNECTION_COLUMNS = ("kind", "code", "reason")
# What a spreadsheet takes for the beginning of a formula; a plain number is none.
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?\Z")
Shown = Callable[[Line], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """How entries are written: `head` once, `written` for some at a time, `failure` when the rest cannot be read."""

    name: str
    content_type: str
    head: Callable[[], str]
    written: Callable[[Sequence[dict[str, Any]]], str]
    failure: Callable[[int], str]


def wanted_format(request: Request, query: dict[str, Any]) -> Form | None:
    """By the query's `format`, else by the Accept header; None for a page of JSON."""
    if "format" in query:
        return FORMS.get(query["format"])
    types = accepted(request)
    if "application/json" in types:
        return None
    return next((form for form in FORMS.values() if form.content_type in types), None)


def export(request: Request, log: Log, shown: Shown, form: Form, *, newest: bool, name: str) -> HttpResponseBase:
    """Every line that fits the log's filters; in the organization that is in scope now."""
    filename = re.sub(r"[^\w.-]", "_", f"{name}-log.{form.name}")
    headers = {"Content-Disposition": content_disposition_header(True, filename) or "", "Cache-Control": "no-store"}
    pieces = _pieces(_entries(log, shown, newest, current_tenant_id()), form)
    return streamed(request, pieces, f"{form.content_type}; charset=utf-8", headers)


def _pieces(entries: Iterator[list[dict[str, Any]]], form: Form) -> Iterator[bytes]:
    """The head of the answer is sent before the first line is read, so a failure can only be said in the body."""
    yield form.head().encode()
    written = 0
    try:
        for some in entries:
            yield form.written(some).encode("utf-8", "backslashreplace")
            written += len(some)
    except Exception:
        logger.exception("a log's export was cut short")
        yield form.failure(written).encode()


def _entries(log: Log, shown: Shown, newest: bool, tenant_id: Any) -> Iterator[list[dict[str, Any]]]:
    """A short query for each batch, from where the last one ended: nothing stays open while the reader is slow."""
    place: tuple[int, ...] | None = None
    while True:
        with scope(tenant_id):
            lines = log.lines(place, newest=newest, offset=0, most=LINES_AT_ONCE)
            entries = [shown(line) for line in lines]
            place = log.position_of(lines[-1]) if lines else None
        if entries:
            yield entries
        if len(entries) < LINES_AT_ONCE:
            return


# --- NDJSON ---------------------------------------------------------------------------------------------------------


def _ndjson(entries: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in entries)


def _ndjson_failure(written: int) -> str:
    return json.dumps({"error": CUT_SHORT, "entries": written}) + "\n"


# --- CSV ------------------------------------------------------------------------------------------------------------


def _rows(rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _csv(entries: Sequence[dict[str, Any]]) -> str:
    return _rows([[_cell(value) for value in _values(one)] for one in entries])


def _values(entry: dict[str, Any]) -> Iterator[Any]:
    connection = entry.get("connection", {})
    yield from (entry.get(name) for name in COLUMNS)
    yield from (connection.get(name) for name in CONNECTION_COLUMNS)


def _cell(value: Any) -> str:
    """Frames come from a stranger's CSMS: what a spreadsheet would run is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if FORMULA.match(text) and not NUMBER.match(text) else text


def _csv_failure(written: int) -> str:
    return _rows([["#error", f"{CUT_SHORT} Entries: {written}."]])


FORMS = {
    "ndjson": Form("ndjson", NDJSON, str, _ndjson, _ndjson_failure),
    "csv": Form("csv", CSV, lambda: _rows([[*COLUMNS, *CONNECTION_COLUMNS]]), _csv, _csv_failure),
}
