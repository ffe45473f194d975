"""Charging transactions as the station ran them, whatever the OCPP version."""

import uuid
from typing import ClassVar

from django.db import models

from chargers.models.charger import Charger
from tenants.scoping import TenantModel


class Transaction(TenantModel):
    """`id` is the station's own key. `transaction_id` is OCPP's: the CSMS's integer in 1.6, our UUID in 2.0.1.

    Meter readings are the register's watt-hours.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="transactions")
    evse_id = models.PositiveSmallIntegerField()
    connector_id = models.PositiveSmallIntegerField()
    transaction_id = models.CharField(max_length=36, null=True, blank=True, db_index=True)
    id_tag = models.CharField(max_length=36, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    meter_start = models.BigIntegerField()
    meter_stop = models.BigIntegerField(null=True, blank=True)
    stop_reason = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar = ["started_at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["charger", "started_at"], name="transaction_of_charger"),
            models.Index(fields=["started_at", "id"], name="transaction_age"),
        ]

    def __str__(self) -> str:
        return self.transaction_id or str(self.id)
