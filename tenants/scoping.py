"""Which organization the current code works for.

One mechanism for the whole product: a context variable, opened at the doors (authentication, the console's session, the
house CSMS, tasks, the recorder, tests) and read by `TenantManager`. Forgetting to open it raises; it never leaks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, ClassVar, Generic, Self, TypeVar
from uuid import UUID

from django.db import models

_tenant: ContextVar[UUID | None] = ContextVar("tenant", default=None)
M = TypeVar("M", bound=models.Model)


class NoTenant(RuntimeError):
    """A query on tenant data was made with no organization in scope."""


def current_tenant_id() -> UUID:
    """The organization in scope; raises NoTenant when there is none."""
    tenant_id = _tenant.get()
    if tenant_id is None:
        raise NoTenant("No organization is in scope: open one with tenants.scoping.scope().")
    return tenant_id


def open_scope(tenant_id: UUID) -> Token[UUID | None]:
    """Opens the scope without a `with`; the caller hands the token to `close_scope` in a `finally`."""
    return _tenant.set(tenant_id)


def close_scope(token: Token[UUID | None]) -> None:
    _tenant.reset(token)


@contextmanager
def scope(tenant: models.Model | UUID) -> Iterator[None]:
    """Work for one organization, given as itself or by its id, within the block; scopes nest."""
    token = open_scope(tenant if isinstance(tenant, UUID) else tenant.pk)
    try:
        yield
    finally:
        close_scope(token)


class TenantManager(models.Manager[M], Generic[M]):
    """Sees the rows of the organization in scope, and nothing without one."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(tenant_id=current_tenant_id())

    def unscoped(self) -> models.QuerySet[M]:
        """Rows of every organization: for the admin, simulator nodes and sweeps only."""
        return super().get_queryset()


class TenantModel(models.Model):
    """A row that belongs to one organization. The default tenant is the one in scope."""

    tenant = models.ForeignKey(
        "tenants.Organization", on_delete=models.CASCADE, related_name="+", default=current_tenant_id, editable=False
    )

    objects: ClassVar[TenantManager[Self]] = TenantManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        # Model.save() bypasses managers: a row of one organization must not be written under the scope of another.
        in_scope = _tenant.get()
        if in_scope is not None and self.tenant_id != in_scope:
            raise NoTenant("This row belongs to another organization than the one in scope.")
        super().save(*args, **kwargs)
