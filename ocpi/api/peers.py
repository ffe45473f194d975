"""The eMSPs of a CPO: who is registered, how another gets in, and what passed between (OCPI contract 3, 13, 14)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi import bundles
from ocpi.api.cpo_serializers import RoamHelperSerializer
from ocpi.api.filters import ExchangeFilter
from ocpi.models import Cpo, Credential, Exchange, Peer, PeerState
from ocpi.peer import handshake, links
from ocpi.roam_helper import roam_helper
from ocpplab.api.errors import Conflict, InvalidRequest, NotFound
from ocpplab.api.fields import Flag, Text
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants import audit
from tenants.viewsets import TenantViewSet

TAG = ["OCPI"]
GONE = (PeerState.REGISTERING, PeerState.UNREGISTERED)


class PeerSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    state = serializers.ChoiceField(choices=PeerState.choices)
    version = serializers.CharField()
    versions_url = serializers.CharField()
    roles = serializers.JSONField(help_text="As in the peer's credentials object.")
    endpoints = serializers.JSONField(help_text="[{identifier, role, url}]")
    registered_at = serializers.DateTimeField(allow_null=True)


class TokenRequestSerializer(serializers.Serializer[Any]):
    additional = Flag(required=False, default=False, help_text="Leave an unused Token A valid beside the new one.")


class MintedTokenSerializer(serializers.Serializer[Any]):
    token_a = serializers.CharField(help_text="Shown here only.")
    ocpi_peer_url = serializers.CharField()
    roam_helper = RoamHelperSerializer()


class RegisterSerializer(serializers.Serializer[Any]):
    versions_url = Text(max_length=500, help_text="The eMSP's.")
    token_a = Text(max_length=64, help_text="What the eMSP gave for the handshake.")


class ExchangeSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    direction = serializers.ChoiceField(choices=[Exchange.INCOMING, Exchange.OUTGOING])
    peer_id = serializers.CharField(allow_null=True)
    method = serializers.CharField()
    url = serializers.CharField()
    module = serializers.CharField()
    request_body = serializers.CharField(help_text="Tokens masked.")
    response_body = serializers.CharField(help_text="Tokens masked.")
    http_status = serializers.IntegerField(allow_null=True)
    status_code = serializers.IntegerField(allow_null=True, help_text="OCPI's.")
    problem = serializers.CharField(help_text="Why there is no answer, or what was wrong with it.")
    attempt = serializers.IntegerField()
    duration = serializers.FloatField(allow_null=True, help_text="Milliseconds.")
    request_id = serializers.CharField()
    correlation_id = serializers.CharField()


def shown(peer: Peer) -> dict[str, Any]:
    return {
        "id": str(peer.pk),
        "state": peer.state,
        "version": peer.version,
        "versions_url": peer.versions_url,
        "roles": peer.roles,
        "endpoints": peer.endpoints,
        "registered_at": iso(peer.registered_at),
    }


def shown_exchange(row: Exchange) -> dict[str, Any]:
    plain = (
        "direction", "method", "url", "module", "request_body", "response_body", "http_status", "status_code",
        "problem", "attempt", "duration", "request_id", "correlation_id",
    )  # fmt: skip
    return {
        "id": str(row.pk),
        "at": iso(row.at),
        "peer_id": str(row.peer_id) if row.peer_id else None,
        **{name: getattr(row, name) for name in plain},
    }


class CpoPeerViewSet(TenantViewSet):
    serializer_class = PeerSerializer

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    def get_queryset(self) -> QuerySet[Peer]:
        return Peer.objects.filter(cpo=self.cpo()).exclude(state__in=GONE).order_by("id")

    @extend_schema(
        operation_id="list_cpo_peers",
        summary="List the eMSPs registered at a CPO",
        tags=TAG,
        responses={200: PeerSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([shown(peer) for peer in page])

    @extend_schema(
        operation_id="unregister_cpo_peer",
        summary="Unregister an eMSP",
        description="Its tokens stop working at once; it is told, if it can be reached. Repeating it changes nothing.",
        tags=TAG,
        responses={204: None},
    )
    def destroy(self, request: Request, cpo_id: str, peer_id: str) -> Response:
        cpo = self.cpo()
        number = int(peer_id) if peer_id.isascii() and peer_id.isdigit() and len(peer_id) < 19 else None
        peer = Peer.objects.filter(cpo=cpo, pk=number).first() if number is not None else None
        if peer is None:
            raise NotFound("Peer")
        if peer.state not in GONE:
            _note("unregister_peer", cpo, str(peer))
            handshake.unregister(peer)
        return Response(status=204)

    @extend_schema(
        operation_id="register_cpo_at_peer",
        summary="Register a CPO at an eMSP",
        description="The CPO starts the handshake, with the Token A that the eMSP gave.",
        tags=TAG,
        request=RegisterSerializer,
        examples=[
            OpenApiExample(
                "an eMSP", {"versions_url": "https://emsp.example/ocpi/versions", "token_a": "given"}, request_only=True
            )
        ],
        responses={201: PeerSerializer},
    )
    def register(self, request: Request, cpo_id: str) -> Response:
        cpo = self.cpo()
        data = validated(RegisterSerializer, request.data)
        _note("register_at_peer", cpo, data["versions_url"])
        try:
            peer = handshake.register(cpo, data["versions_url"], data["token_a"])
        except handshake.RegistrationFailed as failure:
            # The clients repeat what fails with 5xx; a handshake that the peer refused is not to be repeated unasked.
            raise InvalidRequest(failure.message) from failure
        return Response(shown(peer), status=201)


class CpoTokenViewSet(TenantViewSet):
    serializer_class = MintedTokenSerializer

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    @extend_schema(
        operation_id="mint_cpo_token",
        summary="Mint another Token A",
        description="An unused one is revoked, unless this is an additional one. Each is good for one handshake.",
        tags=TAG,
        request=TokenRequestSerializer,
        examples=[OpenApiExample("for a second eMSP", {"additional": True}, request_only=True)],
        responses={201: MintedTokenSerializer},
    )
    def create(self, request: Request, cpo_id: str) -> Response:
        cpo = self.cpo()
        additional = validated(TokenRequestSerializer, request.data)["additional"]
        token_a = bundles.renew_token_a(cpo, additional=additional)
        return Response({**self.without_secrets({}), **_minted(cpo, token_a)}, status=201)

    def without_secrets(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "token_a": None, "roam_helper": None}

    def with_new_secrets(self, answer: dict[str, Any]) -> dict[str, Any]:
        cpo = self.cpo()
        if not cpo.credentials.filter(kind=Credential.A, used_at=None, revoked_at=None).exists():
            raise Conflict("The Token A of the first request with this key has been used or revoked: take a new key.")
        return {**answer, **_minted(cpo, bundles.renew_token_a(cpo))}


def _minted(cpo: Cpo, token_a: str) -> dict[str, Any]:
    return {
        "token_a": token_a,
        "ocpi_peer_url": links.versions_url(cpo),
        "roam_helper": roam_helper(cpo, token_a),
    }


def _note(verb: str, cpo: Cpo, summary: str) -> None:
    audit.record(verb, object_type="cpo", object_id=cpo.pk, organization_id=cpo.tenant_id, summary=summary)


class CpoMessageViewSet(TenantViewSet):
    serializer_class = ExchangeSerializer
    filterset_class = ExchangeFilter

    def get_queryset(self) -> QuerySet[Exchange]:
        return Exchange.objects.filter(cpo=bundles.find_cpo(self.kwargs["cpo_id"])).order_by("-id")

    @extend_schema(
        operation_id="list_cpo_messages",
        summary="Every HTTP request between a CPO and its peers",
        description="Newest first, both directions, tokens masked.",
        tags=TAG,
        responses={200: ExchangeSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([shown_exchange(row) for row in page])
