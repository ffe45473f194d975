"""The traffic in the admin: read-only, never counted, and as cheap at a million rows as at ten."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chargers.models import Charger, ChargerCommand, Message
from chargers.services.commands import issue_one
from tenants.models import AuditEntry
from tenants.scoping import scope

LIST = reverse("admin:chargers_message_changelist")
MOST_QUERIES = 10
Log = Callable[..., list[Message]]


@contextmanager
def nothing_counted() -> Iterator[CaptureQueriesContext]:
    """No query within counts frames, reads more than a page of them, or pages by offset."""
    with CaptureQueriesContext(connection) as queries:
        yield queries
    about_frames = [query["sql"] for query in queries if "chargers_message" in query["sql"].replace("messagecount", "")]
    for sql in about_frames:
        assert "COUNT(" not in sql.upper(), sql
        assert "OFFSET" not in sql.upper(), sql
        assert "LIMIT" in sql.upper() or '"id" =' in sql or '"sequence" IN' in sql, sql
    assert len(queries) <= MOST_QUERIES


def rows_of(page: Any) -> list[str]:
    return [row.entry_id for row in page.context["cl"].result_list]


def older(page: Any) -> str:
    return LIST + str(page.context["cl"].paginator.older)


@pytest.fixture
def long_log(charger: Charger, charger_201: Charger, log: Log) -> None:
    log(charger, 9_000)
    log(charger_201, 1_500, epoch=3, action="MeterValues")


@pytest.mark.usefixtures("long_log")
def test_a_page_of_many_rows_takes_few_queries_and_counts_nothing(staff: Client, charger: Charger) -> None:
    with nothing_counted():
        page = staff.get(LIST)
    assert page.status_code == 200
    assert rows_of(page)[:2] == ["3-1500", "3-1499"]
    assert len(rows_of(page)) == 50
    with nothing_counted():
        page = staff.get(older(page))
    assert rows_of(page)[0] == "3-1450"
    assert "CS-1" in page.content.decode()


@pytest.mark.usefixtures("long_log")
def test_one_chargers_log_is_read_to_its_beginning(staff: Client, charger: Charger, log: Log) -> None:
    log(charger, 60, epoch=2)
    seen: list[str] = []
    page = staff.get(LIST, {"charger__id__exact": charger.pk, "action": "Heartbeat"})
    for _ in range(4):
        seen += rows_of(page)
        with nothing_counted():
            page = staff.get(older(page))
    expected = [f"2-{sequence}" for sequence in range(60, 0, -1)] + [f"1-{n}" for n in range(9_000, 8_860, -1)]
    assert seen == expected
    end = staff.get(LIST, {"charger__id__exact": charger.pk, "before": "1~4"})
    assert rows_of(end) == ["1-3", "1-2", "1-1"]
    assert end.context["cl"].paginator.older == ""


@pytest.mark.usefixtures("long_log")
def test_filters_use_the_index_of_the_charger(staff: Client, charger: Charger, charger_201: Charger) -> None:
    chosen = {"charger__id__exact": charger.pk}
    with nothing_counted():
        page = staff.get(LIST, {**chosen, "direction": "csms_to_cp"})
    assert rows_of(page)[:2] == ["1-9000", "1-8998"]
    assert rows_of(staff.get(LIST, {**chosen, "action": "MeterValues"})) == []
    # Without a charger no index helps: the filter is neither offered nor obeyed.
    page = staff.get(LIST, {"action": "Heartbeat"})
    assert rows_of(page)[0] == "3-1500"
    assert "OCPP action" not in page.content.decode()
    assert "OCPP action" in staff.get(LIST, chosen).content.decode()


@pytest.mark.usefixtures("long_log")
def test_the_address_cannot_ask_for_what_has_no_index(staff: Client) -> None:
    for query in ("text__contains=x", "at__gte=2026-01-01", "charger__identity__contains=C", "tenant__id__exact=1"):
        assert staff.get(f"{LIST}?{query}").status_code == 400
    with nothing_counted():
        assert rows_of(staff.get(f"{LIST}?o=3&all=&p=5&_facets=True"))[0] == "3-1500"
    for broken in ("before=x", "before=1~2", "before=~", "charger__id__exact=x&action=Heartbeat"):
        assert staff.get(f"{LIST}?{broken}").status_code == 302  # Django's answer to a broken address


def test_the_page_of_a_frame_shows_it_indented_and_says_what_is_masked(
    staff: Client, charger: Charger, log: Log
) -> None:
    text = '[2,"m","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]'
    frame = log(charger, 1, text=text, masked=True, note="odd & strange", action="ChangeConfiguration")[0]
    page = staff.get(reverse("admin:chargers_message_change", args=[frame.pk])).content.decode()
    assert "&quot;key&quot;: &quot;AuthorizationKey&quot;" in page
    assert "masked: secrets are replaced" in page
    assert "odd &amp; strange" in page
    assert "1-1" in page


def test_what_is_not_json_is_shown_as_it_was(staff: Client, charger: Charger, log: Log) -> None:
    frame = log(charger, 1, text="<b>[oops</b>", action="")[0]
    page = staff.get(reverse("admin:chargers_message_change", args=[frame.pk])).content.decode()
    assert "&lt;b&gt;[oops&lt;/b&gt;" in page


def test_nobody_writes_it(staff: Client, charger: Charger, log: Log) -> None:
    frame = log(charger, 1)[0]
    assert staff.get(reverse("admin:chargers_message_add")).status_code == 403
    for page in ("change", "delete"):
        url = reverse(f"admin:chargers_message_{page}", args=[frame.pk])
        assert staff.post(url, {"post": "yes", "text": "forged"}).status_code == 403
    staff.post(LIST, {"action": "delete_selected", "_selected_action": [frame.pk], "post": "yes"})
    assert Message.objects.unscoped().get().text == frame.text
    assert not AuditEntry.objects.filter(actor="sam").exists()


def test_frames_of_a_deleted_charger_are_still_shown(staff: Client, charger: Charger, log: Log) -> None:
    frame = log(charger, 1)[0]
    Charger.objects.unscoped().all().delete()
    assert "(deleted)" in staff.get(LIST).content.decode()
    assert staff.get(reverse("admin:chargers_message_change", args=[frame.pk])).status_code == 200


@pytest.mark.usefixtures("long_log")
def test_a_chargers_page_shows_its_last_frames_by_key(staff: Client, charger: Charger) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = staff.get(reverse("admin:chargers_charger_change", args=[charger.pk])).content.decode()
    about_frames = [query["sql"] for query in queries if '"chargers_message"' in query["sql"]]
    assert len(about_frames) == 1
    assert "LIMIT 20" in about_frames[0]
    assert "m1-9000" in page
    assert "m1-8981" in page
    assert "m1-8980" not in page


def test_a_commands_page_links_the_frames_that_prove_it(staff: Client, charger: Charger, log: Log) -> None:
    frames = log(charger, 4)
    with scope(charger.tenant_id):
        command = issue_one(charger, "plug_connector", {"connector_id": 1})
    ChargerCommand.objects.unscoped().update(state="rejected", reason="It is faulted.", frames=["1-2", "1-3", "9-9"])
    with nothing_counted():
        page = staff.get(reverse("admin:chargers_chargercommand_change", args=[command.pk])).content.decode()
    assert "It is faulted." in page
    linked = [reverse("admin:chargers_message_change", args=[frame.pk]) in page for frame in frames]
    assert linked == [False, True, True, False]
    assert staff.post(reverse("admin:chargers_chargercommand_delete", args=[command.pk])).status_code == 403


def test_commands_are_paged_by_time_and_not_counted(staff: Client, charger: Charger) -> None:
    with scope(charger.tenant_id):
        rows = [issue_one(charger, "plug_connector", {"connector_id": 1}) for _ in range(60)]
    url = reverse("admin:chargers_chargercommand_changelist")
    with CaptureQueriesContext(connection) as queries:
        first = staff.get(url)
        second = staff.get(url + first.context["cl"].paginator.older)
    assert not [query for query in queries if "COUNT(" in query["sql"] and "chargercommand" in query["sql"]]
    seen = [*first.context["cl"].result_list, *second.context["cl"].result_list]
    assert seen == sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True)
    assert second.context["cl"].paginator.newest
