"""`/ocpi/cpos/{cpo_id}/cdrs`: what the sessions of a CPO cost, and credit CDRs (OCPI contract 8)."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi import bundles
from ocpi.api.filters import CdrFilter
from ocpi.charging import cdrs
from ocpi.models import Cdr
from ocpplab.api.errors import NotFound
from ocpplab.api.timestamps import iso
from tenants.viewsets import TenantViewSet

TAG = ["OCPI"]


class CdrSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    session_id = serializers.CharField(allow_null=True, help_text="OCPI's id of the session.")
    peer_id = serializers.CharField(allow_null=True, help_text="Whom it is for; null for the CPO's own cards.")
    credit = serializers.BooleanField(help_text="Takes another CDR back.")
    credit_reference_id = serializers.CharField(allow_null=True, help_text="The CDR that it takes back.")
    cdr = serializers.JSONField(help_text="The whole of it, in the words of OCPI 2.2.1.")
    created_at = serializers.DateTimeField()


def shown(row: Cdr) -> dict[str, Any]:
    return {
        "id": row.cdr_id,
        "session_id": row.content.get("session_id"),
        "peer_id": str(row.peer_id) if row.peer_id else None,
        "credit": row.credit,
        "credit_reference_id": row.content.get("credit_reference_id"),
        "cdr": row.content,
        "created_at": iso(row.created_at),
    }


class CpoCdrViewSet(TenantViewSet):
    serializer_class = CdrSerializer
    filterset_class = CdrFilter
    further_codes: ClassVar = {"credit": ("409",)}

    def get_queryset(self) -> QuerySet[Cdr]:
        cpo = bundles.find_cpo(self.kwargs["cpo_id"])
        return Cdr.objects.filter(cpo=cpo).order_by("created_at", "id")

    def found(self, cdr_id: str) -> Cdr:
        """Raises NotFound."""
        rows = self.get_queryset().select_related("cpo", "peer", "session")
        row = rows.filter(cdr_id=cdr_id).first() if "\0" not in cdr_id else None
        if row is None:
            raise NotFound("CDR")
        return row

    @extend_schema(
        operation_id="list_cpo_cdrs",
        summary="List the CDRs of a CPO",
        description="Oldest first: those of every eMSP, those of the CPO's own cards, and credit CDRs.",
        tags=TAG,
        responses={200: CdrSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([shown(row) for row in page])

    @extend_schema(
        operation_id="get_cpo_cdr",
        summary="Get a CDR of a CPO",
        tags=TAG,
        responses={200: CdrSerializer},
    )
    def retrieve(self, request: Request, cpo_id: str, cdr_id: str) -> Response:
        return Response(shown(self.found(cdr_id)))

    @extend_schema(
        operation_id="credit_cpo_cdr",
        summary="Take a CDR back by a credit CDR",
        description="The eMSP gets it as it gets any CDR: the same data, `-C` behind the id, `total_cost` negative and "
        "`credit_reference_id` naming the original. Repeating it changes nothing and shows the one that stands. 409 "
        "where the eMSP speaks OCPI 2.1.1, which has no credit CDRs.",
        tags=TAG,
        request=None,
        responses={201: CdrSerializer},
    )
    def credit(self, request: Request, cpo_id: str, cdr_id: str) -> Response:
        return Response(shown(cdrs.credit(self.found(cdr_id))), status=201)
