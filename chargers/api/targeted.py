"""Commands whose target stands in the body (gateway contract, sections 10 to 12).

`{target: {charger_id}}` or `{target: {location_id, charger_ids?}}`, and the command's own fields in `event`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from chargers.api import answers
from chargers.api.command_serializers import MOST_TARGETS, NothingSerializer
from chargers.api.command_table import CHANGE_CONFIGURATION, Command, Deed
from chargers.api.commands import jsonable
from chargers.api.deeds import as_json, settings_in, shown
from chargers.services import commands, operations
from chargers.services.commands import Fanout
from chargers.services.lookup import find_charger
from locations.services import find_location
from ocpplab.api.errors import Invalid
from ocpplab.api.fields import Text
from ocpplab.api.schema import Operation
from ocpplab.api.validation import validated
from tenants.viewsets import TenantViewSet

LONGEST_ID = 64


class ChargerTargetSerializer(serializers.Serializer[Any]):
    """One charger: these operations have no form for a location."""

    charger_id = Text(max_length=LONGEST_ID)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("location_id") is not None:
            raise serializers.ValidationError({"location_id": "Only one charger can be the target."}, code="extra")
        return super().to_internal_value(data)


class TargetSerializer(serializers.Serializer[Any]):
    """Exactly one of `charger_id` and `location_id`; `charger_ids` picks some of a location's chargers."""

    charger_id = Text(max_length=LONGEST_ID, required=False, allow_null=True)
    location_id = Text(max_length=LONGEST_ID, required=False, allow_null=True)
    charger_ids = serializers.ListField(
        child=Text(max_length=LONGEST_ID), required=False, allow_null=True, min_length=1, max_length=MOST_TARGETS
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        charger_id, location_id = attrs.get("charger_id"), attrs.get("location_id")
        if (charger_id is None) == (location_id is None):
            raise serializers.ValidationError("Give either charger_id or location_id.", code="missing")
        if location_id is None and attrs.get("charger_ids") is not None:
            raise serializers.ValidationError({"charger_ids": "Only beside location_id."}, code="extra")
        return attrs


@cache
def aimed_at(target: type[Serializer[Any]], fields: type[Serializer[Any]]) -> type[Serializer[Any]]:
    """The fields as `event` beside a `target`; without required fields the event may be absent or null."""
    aim = target()  # made first: a serializer's fields stand in the order of their making
    is_required = any(field.required for field in fields().fields.values())
    event = fields(required=is_required, allow_null=not is_required)
    name = f"{target.__name__.removesuffix('Serializer')}ed{fields.__name__}"
    return type(name, (Serializer,), {"target": aim, "event": event, "__module__": __name__})


@contextmanager
def said_of_event() -> Iterator[None]:
    """What a service finds in the command's fields stands in the `event` here."""
    try:
        yield
    except Invalid as error:
        raise Invalid(*((("body", "event", *loc[1:]), msg, kind) for loc, msg, kind in error.items)) from None


class TargetedCommandView(TenantViewSet):
    """202 with a fan-out, also for a single charger: what it cannot do is a failed item."""

    has_target = True
    operations: Mapping[str, Operation] = MappingProxyType({})
    command: Command | None = None
    fields: type[Serializer[Any]] = NothingSerializer

    def create(self, request: Request) -> Response:
        assert self.command is not None
        body = validated(self.fields, request.data)
        payload = jsonable(body.get("event") or {})
        with said_of_event():
            fanout = self.issued(self.command.event_type, payload, body["target"])
        return Response(answers.fanout(fanout), status=202)

    @staticmethod
    def issued(event_type: str, payload: dict[str, Any], target: Mapping[str, Any]) -> Fanout:
        if target.get("charger_id") is not None:
            return commands.issue_as_fanout(find_charger(target["charger_id"]), event_type, payload)
        location = find_location(target["location_id"])
        return commands.issue_fanout(location, event_type, payload, target.get("charger_ids"))


class TargetedDeedView(TenantViewSet):
    """200 with the one charger's own answer."""

    has_target = True
    operations: Mapping[str, Operation] = MappingProxyType({})
    deed: Deed | None = None
    fields: type[Serializer[Any]] = NothingSerializer

    def act(self, request: Request) -> Response:
        deed = self.deed
        assert deed is not None
        body = validated(self.fields, request.data)
        payload: dict[str, Any] = as_json(body.get("event") or {})
        if deed is CHANGE_CONFIGURATION:
            payload = {"configuration": settings_in(payload, ("body", "event"))}
        charger = find_charger(body["target"]["charger_id"])
        with said_of_event():
            result = operations.perform(charger, deed.event_type, payload)
        return Response(shown(deed, payload, result))
