"""The gateway's errors, and the one place that turns them into the REST dialect.

Shapes (gateway contract, section 2): `{"detail": "<sentence>"}`; for 422 `{"detail": [{loc, msg, type}]}`. Services
raise, nobody builds error JSON by hand.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from ocpplab.api import dialects
from ocpplab.api.bodies import TOO_LARGE

logger = logging.getLogger(__name__)
Location = tuple[str | int, ...]


class GatewayError(Exception):
    """A refusal with an HTTP status, a stable code and a sentence that says what to do next."""

    status: int = status.HTTP_400_BAD_REQUEST
    code = "invalid_request"

    def __init__(self, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = dict(headers or {})

    def detail(self) -> Any:
        return self.message


class InvalidRequest(GatewayError):
    """Well formed, but it makes no sense here (unknown slug, duplicate identity)."""


class Forbidden(GatewayError):
    status = status.HTTP_403_FORBIDDEN
    code = "forbidden"


class NotFound(GatewayError):
    """Also the answer for what belongs to another organization: existence is not revealed."""

    status = status.HTTP_404_NOT_FOUND
    code = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} not found.")


class Conflict(GatewayError):
    status = status.HTTP_409_CONFLICT
    code = "conflict"


class Unavailable(GatewayError):
    status = status.HTTP_503_SERVICE_UNAVAILABLE
    code = "unavailable"


class Invalid(GatewayError):
    """422: a list of items `{loc, msg, type}`; `loc` starts with body, query, path or header."""

    status = 422
    code = "validation_error"

    def __init__(self, *items: tuple[Location, str, str]) -> None:
        super().__init__(items[0][1] if items else "Invalid request.")
        self.items = items

    def detail(self) -> Any:
        return [{"loc": list(loc), "msg": msg, "type": kind} for loc, msg, kind in self.items]


# DRF's error codes, in the words that readers of 422 answers know.
TYPES = {
    "required": "missing",
    "null": "not_null",
    "blank": "string_too_short",
    "max_length": "string_too_long",
    "min_length": "string_too_short",
    "max_value": "less_than_equal",
    "min_value": "greater_than_equal",
    "invalid_choice": "enum",
    "not_a_list": "list_type",
    "not_a_dict": "object_type",
    "invalid": "value_error",
}


def flatten(detail: Any, loc: Location) -> Iterator[tuple[Location, str, str]]:
    """DRF's nested error detail as (loc, msg, type) items."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from flatten(value, loc if key == "non_field_errors" else (*loc, key))
    elif isinstance(detail, Sequence) and not isinstance(detail, str):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping)
            yield from flatten(value, (*loc, index) if nested else loc)
    else:
        code = str(getattr(detail, "code", "invalid"))
        yield loc, str(detail), TYPES.get(code, code)


def from_drf(error: exceptions.APIException) -> GatewayError:
    """A DRF exception as one of ours; keeps `WWW-Authenticate`, `Allow` and `Retry-After`."""
    if isinstance(error, exceptions.ValidationError):
        return Invalid(*(item for item in flatten(error.detail, ("body",)) if item[1]))
    if isinstance(error, exceptions.ParseError):
        return Invalid((("body",), str(error.detail), "json_invalid"))
    translated = GatewayError(str(error.detail))
    translated.status = error.status_code
    if isinstance(error, exceptions.NotFound):
        translated.message = "Not found."
    wait = getattr(error, "wait", None)  # of Throttled
    if wait is not None:
        translated.headers["Retry-After"] = str(int(wait) + 1)
    return translated


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook. Returns None for what is no known error: Django then answers 500 through `server_error`."""
    if isinstance(error, Http404):
        error = NotFound("Resource")
    elif isinstance(error, PermissionDenied):
        error = Forbidden("You may not do this.")
    elif isinstance(error, RequestDataTooBig):
        return too_large()
    elif isinstance(error, OperationalError | InterfaceError):  # gone, starting, or locked for too long
        logger.error("database unavailable", exc_info=error)
        error = Unavailable("The database does not answer: repeat in a moment.", headers={"Retry-After": "1"})
    if isinstance(error, exceptions.APIException):
        headers = _drf_headers(error, context)
        error = from_drf(error)
        error.headers.update(headers)
    if isinstance(error, GatewayError):
        return Response({"detail": error.detail()}, status=error.status, headers=error.headers)
    return None


def too_large() -> Response:
    return Response({"detail": TOO_LARGE}, status=413)


def _drf_headers(error: exceptions.APIException, context: Mapping[str, Any]) -> dict[str, str]:
    view = context.get("view")
    auth_header = getattr(error, "auth_header", None)  # set by REST framework on 401
    if auth_header:
        return {"WWW-Authenticate": auth_header}
    if isinstance(error, exceptions.MethodNotAllowed) and view is not None:
        return {"Allow": ", ".join(view.allowed_methods)}
    return {}


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return dialects.refusal(request.path, 404, f"No such path: {request.path}. See /openapi.json.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return dialects.refusal(request.path, 413, TOO_LARGE)
    return dialects.refusal(request.path, 400, "The request could not be understood.")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return dialects.refusal(request.path, 403, "You may not do this.")


def server_error(request: HttpRequest) -> HttpResponse:
    message = "Internal error. It was logged; repeating the request may help."
    return dialects.refusal(request.path, 500, message)
