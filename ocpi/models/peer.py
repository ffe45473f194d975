"""The eMSPs registered at a CPO, their credentials and what they told us."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from ocpi.models.cpo import Cpo
from tenants.scoping import TenantModel


class PeerState(models.TextChoices):
    REGISTERING = "registering", "Registering"
    REGISTERED = "registered", "Registered"
    OFFLINE = "offline", "Offline"
    REJECTED = "credentials_rejected", "Credentials rejected"
    UNREGISTERED = "unregistered", "Unregistered"


class Peer(TenantModel):
    """One registered platform. `sealed_token` is its Token B, encrypted with a key outside the database.

    `endpoints` is [{identifier, role, url}] of the version in use; `roles` as in its credentials object. A row stays
    after unregistration, for what it has in the log; its token and endpoints do not.
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="peers")
    state = models.CharField(max_length=20, choices=PeerState, default=PeerState.REGISTERING)
    version = models.CharField(max_length=8)
    versions_url = models.CharField("versions URL", max_length=500, blank=True)
    sealed_token = models.TextField(blank=True)
    roles: models.JSONField[Any, Any] = models.JSONField(default=list)
    endpoints: models.JSONField[Any, Any] = models.JSONField(default=list)
    failures = models.PositiveIntegerField(default=0, help_text="Failed exchanges in a row.")
    rejections = models.PositiveIntegerField(default=0, help_text="401 and 403 in a row.")
    probe_at = models.DateTimeField(null=True, blank=True)
    tokens_pulled_at = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    unregistered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        parties = ", ".join(f"{role['country_code']}*{role['party_id']}" for role in self.roles)
        return parties or f"peer {self.pk}"

    def address(self, identifier: str, role: str) -> str | None:
        """The URL of its module in that role, exactly as the peer gave it; 2.1.1 names no roles."""
        for one in self.endpoints:
            if one["identifier"] == identifier and one.get("role", role) == role:
                return str(one["url"])
        return None

    def endpoint(self, identifier: str, role: str) -> str | None:
        """The same without a trailing slash, for addresses below it."""
        url = self.address(identifier, role)
        return None if url is None else url.rstrip("/")


class PeerRole(TenantModel):
    """A party that a peer speaks for, upper-cased: no two peers of a CPO hold the same (role, party)."""

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="+")
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="parties")
    role = models.CharField(max_length=10)
    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cpo", "role", "country_code", "party_id"], name="peer_party_once")
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.country_code}*{self.party_id}"


class Credential(TenantModel):
    """A Token A or C that opens this CPO, kept as a keyed hash only.

    A: `used_at` is set by the handshake that consumed it. C: belongs to a peer.
    """

    A, C = "A", "C"

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="credentials")
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.CASCADE, related_name="credentials")
    kind = models.CharField(max_length=1, choices=[(A, "Token A"), (C, "Token C")])
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"Token {self.kind} {self.pk}"


class Token(TenantModel):
    """A driver's token as a peer gave it. `content` is the object exactly as received, in the words of `version`.

    The other columns are what decisions and look-ups need; `key_*` are upper-cased (CiString).
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="tokens")
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="tokens")
    key_country = models.CharField(max_length=2)
    key_party = models.CharField(max_length=3)
    key_uid = models.CharField(max_length=36)
    type = models.CharField(max_length=12, default="RFID")
    content: models.JSONField[Any, Any] = models.JSONField()
    version = models.CharField(max_length=8)
    valid = models.BooleanField()
    whitelist = models.CharField(max_length=16)
    contract_id = models.CharField(max_length=36)
    group_id = models.CharField(max_length=36, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_updated = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["peer", "key_country", "key_party", "key_uid", "type"], name="ocpi_token_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["cpo", "key_uid"], name="ocpi_token_lookup")]

    def __str__(self) -> str:
        return self.key_uid


class Exchange(TenantModel):
    """One HTTP request with a peer, in either direction, tokens masked. `duration` in ms."""

    INCOMING, OUTGOING = "incoming", "outgoing"

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="exchanges")
    peer = models.ForeignKey(Peer, null=True, blank=True, on_delete=models.SET_NULL, related_name="exchanges")
    direction = models.CharField(max_length=8, choices=[(INCOMING, "Incoming"), (OUTGOING, "Outgoing")])
    at = models.DateTimeField()
    method = models.CharField(max_length=8)
    url = models.CharField("URL", max_length=1000)
    module = models.CharField(max_length=24, blank=True)
    request_body = models.TextField(blank=True)
    response_body = models.TextField(blank=True)
    http_status = models.PositiveSmallIntegerField("HTTP", null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    duration = models.FloatField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "message"
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["cpo", "id"], name="exchange_listing"),
            models.Index(fields=["at"], name="exchange_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class PushState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    REFUSED = "refused", "Refused by the peer"
    GIVEN_UP = "given_up", "Given up"


class Push(TenantModel):
    """One thing a peer is to be told: the outbox. The newest state of the object is rendered when it is sent.

    `subject` names the object ("evse:12", "session:7", "cdr:7", "command:9"); at most one waits for each, so changes
    coalesce. `revision` counts them, so that one that comes while the row is being sent is not lost. `body` is fixed
    for what has no row to be rendered from (results), else null. `plan` is state or result (the two retry plans of
    OCPI contract 13).
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="pushes")
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="pushes")
    subject = models.CharField(max_length=60)
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=1000, blank=True)
    body: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    plan = models.CharField(max_length=8, choices=[("state", "state"), ("result", "result")])
    state = models.CharField(max_length=10, choices=PushState, default=PushState.WAITING)
    revision = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    correlation_id = models.CharField(max_length=64, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "pushes"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["peer", "subject"], condition=Q(state="waiting"), name="push_waiting_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="push_due", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.subject}"
