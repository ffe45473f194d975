"""The catalog of faults (gateway contract, section 19)."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.command_serializers import FaultKindSerializer
from chargers.services.faults import catalog
from tenants.viewsets import TenantViewSet


class FaultCatalogView(TenantViewSet):
    pagination_class = None

    @extend_schema(
        operation_id="list_faults",
        summary="The faults that can be injected",
        description="With their parameters, what each shows by OCPP version, and what clears it.",
        tags=["Configuration and faults"],
        responses={200: FaultKindSerializer(many=True)},
    )
    def list(self, request: Request) -> Response:
        return Response(catalog())
