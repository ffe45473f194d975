"""The routes of queued commands: to one charger, and to those of a location (gateway contract, sections 9 and 11)."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from chargers.api import answers
from chargers.api.command_serializers import NothingSerializer, TargetsSerializer
from chargers.api.command_table import Command, Switch
from chargers.services import commands, runtime
from chargers.services.lookup import find_charger
from locations.services import find_location
from ocpplab.api.schema import Operation
from ocpplab.api.validation import validated, without_nulls
from tenants.viewsets import TenantViewSet


@cache
def for_location(fields: type[Serializer[Any]]) -> type[Serializer[Any]]:
    """The same fields with `charger_ids`."""
    name = f"Location{fields.__name__}"
    return type(name, (TargetsSerializer, fields), {"__doc__": fields.__doc__, "__module__": __name__})


def jsonable(payload: dict[str, Any]) -> dict[str, Any]:
    """The fields that were sent, without nulls and without what addresses the command."""
    return {name: value for name, value in without_nulls(payload).items() if name != "charger_ids"}


class ChargerCommandView(TenantViewSet):
    """202 with the queued row; what becomes of it shows at `/chargers/{id}/commands/{command_id}`."""

    operations: Mapping[str, Operation] = MappingProxyType({})
    command: Command | None = None
    answer = answers.QUEUED

    def create(self, request: Request, charger_id: str) -> Response:
        assert self.command is not None
        charger = find_charger(charger_id)
        payload = jsonable(validated(self.command.fields, request.data))
        row = commands.issue_one(charger, self.command.event_type, payload)
        return Response(self.answer.render(row), status=202)


class LocationCommandView(TenantViewSet):
    operations: Mapping[str, Operation] = MappingProxyType({})
    command: Command | None = None
    fields: type[Serializer[Any]] = TargetsSerializer

    def create(self, request: Request, location_id: str) -> Response:
        assert self.command is not None
        location = find_location(location_id)
        body = validated(self.fields, request.data)
        fanout = commands.issue_fanout(location, self.command.event_type, jsonable(body), body.get("charger_ids"))
        return Response(answers.fanout(fanout), status=202)


class ChargerSwitchView(TenantViewSet):
    """Start, stop, restart: the action is in the path, and what an object in the body says is ignored."""

    operations: Mapping[str, Operation] = MappingProxyType({})
    switch: Switch | None = None

    def create(self, request: Request, charger_id: str) -> Response:
        assert self.switch is not None
        charger = find_charger(charger_id)
        validated(NothingSerializer, request.data)
        row = runtime.switch_one(charger, self.switch.event_type)
        return Response(answers.queued(row), status=202)


class LocationSwitchView(TenantViewSet):
    operations: Mapping[str, Operation] = MappingProxyType({})
    switch: Switch | None = None

    def create(self, request: Request, location_id: str) -> Response:
        assert self.switch is not None
        location = find_location(location_id)
        body = validated(TargetsSerializer, request.data)
        fanout = runtime.switch_fanout(location, self.switch.event_type, body.get("charger_ids"))
        return Response(answers.fanout(fanout), status=202)
