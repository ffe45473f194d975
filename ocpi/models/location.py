"""What a CPO shows of its sites: OCPI locations and EVSEs, each with the row of the lab behind it."""

from typing import Any, ClassVar

from django.db import models

from chargers.models.job import ProvisioningJob
from ocpi.models.cpo import Cpo
from ocpi.models.tariff import Tariff
from tenants.scoping import TenantModel


class CpoLocation(TenantModel):
    """An OCPI location over an ordinary one, which holds name, address, coordinates, time zone and owner.

    `attributes` holds what only OCPI knows, in OCPI's own words: postal_code, state, parking_type, facilities,
    opening_times, publish_allowed_to, directions... `country` is OCPI's alpha-3. Kept as REMOVED when its site is
    deleted (contract 5), then `snapshot` holds the last OCPI object.
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="locations")
    ocpi_id = models.CharField(max_length=36)
    location = models.OneToOneField(
        "locations.Location", null=True, blank=True, on_delete=models.SET_NULL, related_name="cpo_location"
    )
    country = models.CharField(max_length=3)
    attributes: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    snapshot: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    last_updated = models.DateTimeField()

    class Meta:
        verbose_name = "location"
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cpo", "ocpi_id"], name="cpo_location_once")]
        indexes: ClassVar = [
            models.Index(fields=["cpo", "created_at", "id"], name="cpo_location_listing"),
            models.Index(fields=["cpo", "last_updated"], name="cpo_location_delta"),
        ]

    def __str__(self) -> str:
        return self.ocpi_id


class EvseStatus(models.TextChoices):
    AVAILABLE = "AVAILABLE", "Available"
    BLOCKED = "BLOCKED", "Blocked"
    CHARGING = "CHARGING", "Charging"
    INOPERATIVE = "INOPERATIVE", "Inoperative"
    OUTOFORDER = "OUTOFORDER", "Out of order"
    PLANNED = "PLANNED", "Planned"
    REMOVED = "REMOVED", "Removed"
    RESERVED = "RESERVED", "Reserved"
    UNKNOWN = "UNKNOWN", "Unknown"


class Evse(TenantModel):
    """One physical outlet of a charger: one OCPI EVSE with the connector "1" (OCPI contract 5, topology).

    `outlet_evse` and `outlet_connector` are OCPP's numbers, those of `chargers.Connector`. `attributes` are the EVSE's
    optional members in OCPI's words (capabilities, floor_level, physical_reference, parking_restrictions...);
    `connector` is {standard, format, power_type, max_voltage, max_amperage, max_electric_power} in 2.2.1's words.
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="evses")
    location = models.ForeignKey(CpoLocation, on_delete=models.CASCADE, related_name="evses")
    charger = models.ForeignKey(
        "chargers.Charger", null=True, blank=True, on_delete=models.SET_NULL, related_name="ocpi_evses"
    )
    uid = models.CharField(max_length=36)
    evse_id = models.CharField(max_length=48)
    outlet_evse = models.PositiveSmallIntegerField()
    outlet_connector = models.PositiveSmallIntegerField()
    attributes: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)
    connector: models.JSONField[Any, Any] = models.JSONField(default=dict)
    tariffs = models.ManyToManyField(Tariff, related_name="evses", blank=True)
    status = models.CharField(max_length=12, choices=EvseStatus, default=EvseStatus.PLANNED)
    reported = models.BooleanField(default=False, editable=False, help_text="Its charger has told a status once.")
    offline_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()
    last_updated = models.DateTimeField()
    connector_last_updated = models.DateTimeField()

    class Meta:
        verbose_name = "EVSE"
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cpo", "uid"], name="evse_uid_once")]
        indexes: ClassVar = [models.Index(fields=["charger"], name="evse_of_charger")]

    def __str__(self) -> str:
        return self.uid


class LocationJob(ProvisioningJob):
    """Sites added to a CPO after it was built; what is `wanted` is resolved at the start."""

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="location_jobs")

    def __str__(self) -> str:
        return str(self.id)
