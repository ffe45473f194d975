"""Routes made of the command table, each with its entry in the OpenAPI document."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from chargers.api import examples
from chargers.api.command_serializers import (
    CommandFanoutSerializer,
    FanoutFailureSerializer,
    NothingSerializer,
    QueuedCommandSerializer,
    TargetsSerializer,
)
from chargers.api.command_table import CHANGE_CONFIGURATION, COMMANDS, DEEDS, SWITCHES, Command, Deed, Switch
from chargers.api.commands import (
    ChargerCommandView,
    ChargerSwitchView,
    LocationCommandView,
    LocationSwitchView,
    for_location,
)
from chargers.api.deeds import ChargerDeedView, ConfigurationView, LocalListView, LocationDeedView
from chargers.api.families import Family
from chargers.api.proxying import TargetedProxyView
from chargers.api.targeted import (
    ChargerTargetSerializer,
    TargetedCommandView,
    TargetedDeedView,
    TargetSerializer,
    aimed_at,
)
from ocpplab.api.schema import Operation

CHARGER, FLEET = "chargers/<str:charger_id>", "locations/<str:location_id>/chargers"
ONE, MANY, RUNTIME, STATE = "Commands", "Location commands", "Runtime", "Configuration and faults"
TARGETED = "Commands with a target"
CONFIGURATION_BODY = {
    "application/json": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "example": examples.CONFIGURATION,
    }
}
FAULT_QUERY = [
    OpenApiParameter("fault_type", str, description="As in the body, for clients that send none."),
    OpenApiParameter("evse_id", int, description="As in the body."),
    OpenApiParameter("connector_id", int, description="As in the body."),
    OpenApiParameter("severity", str, description="As in the body."),
    OpenApiParameter("duration_seconds", int, description="As in the body."),
    OpenApiParameter("seed", int, description="As in the body."),
    OpenApiParameter("parameters", str, description="As in the body, as a JSON object."),
]
READERS = {"configuration": ConfigurationView, "local-auth-list": LocalListView}


def targeted_routes() -> Iterator[URLPattern]:
    """The forms with the target in the body, below `/commands` and `/ocpp/commands`."""
    for command in COMMANDS:
        yield _targeted_command(command)
    for deed in DEEDS:
        yield _targeted_deed(deed)
    yield path("proxy-message", TargetedProxyView.as_view({"post": "create"}))


def _targeted_command(command: Command) -> URLPattern:
    fields = aimed_at(TargetSerializer, command.fields)
    operation = Operation(
        id=f"command_{command.event_type}",
        tag=TARGETED,
        summary=f"{command.summary}, at one charger or several",
        description=command.description,
        request=fields,
        responses={202: CommandFanoutSerializer},
        examples=examples.of_targeted(command.event_type, one=False),
    )
    view = TargetedCommandView.as_view(
        {"post": "create"}, operations={"post": operation}, command=command, fields=fields
    )
    return path(command.path, view)


def _targeted_deed(deed: Deed) -> URLPattern:
    fields = aimed_at(ChargerTargetSerializer, deed.event_fields or deed.fields)
    operation = Operation(
        id=f"command_{deed.event_type}",
        tag=TARGETED,
        summary=deed.summary,
        description=deed.description,
        request=fields,
        responses={200: deed.answer},
        examples=examples.of_targeted(deed.event_type, one=True),
        error_codes=("409", "503"),
    )
    view = TargetedDeedView.as_view({"post": "act"}, operations={"post": operation}, deed=deed, fields=fields)
    return path(deed.command_path, view)


def command_routes(family: Family) -> Iterator[URLPattern]:
    for command in COMMANDS:
        yield _charger_command(command, family)
        yield _location_command(command)


def _charger_command(command: Command, family: Family) -> URLPattern:
    operation = Operation(
        id=command.event_type,
        tag=ONE,
        summary=command.summary,
        description=command.description,
        request=command.fields,
        responses={202: family.command.serializer},
        examples=examples.of_event(command.event_type),
        error_codes=("409",),
    )
    view = ChargerCommandView.as_view(
        {"post": "create"}, operations={"post": operation}, command=command, answer=family.command
    )
    return path(f"{CHARGER}/{command.path}", view)


def _location_command(command: Command) -> URLPattern:
    fields = for_location(command.fields)
    operation = Operation(
        id=f"location_{command.event_type}",
        tag=MANY,
        summary=f"{command.summary}, at several chargers",
        description=command.description,
        request=fields,
        responses={202: CommandFanoutSerializer},
        examples=examples.of_event(command.event_type),
    )
    view = LocationCommandView.as_view(
        {"post": "create"}, operations={"post": operation}, command=command, fields=fields
    )
    return path(f"{FLEET}/{command.path}", view)


def switch_routes() -> Iterator[URLPattern]:
    for switch in SWITCHES:
        yield _charger_switch(switch)
        yield _location_switch(switch)


def _charger_switch(switch: Switch) -> URLPattern:
    operation = Operation(
        id=switch.event_type,
        tag=RUNTIME,
        summary=switch.summary,
        request=NothingSerializer,
        responses={202: QueuedCommandSerializer},
        error_codes=("409",),
    )
    view = ChargerSwitchView.as_view({"post": "create"}, operations={"post": operation}, switch=switch)
    return path(f"{CHARGER}/{switch.path}", view)


def _location_switch(switch: Switch) -> URLPattern:
    operation = Operation(
        id=f"{switch.event_type}s",
        tag=RUNTIME,
        summary=f"{switch.summary}, at several chargers",
        request=TargetsSerializer,
        responses={202: CommandFanoutSerializer},
    )
    view = LocationSwitchView.as_view({"post": "create"}, operations={"post": operation}, switch=switch)
    return path(f"{FLEET}/{switch.location_path}", view)


def charger_deeds() -> Iterator[URLPattern]:
    """One route per path: some paths are read as well as written."""
    by_route: dict[str, dict[str, Deed]] = {}
    for deed in DEEDS:
        for method, route in deed.paths:
            by_route.setdefault(route, {})[method] = deed
    for route, deeds in by_route.items():
        reader = READERS.get(route)
        actions: dict[str, Any] = dict.fromkeys(deeds, "act") | ({"get": "read"} if reader else {})
        operations = {method: _charger_deed(deed, route) for method, deed in deeds.items()}
        view = (reader or ChargerDeedView).as_view(actions, operations=operations, deeds=deeds)
        yield path(f"{CHARGER}/{route}", view)


def _charger_deed(deed: Deed, route: str) -> Operation:
    is_alias = route != deed.paths[0][1]
    return Operation(
        id=f"{deed.event_type}_alias" if is_alias else deed.event_type,
        tag=STATE,
        summary=deed.summary,
        description=deed.description,
        request=CONFIGURATION_BODY if deed is CHANGE_CONFIGURATION else deed.fields,
        responses={200: deed.answer},
        parameters=FAULT_QUERY if deed.event_type.endswith("_fault") else (),
        takes_query=deed.event_type.endswith("_fault"),
        examples=() if deed is CHANGE_CONFIGURATION else examples.of_event(deed.event_type),
        error_codes=("409", "503"),
    )


def location_deeds() -> Iterator[URLPattern]:
    for deed in DEEDS:
        if deed.location_path:
            fields = for_location(deed.fields)
            operation = Operation(
                id=f"location_{deed.event_type}",
                tag=STATE,
                summary=f"{deed.summary}, at several chargers",
                request=CONFIGURATION_BODY if deed is CHANGE_CONFIGURATION else fields,
                responses={200: _several(deed)},
                examples=() if deed is CHANGE_CONFIGURATION else examples.of_event(deed.event_type),
                error_codes=("503",),
            )
            view = LocationDeedView.as_view({"post": "act"}, operations={"post": operation}, deed=deed, fields=fields)
            yield path(f"{FLEET}/{deed.location_path}", view)


@cache
def _several(deed: Deed) -> serializers.Serializer[Any]:
    name = "".join(word.capitalize() for word in deed.event_type.split("_"))
    result = inline_serializer(
        f"{name}AtCharger",
        {"charger_id": serializers.CharField(), "identity": serializers.CharField(), deed.key: deed.answer()},
        many=True,
    )
    return inline_serializer(
        f"{name}Fanout",
        {
            "targeted_count": serializers.IntegerField(),
            "succeeded_count": serializers.IntegerField(),
            "failed_count": serializers.IntegerField(),
            "results": result,
            "failed": FanoutFailureSerializer(many=True),
        },
    )
