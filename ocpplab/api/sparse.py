"""`fields=id,name`: answers with only the fields a reader asks for."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ModelSerializer

from ocpplab.api.errors import Invalid


class SparseSerializer(ModelSerializer[Any]):
    """`always_shown` are the fields that every client relies on: they come whatever is asked for."""

    always_shown: tuple[str, ...] = ("id",)


def sparse(serializer: BaseSerializer[Any], request: Request) -> BaseSerializer[Any]:
    """The serializer, or that of a list, with only the fields in the query; raises Invalid (422) for unknown ones."""
    text = request.query_params.get("fields")
    if text is None:
        return serializer
    target: Any = getattr(serializer, "child", serializer)
    asked = {name.strip() for name in text.split(",") if name.strip()}
    if wrong := sorted(asked - set(target.fields)):
        known = ", ".join(target.fields)
        raise Invalid((("query", "fields"), f"There is no field {wrong[0]}. Known: {known}.", "enum"))
    for name in set(target.fields) - asked - set(target.always_shown):
        target.fields.pop(name)
    return serializer


def fields_parameter(serializer: type[SparseSerializer]) -> OpenApiParameter:
    always = ", ".join(f"`{name}`" for name in serializer.always_shown)
    return OpenApiParameter(
        "fields",
        {"type": "array", "items": {"type": "string", "enum": list(serializer.Meta.fields)}},
        description=f"Only these fields, comma-separated; always with {always}.",
        style="form",
        explode=False,
    )


class SparseSerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says in the document that all but `always_shown` may be absent, as they are where `fields` leaves them out."""

    target_class = "ocpplab.api.sparse.SparseSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "response":
            schema["required"] = list(self.target.always_shown)
        return schema
