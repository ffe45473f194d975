"""`/ocpi/cpos/{cpo_id}/tariffs`: peers see each change (OCPI contract 6)."""

from typing import Any, ClassVar

from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ocpi import bundles
from ocpi.models import Cpo, Tariff
from ocpi.tariffs import services
from ocpi.vocabulary import DIMENSIONS, RESERVATIONS, TARIFF_TYPES, WEEKDAYS
from ocpplab.api.errors import Invalid
from ocpplab.api.timestamps import iso
from tenants.viewsets import TenantViewSet

TAG = ["OCPI"]
OWN_FIELDS = ("id", "evse_uids", "country_code", "party_id", "last_updated", "created_at")
EXAMPLE = {
    "id": "NIGHT",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 21, "step_size": 1}]},
    ],
}


class PriceComponentSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=DIMENSIONS)
    price = serializers.FloatField(help_text="Before VAT: per kWh, per hour, or once.")
    vat = serializers.FloatField(required=False, help_text="Percent.")
    step_size = serializers.IntegerField(help_text="Wh or seconds.")


class TariffRestrictionsSerializer(serializers.Serializer[Any]):
    start_time = serializers.CharField(required=False, help_text="Local, HH:MM.")
    end_time = serializers.CharField(required=False, help_text="Exclusive; 00:00 is the end of the day.")
    start_date = serializers.DateField(required=False)
    end_date = serializers.DateField(required=False)
    min_kwh = serializers.FloatField(required=False)
    max_kwh = serializers.FloatField(required=False)
    min_current = serializers.FloatField(required=False)
    max_current = serializers.FloatField(required=False)
    min_power = serializers.FloatField(required=False, help_text="kW.")
    max_power = serializers.FloatField(required=False, help_text="kW.")
    min_duration = serializers.IntegerField(required=False, help_text="Seconds.")
    max_duration = serializers.IntegerField(required=False, help_text="Seconds.")
    day_of_week = serializers.ListField(child=serializers.ChoiceField(choices=WEEKDAYS), required=False)
    reservation = serializers.ChoiceField(choices=RESERVATIONS, required=False)


class TariffElementSerializer(serializers.Serializer[Any]):
    price_components = PriceComponentSerializer(many=True)
    restrictions = TariffRestrictionsSerializer(required=False)


class PriceLimitSerializer(serializers.Serializer[Any]):
    excl_vat = serializers.FloatField()
    incl_vat = serializers.FloatField(required=False)


class TariffChangeSerializer(serializers.Serializer[Any]):
    """For the document: what is sent is judged by `ocpi.tariffs.shapes`."""

    currency = serializers.CharField(required=False, help_text="ISO 4217.")
    type = serializers.ChoiceField(choices=TARIFF_TYPES, required=False)
    tariff_alt_text = serializers.ListField(child=serializers.JSONField(), required=False)
    tariff_alt_url = serializers.URLField(required=False)
    min_price = PriceLimitSerializer(required=False)
    max_price = PriceLimitSerializer(required=False)
    preauthorize_amount = serializers.FloatField(
        required=False, help_text="What a payment terminal holds back on a card; told in OCPI 2.3.0 only."
    )
    elements = TariffElementSerializer(many=True, required=False)
    start_date_time = serializers.DateTimeField(required=False)
    end_date_time = serializers.DateTimeField(required=False)
    energy_mix = serializers.JSONField(required=False)
    evse_uids = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="EVSEs whose connectors get this tariff."
    )


class TariffCreateSerializer(TariffChangeSerializer):
    currency = serializers.CharField(help_text="ISO 4217.")
    elements = TariffElementSerializer(many=True)
    id = serializers.CharField(required=False, help_text="At most 36 characters; made up where it is absent.")


class ShownTariffSerializer(TariffCreateSerializer):
    country_code = serializers.CharField()
    party_id = serializers.CharField()
    last_updated = serializers.DateTimeField()


def shown(cpo: Cpo, row: Tariff) -> dict[str, Any]:
    """`evse_uids` from the prefetched EVSEs."""
    return {
        **row.content,
        "id": row.tariff_id,
        "country_code": cpo.country_code,
        "party_id": cpo.party_id,
        "evse_uids": [one.uid for one in row.evses.all() if one.charger_id],
        "last_updated": iso(row.last_updated),
    }


