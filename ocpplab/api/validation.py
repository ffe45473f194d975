"""Reading what a request carries: a serializer's verdict as the contract's 422."""

from collections.abc import Mapping
from typing import Any

from rest_framework.serializers import BaseSerializer

from ocpplab.api.errors import Invalid, flatten


def validated(serializer: type[BaseSerializer[Any]], data: Any, *, where: str = "body", **kwargs: Any) -> Any:
    """The validated data; raises Invalid (422) with `loc` starting at `where` (body or query)."""
    checked = serializer(data=data, **kwargs)
    if not checked.is_valid():
        raise Invalid(*flatten(checked.errors, (where,)))
    return checked.validated_data


def without_nulls(data: Mapping[str, Any]) -> dict[str, Any]:
    """For optional command fields an explicit null means the same as absent (gateway contract, 1.3)."""
    return {name: value for name, value in data.items() if value is not None}
