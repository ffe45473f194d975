"""The far end of a station's queue of transaction messages: what it has no room for in its memory."""

from typing import Any

from django.db import models

from chargers.models.charger import Charger


class QueuedMessage(models.Model):
    """One message that waits for the CSMS. Written by the recorder only; the station knows the numbers."""

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="queued_messages", db_index=False)
    number = models.BigIntegerField()
    droppable = models.BooleanField(default=False)
    call: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charger", "number"], name="queued_message_once")]

    def __str__(self) -> str:
        return f"{self.charger_id} {self.number}"
