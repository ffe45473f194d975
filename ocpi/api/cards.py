"""`/ocpi/cpos/{cpo_id}/cards`: the card list of a CPO's own CSMS. Sessions on these cards belong to no peer."""

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.back_office import Card, back_office
from ocpi import bundles
from ocpplab.api.errors import Conflict, NotFound
from ocpplab.api.fields import Moment, Text
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated
from tenants import audit
from tenants.viewsets import TenantViewSet

TAG = ["OCPI"]
LONGEST = 36
YEARS = range(1970, 9000)
STATUSES = ["Accepted", "Blocked", "Expired", "Invalid"]
NO_LIST = "This CPO has no card list: its chargers connect to a CSMS of yours, or it is not built yet."


class CardBodySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=STATUSES, required=False, default="Accepted")
    type = Text(
        max_length=20, required=False, default="", allow_blank=True, help_text="An OCPP 2.0.1 type; empty: any."
    )
    group = Text(max_length=LONGEST, required=False, default="", allow_blank=True)
    expires_at = Moment(required=False, allow_null=True, default=None)

    def validate_expires_at(self, at: datetime | None) -> datetime | None:
        if at is not None and at.year not in YEARS:
            raise serializers.ValidationError(f"A year from {YEARS.start} to {YEARS.stop - 1} is needed.")
        return at


class CardSerializer(CardBodySerializer):
    id_token = serializers.CharField()


def shown(card: Card) -> dict[str, Any]:
    return {
        "id_token": card.id_token,
        "status": card.status,
        "type": card.type,
        "group": card.group,
        "expires_at": iso(card.expires_at),
    }


class CpoCardViewSet(TenantViewSet):
    serializer_class = CardSerializer
    further_codes: ClassVar = {"update": ("409",), "destroy": ("409",)}

    def endpoint(self, *, needed: bool = True) -> int | None:
        """Raises Conflict where there is none but one is needed."""
        number = bundles.find_cpo(self.kwargs["cpo_id"]).csms_endpoint
        if number is None and needed:
            raise Conflict(NO_LIST)
        return number

    @extend_schema(
        operation_id="list_cpo_cards",
        summary="List the cards of a CPO",
        tags=TAG,
        responses={200: CardSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        number = self.endpoint(needed=False)
        cards = [] if number is None else back_office().cards(number)
        assert self.paginator is not None
        page = self.paginator.paginate(cards, len(cards), request)  # type: ignore[attr-defined]
        return self.get_paginated_response([shown(card) for card in page])

    @extend_schema(
        operation_id="put_cpo_card",
        summary="Put a card on the list",
        description="Replaces what was there. Ids are compared without regard to case.",
        tags=TAG,
        request=CardBodySerializer,
        examples=[OpenApiExample("a member of staff", {"status": "Accepted", "group": "STAFF"}, request_only=True)],
        responses={200: CardSerializer},
    )
    def update(self, request: Request, cpo_id: str, id_token: str) -> Response:
        number = self.endpoint()
        assert number is not None
        if not 0 < len(id_token) <= LONGEST or not id_token.isprintable():
            raise NotFound("Card")
        card = Card(id_token.upper(), **validated(CardBodySerializer, request.data))
        back_office().put_card(number, card)
        _note("put_card", cpo_id, id_token)
        return Response(shown(card))

    @extend_schema(operation_id="delete_cpo_card", summary="Take a card off the list", tags=TAG, responses={204: None})
    def destroy(self, request: Request, cpo_id: str, id_token: str) -> Response:
        number = self.endpoint()
        assert number is not None
        if "\0" in id_token or not back_office().delete_card(number, id_token):
            raise NotFound("Card")
        _note("delete_card", cpo_id, id_token)
        return Response(status=204)


def _note(verb: str, cpo_id: str, id_token: str) -> None:
    cpo = bundles.find_cpo(cpo_id)
    audit.record(verb, object_type="cpo", object_id=cpo.pk, organization_id=cpo.tenant_id, summary=id_token)
