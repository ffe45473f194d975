"""What the house CSMS keeps: its endpoints, the stations seen there, their cards, transactions and calls."""

import secrets
from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from tenants.scoping import TenantModel

HEARTBEAT_SECONDS = 300


def new_key() -> str:
    """An unguessable path segment, 144 bits, safe in a URL."""
    return secrets.token_urlsafe(18)


class Endpoint(TenantModel):
    """One address of the CSMS. Whoever knows the key may connect stations to it.

    `next_number` feeds 1.6 transaction ids and remote start ids; it is raised by UPDATE only.
    """

    key = models.CharField(max_length=64, unique=True, default=new_key, editable=False)
    label = models.CharField(max_length=120)
    accept_unknown_cards = models.BooleanField(default=True, help_text="Accept a card that is not on the list below.")
    asks_others = models.BooleanField(
        default=False, editable=False, help_text="Others (OCPI's CPOs) judge a token before the card list does."
    )
    heartbeat_interval = models.PositiveIntegerField(default=HEARTBEAT_SECONDS, help_text="Seconds.")
    next_number = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["tenant", "label"], name="csms_endpoint_label")]

    def __str__(self) -> str:
        return self.label


class Station(TenantModel):
    """A charger as this CSMS knows it: what it said at boot, its outlets as last reported, its connection.

    `connectors` maps "evse/connector" (1.6: "connector") to {status, error_code, at}. `channel` names the socket that
    holds the connection, so that an older socket's end does not mark a newer one as gone.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="stations")
    identity = models.CharField(max_length=100)
    subprotocol = models.CharField(max_length=20)
    vendor = models.CharField(max_length=50, blank=True)
    model = models.CharField(max_length=50, blank=True)
    boot: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    booted_at = models.DateTimeField(null=True, blank=True)
    connectors: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    connected = models.BooleanField(default=False)
    channel = models.CharField(max_length=100, blank=True, editable=False)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["identity"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["endpoint", "identity"], name="csms_station_once")]

    def __str__(self) -> str:
        return self.identity

    @property
    def is_online(self) -> bool:
        """Connected, and heard of lately: a process that was killed could not note that its sockets are gone."""
        if not self.connected or self.last_seen_at is None:
            return False
        silence = timezone.now() - self.last_seen_at
        return silence < timedelta(seconds=2 * self.endpoint.heartbeat_interval + 60)


class CardStatus(models.TextChoices):
    ACCEPTED = "Accepted", "Accepted"
    BLOCKED = "Blocked", "Blocked"
    EXPIRED = "Expired", "Expired"
    INVALID = "Invalid", "Invalid"


class Card(TenantModel):
    """A driver's token. Ids are compared without case (both OCPP versions), hence stored in upper case."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="cards")
    id_token = models.CharField(max_length=36)
    type = models.CharField(max_length=20, blank=True, help_text="An OCPP 2.0.1 token type; empty stands for any.")
    status = models.CharField(max_length=10, choices=CardStatus, default=CardStatus.ACCEPTED)
    group = models.CharField(max_length=36, blank=True, help_text="Parent id in OCPP 1.6, group id in 2.0.1.")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id_token"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["endpoint", "id_token"], name="csms_card_once")]

    def __str__(self) -> str:
        return self.id_token

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.id_token = self.id_token.upper()
        super().save(*args, **kwargs)


class CsmsTransaction(TenantModel):
    """A charging transaction as the station reported it. Registers and energy are in Wh."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="transactions")
    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="transactions")
    transaction_id = models.CharField(max_length=36)
    evse_id = models.PositiveIntegerField(null=True, blank=True)
    connector_id = models.PositiveIntegerField(null=True, blank=True)
    id_token = models.CharField(max_length=36, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    meter_start = models.FloatField(null=True, blank=True)
    meter_stop = models.FloatField(null=True, blank=True)
    energy = models.FloatField(default=0)
    reason = models.CharField(max_length=30, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["station", "transaction_id"], name="csms_transaction_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "-started_at"], name="csms_transaction_listing"),
            models.Index(fields=["station", "ended_at"], name="csms_transaction_open"),
        ]

    def __str__(self) -> str:
        return self.transaction_id


class CallState(models.TextChoices):
    QUEUED = "queued", "Queued"
    SENT = "sent", "Sent"
    ANSWERED = "answered", "Answered"
    FAILED = "failed", "Failed"


class CsmsCall(TenantModel):
    """A call of the CSMS to a station. The row is the truth; the socket's process claims, sends and answers it.

    `response` is the payload of the answer; `reason` says why a call failed.
    """

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="calls")
    action = models.CharField(max_length=50)
    payload: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=CallState, default=CallState.QUEUED)
    response: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "call"
        indexes: ClassVar = [models.Index(fields=["state", "station", "id"], name="csms_call_work")]

    def __str__(self) -> str:
        return f"{self.action} to {self.station_id}"
