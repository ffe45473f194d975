"""What beat repairs: commands nobody finishes, nodes nobody misses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Charger, ChargerCommand
from simulator.models import Node
from simulator.shell import inbox
from simulator.tasks import repair
from tests.shell.conftest import command, outcome

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("state", "overdue_by", "expected", "reason"),
    [
        ("queued", 1, "timed_out", inbox.OVERDUE),
        ("queued", -5, "queued", ""),
        ("sent", 1, "sent", ""),
        ("sent", 600, "timed_out", inbox.SILENT),
        ("claimed", 600, "timed_out", inbox.SILENT),
        ("accepted", 600, "accepted", ""),
    ],
)
def test_an_overdue_command_ends(charger: Charger, state: str, overdue_by: int, expected: str, reason: str):
    row = command(charger, "plug_connector", connector_id=1)
    deadline = timezone.now() - timedelta(seconds=overdue_by)
    ChargerCommand.objects.unscoped().update(state=state, deadline_at=deadline)
    repair()
    after = outcome(row)
    assert (after.state, after.reason) == (expected, reason)


def test_a_node_long_silent_is_forgotten_and_a_live_one_is_not(db: None):
    now = timezone.now()
    for name, silence in (("live", 5), ("dead", 600)):
        seen = now - timedelta(seconds=silence)
        Node.objects.create(pk=name, host="here", pid=1, started_at=now, seen_at=seen)
    repair()
    assert list(Node.objects.values_list("pk", flat=True)) == ["live"]
