"""Entity tags: a read may be answered 304, an update may be made dependent on what was read (RFC 9110, section 13).

The tag is weak. Its first part is the row's `updated_at`: what people change. The second covers what a station changes
by itself, such as its connection, so that a 304 is never stale. `If-Match` looks at the first part only: a charger that
reconnects is no reason to refuse an update.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, cast

from django.db import transaction
from django.db.models import Model, QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from ocpplab.api.errors import GatewayError


class Dated(Protocol):
    pk: Any
    updated_at: datetime


class PreconditionFailed(GatewayError):
    status = status.HTTP_412_PRECONDITION_FAILED
    code = "precondition_failed"


def _version(at: datetime) -> str:
    return format(int(at.timestamp() * 1_000_000), "x")


def tag_of(row: Dated, shown: Mapping[str, Any]) -> str:
    digest = hashlib.blake2b(JSONEncoder(sort_keys=True).encode(shown).encode(), digest_size=6).hexdigest()
    return f'W/"{_version(row.updated_at)}-{digest}"'


def _tags(header: str) -> list[str]:
    return [one.strip().removeprefix("W/").strip('"') for one in header.split(",")]


def answer(request: Request, row: Dated, shown: Mapping[str, Any]) -> Response:
    """200 with the row and its tag, or 304 without a body for a reader who has this very state."""
    tag = tag_of(row, shown)
    known = _tags(request.headers.get("If-None-Match", ""))
    if request.method == "GET" and ("*" in known or _tags(tag)[0] in known):
        return Response(status=304, headers={"ETag": tag})
    return Response(shown, headers={"ETag": tag})


@contextmanager
def unchanged(request: Request, row: Dated) -> Iterator[None]:
    """Holds the row while it is updated. Raises PreconditionFailed (412) if it is not as `If-Match` says."""
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        yield
        return
    with transaction.atomic():
        rows: QuerySet[Any] = type(cast("Model", row))._default_manager.select_for_update()
        at = rows.filter(pk=row.pk).values_list("updated_at", flat=True).first()
        if at != row.updated_at or _version(at) not in [tag.partition("-")[0] for tag in _tags(header)]:
            raise PreconditionFailed("It was changed since you read it: read it again, then repeat the update.")
        yield
