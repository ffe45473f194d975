"""The routes of operations that wait for the station: configuration, lists, cache, faults (contract, 10, 12, 17)."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from chargers.api import answers
from chargers.api.command_serializers import ConfigurationSerializer, LocalListPageSerializer, TargetsSerializer
from chargers.api.command_table import CHANGE_CONFIGURATION, Deed
from chargers.services import operations
from chargers.services.configuration import configuration_of, local_list_of
from chargers.services.lookup import find_charger
from locations.services import find_location
from ocpplab.api.errors import Invalid, Location
from ocpplab.api.pagination import PageLimitPagination
from ocpplab.api.schema import Operation
from ocpplab.api.timestamps import iso
from ocpplab.api.validation import validated, without_nulls
from tenants.viewsets import TenantViewSet

PAGE_PARAMETERS = [
    OpenApiParameter("page", int, description="Page number, from 1."),
    OpenApiParameter("limit", int, description="Rows per page, at most 100."),
]
STATE = ["Configuration and faults"]
MOST_KEYS = 200
LONGEST_KEY, LONGEST_VALUE = 120, 5000
NUMBERS_IN_QUERY = ("evse_id", "connector_id", "duration_seconds", "seed")


class ChargerDeedView(TenantViewSet):
    """`deeds` and `operations` by HTTP method: one path may read, replace and clear."""

    operations: Mapping[str, Operation] = MappingProxyType({})
    deeds: Mapping[str, Deed] = MappingProxyType({})

    def act(self, request: Request, charger_id: str) -> Response:
        deed = self.deeds[str(request.method).lower()]
        charger = find_charger(charger_id)
        with named_as_sent(request):
            payload = payload_of(deed, deed.fields, body_of(request))
        return Response(shown(deed, payload, operations.perform(charger, deed.event_type, payload)))


class ConfigurationView(ChargerDeedView):
    @extend_schema(
        operation_id="get_configuration",
        summary="Read the configuration",
        description="Keys that the charger does not know are left out. OCPP 2.0.1: `Component.Variable`.",
        tags=STATE,
        parameters=[OpenApiParameter("keys", str, description="Comma-separated; absent: a default subset.")],
        responses={200: ConfigurationSerializer},
    )
    def read(self, request: Request, charger_id: str) -> Response:
        charger = find_charger(charger_id)
        asked = request.query_params.get("keys")
        keys = None if asked is None else [key.strip() for key in asked.split(",") if key.strip()]
        return Response({"configuration": configuration_of(charger, keys)})


class LocalListView(ChargerDeedView):
    @extend_schema(
        operation_id="get_local_auth_list",
        summary="Read the local authorization list",
        tags=STATE,
        parameters=PAGE_PARAMETERS,
        responses={200: LocalListPageSerializer},
    )
    def read(self, request: Request, charger_id: str) -> Response:
        version, entries = local_list_of(find_charger(charger_id))
        paginator = PageLimitPagination()
        answer = paginator.get_paginated_response(paginator.paginate(entries, len(entries), request))
        answer.data["list_version"] = version
        return answer


class LocationDeedView(TenantViewSet):
    operations: Mapping[str, Operation] = MappingProxyType({})
    deed: Deed | None = None
    fields: type[Serializer[Any]] = TargetsSerializer

    def act(self, request: Request, location_id: str) -> Response:
        deed = self.deed
        assert deed is not None
        location = find_location(location_id)
        targets = validated(TargetsSerializer, request.data).get("charger_ids")
        payload = payload_of(deed, self.fields, request.data)
        result = operations.perform_fanout(location, deed.event_type, payload, targets)
        return Response(answers.results(result, deed.key, lambda answer: shown(deed, payload, answer)))


def body_of(request: Request) -> Any:
    """The body, with what stands in the query for clients that send no body (gateway contract, section 12)."""
    if not request.query_params or not isinstance(request.data, Mapping):
        return request.data
    return {name: _from_query(name, text) for name, text in request.query_params.items()} | dict(request.data)


@contextmanager
def named_as_sent(request: Request) -> Iterator[None]:
    """What `Invalid` finds in `body_of` is said of the query where that is where it stood."""
    try:
        yield
    except Invalid as error:
        sent = request.data if isinstance(request.data, Mapping) else {}
        items = (((_place(request, sent, loc), *loc[1:]), msg, kind) for loc, msg, kind in error.items)
        raise Invalid(*items) from None


def _place(request: Request, sent: Mapping[str, Any], loc: Location) -> str | int:
    is_of_query = len(loc) > 1 and loc[1] in request.query_params and loc[1] not in sent
    return "query" if is_of_query else loc[0]


def _from_query(name: str, text: Any) -> Any:
    if name == "parameters":
        with suppress(ValueError):
            return json.loads(text)
    is_number = name in NUMBERS_IN_QUERY and text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if is_number else text


def payload_of(deed: Deed, fields: type[Serializer[Any]], body: Any) -> dict[str, Any]:
    """What goes to the station, as JSON. Raises Invalid (422)."""
    if deed is CHANGE_CONFIGURATION:
        return {"configuration": settings_in(body)}
    data: dict[str, Any] = as_json(validated(fields, body))
    data.pop("charger_ids", None)
    return data


def as_json(value: Any) -> Any:
    """Validated fields as JSON, without nulls."""
    if isinstance(value, Mapping):
        return {name: as_json(item) for name, item in without_nulls(value).items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return iso(value) if isinstance(value, datetime) else value


def settings_in(body: Any, loc: Location = ("body",)) -> dict[str, str]:
    """A flat map key -> string, or one under `configuration`. Raises Invalid (422)."""
    if isinstance(body, Mapping) and isinstance(body.get("configuration"), Mapping):
        body, loc = body["configuration"], (*loc, "configuration")
    elif isinstance(body, Mapping):
        body = {key: value for key, value in body.items() if key != "charger_ids"}
    if not isinstance(body, Mapping) or not 0 < len(body) <= MOST_KEYS:
        raise Invalid((loc, f"A map of 1 to {MOST_KEYS} configuration keys to strings is needed.", "object_type"))
    wrong = [((*loc, key), problem, "string_type") for key, value in body.items() if (problem := _problem(key, value))]
    if wrong:
        raise Invalid(*wrong)
    return dict(body)


def _problem(key: str, value: Any) -> str:
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        return f"A key has 1 to {LONGEST_KEY} printable characters."
    if not isinstance(value, str):
        return "A string is needed."
    unfit = len(value) > LONGEST_VALUE or "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value)
    return f"A value has at most {LONGEST_VALUE} characters, none of them NUL." if unfit else ""


def shown(deed: Deed, payload: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """The station's answer in the contract's shape: a sentence where one is demanded."""
    complete = dict(answer)
    match deed.event_type:
        case "reset_cache":
            cleared = complete.setdefault("cleared_entries", 0)
            complete.setdefault("msg", f"{cleared} cached authorizations forgotten.")
        case "clear_local_auth_list":
            deleted = complete.setdefault("entries_deleted", 0)
            complete.setdefault("msg", f"{deleted} entries deleted; the list version is 0.")
        case "inject_fault" | "clear_fault":
            complete.setdefault("msg", "Done.")
            if "fault_type" in payload:
                complete["fault_type"] = payload["fault_type"]
    return complete
