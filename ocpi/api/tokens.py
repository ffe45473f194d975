"""`/ocpi/cpos/{cpo_id}/tokens`: the tokens that open a CPO to its eMSPs, never their text (OCPI contract 14)."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi import bundles
from ocpi.api.cpo_serializers import RoamHelperSerializer
from ocpi.models import Cpo, Credential
from ocpi.peer import links
from ocpi.roam_helper import roam_helper
from ocpplab.api.errors import Conflict
from ocpplab.api.fields import Flag
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

TAG = ["OCPI"]
UNUSED, USED, ACTIVE, REVOKED = "unused", "used", "active", "revoked"


class CredentialSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=[Credential.A, Credential.C], help_text="A: for a handshake. C: a peer's.")
    state = serializers.ChoiceField(choices=[UNUSED, USED, ACTIVE, REVOKED])
    peer_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class TokenRequestSerializer(serializers.Serializer[Any]):
    additional = Flag(required=False, default=False, help_text="Leave an unused Token A valid beside the new one.")


class MintedTokenSerializer(serializers.Serializer[Any]):
    token_a = serializers.CharField(help_text="Shown here only.")
    ocpi_peer_url = serializers.CharField()
    roam_helper = RoamHelperSerializer()


def shown(row: Credential) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "state": state_of(row),
        "peer_id": str(row.peer_id) if row.peer_id else None,
        "created_at": iso(row.created_at),
        "used_at": iso(row.used_at),
        "revoked_at": iso(row.revoked_at),
    }


def state_of(row: Credential) -> str:
    """A used Token A stays used when its CPO ends; a Token C is active until it is revoked."""
    if row.used_at is not None:
        return USED
    if row.revoked_at is not None:
        return REVOKED
    return UNUSED if row.kind == Credential.A else ACTIVE


class CpoTokenViewSet(TenantViewSet):
    serializer_class = CredentialSerializer

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    def get_queryset(self) -> QuerySet[Credential]:
        return Credential.objects.filter(cpo=self.cpo()).order_by("id")

    @extend_schema(
        operation_id="list_cpo_tokens",
        summary="How the tokens of a CPO stand",
        description="Tokens A for handshakes and Tokens C of registered eMSPs; the text of none is kept.",
        tags=TAG,
        responses={200: CredentialSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([shown(row) for row in page])

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
        return Response(_minted(cpo, token_a), status=201)

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
