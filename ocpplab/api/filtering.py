"""Filters and order of lists, by the filter set that a view declares; anything wrong in the query is 422."""

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from ocpplab.api.errors import Invalid
from ocpplab.api.fields import Moment
from ocpplab.api.pagination import parameter

TYPES = {"invalid_choice": "enum", "max_length": "string_too_long"}
TRUTH = {"true": True, "false": False}


class Truth(django_filters.TypedChoiceFilter):
    """`true` or `false`, nothing else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(word, word) for word in TRUTH], coerce=TRUTH.get, **kwargs)


class Word(django_filters.CharFilter):
    """A text as it is: blanks count, and an empty one is asked for rather than overlooked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=kwargs.pop("max_length", 200), strip=False, **kwargs)


class MomentField(forms.Field):
    """A point in time with its zone, as request bodies take it."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return Moment().run_validation(value)
        except serializers.ValidationError as error:
            raise forms.ValidationError([str(one) for one in error.detail]) from None


class At(django_filters.Filter):
    """`2026-04-02T09:15:00Z`, or with an offset."""

    field_class = MomentField


class StableOrdering(django_filters.OrderingFilter):
    """`ordering=city,-created_at`; rows that are alike in all of it stay in the order of their ids."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        return qs.order_by(*[self.get_ordering_value(one) for one in value], "id") if value else qs


class QueryFilters(BaseFilterBackend):
    """Applies the view's `filterset_class`, where it has one; raises Invalid (422)."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset_class = getattr(view, "filterset_class", None)
        if filterset_class is None:
            return queryset
        filterset = filterset_class(request.query_params, queryset=queryset, request=request)
        if not filterset.is_valid():
            raise Invalid(
                *(item for name, errors in filterset.errors.as_data().items() for item in _items(name, errors))
            )
        found: QuerySet[Any] = filterset.qs
        return found

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        filterset_class = getattr(view, "filterset_class", None)
        filters = filterset_class.base_filters if filterset_class else {}
        return [_parameter(name, one) for name, one in filters.items()]


def _items(name: str, errors: Iterable[Any]) -> Iterable[tuple[tuple[str, str], str, str]]:
    for error in errors:
        yield ("query", name), " ".join(error.messages), TYPES.get(error.code, "value_error")


def _parameter(name: str, one: django_filters.Filter) -> dict[str, Any]:
    words = str(one.extra.get("help_text") or f"Only those of this {name.replace('_', ' ')}.")
    if isinstance(one, StableOrdering):
        choices = [value for value, _ in one.extra["choices"]]
        schema = {"type": "array", "items": {"type": "string", "enum": choices}}
        return parameter(name, "Comma-separated; a minus turns one round.", schema) | {
            "style": "form",
            "explode": False,
        }
    if isinstance(one.field, forms.ChoiceField):
        return parameter(name, words, {"type": "string", "enum": [value for value, _ in one.extra["choices"]]})
    return parameter(name, words, {"type": "string", "maxLength": 200})
