"""`/chargers` and one charger (gateway contract, section 8)."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api import examples
from chargers.api.families import CANONICAL
from chargers.api.filters import ChargerFilter
from chargers.api.serializers import (
    ChargerAcceptedSerializer,
    ChargerCreateSerializer,
    ChargerSerializer,
    ChargerStatusSerializer,
    ChargerUpdateSerializer,
    changes_of,
    new_charger,
)
from chargers.models import Charger
from chargers.services import provisioning
from chargers.services.lookup import find_charger, listed
from locations.services import named_location
from ocpplab.api.preconditions import answer, unchanged
from ocpplab.api.sparse import fields_parameter, sparse
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

CHARGERS = ["Chargers"]
FIELDS = [fields_parameter(ChargerSerializer)]


class ChargerViewSet(TenantViewSet):
    serializer_class = ChargerSerializer
    filterset_class = ChargerFilter
    is_conditional = True
    family = CANONICAL

    def get_queryset(self) -> QuerySet[Charger]:
        return listed()

    @extend_schema(
        operation_id="list_chargers",
        summary="List chargers",
        tags=CHARGERS,
        parameters=FIELDS,
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(sparse(self.get_serializer(page, many=True), request).data)

    @extend_schema(
        operation_id="create_charger",
        summary="Create a charger",
        description="It then connects to `ws_url` and boots.",
        tags=CHARGERS,
        request=ChargerCreateSerializer,
        examples=examples.CREATE_CHARGER,
        responses={201: ChargerSerializer},
    )
    def create(self, request: Request) -> Response:
        return Response(self.get_serializer(self.created(request)).data, status=201)

    @extend_schema(
        operation_id="create_charger",
        summary="Create a charger",
        description="It stands at once; its simulator starts afterwards: poll `status_url`.",
        tags=CHARGERS,
        request=ChargerCreateSerializer,
        examples=examples.CREATE_CHARGER,
        responses={202: ChargerAcceptedSerializer},
    )
    def accept(self, request: Request) -> Response:
        charger = self.created(request)
        answer = {
            "charger_id": str(charger.pk),
            "identity": charger.identity,
            "status": charger.status,
            "status_url": self.family.path(f"chargers/{charger.pk}/status"),
            "workflow_run_id": None,
        }
        return Response(answer, status=202)

    @staticmethod
    def created(request: Request) -> Charger:
        wanted = new_charger(validated(ChargerCreateSerializer, request.data))
        return provisioning.create_charger(named_location(str(wanted.location_id)), wanted)

    @extend_schema(operation_id="get_charger", summary="Get a charger", tags=CHARGERS, parameters=FIELDS)
    def retrieve(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
        return answer(request, charger, sparse(self.get_serializer(charger), request).data)

    @extend_schema(
        operation_id="get_charger_status",
        summary="Provisioning status of a charger",
        description="READY: its simulator runs and connects. Whether the CSMS takes it shows in `connection_status`.",
        tags=CHARGERS,
        responses=ChargerStatusSerializer,
    )
    def status(self, request: Request, charger_id: str) -> Response:
        return Response(ChargerStatusSerializer(find_charger(charger_id)).data)

    @extend_schema(
        operation_id="update_charger",
        summary="Update a charger",
        description="Partial. A change of `ws_url` or `ocpp_version` makes the running charger reconnect.",
        tags=CHARGERS,
        request=ChargerUpdateSerializer,
        examples=examples.UPDATE_CHARGER,
        responses=ChargerSerializer,
    )
    def update(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
        changes = changes_of(validated(ChargerUpdateSerializer, request.data))
        with unchanged(request, charger):
            charger = provisioning.update_charger(charger, changes)
        return answer(request, charger, self.get_serializer(charger).data)

    @extend_schema(
        operation_id="delete_charger", summary="Stop and delete a charger", tags=CHARGERS, responses={204: None}
    )
    def destroy(self, request: Request, charger_id: str) -> Response:
        provisioning.delete_chargers([find_charger(charger_id)])
        return Response(status=204)
