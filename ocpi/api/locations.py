"""`/ocpi/cpos/{cpo_id}/locations`: the sites of a CPO (gateway contract, 15.4)."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.models import ProvisioningStatus
from chargers.services.lookup import as_id
from ocpi import bundles, location_orders, sites
from ocpi.api import location_serializers as shapes
from ocpi.api.cpo_serializers import path
from ocpi.models import Cpo
from tenants.viewsets import TenantViewSet

TAG = ["OCPI"]
EXAMPLE = {
    "locations": [
        {"template": "urban-ac-hub", "overrides": {"name": "Harbour hub", "public": True}},
        {
            "name": "Station square", "address": "Stationsplein 1", "city": "Utrecht", "country": "NL",
            "coordinates": {"latitude": 52.0894, "longitude": 5.1101}, "parking_type": "PARKING_LOT", "charges": [],
        },
    ]
}  # fmt: skip
ITEM = PolymorphicProxySerializer(
    component_name="CpoLocationCreate",
    serializers=[shapes.ExplicitSiteSerializer, shapes.TemplateSiteSerializer],
    resource_type_field_name=None,
    many=True,
)
CREATE_BODY = inline_serializer("CpoLocationsCreateBody", {"locations": serializers.ListField(child=ITEM)})


class CpoLocationViewSet(TenantViewSet):
    serializer_class = shapes.CpoLocationSerializer

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    def get_queryset(self) -> Any:
        return sites.sites(self.cpo())

    @extend_schema(
        operation_id="list_cpo_locations",
        summary="List the locations of a CPO",
        tags=TAG,
        responses={200: shapes.CpoLocationSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([shapes.shown(site) for site in page])

    @extend_schema(
        operation_id="create_cpo_locations",
        summary="Add locations to a CPO",
        description="Each described in full with its chargers, or from a location template. A job: poll `status_url`.",
        tags=TAG,
        request=CREATE_BODY,
        examples=[OpenApiExample("one of either kind", EXAMPLE, request_only=True)],
        responses={202: shapes.LocationJobAcceptedSerializer},
    )
    def create(self, request: Request, cpo_id: str) -> Response:
        cpo = self.cpo()
        job = location_orders.accept(cpo, shapes.items_of(request.data))
        answer = {
            "job_id": str(job.pk),
            "status": ProvisioningStatus.PROVISIONING,
            "status_url": path(cpo, "locations", "jobs", str(job.pk)),
            "workflow_run_id": str(job.pk),
        }
        return Response(answer, status=202)

    @extend_schema(
        operation_id="get_cpo_location_job",
        summary="How far a job has come that adds locations",
        description="Locations that could not be made stand in `results.failed`; FAILED means that the job broke.",
        tags=TAG,
        responses={200: shapes.LocationJobSerializer},
    )
    def job(self, request: Request, cpo_id: str, job_id: str) -> Response:
        cpo = self.cpo()
        job = location_orders.find_job(cpo, as_id(job_id))
        return Response(shapes.job_answer(job, list(sites.sites(cpo).filter(ocpi_id__in=job.created))))

    @extend_schema(
        operation_id="get_cpo_location",
        summary="Get a location of a CPO",
        tags=TAG,
        responses={200: shapes.CpoLocationSerializer},
    )
    def retrieve(self, request: Request, cpo_id: str, ocpi_location_id: str) -> Response:
        return Response(shapes.shown(sites.find_site(self.cpo(), ocpi_location_id)))

    @extend_schema(
        operation_id="update_cpo_location",
        summary="Change a location of a CPO",
        description="Partial. The plain location behind it changes with it, and peers are told.",
        tags=TAG,
        request=shapes.SiteSerializer,
        examples=[OpenApiExample("renamed", {"name": "Harbour hub north"}, request_only=True)],
        responses={200: shapes.CpoLocationSerializer},
    )
    def update(self, request: Request, cpo_id: str, ocpi_location_id: str) -> Response:
        site = sites.find_site(self.cpo(), ocpi_location_id)
        return Response(shapes.shown(sites.change_site(site, shapes.changes_of(request.data))))

    @extend_schema(
        operation_id="delete_cpo_location",
        summary="Delete a location of a CPO with its chargers",
        description="Peers see its EVSEs as REMOVED. Deleting it again is a success.",
        tags=TAG,
        responses={204: None},
    )
    def destroy(self, request: Request, cpo_id: str, ocpi_location_id: str) -> Response:
        sites.delete_site(self.cpo(), ocpi_location_id)
        return Response(status=204)
