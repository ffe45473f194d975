"""A charger: the tenant's record of one simulated device, its outlets and its saved state."""

import hashlib
import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from catalog.vocabulary import OcppVersion
from tenants.scoping import TenantModel


class ProvisioningStatus(models.TextChoices):
    PENDING = "PENDING", "Pending"
    PROVISIONING = "PROVISIONING", "Provisioning"
    READY = "READY", "Ready"
    FAILED = "FAILED", "Failed"


UNFINISHED = (ProvisioningStatus.PENDING, ProvisioningStatus.PROVISIONING)  # there is work to do


class Runtime(models.TextChoices):
    """What the user wants of the simulated machine, not what it does at the moment."""

    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"


class ConnectionStatus(models.TextChoices):
    STOPPED = "stopped", "Stopped"
    CONNECTING = "connecting", "Connecting"
    CONNECTED = "connected", "Connected"
    OFFLINE = "offline", "Offline, will reconnect"


def shard_of(charger_id: uuid.UUID) -> int:
    """The shard (0..SIMULATOR_SHARDS-1) a charger belongs to for life."""
    return int.from_bytes(hashlib.blake2b(charger_id.bytes, digest_size=4).digest()) % settings.SIMULATOR_SHARDS


class Charger(TenantModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identity = models.CharField(max_length=48)
    name = models.CharField(max_length=120, blank=True)
    model = models.ForeignKey("catalog.ChargerModel", on_delete=models.PROTECT, related_name="chargers")
    connector_type = models.CharField(max_length=20)
    ocpp_version = models.CharField(max_length=10, choices=OcppVersion, default=OcppVersion.V16)
    ws_url = models.CharField(max_length=500)
    location = models.ForeignKey("locations.Location", on_delete=models.CASCADE, related_name="chargers")
    location_name = models.CharField(max_length=120, blank=True)
    seed = models.BigIntegerField()
    options: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    shard = models.PositiveSmallIntegerField(editable=False)
    runtime = models.CharField(max_length=10, choices=Runtime, default=Runtime.RUNNING)
    # Raised by every change the running machine must know of; its node compares it with what it runs.
    revision = models.PositiveIntegerField(default=1, editable=False)
    status = models.CharField(max_length=12, choices=ProvisioningStatus, default=ProvisioningStatus.PENDING)
    error: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    provisioned_at = models.DateTimeField(null=True, blank=True)
    connection_status = models.CharField(max_length=12, choices=ConnectionStatus, default=ConnectionStatus.CONNECTING)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["tenant", "identity"], name="charger_identity")]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "created_at", "id"], name="charger_listing"),
            models.Index(fields=["location", "created_at", "id"], name="charger_of_location"),
            models.Index(fields=["shard", "runtime"], name="charger_of_shard"),
        ]

    def __str__(self) -> str:
        return self.identity

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.shard = shard_of(self.id)
        super().save(*args, **kwargs)

    @property
    def subprotocol(self) -> str:
        return OcppVersion(self.ocpp_version).subprotocol


class Connector(TenantModel):
    """One outlet as the charger last reported it. In OCPP 1.6 `evse_id` equals `connector_id`."""

    charger = models.ForeignKey(Charger, on_delete=models.CASCADE, related_name="connectors")
    evse_id = models.PositiveSmallIntegerField()
    connector_id = models.PositiveSmallIntegerField()
    connector_type = models.CharField(max_length=20)
    max_power_w = models.PositiveIntegerField()
    status = models.CharField(max_length=20, default="Available")
    error_code = models.CharField(max_length=40, default="NoError")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["evse_id", "connector_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["charger", "evse_id", "connector_id"], name="connector_once")
        ]

    def __str__(self) -> str:
        return f"{self.evse_id}/{self.connector_id}"


class StationState(models.Model):
    """What a station keeps over restarts, and its last picture for readers. Written by the recorder only.

    `memory` is the core's own snapshot, section by section; `picture` is what `GET /chargers/{id}/state` shows.
    """

    charger = models.OneToOneField(Charger, on_delete=models.CASCADE, primary_key=True, related_name="state")
    epoch = models.PositiveIntegerField(default=0)
    memory: models.JSONField[Any, Any] = models.JSONField(default=dict)
    picture: models.JSONField[Any, Any] = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return str(self.charger_id)
