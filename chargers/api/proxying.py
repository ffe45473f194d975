"""The routes of proxy messages (gateway contract, section 13)."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api import answers, examples
from chargers.api.command_serializers import ProxyMessageSerializer, QueuedCommandSerializer
from chargers.api.deeds import body_of, named_as_sent
from chargers.api.targeted import ChargerTargetSerializer, aimed_at
from chargers.services import proxying
from chargers.services.lookup import find_charger
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

SUMMARY = "Send one OCPP message from the charger, as you word it"
DESCRIPTION = """Keys in snake_case are turned into OCPP's camelCase; nothing is checked against the schema.
The log marks the frame `injected`."""
TARGETED = aimed_at(ChargerTargetSerializer, ProxyMessageSerializer)


class ChargerProxyView(TenantViewSet):
    @extend_schema(
        operation_id="proxy_message",
        summary=SUMMARY,
        description=DESCRIPTION,
        tags=["Commands"],
        request=ProxyMessageSerializer,
        responses={202: QueuedCommandSerializer},
        parameters=[
            OpenApiParameter("action", str, description="As in the body, for clients that send only `payload` there."),
            OpenApiParameter("ocpp_version", str, description="As in the body."),
        ],
        examples=examples.of_event("proxy_message"),
    )
    def create(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
        with named_as_sent(request):
            message: dict[str, Any] = validated(ProxyMessageSerializer, body_of(request))
        return Response(answers.queued(proxying.send(charger, **message)), status=202)


class TargetedProxyView(TenantViewSet):
    has_target = True

    @extend_schema(
        operation_id="command_proxy_message",
        summary=SUMMARY,
        description=DESCRIPTION,
        tags=["Commands with a target"],
        request=TARGETED,
        responses={202: QueuedCommandSerializer},
        examples=examples.of_targeted("proxy_message", one=True),
    )
    def create(self, request: Request) -> Response:
        body = validated(TARGETED, request.data)
        charger = find_charger(body["target"]["charger_id"])
        return Response(answers.queued(proxying.send(charger, **body["event"])), status=202)
