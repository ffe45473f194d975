"""The eMSPs of a CPO: who is registered, the tokens they gave, and what passed between (OCPI contract 3, 9, 13)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi import bundles
from ocpi.api.filters import DriverTokenFilter, ExchangeFilter
from ocpi.models import Cpo, Exchange, Peer, PeerState, Token
from ocpi.peer import handshake
from ocpplab.api.errors import InvalidRequest, NotFound
from ocpplab.api.fields import Text
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


class RegisterSerializer(serializers.Serializer[Any]):
    versions_url = Text(max_length=500, help_text="The eMSP's.")
    token_a = Text(max_length=64, help_text="What the eMSP gave for the handshake.")


class DriverTokenSerializer(serializers.Serializer[Any]):
    uid = serializers.CharField()
    type = serializers.CharField(help_text="RFID, APP_USER, AD_HOC_USER or OTHER.")
    country_code = serializers.CharField()
    party_id = serializers.CharField()
    contract_id = serializers.CharField()
    valid = serializers.BooleanField()
    whitelist = serializers.CharField()
    group_id = serializers.CharField()
    token = serializers.JSONField(help_text="As the eMSP put it, in the words of its version.")
    last_updated = serializers.DateTimeField()


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


def shown_token(row: Token) -> dict[str, Any]:
    return {
        "uid": row.key_uid,
        "type": row.type,
        "country_code": row.key_country,
        "party_id": row.key_party,
        "contract_id": row.contract_id,
        "valid": row.valid,
        "whitelist": row.whitelist,
        "group_id": row.group_id,
        "token": row.content,
        "last_updated": iso(row.last_updated),
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


def registered(cpo: Cpo) -> QuerySet[Peer]:
    return Peer.objects.filter(cpo=cpo).exclude(state__in=GONE).order_by("id")


def found(peers: QuerySet[Peer], peer_id: str) -> Peer:
    """Raises NotFound."""
    number = int(peer_id) if peer_id.isascii() and peer_id.isdigit() and len(peer_id) < 19 else None
    peer = peers.filter(pk=number).first() if number is not None else None
    if peer is None:
        raise NotFound("Peer")
    return peer


class CpoPeerViewSet(TenantViewSet):
    serializer_class = PeerSerializer

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    def get_queryset(self) -> QuerySet[Peer]:
        return registered(self.cpo())

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
        operation_id="get_cpo_peer",
        summary="Get an eMSP registered at a CPO",
        tags=TAG,
        responses={200: PeerSerializer},
    )
    def retrieve(self, request: Request, cpo_id: str, peer_id: str) -> Response:
        return Response(shown(found(self.get_queryset(), peer_id)))

    @extend_schema(
        operation_id="unregister_cpo_peer",
        summary="Unregister an eMSP",
        description="Its tokens stop working at once; it is told, if it can be reached. Repeating it changes nothing.",
        tags=TAG,
        responses={204: None},
    )
    def destroy(self, request: Request, cpo_id: str, peer_id: str) -> Response:
        cpo = self.cpo()
        peer = found(Peer.objects.filter(cpo=cpo), peer_id)
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


class CpoDriverTokenViewSet(TenantViewSet):
    """What a registered eMSP has put into the tokens module, or was pulled from it."""

    serializer_class = DriverTokenSerializer
    filterset_class = DriverTokenFilter

    def get_queryset(self) -> QuerySet[Token]:
        peers = registered(bundles.find_cpo(self.kwargs["cpo_id"]))
        return Token.objects.filter(peer=found(peers, self.kwargs["peer_id"])).order_by("id")

    @extend_schema(
        operation_id="list_cpo_peer_tokens",
        summary="List the drivers' tokens that an eMSP gave",
        tags=TAG,
        responses={200: DriverTokenSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str, peer_id: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([shown_token(row) for row in page])
