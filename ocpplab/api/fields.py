"""Serializer fields that take JSON types as they are: a number is no text, a text is no number, true is neither."""

import math
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

LARGEST_INTEGER = 2**31 - 1
DEEPEST = 50


class Text(serializers.CharField):
    default_error_messages = {"invalid": "A string is needed."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON integer, at most a signed 32-bit one unless told (what every database and OCPP itself can hold)."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_value", LARGEST_INTEGER)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A finite JSON number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or abs(data) > 1e300 or not math.isfinite(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Moment(serializers.DateTimeField):
    """A point in time with its zone; one without a zone could mean several and is refused."""

    default_error_messages = {"no_zone": "A time zone is needed: end with Z or an offset such as +02:00."}

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(value.strip()) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None:
            self.fail("invalid", format="2026-04-02T09:15:00Z")
        if moment.tzinfo is None:
            self.fail("no_zone")
        try:
            return super().to_internal_value(moment)
        except OverflowError:
            self.fail("overflow")


class JsonObject(serializers.DictField):
    """Any JSON object that every database can store: no NUL, no lone surrogates, no number out of this world."""

    default_error_messages = {"unfit": "It cannot be stored: NUL, a lone surrogate, a huge number or depth."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and not is_storable(data):
            self.fail("unfit")
        found: dict[str, Any] = super().to_internal_value(data)
        return found


def is_storable(value: Any, depth: int = 0) -> bool:
    if depth > DEEPEST:
        return False
    if isinstance(value, dict):
        return all(is_storable(key) and is_storable(item, depth + 1) for key, item in value.items())
    if isinstance(value, list):
        return all(is_storable(item, depth + 1) for item in value)
    if isinstance(value, str):
        return not any(sign == "\0" or "\ud800" <= sign <= "\udfff" for sign in value)
    # What JSON readers elsewhere take for an integer has 64 bits.
    return not isinstance(value, int | float) or (math.isfinite(value) and abs(value) < 2**63)
