"""The base of every view on tenant data: authenticates, opens the organization's scope, closes it again."""

from contextvars import Token
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from ocpplab.api.errors import Forbidden
from ocpplab.api.filtering import QueryFilters
from tenants import idempotency
from tenants.authentication import ORGANIZATION_HEADER, caller_of, tenant_of
from tenants.scoping import close_scope, open_scope


class TenantViewSet(GenericViewSet[Any]):
    """Views define `get_queryset()`, never a class-level queryset: that one would run without a scope."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    filter_backends = (QueryFilters,)  # of the view's `filterset_class`
    header_parameters = (
        OpenApiParameter(
            ORGANIZATION_HEADER,
            location=OpenApiParameter.HEADER,
            description="The organization's id. Admin tokens must send it, user tokens must not.",
        ),
        OpenApiParameter(
            idempotency.HEADER,
            location=OpenApiParameter.HEADER,
            description="For POST: a repeat with the same key within 24 h is answered as the first was.",
        ),
    )
    _scope: Token[UUID | None] | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        tenant_id = tenant_of(request)
        caller = caller_of(request)
        if request.method not in SAFE_METHODS and not caller.token.may_write:
            raise Forbidden("The role viewer may only read.")
        self._scope = open_scope(tenant_id)
        handler: idempotency.Handler | None = getattr(self, "post", None)
        if request.method == "POST" and handler is not None and idempotency.HEADER in request.headers:
            secretive: Any = self if hasattr(self, "with_new_secrets") else None
            self.post = idempotency.once(handler, caller.token, tenant_id, request, secretive)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self._scope is not None:
                close_scope(self._scope)
                self._scope = None
