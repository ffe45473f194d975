"""`/templates/locations`: for every valid token, without an organization in scope."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from locations.templates import AC, AC_DC, DC, gallery
from ocpplab.api.validation import validated

VERSIONS = ["OCPP1.6", "OCPP2.0.1"]


class TemplateQuerySerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=[AC, DC, AC_DC], required=False, help_text="By the connectors.")
    ocpp_version = serializers.ChoiceField(
        choices=VERSIONS, required=False, help_text="A template of mixed versions matches both."
    )


class TemplateGroupSerializer(serializers.Serializer[Any]):
    brand_slug = serializers.CharField()
    model_slug = serializers.CharField()
    connector_type = serializers.CharField()
    ocpp_version = serializers.ChoiceField(choices=VERSIONS)
    count = serializers.IntegerField()
    power_kw = serializers.FloatField(help_text="Nominal, of one charger.")


class LocationTemplateSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    type = serializers.CharField(help_text="AC, DC or AC-DC")
    country = serializers.CharField()
    parking_type = serializers.CharField()
    ocpp_version = serializers.CharField(help_text="OCPP1.6, OCPP2.0.1 or mixed")
    chargers = serializers.IntegerField()
    charger_groups = TemplateGroupSerializer(many=True)


class LocationTemplatesSerializer(serializers.Serializer[Any]):
    data = LocationTemplateSerializer(many=True)  # type: ignore[assignment]  # a field, as REST framework has it
    total = serializers.IntegerField()


class LocationTemplateList(APIView):
    operation_name = "list_location_templates"

    @extend_schema(
        summary="Sites to build a lab from",
        description="Each with its charger groups, as the bulk create of chargers takes them.",
        tags=["Locations"],
        parameters=[TemplateQuerySerializer],
        responses={200: LocationTemplatesSerializer},
    )
    def get(self, request: Request) -> Response:
        query = validated(TemplateQuerySerializer, request.query_params.dict(), where="query")
        found = gallery(kind=query.get("type"), version=query.get("ocpp_version"))
        return Response({"data": found, "total": len(found)})
