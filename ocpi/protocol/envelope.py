"""OCPI's envelope, which every answer below `/ocpi/peer` wears, and the refusals that fill it (OCPI contract, 4.2)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone

from ocpi.protocol import times

SUCCESS, CLIENT_ERROR, INVALID, NOT_ENOUGH, UNKNOWN_PLACE, UNKNOWN_TOKEN = 1000, 2000, 2001, 2002, 2003, 2004
SERVER_ERROR, PEER_UNUSABLE, UNSUPPORTED_VERSION, NO_MATCHING_ENDPOINTS = 3000, 3001, 3002, 3003
LONGEST_MESSAGE = 255


@dataclass(frozen=True)
class Answer:
    """What a view hands back. `data` None means that there is nothing to return."""

    data: Any = None
    status_code: int = SUCCESS
    message: str = "Success"
    http: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An answer that is no success. HTTP 200 unless a subclass says otherwise: the request itself was understood."""

    http = 200
    status_code = CLIENT_ERROR

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        http: int | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.answer = Answer(
            data,
            self.status_code if status_code is None else status_code,
            message,
            self.http if http is None else http,
            headers or {},
        )


class InvalidField(Refusal):
    """A member or parameter is missing or wrong."""

    status_code = INVALID


class Malformed(Refusal):
    """The body is no JSON."""

    http, status_code = 400, INVALID


class Unauthorized(Refusal):
    http = 401

    def __init__(self, message: str = "The token is missing, unknown or not valid here.") -> None:
        super().__init__(message, headers={"WWW-Authenticate": "Token"})


class Missing(Refusal):
    """No such path, object or party."""

    http = 404


class NotAllowed(Refusal):
    http = 405

    def __init__(self, allowed: list[str], message: str = "This method is not offered here.") -> None:
        super().__init__(message, headers={"Allow": ", ".join(allowed)})


class TooMany(Refusal):
    http = 429

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many failed requests: wait.", headers={"Retry-After": str(seconds)})


class ServerFault(Refusal):
    """Something on our side, or on the peer's when `status_code` says so."""

    status_code = SERVER_ERROR


def wrapped(answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {} if answer.data is None else {"data": answer.data}
    shown["status_code"] = answer.status_code
    shown["status_message"] = answer.message[:LONGEST_MESSAGE]
    shown["timestamp"] = times.written(timezone.now())
    return shown


def response(answer: Answer, headers: Mapping[str, str] | None = None) -> HttpResponse:
    text = json.dumps(wrapped(answer), default=_number, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate that a peer sent and a message repeats has no UTF-8.
    content = text.encode("utf-8", "backslashreplace")
    made = HttpResponse(content, status=answer.http, content_type="application/json")
    for name, value in {**(headers or {}), **answer.headers}.items():
        made[name] = value
    return made


def refused(status: int, message: str) -> HttpResponse:
    """What nobody's view refuses: an unknown path, a body that is too large, a crash outside of views."""
    code = SERVER_ERROR if status >= 500 else INVALID if status == 400 else CLIENT_ERROR
    return response(Answer(None, code, message, status))


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in an OCPI answer")
