"""The peer surface's own OpenAPI document: made once from the module table and the shapes that validate."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import View

from ocpi.protocol.types import Member, Shape
from ocpi.protocol.versions import BINDINGS, Binding

Json = dict[str, Any]
DESCRIPTION = (
    "What a bundle shows to its peers (eMSPs): OCPI as the standard has it. Every answer, refusals included, wears "
    "OCPI's envelope. Addresses work with and without a trailing slash and never redirect."
)
VERSIONS_HEADERS = {"X-Request-ID": "A new one for each request.", "X-Correlation-ID": "One for a whole flow."}
PAGE = {
    "date_from": "Only what was last updated at this moment or later.",
    "date_to": "Only what was last updated before this moment.",
    "offset": "How many objects to leave out; 0 unless given.",
    "limit": "How many objects at most; 50 unless given.",
}
PLACE = {"location_id": "Location.id", "evse_uid": "EVSE.uid", "connector_id": "Connector.id"}


class PeerDocument(View):
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(text(), content_type="application/json")


@cache
def text() -> str:
    return json.dumps(document(), indent=1)


def document() -> Json:
    paths: Json = {"/ocpi/peer/{cpo_id}/versions": {"get": operation("list_versions", "versions", data=VERSION_LIST)}}
    schemas: Json = {}
    for version in BINDINGS.values():
        paths |= {f"/ocpi/peer/{{cpo_id}}/{version.number}{path}": item for path, item in _paths(version)}
        schemas |= _schemas(version)
    return {
        "openapi": "3.1.0",
        "info": {"title": "OCPPLAB Gateway: OCPI for peers", "version": "0.1.0", "description": DESCRIPTION},
        "paths": {path: _with_path_parameters(path, item) for path, item in paths.items()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token ` and the Base64 of the token; in 2.1.1 the token as it is.",
                }
            },
        },
        "security": [{"token": []}],
    }


VERSION_LIST: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["version", "url"],
        "properties": {"version": {"type": "string", "enum": list(BINDINGS)}, "url": {"type": "string"}},
    },
}
DETAILS: Json = {
    "type": "object",
    "required": ["version", "endpoints"],
    "properties": {
        "version": {"type": "string"},
        "endpoints": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["identifier", "url"],
                "properties": {name: {"type": "string"} for name in ("identifier", "role", "url")},
            },
        },
    },
}


def _paths(version: Binding) -> Iterator[tuple[str, Json]]:
    named = _Named(version)
    words = version.shapes
    yield "", {"get": named("get_details", "versions", data=DETAILS)}
    credentials = named.ref(words.CREDENTIALS)
    yield (
        "/credentials",
        {
            "get": named("get_credentials", "credentials", data=credentials),
            "post": named("register", "credentials", body=credentials, data=credentials),
            "put": named("renew_credentials", "credentials", body=credentials, data=credentials),
            "delete": named("unregister", "credentials"),
        },
    )
    for module, shape in (
        ("locations", words.LOCATION), ("tariffs", words.TARIFF), ("sessions", words.SESSION), ("cdrs", words.CDR),
    ):  # fmt: skip
        data = {"type": "array", "items": named.ref(shape)}
        yield f"/{module}", {"get": named(f"list_{module}", module, data=data, query=PAGE)}
    path = "/locations"
    for name, shape in (("location", words.LOCATION), ("evse", words.EVSE), ("connector", words.CONNECTOR)):
        path += "/{" + {"location": "location_id", "evse": "evse_uid", "connector": "connector_id"}[name] + "}"
        yield path, {"get": named(f"get_{name}", "locations", data=named.ref(shape))}
    yield from _received(version, named)


def _received(version: Binding, named: "_Named") -> Iterator[tuple[str, Json]]:
    words = version.shapes
    token = named.ref(words.TOKEN)
    query = {"type": "Token.type; RFID unless given."}
    yield (
        "/tokens/{country_code}/{party_id}/{token_uid}",
        {
            "get": named("get_token", "tokens", data=token, query=query),
            "put": named("put_token", "tokens", body=token, query=query),
            "patch": named("patch_token", "tokens", body={"type": "object"}, query=query),
        },
    )
    answer = named.ref(words.COMMAND_RESPONSE)
    for command, shape in words.COMMANDS.items():
        operation_id = f"command_{command.lower()}"
        yield f"/commands/{command}", {"post": named(operation_id, "commands", body=named.ref(shape), data=answer)}
    if "chargingprofiles" not in version.modules:
        return
    answer = named.ref(words.PROFILE_RESPONSE)
    url = {"response_url": "Where the result goes."}
    duration = {"duration": "Seconds.", **url}
    body = named.ref(words.SET_CHARGING_PROFILE)
    yield (
        "/chargingprofiles/{session_id}",
        {
            "put": named("set_charging_profile", "chargingprofiles", body=body, data=answer),
            "get": named("get_charging_profile", "chargingprofiles", data=answer, query=duration),
            "delete": named("clear_charging_profile", "chargingprofiles", data=answer, query=url),
        },
    )
    body = named.ref(words.CHARGING_PREFERENCES)
    yield (
        "/sessions/{session_id}/charging_preferences",
        {"put": named("put_charging_preferences", "sessions", body=body, data={"type": "string"})},
    )


class _Named:
    """Operations and references of one version: names in the document carry its number."""

    def __init__(self, version: Binding) -> None:
        self.suffix = version.number.replace(".", "")

    def __call__(self, name: str, tag: str, **kwargs: Any) -> Json:
        return operation(f"{name}_{self.suffix}", tag, **kwargs)

    def ref(self, shape: Shape) -> Json:
        return {"$ref": f"#/components/schemas/{shape.name}{self.suffix}"}


def operation(
    name: str, tag: str, *, data: Json | None = None, body: Json | None = None, query: dict[str, str] | None = None
) -> Json:
    headers = [
        {"name": one, "in": "header", "description": why, "schema": {"type": "string", "maxLength": 64}}
        for one, why in VERSIONS_HEADERS.items()
    ]
    asked = [
        {"name": one, "in": "query", "description": why, "schema": {"type": "string"}}
        for one, why in (query or {}).items()
    ]
    described: Json = {
        "operationId": name,
        "tags": [tag],
        "parameters": asked + headers,
        "responses": {
            "200": _envelope("The answer; `status_code` says whether it is a refusal.", data),
            "400": _envelope("The body is no JSON: 2001."),
            "401": _envelope("The token is missing or not valid here."),
            "404": _envelope("No such object, module or version (3002)."),
            "405": _envelope("This method is not offered; `Allow` lists those that are."),
            "429": _envelope("Too many failed requests; `Retry-After` says how long to wait."),
        },
    }
    if name.startswith("put_token"):
        described["responses"]["201"] = _envelope("The token is new.")
    if body is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return described


def _envelope(why: str, data: Json | None = None) -> Json:
    properties: Json = {
        "status_code": {"type": "integer"},
        "status_message": {"type": "string"},
        "timestamp": {"type": "string", "format": "date-time"},
    }
    if data is not None:
        properties["data"] = data
    schema = {"type": "object", "required": ["status_code", "timestamp"], "properties": properties}
    return {"description": why, "content": {"application/json": {"schema": schema}}}


def _with_path_parameters(path: str, item: Json) -> Json:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters = [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in names]
    return {"parameters": parameters, **item}


def _schemas(version: Binding) -> Json:
    """Every class that the version's objects are made of."""
    suffix = version.number.replace(".", "")
    found: dict[str, Shape] = {}
    for value in vars(version.shapes).values():
        shapes = value.values() if isinstance(value, dict) else (value,)
        for shape in shapes:
            if isinstance(shape, Shape):
                _collect(shape, found)
    return {f"{name}{suffix}": _renamed(shape.definition(), suffix) for name, shape in found.items()}


def _collect(shape: Shape, found: dict[str, Shape]) -> None:
    if shape.name in found:
        return
    found[shape.name] = shape
    for member in shape.members.values():
        if isinstance(member, Member) and isinstance(member.type, Shape):
            _collect(member.type, found)


def _renamed(value: Any, suffix: str) -> Any:
    if isinstance(value, dict):
        return {name: f"{one}{suffix}" if name == "$ref" else _renamed(one, suffix) for name, one in value.items()}
    return [_renamed(one, suffix) for one in value] if isinstance(value, list) else value
