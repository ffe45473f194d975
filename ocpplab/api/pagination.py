"""The two list envelopes of the contract (gateway contract, section 1.2)."""

import re
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from ocpplab.api.errors import Invalid

DIGITS = re.compile(r"-?[0-9]{1,100}")  # int() takes blanks, underscores and every script's digits, too


def whole_number(request: Request, name: str, *, default: int, least: int, most: int | None = None) -> int:
    """A query parameter as an integer within bounds; raises Invalid (422, `loc` query) otherwise."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not DIGITS.fullmatch(text):
        raise Invalid((("query", name), "A whole number is needed.", "int_parsing"))
    value = int(text)
    if value < least:
        raise Invalid((("query", name), f"Must be at least {least}.", "greater_than_equal"))
    if most is not None and value > most:
        raise Invalid((("query", name), f"Must be at most {most}.", "less_than_equal"))
    return value


def parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


class PageLimitPagination(BasePagination):
    """`?page=1&limit=50` -> `{data, total, page, limit}`."""

    default_limit = 50
    max_limit = 100

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        return self.paginate(queryset, queryset.count(), request)

    def paginate(self, rows: QuerySet[Any] | Sequence[Any], total: int, request: Request) -> list[Any]:
        """The page's rows, of a queryset or of a list; raises Invalid (422) for numbers out of bounds."""
        self.page = whole_number(request, "page", default=1, least=1, most=2**31)
        self.limit = whole_number(request, "limit", default=self.default_limit, least=1, most=self.max_limit)
        self.total = total
        start = (self.page - 1) * self.limit
        return list(rows[start : start + self.limit]) if start < total else []

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "total": self.total, "page": self.page, "limit": self.limit})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return envelope_schema(schema, "page", "limit")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            parameter("page", "Page number, from 1.", {"type": "integer", "minimum": 1, "default": 1}),
            parameter(
                "limit",
                "Rows per page.",
                {"type": "integer", "minimum": 1, "maximum": self.max_limit, "default": self.default_limit},
            ),
        ]


def envelope_schema(item: dict[str, Any], *numbers: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"data": item, "total": {"type": "integer"}}
    properties |= {name: {"type": "integer"} for name in numbers}
    return {"type": "object", "required": ["data", "total", *numbers], "properties": properties}
