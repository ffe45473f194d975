"""Charge Point Operators: the presets they are built from, and the bundles themselves."""

import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from chargers.models import ProvisioningStatus
from chargers.models.job import Claimed


class Preset(models.Model):
    """One published version of a CPO template. A published version never changes: an edit is a new version.

    `content` is the reviewed data as `ocpi/presets/` describes it; the gallery shows the highest version of each slug.
    """

    slug = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    description = models.CharField(max_length=300)
    content: models.JSONField[Any, Any] = models.JSONField()
    edited = models.BooleanField(default=False, help_text="Made by staff, not from the product's data.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["slug", "-version"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["slug", "version"], name="preset_version_once")]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"


class Cpo(Claimed):
    """One bundle. Its primary key is the `cpo_id` of URLs; `destroyed_at` is set the moment it is given up.

    `versions` is what it offers, oldest first ("2.1.1,2.2.1"). `settings` holds what was changed from the defaults
    (OCPI contract 16, PATCH settings). `progress` is {current_step, chargers_ready, chargers_total}, of the chargers
    that shall be online. `csms_endpoint` is the number of its endpoint at the house CSMS. A worker holds its build or
    its end by `claim`. `sites_made` and `chargers_made` count what was ever numbered: no id is given twice. `actor`
    says for whom it is built: {label, user_id, token_id}.
    """

    country_code = models.CharField(max_length=2)
    party_id = models.CharField(max_length=3)
    name_prefix = models.CharField(max_length=32)
    template = models.SlugField(max_length=60)
    template_version = models.PositiveIntegerField()
    versions = models.CharField(max_length=60, default="2.2.1")
    seed = models.BigIntegerField()
    overrides: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    settings: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    ws_url = models.CharField(max_length=500, blank=True)
    csms_endpoint = models.PositiveBigIntegerField(null=True, blank=True)
    sites_made = models.PositiveIntegerField(default=0, editable=False)
    chargers_made = models.PositiveIntegerField(default=0, editable=False)
    actor: models.JSONField[Any, Any] = models.JSONField(default=dict, editable=False)

    workflow_run_id = models.UUIDField(default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=12, choices=ProvisioningStatus, default=ProvisioningStatus.PENDING)
    progress: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    error: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)

    expires_at = models.DateTimeField(null=True, blank=True)
    destroyed_at = models.DateTimeField(null=True, blank=True)
    provisioned_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "CPO"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "country_code", "party_id"],
                condition=Q(destroyed_at__isnull=True),
                name="cpo_party_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "id"], name="cpo_listing"),
            models.Index(fields=["expires_at"], name="cpo_expiry", condition=Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.country_code}*{self.party_id} {self.name_prefix}"

    @property
    def offered(self) -> list[str]:
        """The OCPI versions it offers."""
        return self.versions.split(",")
