"""Charging locations of an organization."""

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.scoping import TenantModel


class LocationStatus(models.TextChoices):
    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"


class Location(TenantModel):
    """A site. `latitude` and `longitude` are decimal degrees; `country` is ISO 3166-1 alpha-2."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=120)
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=200)
    city = models.CharField(max_length=120)
    country = models.CharField(max_length=2)
    latitude = models.FloatField(validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(validators=[MinValueValidator(-180), MaxValueValidator(180)])
    timezone = models.CharField(max_length=64, null=True, blank=True)
    owner_name = models.CharField(max_length=120, null=True, blank=True)
    public = models.BooleanField(default=False)
    status = models.CharField(max_length=20, choices=LocationStatus, default=LocationStatus.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["tenant", "slug"], name="location_slug")]
        indexes: ClassVar = [models.Index(fields=["tenant", "created_at", "id"], name="location_listing")]

    def __str__(self) -> str:
        return self.name


class DeletedLocation(TenantModel):
    """Remembers that an id was ours, so that deleting it twice is a success and a stranger's id is not found."""

    location_id = models.UUIDField()
    deleted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "location_id"], name="deleted_location_once")
        ]