def object_of(body: Any) -> dict[str, Any]:
    """The body, which is an object; raises Invalid (422)."""
    if not isinstance(body, dict):
        raise Invalid((("body",), "An object is needed.", "object_type"))
    return body


def content_of(body: dict[str, Any]) -> dict[str, Any]:
    """The tariff itself; raises Invalid (422)."""
    return services.checked({name: value for name, value in body.items() if name not in OWN_FIELDS})


def uids_of(body: dict[str, Any]) -> list[str] | None:
    uids = body.get("evse_uids")
    if uids is not None and not (
        isinstance(uids, list) and all(isinstance(one, str) and "\0" not in one for one in uids)
    ):
        raise Invalid((("body", "evse_uids"), "A list of EVSE uids is needed.", "list_type"))
    return uids


def id_of(body: dict[str, Any]) -> str | None:
    name = body.get("id")
    if name is not None and not (isinstance(name, str) and services.TARIFF_ID.fullmatch(name)):
        raise Invalid((("body", "id"), "1 to 36 letters, digits, dots, dashes or underscores.", "value_error"))
    return name


class CpoTariffViewSet(TenantViewSet):
    serializer_class = ShownTariffSerializer
    further_codes: ClassVar = {"destroy": ("409",)}

    def cpo(self) -> Cpo:
        return bundles.find_cpo(self.kwargs["cpo_id"])

    @extend_schema(
        operation_id="list_cpo_tariffs",
        summary="List the tariffs of a CPO",
        tags=TAG,
        responses={200: ShownTariffSerializer(many=True)},
    )
    def list(self, request: Request, cpo_id: str) -> Response:
        cpo = self.cpo()
        page = self.paginate_queryset(services.listed(cpo).prefetch_related("evses")) or []
        return self.get_paginated_response([shown(cpo, row) for row in page])

    @extend_schema(
        operation_id="create_cpo_tariff",
        summary="Give a CPO another tariff",
        tags=TAG,
        request=TariffCreateSerializer,
        examples=[OpenApiExample("day and night", EXAMPLE, request_only=True)],
        responses={201: ShownTariffSerializer},
    )
    def create(self, request: Request, cpo_id: str) -> Response:
        cpo, body = self.cpo(), object_of(request.data)
        content, name, uids = content_of(body), id_of(body), uids_of(body)
        with transaction.atomic():
            row = services.create_tariff(cpo, content, name)
            services.assign(cpo, row, uids or [])
        return Response(shown(cpo, row), status=201)

    @extend_schema(
        operation_id="get_cpo_tariff",
        summary="Get a tariff of a CPO",
        tags=TAG,
        responses={200: ShownTariffSerializer},
    )
    def retrieve(self, request: Request, cpo_id: str, tariff_id: str) -> Response:
        cpo = self.cpo()
        return Response(shown(cpo, services.find_tariff(cpo, tariff_id)))

    @extend_schema(
        operation_id="update_cpo_tariff",
        summary="Change a tariff of a CPO",
        description="Partial: only what is sent changes, null takes a member away. Sessions that run keep the tariff "
        "they began with.",
        tags=TAG,
        request=TariffChangeSerializer,
        examples=[OpenApiExample("at least one euro", {"min_price": {"excl_vat": 1}}, request_only=True)],
        responses={200: ShownTariffSerializer},
    )
    def update(self, request: Request, cpo_id: str, tariff_id: str) -> Response:
        cpo = self.cpo()
        row, body = services.find_tariff(cpo, tariff_id), object_of(request.data)
        content, uids = content_of({**row.content, **body}), uids_of(body)
        with transaction.atomic():
            row = services.change_tariff(row, content)
            services.assign(cpo, row, uids or [])
        return Response(shown(cpo, row))

    @extend_schema(
        operation_id="delete_cpo_tariff",
        summary="Delete a tariff that no connector has",
        tags=TAG,
        responses={204: None},
    )
    def destroy(self, request: Request, cpo_id: str, tariff_id: str) -> Response:
        services.delete_tariff(services.find_tariff(self.cpo(), tariff_id))
        return Response(status=204)
