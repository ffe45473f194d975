"""Old traffic is forgotten, the counters with it, and a deleted charger's traffic whatever its age."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from chargers.models import Charger, Job, Message, MessageCount
from chargers.services import pruning
from chargers.services.partitions import drop_partitions, ensure_partitions
from locations.models import Location
from tenants.scoping import scope
from tests.conftest import ApiClient


def record(charger: Charger, times: Sequence[datetime]) -> None:
    Message.objects.record(
        [
            Message(
                tenant_id=charger.tenant_id,
                charger_id=charger.pk,
                epoch=1,
                sequence=number,
                at=at,
                direction="cp_to_csms",
                message_type="CALL",
                action="Heartbeat",
                message_id=str(number),
                text="[]",
            )
            for number, at in enumerate(times, start=1)
        ]
    )


def test_old_frames_go_and_the_total_agrees(charger: Charger, user_client: ApiClient, monkeypatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 3)
    now = timezone.now()
    old = [now - timedelta(days=40, minutes=minute) for minute in range(10)]
    record(charger, [*old, now - timedelta(days=2), now])
    call_command("prune_messages", days=30)
    answer = user_client.get(f"/chargers/{charger.pk}/logs").json()
    assert answer["total"] == len(answer["data"]) == 2


def test_a_deleted_chargers_traffic_goes_too(charger: Charger, user_client: ApiClient) -> None:
    record(charger, [timezone.now()] * 3)
    assert user_client.delete(f"/chargers/{charger.pk}").status_code == 204
    pruned = pruning.prune()
    assert (pruned.messages, pruned.counters) == (3, 1)
    assert not MessageCount.objects.unscoped().exists()


@pytest.mark.parametrize(
    ("status", "days", "stays"),
    [("READY", 40, False), ("FAILED", 40, False), ("READY", 2, True), ("PENDING", 40, True)],
)
def test_an_old_job_goes_once_it_has_ended(
    location: Location, user_client: ApiClient, status: str, days: int, stays: bool
) -> None:
    with scope(location.tenant_id):
        job = Job.objects.create(location=location, status=status)
    Job.objects.unscoped().update(created_at=timezone.now() - timedelta(days=days))
    call_command("prune_messages", days=30)
    answer = user_client.get(f"/ocpp/locations/{location.pk}/chargers/jobs/{job.pk}")
    assert answer.status_code == (200 if stays else 404)


def test_days_are_partitions_where_the_database_has_them(charger: Charger) -> None:
    """On PostgreSQL they are made ahead, take over their rows, and are dropped when old; SQLite has plain tables."""
    record(charger, [timezone.now()])
    today = timezone.now().date()
    yesterday = today - timedelta(days=1)
    partitioned = connection.vendor == "postgresql"
    ensure_partitions(yesterday)
    assert ensure_partitions(yesterday) == 0
    assert Message.objects.unscoped().count() == 1
    assert drop_partitions(today) == (2 if partitioned else 0)
    assert drop_partitions(date(2000, 1, 1)) == 0
    assert Message.objects.unscoped().count() == 1
