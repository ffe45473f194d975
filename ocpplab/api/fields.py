"""Serializer fields that take JSON types as they are: a number is no text, a text is no number, true is neither."""

import math
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import serializers

LARGEST_INTEGER = 2**31 - 1


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
