"""Lists of tables too large to count: newest first, and on to older rows from where the last page ended.

The cost of a page does not grow with the table or with the depth: no COUNT, no OFFSET.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from tenants.admin.base import ReadOnlyAdmin

if TYPE_CHECKING:
    Pages = Paginator[Any]
else:
    Pages = Paginator

BEFORE = "before"
BETWEEN = "~"  # stands in no UUID, number, ISO date or hexadecimal id


class OnePage(Pages):
    """The page that was read, and where the next one starts ("" when there is none)."""

    template_name = "admin/keyset_pagination.html"
    older = ""
    newest = ""


class KeysetChangeList(ChangeList):  # type: ignore[misc]  # unfold ships no types
    def get_filters_params(self, params: Any = None) -> Any:
        lookups = super().get_filters_params(params)
        lookups.pop(BEFORE, None)
        return lookups

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """The keyset's, whatever the address asks for: other orders have no index."""
        return [f"-{name}" for name in self.model_admin.get_keyset(request)]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        position = request.GET.get(BEFORE)
        return rows.filter(older_than(self.model, self.model_admin.get_keyset(request), position)) if position else rows

    def get_results(self, request: HttpRequest) -> None:
        rows = list(self.queryset[: self.list_per_page + 1])
        self.result_list = self.model_admin.completed(rows[: self.list_per_page])
        self.result_count = self.full_result_count = len(self.result_list)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.paginator = OnePage(self.result_list, self.list_per_page)
        if len(rows) > self.list_per_page:
            position = position_of(self.result_list[-1], self.model_admin.get_keyset(request))
            self.paginator.older = self.get_query_string({BEFORE: position})
        if BEFORE in self.params:
            self.paginator.newest = self.get_query_string(remove=[BEFORE])


class KeysetAdmin(ReadOnlyAdmin):
    """`keyset` names the columns of an index, newest last; together they are unique among the rows listed."""

    keyset: ClassVar[tuple[str, ...]] = ("id",)
    actions = None
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    sortable_by = ()
    # What the list's address may filter by, where only some columns have an index; None leaves it to Django.
    open_lookups: ClassVar[frozenset[str] | None] = None

    def get_keyset(self, request: HttpRequest) -> tuple[str, ...]:
        return self.keyset

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        if self.open_lookups is None:
            return super().lookup_allowed(lookup, value, request)
        return lookup in self.open_lookups

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return KeysetChangeList

    def completed(self, rows: list[Any]) -> list[Any]:
        """The rows of a page with whatever else their columns show, read in one go."""
        return rows


def position_of(row: Any, names: Sequence[str]) -> str:
    values = (getattr(row, name) for name in names)
    return BETWEEN.join(value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values)


def older_than(model: Any, names: Sequence[str], position: str) -> Q:
    """Rows before that one. Raises IncorrectLookupParameters when it is no position."""
    texts = position.split(BETWEEN)
    if len(texts) != len(names):
        raise IncorrectLookupParameters(position)
    try:
        values = [model._meta.get_field(name).to_python(text) for name, text in zip(names, texts, strict=True)]
    except ValidationError as error:
        raise IncorrectLookupParameters(error) from None
    # The first column's bound stands alone too, so that the database can seek to it in the index.
    older, equal = Q(), Q()
    for name, value in zip(names, values, strict=True):
        older |= equal & Q(**{f"{name}__lt": value})
        equal &= Q(**{name: value})
    return Q(**{f"{names[0]}__lte": values[0]}) & older
