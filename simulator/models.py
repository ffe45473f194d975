"""Simulator nodes and the shards they hold by lease."""

from typing import Any, ClassVar

from django.db import models


class Node(models.Model):
    """A running simulator process. It lives as long as it keeps `seen_at` fresh."""

    id = models.CharField(primary_key=True, max_length=64)
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)
    metrics: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["started_at"]

    def __str__(self) -> str:
        return self.id


class Shard(models.Model):
    """A 64th of all chargers. Whoever holds the lease runs them; every claim raises the epoch (a fence)."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    owner = models.CharField(max_length=64, blank=True, db_index=True)
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"shard {self.id}"
