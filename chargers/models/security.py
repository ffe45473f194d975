"""What an installer has set of a charger's security. What the CSMS changes later stands in the station's memory."""

from typing import ClassVar

from django.db import models

from chargers.models.charger import Charger
from tenants.scoping import TenantModel


class ChargerSecurity(TenantModel):
    """`password` and `client_key` are sealed (see `ocpplab.sealing`); certificates are PEM. Empty: not set.

    `revision` rises with every change: the station then takes these values over what its CSMS has changed.
    """

    charger = models.OneToOneField(Charger, on_delete=models.CASCADE, primary_key=True, related_name="security")
    revision = models.PositiveIntegerField(default=1)
    profile = models.PositiveSmallIntegerField(default=0)
    password = models.TextField(blank=True)
    ca_certificate = models.TextField(blank=True)
    client_certificate = models.TextField(blank=True)
    client_key = models.TextField(blank=True)
    insecure = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural: ClassVar = "charger security"

    def __str__(self) -> str:
        return f"profile {self.profile}"
