"""Work that goes on after its request was answered: the creation of many chargers."""

import uuid
from typing import Any, ClassVar

from django.db import models

from chargers.models.charger import ProvisioningStatus
from tenants.scoping import TenantModel


class JobType(models.TextChoices):
    CREATE_CHARGERS = "create_chargers", "Create chargers"


class Claimed(TenantModel):
    """A row that one worker at a time works on: by `claim`, until `claimed_until` (see `chargers.services.claims`).

    `attempts` were made without any progress.
    """

    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class ProvisioningJob(Claimed):
    """The row is the truth, whoever works on it. `wanted` is fixed at the start, identities included.

    `done` of them have been dealt with; it moves in one transaction with what was created. `actor` says for whom:
    {label, user_id, token_id}.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(max_length=12, choices=ProvisioningStatus, default=ProvisioningStatus.PENDING)
    current_step = models.CharField(max_length=80, blank=True)
    wanted: models.JSONField[Any, Any] = models.JSONField(default=list)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    created: models.JSONField[Any, Any] = models.JSONField(default=list)
    failed: models.JSONField[Any, Any] = models.JSONField(default=list)
    error: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    actor: models.JSONField[Any, Any] = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    provisioned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar = ["created_at", "id"]


class Job(ProvisioningJob):
    """The creation of many chargers at one location."""

    job_type = models.CharField(max_length=30, choices=JobType, default=JobType.CREATE_CHARGERS)
    location = models.ForeignKey("locations.Location", on_delete=models.CASCADE, related_name="jobs")

    class Meta(ProvisioningJob.Meta):
        indexes: ClassVar = [
            # Workers look only at what is not finished.
            models.Index(
                fields=["created_at"], name="job_open", condition=models.Q(status__in=["PENDING", "PROVISIONING"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.job_type} {self.id}"
