"""`/locations` (gateway contract, section 6)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from locations import services
from locations.api.filters import LocationFilter
from locations.api.serializers import (
    LocationCreateSerializer,
    LocationSerializer,
    LocationUpdateSerializer,
    columns,
)
from locations.models import Location
from ocpplab.api.preconditions import answer, unchanged
from ocpplab.api.sparse import fields_parameter, sparse
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

LOCATIONS = ["Locations"]
CAR_PARK = {
    "name": "Harbour car park",
    "address": "Quai 1",
    "city": "Rotterdam",
    "country": "NL",
    "coordinates": {"latitude": 51.9, "longitude": 4.48},
    "timezone": "Europe/Amsterdam",
    "public": True,
}
FIELDS = [fields_parameter(LocationSerializer)]


@extend_schema_view(
    list=extend_schema(operation_id="list_locations", summary="List locations", tags=LOCATIONS, parameters=FIELDS),
    retrieve=extend_schema(operation_id="get_location", summary="Get a location", tags=LOCATIONS, parameters=FIELDS),
)
class LocationViewSet(TenantViewSet):
    serializer_class = LocationSerializer
    filterset_class = LocationFilter
    is_conditional = True

    def get_queryset(self) -> QuerySet[Location]:
        return Location.objects.order_by("created_at", "id")

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(sparse(LocationSerializer(page, many=True), request).data)

    @extend_schema(
        operation_id="create_location",
        summary="Create a location",
        tags=LOCATIONS,
        request=LocationCreateSerializer,
        examples=[OpenApiExample("a car park", CAR_PARK, request_only=True)],
        responses={201: LocationSerializer},
    )
    def create(self, request: Request) -> Response:
        location = services.create_location(**columns(validated(LocationCreateSerializer, request.data)))
        return Response(LocationSerializer(location).data, status=201)

    def retrieve(self, request: Request, location_id: str) -> Response:
        location = services.find_location(location_id)
        return answer(request, location, sparse(LocationSerializer(location), request).data)

    @extend_schema(
        operation_id="update_location",
        summary="Update a location",
        description="Partial: only what is sent changes.",
        tags=LOCATIONS,
        request=LocationUpdateSerializer,
        examples=[OpenApiExample("closed", {"status": "inactive", "public": False}, request_only=True)],
        responses={200: LocationSerializer},
    )
    def update(self, request: Request, location_id: str) -> Response:
        location = services.find_location(location_id)
        changes: dict[str, Any] = columns(validated(LocationUpdateSerializer, request.data))
        with unchanged(request, location):
            location = services.update_location(location, changes)
        return answer(request, location, LocationSerializer(location).data)

    @extend_schema(
        operation_id="delete_location",
        summary="Delete a location with its chargers",
        description="Stops and deletes its chargers. Deleting it again is a success.",
        tags=LOCATIONS,
        responses={204: None},
    )
    def destroy(self, request: Request, location_id: str) -> Response:
        services.delete_location(location_id)
        return Response(status=204)
