"""Organizations, the people and tokens that act for them, and the record of what people wrote."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from tenants.scoping import TenantManager, TenantModel


class User(AbstractUser):
    """A person who signs in to the console or the admin."""


class Organization(models.Model):
    """A tenant. Everything but the catalog belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name


class MembershipRole(models.TextChoices):
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer (reads only)"


class Membership(models.Model):
    """A person in an organization. The role `viewer` may only read, by token as in the console."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=MembershipRole, default=MembershipRole.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "organization"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"


class TokenRole(models.TextChoices):
    USER = "user", "User (one organization)"
    ADMIN = "admin", "Admin (names an organization per request)"


class AccessToken(models.Model):
    """The row behind a bearer token: it can be revoked. The token itself is shown once and never stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    role = models.CharField(max_length=10, choices=TokenRole)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens"
    )
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens")
    label = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.label or f"{self.role} token {self.id}"

    @property
    def is_live(self) -> bool:
        """Not revoked, not expired, and not of a person who may no longer sign in."""
        is_of_active_person = self.membership is None or self.membership.user.is_active
        return self.revoked_at is None and self.expires_at > timezone.now() and is_of_active_person

    @property
    def may_write(self) -> bool:
        return self.membership is None or self.membership.role != MembershipRole.VIEWER


class RememberedAnswer(models.Model):
    """The first answer to a POST with an Idempotency-Key; without a status it is still being worked on.

    `id` is a hash of token, route and key, `request` one of what was asked.
    """

    id = models.CharField(primary_key=True, max_length=64)
    token = models.ForeignKey(AccessToken, on_delete=models.CASCADE, related_name="+")
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer: models.JSONField[Any, Any] = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id


class AuditEntry(models.Model):
    """One write by a person or a token: who, what, on which object. Never changed, never holds a secret."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    organization = models.ForeignKey(Organization, on_delete=models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    token = models.ForeignKey(AccessToken, on_delete=models.SET_NULL, null=True, related_name="+")
    actor = models.CharField(max_length=150)
    verb = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    summary = models.CharField(max_length=255, blank=True)
    details: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [models.Index(fields=["object_type", "object_id"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.object_type} {self.object_id}"


__all__ = [
    "AccessToken",
    "AuditEntry",
    "Membership",
    "MembershipRole",
    "Organization",
    "RememberedAnswer",
    "TenantManager",
    "TenantModel",
    "TokenRole",
    "User",
]
