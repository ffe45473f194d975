"""The JSON shapes of a location (gateway contract, section 6)."""

from typing import Any

from rest_framework import serializers

from locations.models import Location, LocationStatus
from locations.places import countries, timezones
from ocpplab.api.fields import Flag, Number, Text
from ocpplab.api.sparse import SparseSerializer


class CoordinatesSerializer(serializers.Serializer[Any]):
    """Decimal degrees."""

    latitude = Number(min_value=-90, max_value=90)
    longitude = Number(min_value=-180, max_value=180)


def known_country(code: str) -> None:
    if code not in countries():
        raise serializers.ValidationError("An ISO 3166-1 alpha-2 code in capitals is needed, such as FR.")


def known_timezone(name: str) -> None:
    if name not in timezones():
        raise serializers.ValidationError("An IANA time zone is needed, such as Europe/Paris.")


class LocationSerializer(SparseSerializer):
    coordinates = CoordinatesSerializer(source="*")

    class Meta:
        model = Location
        fields = (
            "id", "slug", "name", "address", "city", "country", "coordinates", "timezone", "owner_name", "public",
            "status", "created_at", "updated_at",
        )  # fmt: skip


class LocationCreateSerializer(serializers.Serializer[Any]):
    name = Text(max_length=120)
    address = Text(max_length=200)
    city = Text(max_length=120)
    country = Text(max_length=2, validators=[known_country])
    coordinates = CoordinatesSerializer()
    timezone = Text(max_length=64, required=False, allow_null=True, validators=[known_timezone])
    owner_name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)
    public = Flag(required=False, allow_null=True, default=False)


class LocationUpdateSerializer(serializers.Serializer[Any]):
    """Only what is sent changes; null clears `timezone` and `owner_name`."""

    slug = serializers.SlugField(max_length=120, required=False)
    name = Text(max_length=120, required=False)
    address = Text(max_length=200, required=False)
    city = Text(max_length=120, required=False)
    country = Text(max_length=2, required=False, validators=[known_country])
    coordinates = CoordinatesSerializer(required=False)
    timezone = Text(max_length=64, required=False, allow_null=True, validators=[known_timezone])
    owner_name = Text(max_length=120, required=False, allow_null=True, allow_blank=True)
    public = Flag(required=False)
    status = serializers.ChoiceField(choices=LocationStatus.choices, required=False)


def columns(data: dict[str, Any]) -> dict[str, Any]:
    """Validated fields as the model's: coordinates are two columns."""
    coordinates: dict[str, float] = data.get("coordinates", {})
    if data.get("public", False) is None:
        data = {**data, "public": False}
    return {name: value for name, value in data.items() if name != "coordinates"} | coordinates
