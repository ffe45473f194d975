"""Request bodies: how large they may be, and the one format they may have."""

import io
import json
from collections.abc import Callable, Mapping
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer

from ocpplab.api import dialects

TOO_LARGE = "The request body is larger than 5 MiB."


class BodyLimitMiddleware:
    """Answers 413 before anything reads a body that is too large.

    REST framework takes a request without Content-Length for an empty one; a chunked body is read here and gets one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if "HTTP_TRANSFER_ENCODING" in request.META and "CONTENT_LENGTH" not in request.META:
            body = request.read(limit + 1)
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._body = body
            request._stream = io.BytesIO(body)
        if content_length(request.META) > limit:
            return dialects.refusal(request.path, 413, TOO_LARGE)
        return self.get_response(request)


def content_length(meta: Mapping[str, Any]) -> int:
    try:
        return int(meta.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 as the standard has it: no NaN, no Infinity; nesting beyond reason is malformed, not an error."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return json.loads(stream.read().decode("utf-8"), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise ParseError(f"Malformed JSON: {reason}") from None


class SafeJSONRenderer(JSONRenderer):
    """A lone surrogate that a caller sent and an error repeats has no UTF-8: such an answer is escaped throughout."""

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        try:
            return super().render(data, *args, **kwargs)
        except UnicodeEncodeError:
            self.ensure_ascii = True  # type: ignore[misc]  # of this request alone
            return super().render(data, *args, **kwargs)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
