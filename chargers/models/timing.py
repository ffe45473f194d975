"""How long the CSMS takes to answer: histograms per charger, action and hour, kept by the recorder."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from math import log2
from typing import ClassVar
from uuid import UUID

from django.db import models

from chargers.models.charger import Charger
from chargers.models.counting import raise_counters
from tenants.models import Organization
from tenants.scoping import TenantManager

# Buckets are an eighth of an octave wide, so that a bucket's middle is within 4.5 % of whatever fell into it.
FINEST_MS = 0.1
STEPS_PER_OCTAVE = 8
LAST_BUCKET = 255  # six minutes and more
Answer = tuple[UUID, UUID, str, datetime, float]  # tenant, charger, action, hour, ms


def bucket_of(milliseconds: float) -> int:
    if milliseconds <= FINEST_MS:
        return 0
    return min(int(log2(milliseconds / FINEST_MS) * STEPS_PER_OCTAVE), LAST_BUCKET)


def middle_of(bucket: int) -> float:
    """ms"""
    return float(FINEST_MS * 2 ** ((bucket + 0.5) / STEPS_PER_OCTAVE))


class AnswerTimeManager(TenantManager["AnswerTime"]):
    def raise_by(self, answers: Iterable[Answer]) -> None:
        """Counts each answer in its bucket; one statement."""
        counts: Counter[tuple[UUID, UUID, str, datetime, int]] = Counter()
        longest: dict[tuple[UUID, UUID, str, datetime, int], float] = {}
        for tenant, charger, action, hour, milliseconds in answers:
            key = (tenant, charger, action, hour, bucket_of(milliseconds))
            counts[key] += 1
            longest[key] = max(longest.get(key, 0.0), float(milliseconds))
        rows = [[*key, number, longest[key]] for key, number in sorted(counts.items())]
        key_columns = ("charger_id", "action", "hour", "bucket")
        raise_counters(self.model, key_columns, rows, {"count": "sum", "longest_ms": "max"})


class AnswerTime(models.Model):
    """The answers of the CSMS to one charger's calls of one action within an hour that took about equally long."""

    tenant = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    charger = models.ForeignKey(
        Charger, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    action = models.CharField(max_length=50, blank=True)
    hour = models.DateTimeField()
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveBigIntegerField()
    longest_ms = models.FloatField()

    objects: ClassVar[AnswerTimeManager] = AnswerTimeManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charger", "action", "hour", "bucket"], name="answer_time_once")
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.hour:%Y-%m-%d %H}h: {self.count} in about {middle_of(self.bucket):.1f} ms"
