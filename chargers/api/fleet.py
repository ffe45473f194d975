"""The chargers of one location, many at a time (gateway contract, section 7).

One item that fails does not fail the call: the answer counts and names what failed.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api import examples
from chargers.api.families import CANONICAL
from chargers.api.filters import FleetFilter
from chargers.api.serializers import (
    MOST_DURABLE,
    MOST_SYNCHRONOUS,
    BulkCreateResultSerializer,
    BulkDeleteResultSerializer,
    BulkUpdateResultSerializer,
    ChargerGroupSerializer,
    ChargerIdsQuerySerializer,
    ChargerIdsSerializer,
    ChargerJobSerializer,
    ChargerSerializer,
    FleetCreateSerializer,
    FleetUpdateSerializer,
    JobAcceptedSerializer,
    changes_of,
    new_charger,
)
from chargers.models import Charger, ProvisioningStatus
from chargers.services import jobs, provisioning
from chargers.services.groups import expanded, size_of
from chargers.services.lookup import as_id, listed, not_here, of_location
from chargers.services.provisioning import Failure, NewCharger
from locations.models import Location
from locations.services import find_location
from ocpplab.api.errors import Invalid
from ocpplab.api.sparse import fields_parameter, sparse
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

FLEET = ["Location chargers"]


def asked_chargers(body: Any, most: int) -> tuple[list[NewCharger], list[Failure]]:
    """Either create body. Raises Invalid (422) when it is neither, or asks for more than `most`."""
    if isinstance(body, list):
        groups = validated(ChargerGroupSerializer, body, many=True, allow_empty=False)
        _check_number(sum(map(size_of, groups)), most, ("body",))
        parts = [expanded(group) for group in groups]
        return [one for wanted, _ in parts for one in wanted], [one for _, failed in parts for one in failed]
    chargers = validated(FleetCreateSerializer, body)["chargers"]
    _check_number(len(chargers), most, ("body", "chargers"))
    return [new_charger(one) for one in chargers], []


def _check_number(number: int, most: int, loc: tuple[str, ...]) -> None:
    if number > most:
        raise Invalid((loc, f"At most {most} chargers in one request.", "too_long"))


DELETED_IDS = OpenApiParameter(
    "charger_ids",
    {"type": "array", "items": {"type": "string"}},
    required=True,
    description="The chargers to delete; repeat the key.",
)
CREATE_BODY = PolymorphicProxySerializer(
    component_name="LocationChargersCreate",
    serializers=[ChargerGroupSerializer(many=True), FleetCreateSerializer],
    resource_type_field_name=None,
    many=False,
)


class LocationChargersViewSet(TenantViewSet):
    serializer_class = ChargerSerializer
    filterset_class = FleetFilter
    family = CANONICAL
    operation_name = ""

    def location(self) -> Location:
        return find_location(self.kwargs["location_id"])

    def get_queryset(self) -> QuerySet[Charger]:
        query = validated(ChargerIdsQuerySerializer, self.request.query_params, where="query")
        chargers = listed().filter(location=self.location())
        if "charger_ids" not in query:
            return chargers
        return chargers.filter(pk__in=[key for text in query["charger_ids"] if (key := as_id(text))])

    @extend_schema(
        operation_id="list_location_chargers",
        summary="List the chargers of a location",
        tags=FLEET,
        parameters=[ChargerIdsQuerySerializer, fields_parameter(ChargerSerializer)],
    )
    def list(self, request: Request, location_id: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(sparse(self.get_serializer(page, many=True), request).data)

    @extend_schema(
        operation_id="create_location_chargers",
        summary="Create chargers in a location",
        description=f"From groups of a template each, or one by one; at most {MOST_SYNCHRONOUS} in one request.",
        tags=FLEET,
        request=CREATE_BODY,
        examples=examples.CREATE_CHARGERS,
        responses={201: BulkCreateResultSerializer},
    )
    def create(self, request: Request, location_id: str) -> Response:
        location = self.location()
        wanted, failed = asked_chargers(request.data, MOST_SYNCHRONOUS)
        outcome = provisioning.create_chargers(location, wanted)
        failures = [{"identity": one.subject, "error": one.error} for one in [*failed, *outcome.failed]]
        return Response(self.created(outcome.done, failures), status=201)

    def created(self, chargers: Sequence[Charger], failures: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return {
            "created_count": len(chargers),
            "failed_count": len(failures),
            "created": self.get_serializer(chargers, many=True).data,
            "failed": failures,
        }

    @extend_schema(
        operation_id="create_location_chargers",
        summary="Create chargers in a location",
        description=f"A job for at most {MOST_DURABLE} chargers: poll `status_url`.",
        tags=FLEET,
        request=CREATE_BODY,
        examples=examples.CREATE_CHARGERS,
        responses={202: JobAcceptedSerializer},
    )
    def accept(self, request: Request, location_id: str) -> Response:
        location = self.location()
        job = jobs.accept(location, *asked_chargers(request.data, MOST_DURABLE))
        answer = {
            "job_id": str(job.pk),
            "status": job.status,
            "status_url": self.family.path(f"locations/{location.pk}/chargers/jobs/{job.pk}"),
            "workflow_run_id": str(job.pk),
        }
        return Response(answer, status=202)

    @extend_schema(
        operation_id="get_location_charger_job",
        summary="How far a job has come that creates chargers",
        description="Chargers that could not be created stand in `results.failed`; FAILED means that the job broke.",
        tags=FLEET,
        responses={200: ChargerJobSerializer},
    )
    def job(self, request: Request, location_id: str, job_id: str) -> Response:
        job = jobs.find_job(self.location(), job_id)
        has_ended = job.status in (ProvisioningStatus.READY, ProvisioningStatus.FAILED)
        progress = {"current_step": job.current_step or None, "done": job.done, "total": job.total}
        answer = {
            "job_id": str(job.pk),
            "job_type": job.job_type,
            "status": job.status,
            "workflow_run_id": str(job.pk),
            "error": job.error,
            "progress": progress if job.status == ProvisioningStatus.PROVISIONING else None,
            "results": self.created(jobs.chargers_of(job), job.failed) if has_ended else None,
            "created_at": iso(job.created_at),
            "provisioned_at": iso(job.provisioned_at),
        }
        return Response(answer)

    @extend_schema(
        operation_id="update_location_chargers",
        summary="Update chargers of a location",
        tags=FLEET,
        request=FleetUpdateSerializer,
        examples=examples.UPDATE_CHARGERS,
        responses=BulkUpdateResultSerializer,
    )
    def update(self, request: Request, location_id: str) -> Response:
        location = self.location()
        patches = validated(FleetUpdateSerializer, request.data)["chargers"]
        changes: dict[str, dict[str, Any]] = {}
        for patch in patches:
            changes.setdefault(patch["charger_id"], {}).update(changes_of(patch))
        chargers, foreign = of_location(location, list(changes))
        by_key = {as_id(text): change for text, change in changes.items()}
        outcome = provisioning.update_chargers(chargers, {one.pk: by_key[one.pk] for one in chargers})
        failures = [{"charger_id": one, "error": not_here(one)} for one in foreign]
        failures += [{"charger_id": one.subject or "", "error": one.error} for one in outcome.failed]
        answer = {
            "updated_count": len(outcome.done),
            "failed_count": len(failures),
            "updated": self.get_serializer(outcome.done, many=True).data,
            "failed": failures,
        }
        return Response(answer)

    @extend_schema(
        operation_id="delete_location_chargers",
        summary="Delete chargers of a location",
        tags=FLEET,
        parameters=[DELETED_IDS],
        responses={200: BulkDeleteResultSerializer},
    )
    def destroy(self, request: Request, location_id: str) -> Response:
        location = self.location()
        ids = {"charger_ids": request.query_params.getlist("charger_ids")}
        if not ids["charger_ids"]:
            raise Invalid((("query", "charger_ids"), "Name the chargers to delete.", "missing"))
        return self.deleted(location, validated(ChargerIdsSerializer, ids, where="query")["charger_ids"])

    @extend_schema(
        operation_id="delete_chargers_of_location",
        summary="Delete chargers of a location, named in the body",
        tags=FLEET,
        request=ChargerIdsSerializer,
        examples=examples.DELETE_CHARGERS,
        responses={200: BulkDeleteResultSerializer},
    )
    def destroy_named(self, request: Request, location_id: str) -> Response:
        location = self.location()
        return self.deleted(location, validated(ChargerIdsSerializer, request.data)["charger_ids"])

    def deleted(self, location: Location, charger_ids: Sequence[str]) -> Response:
        chargers, foreign = of_location(location, charger_ids)
        provisioning.delete_chargers(chargers)
        failures = [{"charger_id": one, "error": not_here(one)} for one in foreign]
        answer = {
            "deleted_count": len(chargers),
            "failed_count": len(failures),
            "deleted": [str(charger.pk) for charger in chargers],
            "failed": failures,
        }
        return Response(answer)
