"""`/ocpi/cpos`: bundles (gateway contract, 15.2)."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi import bundles, report
from ocpi.api import cpo_serializers as shapes
from ocpi.building import dismantling
from ocpi.models import Cpo, Credential
from ocpi.roam_helper import roam_helper
from ocpplab.api.errors import Conflict, NotFound
from ocpplab.api.streams import Streams, accepted
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

OCPI = ["OCPI"]
TWO_STREETS = {"template": "small-urban-ac", "country_code": "NL", "party_id": "LAB", "name_prefix": "City", "seed": 42}
MARKDOWN = "text/markdown"
SECRETS: dict[str, Any] = {"token_a": None, "roam_helper": None}


class CpoViewSet(Streams, TenantViewSet):
    """Every route names the CPO as `cpo_id`."""

    accepted_types = frozenset({MARKDOWN})
    further_codes: ClassVar = {"create": ("404",)}
    serializer_class = shapes.CpoSerializer

    def get_queryset(self) -> Any:
        return bundles.live()

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    @extend_schema(
        operation_id="list_cpos", summary="List CPOs", tags=OCPI, responses={200: shapes.CpoSerializer(many=True)}
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([shapes.shown(cpo) for cpo in page])

    @extend_schema(
        operation_id="create_cpo",
        summary="Build a CPO from a template",
        description="Answered at once: an eMSP can shake hands with Token A from then on. Locations and chargers "
        "follow; poll `status_url` until it is READY. Repeated with the same `Idempotency-Key` it is the same CPO "
        "with a new Token A, as long as nobody has used the first one.",
        tags=OCPI,
        request=shapes.CpoCreateSerializer,
        examples=[OpenApiExample("two streets", TWO_STREETS, request_only=True)],
        responses={202: shapes.CpoAcceptedSerializer},
    )
    def create(self, request: Request) -> Response:
        wanted = shapes.new_bundle(validated(shapes.CpoCreateSerializer, request.data))
        cpo, token_a = bundles.create(wanted)
        return Response(shapes.accepted(cpo, token_a, roam_helper(cpo, token_a)), status=202)

    def without_secrets(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What is kept of the first answer under an Idempotency-Key."""
        return {**answer, **SECRETS}

    def with_new_secrets(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The kept answer with a fresh Token A. Raises Conflict when the first was used, or the CPO is gone."""
        try:
            cpo = bundles.find_cpo(answer["cpo_id"])
        except NotFound:
            raise Conflict("The CPO of the first request with this key is gone: take a new key.") from None
        if cpo.credentials.filter(kind=Credential.A, used_at__isnull=False).exists():
            raise Conflict("Token A of the first request with this key has been used: see the CPO's peers.")
        token_a = bundles.renew_token_a(cpo)
        return {**answer, "token_a": token_a, "roam_helper": roam_helper(cpo, token_a)}

    @extend_schema(operation_id="get_cpo", summary="Get a CPO", tags=OCPI, responses={200: shapes.CpoSerializer})
    def retrieve(self, request: Request, cpo_id: str) -> Response:
        return Response(shapes.shown(self.cpo()))

    @extend_schema(
        operation_id="delete_cpo",
        summary="Destroy a CPO",
        description="With its locations, chargers and credentials; its peers are told. Repeating it changes nothing.",
        tags=OCPI,
        responses={204: None},
    )
    def destroy(self, request: Request, cpo_id: str) -> Response:
        key = bundles.key_of(cpo_id)
        cpo = bundles.live().filter(pk=key).first() if key is not None else None
        if cpo is not None:
            dismantling.destroy(cpo)
        return Response(status=204)

    @extend_schema(
        operation_id="get_cpo_status",
        summary="How far a CPO has come",
        tags=OCPI,
        responses={200: shapes.CpoStatusSerializer},
    )
    def status(self, request: Request, cpo_id: str) -> Response:
        return Response(shapes.status(self.cpo()))

    @extend_schema(
        operation_id="get_cpo_report",
        summary="A CPO on one page",
        description="Sent as `text/markdown` where `Accept` asks for it.",
        tags=OCPI,
        responses={200: OpenApiResponse(shapes.CpoReportSerializer)},
    )
    def report(self, request: Request, cpo_id: str) -> Response | HttpResponse:
        cpo = self.cpo()
        markdown = report.markdown(cpo)
        if MARKDOWN in accepted(request):
            return HttpResponse(markdown, content_type=f"{MARKDOWN}; charset=utf-8")
        return Response({"cpo_id": str(cpo.pk), "markdown": markdown})

    @extend_schema(
        operation_id="update_cpo_settings",
        summary="Change how a CPO behaves",
        description="Partial: only what is sent changes.",
        tags=OCPI,
        request=shapes.CpoSettingsSerializer,
        examples=[OpenApiExample("no car comes by itself", {"auto_plug": False}, request_only=True)],
        responses={200: shapes.CpoSettingsSerializer},
    )
    def change_settings(self, request: Request, cpo_id: str) -> Response:
        cpo = self.cpo()
        return Response(bundles.change_settings(cpo, validated(shapes.CpoSettingsSerializer, request.data)))

    @extend_schema(
        operation_id="get_cpo_settings",
        summary="How a CPO behaves",
        tags=OCPI,
        responses={200: shapes.CpoSettingsSerializer},
    )
    def show_settings(self, request: Request, cpo_id: str) -> Response:
        return Response(shapes.shown(self.cpo())["settings"])
