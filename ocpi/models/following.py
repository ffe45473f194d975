"""What the follower works with: chargers that have changed, and who was let in to charge."""

from typing import Any, ClassVar

from django.db import models

from ocpi.models.cpo import Cpo
from ocpi.models.peer import Peer
from ocpi.models.session import AuthMethod
from tenants.scoping import TenantModel


class ChargerChange(models.Model):
    """A charger of a CPO has something new in the lab's rows. Only ever inserted and deleted: writers never wait.

    No foreign key: a mark of a deleted charger is dropped when it is read.
    """

    charger = models.UUIDField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return str(self.charger)


class Authorization(TenantModel):
    """A real-time authorization that let a token in: what the session it leads to has to tell.

    `id_tag` is upper-cased, as the charger said it; `cdr_token` as in `Session`.
    """

    cpo = models.ForeignKey(Cpo, verbose_name="CPO", on_delete=models.CASCADE, related_name="authorizations")
    peer = models.ForeignKey(Peer, on_delete=models.CASCADE, related_name="authorizations")
    identity = models.CharField(max_length=48)
    id_tag = models.CharField(max_length=36)
    cdr_token: models.JSONField[Any, Any] = models.JSONField()
    method = models.CharField(max_length=12, choices=AuthMethod)
    reference = models.CharField(max_length=36, blank=True)
    group_id = models.CharField(max_length=36, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["cpo", "id_tag", "at"], name="authorization_lookup"),
            models.Index(fields=["at"], name="authorization_age"),
        ]

    def __str__(self) -> str:
        return f"{self.id_tag} at {self.identity}"
