"""Brands and models as JSON (gateway contract, section 5), with our additions."""

from typing import Any

from rest_framework import serializers

from catalog.models import Brand, ChargerModel
from catalog.vocabulary import ConnectorType, CurrentType, OcppVersion, OutletFormat, SourceBasis


class TraitsSerializer(serializers.Serializer[Any]):
    """The filters of both lists; a model must have every trait that is given."""

    connector_type = serializers.ChoiceField(ConnectorType.choices, required=False, help_text="Of an outlet.")
    current_type = serializers.ChoiceField(CurrentType.choices, required=False, help_text="What its outlets give.")
    ocpp_version = serializers.ChoiceField(OcppVersion.choices, required=False, help_text="That it speaks.")


class PictureUrlField(serializers.URLField):
    """`image_url` of a row as an absolute URL; null where the row has no picture."""

    def to_representation(self, value: Any) -> Any:
        if not value:
            return None
        return self.context["request"].build_absolute_uri(value)


class BrandSerializer(serializers.ModelSerializer[Brand]):
    image_url = PictureUrlField(allow_null=True)

    class Meta:
        model = Brand
        fields = ("id", "slug", "name", "image_url", "created_at")


class OutletSerializer(serializers.Serializer[Any]):
    """One physical outlet. `number` is the connectorId of OCPP 1.6, the pair of ids that of OCPP 2.0.1."""

    number = serializers.IntegerField(min_value=1)
    evse_id = serializers.IntegerField(min_value=1)
    connector_id = serializers.IntegerField(min_value=1)
    type = serializers.ChoiceField(ConnectorType.choices)
    format = serializers.ChoiceField(OutletFormat.choices)
    phases = serializers.IntegerField(help_text="1 or 3; 1 for DC.")
    max_current_a = serializers.FloatField(help_text="Amperes, per phase.")
    max_voltage_v = serializers.FloatField(help_text="Volts, line to line where there are three phases.")
    max_power_w = serializers.IntegerField(help_text="Watts.")


class ChargerModelSerializer(serializers.ModelSerializer[ChargerModel]):
    """`supported_kwh` holds power levels in kW: the name is the contract's. From `description` on: our additions."""

    brand_slug = serializers.CharField(source="brand.slug", read_only=True)
    brand_id = serializers.UUIDField(read_only=True)
    image_url = PictureUrlField(allow_null=True)
    connector_count = serializers.IntegerField(read_only=True)
    current_type = serializers.ChoiceField(CurrentType.choices)
    supported_kwh = serializers.ListField(
        source="power_levels_kw", child=serializers.FloatField(), help_text="Power levels in kW."
    )
    connector_types = serializers.ListField(child=serializers.ChoiceField(ConnectorType.choices))
    ocpp_versions = serializers.ListField(child=serializers.ChoiceField(OcppVersion.choices))
    max_power_w = serializers.IntegerField(help_text="What the strongest outlet can deliver, in watts.")
    connectors = OutletSerializer(source="outlets", many=True)
    source_basis = serializers.ChoiceField(
        SourceBasis.choices,
        help_text="Whether the source was seen to state the facts, some of them (`source_note` says which), or not.",
    )

    class Meta:
        model = ChargerModel
        fields = (
            "id",
            "slug",
            "name",
            "brand_slug",
            "brand_id",
            "image_url",
            "connector_count",
            "current_type",
            "supported_kwh",
            "connector_types",
            "created_at",
            "ocpp_versions",
            "description",
            "max_power_w",
            "connectors",
            "mounting",
            "has_modem",
            "has_meter",
            "has_display",
            "firmware_version",
            "source_url",
            "source_date",
            "source_basis",
            "source_note",
        )
        read_only_fields = fields
