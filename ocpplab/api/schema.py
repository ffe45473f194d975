"""What drf-spectacular cannot see in a view: the error answers every operation shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

MEANINGS = {
    "400": "Understood, but it makes no sense here",
    "401": "No token, or one that is not valid",
    "403": "Wrong role, or no organization in scope",
    "404": "No such thing in this organization",
    "409": "In conflict with the present state",
    "412": "Changed since it was read (`If-Match`)",
    "413": "The body is larger than 5 MiB",
    "415": "The body is not JSON",
    "422": "Body, query or path fails validation",
    "429": "More requests than this token may make; only where a rate limit is set",
    "500": "Internal error",
    "503": "The simulator, the database or the broker did not answer in time: repeat in a moment",
}
SUCCESSES = {
    "200": "Done, or found",
    "201": "Created",
    "202": "Taken: what becomes of it shows later",
    "204": "Done",
}
PATH_WORDS = {
    "brand_slug": "A brand of the catalog.",
    "model_slug": "A model of that brand.",
    "location_id": "The location's id.",
    "charger_id": "The charger's id; its identity is taken too.",
    "command_id": "The id that the command's answer gave.",
    "run_id": "The run's id.",
    "transaction_id": "Its id here, or OCPP's transaction id.",
    "job_id": "The id that the answer to the bulk create gave.",
    "cpo_id": "The CPO's number.",
    "ocpi_location_id": "OCPI's id of the location.",
    "tariff_id": "OCPI's id of the tariff.",
    "cdr_id": "OCPI's id of the CDR.",
    "peer_id": "The id in the list of peers.",
    "id_token": "The card's id, in any case of letters.",
}
HEADERS = {
    "401": ("WWW-Authenticate", "The scheme: Bearer.", "string"),
    "429": ("Retry-After", "Seconds until the next request may come.", "integer"),
}
BODY_METHODS = {"post", "put", "patch"}
CONDITIONS = {
    "retrieve": ("If-None-Match", "The `ETag` that is known: 304 without a body while it still holds."),
    "update": ("If-Match", "The `ETag` that was read: 412 if somebody has changed it since."),
}
# The first segment of a path, and what it puts before the names of its operations.
FAMILIES = {"ocpp": "ocpp_", "commands": ""}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a table-driven view says of itself; `responses` maps a status to a serializer (or to None: no body).

    `takes_query`: the query may say what else the body does, and then there need be no body.
    """

    id: str
    tag: str
    summary: str
    request: Any
    responses: Mapping[int, Any]
    description: str = ""
    parameters: Sequence[OpenApiParameter] = ()
    examples: Sequence[OpenApiExample] = ()
    error_codes: Sequence[str] = field(default=())
    takes_query: bool = False


class GatewaySchema(AutoSchema):
    """Adds the contract's error answers to every operation, and asks table-driven views what they are."""

    @property
    def operation(self) -> Operation | None:
        """From the view's `operations` (by method), set on views that one table makes many routes of."""
        operations: Mapping[str, Operation] = getattr(self.view, "operations", {})
        return operations.get(self.method.lower())

    def get_operation(self, path: str, *args: Any) -> Any:
        """One view serves several route families: each names the operation in its own way."""
        operation = super().get_operation(path, *args)
        if operation is not None:
            name = getattr(self.view, "operation_name", "") or operation["operationId"]
            operation["operationId"] = FAMILIES.get(path.split("/")[1], "") + name
        return operation

    def get_operation_id(self) -> str:
        return self.operation.id if self.operation else super().get_operation_id()

    def get_tags(self) -> list[str]:
        return [self.operation.tag] if self.operation else super().get_tags()

    def get_summary(self) -> str | None:
        return self.operation.summary if self.operation else super().get_summary()

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular's own signature
        """Never a view's docstring: that one is for those who read the code."""
        return self.operation.description if self.operation else ""

    def get_request_serializer(self) -> Any:
        return self.operation.request if self.operation else super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        return dict(self.operation.responses) if self.operation else super().get_response_serializers()

    def get_override_parameters(self) -> list[Any]:
        headers: Sequence[Any] = getattr(self.view, "header_parameters", None) or ()
        shown = [one for one in headers if self.method == "POST" or one.name != "Idempotency-Key"]
        shown += self.condition_parameters()
        return shown + list(self.operation.parameters if self.operation else super().get_override_parameters())

    @property
    def condition(self) -> str:
        """`retrieve` or `update` where the view hands out entity tags (`is_conditional`), else nothing."""
        action = getattr(self.view, "action", "") if getattr(self.view, "is_conditional", False) else ""
        return action if action in CONDITIONS else ""

    def condition_parameters(self) -> list[OpenApiParameter]:
        if not self.condition:
            return []
        name, words = CONDITIONS[self.condition]
        tag = OpenApiParameter("ETag", str, "header", description="The state shown; weak.", response=[200])
        return [OpenApiParameter(name, str, "header", description=words), tag]

    def get_examples(self) -> list[Any]:
        return list(self.operation.examples) if self.operation else super().get_examples()

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code, body in bodies.items():
            body["description"] = body.get("description") or SUCCESSES.get(code) or MEANINGS[code]
        for code in self.error_codes():
            bodies.setdefault(code, _error_answer(code))
        if self.condition == "retrieve":
            bodies["304"] = {"description": "As it was: the `If-None-Match` still holds"}
        return bodies

    def _get_request_body(self, direction: Literal["request", "response"] = "request") -> Any:
        body: Any = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if body and self.operation and self.operation.takes_query:
            body.pop("required", None)
        return body

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": words}
            for name, words in ((name, PATH_WORDS.get(name, "")) for name in variables)
        ]

    def error_codes(self) -> list[str]:
        codes = ["422", "500", "503"]
        if getattr(self.view, "authentication_classes", None):
            codes += ["401", "403", "429"]
        if "{" in self.path or getattr(self.view, "has_target", False):
            codes.append("404")
        if self.method.lower() in BODY_METHODS:
            codes += ["400", "413", "415"]
        if self.method.lower() == "post" and getattr(self.view, "header_parameters", None):
            codes.append("409")  # of an Idempotency-Key
        if self.condition == "update":
            codes.append("412")
        if self.operation:
            codes += self.operation.error_codes
        codes += getattr(self.view, "further_codes", {}).get(getattr(self.view, "action", ""), ())
        return sorted(set(codes))


def _error_answer(code: str) -> dict[str, Any]:
    name = "ValidationError" if code == "422" else "Error"
    schema = {"$ref": f"#/components/schemas/{name}"}
    answer: dict[str, Any] = {"description": MEANINGS[code], "content": {"application/json": {"schema": schema}}}
    if code in HEADERS:
        header, words, kind = HEADERS[code]
        answer["headers"] = {header: {"description": words, "schema": {"type": kind}}}
    return answer
