"""Lists: filters, pages and the headers that tell of them (OCPI contract, 4.4)."""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from ocpi.cpo_settings import setting
from ocpi.models import Cpo
from ocpi.peer.links import public_url
from ocpi.protocol import times
from ocpi.protocol.envelope import Answer, InvalidField

DEFAULT_LIMIT = 50
FARTHEST = 2**31  # beyond any list, and within what a database takes
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
M = TypeVar("M", bound=Model)


def page(request: HttpRequest, rows: QuerySet[M], cpo: Cpo, show: Callable[[M], dict[str, Any]]) -> Answer:
    """The page of `rows` that was asked for. `rows` are in listing order. Raises InvalidField."""
    cap = int(setting(cpo, "page_limit_cap"))
    offset = _integer(request, "offset", 0, least=0)
    limit = min(_integer(request, "limit", min(DEFAULT_LIMIT, cap), least=1), cap)
    filters = {name: request.GET[name] for name in ("date_from", "date_to") if request.GET.get(name)}
    if "date_from" in filters:
        rows = rows.filter(last_updated__gte=_moment(filters, "date_from"))
    if "date_to" in filters:
        rows = rows.filter(last_updated__lt=_moment(filters, "date_to"))
    total = rows.count()
    shown = [show(row) for row in rows[offset : offset + limit]] if offset < total else []
    headers = {"X-Total-Count": str(total), "X-Limit": str(cap)}
    if offset + limit < total:
        query = urlencode({**filters, "offset": offset + limit, "limit": limit})
        headers["Link"] = f'<{public_url(request.path)}?{query}>; rel="next"'
    return Answer(shown, headers=headers)


def _integer(request: HttpRequest, name: str, default: int, *, least: int) -> int:
    text = request.GET.get(name)
    if text is None:
        return default
    if not INTEGER.fullmatch(text):
        raise InvalidField(f"{name}: must be an integer")
    value = int(text)
    if value < least:
        raise InvalidField(f"{name}: must be at least {least}")
    return min(value, FARTHEST)


def _moment(filters: dict[str, str], name: str) -> Any:
    # A `+` that was not escaped arrives as a space.
    try:
        return times.read(filters[name].replace(" ", "+"))
    except ValueError:
        raise InvalidField(f"{name}: must be a DateTime in UTC, such as 2026-01-31T12:00:00Z") from None
