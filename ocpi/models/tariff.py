"""Tariffs of a CPO."""

from typing import Any, ClassVar

from django.db import models

from ocpi.models.cpo import Cpo
from tenants.scoping import TenantModel


class Tariff(TenantModel):
    """`content` is the tariff in 2.2.1's words without id, party and last_updated; numbers as JSON numbers.

    A removed one stays, since sessions under way refer to it; it is not listed any more.
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="tariffs")
    tariff_id = models.CharField(max_length=36)
    content: models.JSONField[Any, Any] = models.JSONField()
    removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    last_updated = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cpo", "tariff_id"], name="tariff_once")]

    def __str__(self) -> str:
        return self.tariff_id
