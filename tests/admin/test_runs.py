"""Runs in the admin: marked, deleted, and compared on a page whose address can be passed on."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from chargers.models import Charger, Message, Run
from chargers.services import runs
from chargers.services.runs import begin_run
from tenants.models import AuditEntry, Organization, User
from tenants.scoping import scope
from tests.admin.conftest import START
from tests.factories import LocationFactory, new_charger

Log = Callable[..., list[Message]]
LIST = reverse("admin:chargers_run_changelist")


@pytest.fixture
def pair(charger: Charger, log: Log) -> tuple[Run, Run]:
    """A baseline of four frames, and a run that lacks two of them."""
    log(charger, 4)
    log(charger, 2, epoch=2)
    Message.objects.unscoped().filter(epoch=2).update(at=START + timedelta(hours=1))
    with scope(charger.tenant_id):
        spans = ((name, START + timedelta(hours=hours)) for name, hours in (("golden", 0), ("nightly", 1)))
        golden, nightly = (
            begin_run(name=name, chargers=[charger], started_at=at, finished_at=at + timedelta(minutes=9))
            for name, at in spans
        )
    return golden, nightly


def page_of(run: Run) -> str:
    return reverse("admin:chargers_run_diff", args=[run.pk])


def test_two_runs_are_compared_on_a_page(staff: Client, pair: tuple[Run, Run]) -> None:
    golden, nightly = pair
    empty = staff.get(page_of(nightly)).content.decode()
    assert "Choose the run" in empty
    assert "missing" not in empty
    query = {"baseline": str(golden.pk), "tolerance": "5", "ignore": ""}
    page = staff.get(page_of(nightly), query).content.decode()
    assert "2 missing, 0 added, 0 reordered, 0 changed" in page
    assert "1-4" in page
    assert "2 missing" in staff.get(page_of(nightly), {"baseline": str(golden.pk)}).content.decode()
    assert "the same" in staff.get(page_of(nightly), {**query, "ignore": "Heartbeat"}).content.decode()
    assert "Ensure this value" in staff.get(page_of(nightly), {**query, "tolerance": "101"}).content.decode()


def test_the_run_marked_last_is_offered_first(staff: Client, pair: tuple[Run, Run], charger: Charger) -> None:
    golden, nightly = pair
    with scope(nightly.tenant_id):
        runs.update_run(golden, is_baseline=True)
        begin_run(name="later", chargers=[charger], started_at=START, finished_at=START)
    offered = staff.get(page_of(nightly)).context["form"].fields["baseline"]
    assert [one.name for one in offered.queryset] == ["golden", "later"]
    assert offered.initial == golden


def test_a_page_without_another_run_says_what_to_do(staff: Client, pair: tuple[Run, Run]) -> None:
    golden, nightly = pair
    with scope(golden.tenant_id):
        runs.delete_run(golden)
    assert "nothing to compare with" in staff.get(page_of(nightly)).content.decode()


def test_what_a_page_cannot_hold_is_counted(
    staff: Client, pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chargers.admin.run.MOST_SHOWN", 1)
    page = staff.get(page_of(pair[1]), {"baseline": str(pair[0].pk)}).content.decode()
    assert "2 missing" in page
    assert "Not shown: 1." in page


def test_only_runs_of_the_same_organization_are_offered(
    staff: Client, pair: tuple[Run, Run], stranger: Organization, charger: Charger
) -> None:
    with scope(stranger):
        other = new_charger(LocationFactory(), "CP-9", charger.model)
        foreign = begin_run(name="foreign", chargers=[other], started_at=START, finished_at=START)
    page = staff.get(page_of(pair[1]), {"baseline": str(foreign.pk), "tolerance": "5"}).content.decode()
    assert "Select a valid choice" in page
    assert ">foreign<" not in page


def test_baselines_are_marked_and_runs_deleted_with_a_trace(staff: Client, pair: tuple[Run, Run]) -> None:
    golden, nightly = pair
    for action, expected in (("mark", True), ("unmark", False)):
        staff.post(LIST, {"action": action, "_selected_action": [golden.pk]})
        assert Run.objects.unscoped().get(pk=golden.pk).is_baseline is expected
    staff.post(reverse("admin:chargers_run_delete", args=[nightly.pk]), {"post": "yes"})
    assert not Run.objects.unscoped().filter(pk=nightly.pk).exists()
    verbs = AuditEntry.objects.filter(object_type="run").order_by("pk").values_list("verb", flat=True)
    assert list(verbs)[-3:] == ["update_run", "update_run", "delete_run"]


def test_a_run_is_finished_from_the_list_and_only_once(staff: Client, charger: Charger) -> None:
    with scope(charger.tenant_id):
        run = begin_run(name="nightly", chargers=[charger])
    for words in ("", "The run has ended already."):
        page = staff.post(LIST, {"action": "finish", "_selected_action": [run.pk]}, follow=True).content.decode()
        assert words in page
        assert Run.objects.unscoped().get().is_finished


def test_the_page_needs_the_right_to_look(pair: tuple[Run, Run]) -> None:
    client = Client()
    client.force_login(User.objects.create_user("stan", password="x", is_staff=True))
    assert client.get(page_of(pair[1])).status_code == 404
    assert Client().get(page_of(pair[1])).status_code == 302


def test_the_page_of_a_charger_leads_to_the_violations(staff: Client, charger: Charger, log: Log) -> None:
    log(charger, 3)
    log(charger, 2, epoch=2, violation_code="too_long", violation="Reset: it is too long.")
    page = staff.get(reverse("admin:chargers_charger_change", args=[charger.pk])).content.decode()
    assert "Violations of the CSMS" in page
    found = staff.get(
        reverse("admin:chargers_message_changelist"), {"charger__id__exact": charger.pk, "violation": "yes"}
    )
    assert [row.entry_id for row in found.context["cl"].result_list] == ["2-2", "2-1"]
    row = Message.objects.unscoped().filter(epoch=2).first()
    assert row is not None
    shown = staff.get(reverse("admin:chargers_message_change", args=[row.pk])).content.decode()
    assert "Reset: it is too long." in shown
