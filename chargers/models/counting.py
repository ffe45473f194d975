"""Counters that the recorder raises in bulk: rows that are added up where they stand already."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from django.db import connection, models


def raise_counters(
    model: type[models.Model], key: Sequence[str], rows: Sequence[Sequence[Any]], raised: Mapping[str, str]
) -> None:
    """Inserts the rows (values of all columns but the primary key) or raises those of the same `key`; one statement.

    `raised` says by column how the old value and the new one are put together: `sum` or `max`. Callers sort the rows:
    two nodes that raise the same counters then lock them in the same order.
    """
    if not rows:
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    table = connection.ops.quote_name(model._meta.db_table)
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    changes = ", ".join(_change(table, connection.ops.quote_name(name), how) for name, how in raised.items())
    # The callers' own names and no values: nothing here comes from outside.
    head, tail = f"INSERT INTO {table} ({names})", f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{_base(field)}[]" for field in fields)
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(f"{head} SELECT * FROM unnest({arrays}) {tail}", columns)  # noqa: S608
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"{head} VALUES ({marks}) {tail}", prepared(fields, rows))


def prepared(fields: Sequence["models.Field[Any, Any]"], rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The rows as the database's driver takes them. Few values differ in a batch, so each is converted once."""
    converted = {
        number: cache(partial(field.get_db_prep_save, connection=connection))
        for number, field in enumerate(fields)
        if isinstance(field, models.ForeignKey | models.DateTimeField)
    }
    found = [list(row) for row in rows]
    for values in found:
        for number, convert in converted.items():
            values[number] = convert(values[number])
    return found


def _change(table: str, column: str, how: str) -> str:
    old, new = f"{table}.{column}", f"excluded.{column}"
    if how == "sum":
        return f"{column} = {old} + {new}"
    return f"{column} = CASE WHEN {new} > {old} THEN {new} ELSE {old} END"


def _base(field: "models.Field[Any, Any]") -> str:
    """The column's type without its length, as an array takes it."""
    return str(field.db_type(connection)).partition("(")[0]
