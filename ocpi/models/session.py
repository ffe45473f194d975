"""Charging as OCPI tells it: sessions, CDRs, reservations, and the commands that peers gave."""

from typing import Any, ClassVar

from django.db import models

from ocpi.models.cpo import Cpo
from ocpi.models.location import Evse
from ocpi.models.peer import Peer
from tenants.scoping import TenantModel


class SessionStatus(models.TextChoices):
    ACTIVE = "ACTIVE", "Active"
    COMPLETED = "COMPLETED", "Completed"
    INVALID = "INVALID", "Invalid"
    PENDING = "PENDING", "Pending"
    RESERVATION = "RESERVATION", "Reservation"


class AuthMethod(models.TextChoices):
    AUTH_REQUEST = "AUTH_REQUEST", "Real-time authorization"
    COMMAND = "COMMAND", "Command"
    WHITELIST = "WHITELIST", "Whitelist"


class Session(TenantModel):
    """One session. `peer` is null for the CPO's own cards: such a session is never shown to anyone.

    `cdr_token` is {country_code, party_id, uid, type, contract_id}. `tariff` (2.2.1 object) and `cdr_location` are
    those of the start. `periods` are charging periods in 2.2.1's words; `pushed_periods` of them were given to the
    peer, which therefore never change again. `needs_put`: next the peer is to be told the whole object, not what is
    new. `meter` keeps where reading the frames stopped, see `ocpi/charging/metering.py`.
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="sessions")
    session_id = models.CharField(max_length=36)
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.SET_NULL, related_name="sessions")
    evse = models.ForeignKey(
        Evse, verbose_name="EVSE", null=True, blank=True, on_delete=models.SET_NULL, related_name="sessions"
    )
    transaction = models.OneToOneField(
        "chargers.Transaction", null=True, blank=True, on_delete=models.SET_NULL, related_name="ocpi_session"
    )
    status = models.CharField(max_length=12, choices=SessionStatus, default=SessionStatus.PENDING)
    cdr_token: models.JSONField[Any, Any] = models.JSONField(default=dict)
    id_tag = models.CharField(max_length=36, help_text="As the charger knows the token.")
    auth_method = models.CharField(max_length=12, choices=AuthMethod)
    authorization_reference = models.CharField(max_length=36, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    kwh = models.DecimalField("kWh", max_digits=12, decimal_places=4, default=0)
    currency = models.CharField(max_length=3)
    tariff: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    cdr_location: models.JSONField[Any, Any] = models.JSONField(default=dict)
    periods: models.JSONField[Any, Any] = models.JSONField(default=list)
    pushed_periods = models.PositiveIntegerField(default=0)
    needs_put = models.BooleanField(default=True)
    total_cost: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    meter: models.JSONField[Any, Any] = models.JSONField(default=dict)
    profile: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    last_updated = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cpo", "session_id"], name="session_once")]
        indexes: ClassVar = [
            models.Index(fields=["peer", "created_at", "id"], name="session_listing"),
            models.Index(fields=["cpo", "status"], name="session_open"),
        ]

    def __str__(self) -> str:
        return self.session_id


class Cdr(TenantModel):
    """Written once and never changed. `content` is the CDR in 2.2.1's words."""

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="cdrs")
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.SET_NULL, related_name="cdrs")
    session = models.ForeignKey(Session, null=True, blank=True, on_delete=models.SET_NULL, related_name="cdrs")
    cdr_id = models.CharField("CDR id", max_length=39)
    credit = models.BooleanField(default=False)
    content: models.JSONField[Any, Any] = models.JSONField()
    peer_url = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()
    last_updated = models.DateTimeField()

    class Meta:
        verbose_name = "CDR"
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cpo", "cdr_id"], name="cdr_once"),
            models.UniqueConstraint(fields=["session", "credit"], name="cdr_of_session_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["peer", "created_at", "id"], name="cdr_listing")]

    def __str__(self) -> str:
        return self.cdr_id


class Reservation(TenantModel):
    """A peer's reservation. `number` is what the charger is told; it is unique in the CPO."""

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="reservations")
    peer = models.ForeignKey(Peer, null=True, on_delete=models.SET_NULL, related_name="reservations")
    evse = models.ForeignKey(
        Evse, verbose_name="EVSE", null=True, on_delete=models.SET_NULL, related_name="reservations"
    )
    session = models.OneToOneField(Session, null=True, on_delete=models.SET_NULL, related_name="reservation")
    reservation_id = models.CharField(max_length=36)
    number = models.PositiveIntegerField()
    response_url = models.CharField("response URL", max_length=1000)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cpo", "number"], name="reservation_number_once")]

    def __str__(self) -> str:
        return self.reservation_id


class PeerCommand(TenantModel):
    """A command or charging profile request of a peer that was ACCEPTED, until its result has been handed to a push.

    `call` is the number of the call at the house CSMS; null where the charger was commanded directly (`command` is
    then the id of the lab's own command row). `context` keeps what the result needs (the profile, the token...).
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="commands")
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="commands")
    kind = models.CharField(max_length=30)
    response_url = models.CharField("response URL", max_length=1000)
    evse = models.ForeignKey(Evse, verbose_name="EVSE", null=True, on_delete=models.SET_NULL, related_name="commands")
    session = models.ForeignKey(Session, null=True, on_delete=models.SET_NULL, related_name="commands")
    call = models.PositiveBigIntegerField(null=True, blank=True)
    command = models.CharField(max_length=16, blank=True, default="")
    context: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    deadline = models.DateTimeField()
    result = models.CharField(max_length=24, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "command"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["deadline"], name="peer_command_open", condition=models.Q(finished_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
