"""Commands: what was asked of a charger and what became of it. The row is the truth, buses only wake."""

import secrets
from typing import Any, ClassVar

from django.db import models

from chargers.models.charger import Charger
from tenants.scoping import TenantModel


def short_id() -> str:
    return secrets.token_hex(8)


class CommandState(models.TextChoices):
    QUEUED = "queued", "Queued"
    CLAIMED = "claimed", "Claimed by its simulator node"
    SENT = "sent", "Sent, waiting for the CSMS"
    ACCEPTED = "accepted", "Accepted: the station did it"
    REJECTED = "rejected", "Rejected"
    FAILED = "failed", "Failed"
    TIMED_OUT = "timed_out", "Timed out"


FINAL_STATES = (CommandState.ACCEPTED, CommandState.REJECTED, CommandState.FAILED, CommandState.TIMED_OUT)


class ChargerCommand(TenantModel):
    """`frames` names the log entries (`<epoch>-<sequence>`) that prove the outcome; `reason` says it in words."""

    id = models.CharField(primary_key=True, max_length=16, default=short_id, editable=False)
    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="commands")
    shard = models.PositiveSmallIntegerField()
    event_type = models.CharField(max_length=40)
    ocpp_version = models.CharField(max_length=10)
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=CommandState, default=CommandState.QUEUED)
    reason = models.CharField(max_length=500, blank=True)
    frames: models.JSONField[Any, Any] = models.JSONField(default=list)
    result: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    actor = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deadline_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_epoch = models.PositiveIntegerField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["charger", "created_at", "id"], name="command_of_charger"),
            models.Index(fields=["created_at", "id"], name="command_age"),
            # Nodes and the overdue sweep look only at what is not finished.
            models.Index(
                fields=["shard", "created_at"],
                name="command_unfinished",
                condition=models.Q(state__in=["queued", "claimed", "sent"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"
