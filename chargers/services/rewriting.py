"""Changing many rows that each get values of their own: one prepared statement, executed once per row.

`bulk_update` compiles every single value into one expression, which costs ten times as much, and a recorder pays it
while it holds SQLite's only write lock.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def rewrite(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Writes these fields of the rows by primary key; rows that are gone meanwhile are left out."""
    if not rows:
        return
    meta = rows[0]._meta
    columns: list[models.Field[Any, Any]] = [meta.get_field(name) for name in fields]  # type: ignore[misc]
    key = meta.pk
    assert key is not None
    quote = connection.ops.quote_name
    values = ", ".join(f"{quote(str(field.column))} = %s" for field in columns)
    statement = f"UPDATE {quote(meta.db_table)} SET {values} WHERE {quote(str(key.column))} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(
            statement,
            [
                [field.get_db_prep_save(getattr(row, field.attname), connection) for field in (*columns, key)]
                for row in rows
            ],
        )
