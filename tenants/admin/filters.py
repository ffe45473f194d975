"""Filters for long choices: a select that searches while one types, over the rows of all organizations."""

from typing import Any

from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from tenants.admin.base import NOBODY, unscoped
from tenants.scoping import scope


class RelatedForm(AutocompleteDropdownForm):  # type: ignore[misc]  # unfold ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with scope(NOBODY):  # it starts with the default manager
            super().__init__(*args, **kwargs)
        self.fields[kwargs["name"]].queryset = unscoped(kwargs["field"].remote_field.model)


class RelatedFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """For a foreign key whose table has an admin with `search_fields`."""

    form_class = RelatedForm
