"""On PostgreSQL the traffic tables are partitioned by day from the start: later that would be a data migration."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

KEYS = {"chargers_message": "message_once", "chargers_connectionevent": "connection_event_once"}
INDEXES = {
    "chargers_message": {
        "message_by_action": "charger_id, action, epoch, sequence",
        "message_by_time": "charger_id, at",
        "message_age": "at",
    },
    "chargers_connectionevent": {"connection_event_age": "at"},
}


def partition(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor != "postgresql":
        return
    for table, key in KEYS.items():
        _rebuild(schema_editor, table, key)


def _rebuild(schema_editor: BaseDatabaseSchemaEditor, table: str, key: str) -> None:
    def run(sql: str) -> Any:
        return schema_editor.execute(sql, params=None)

    run(f'ALTER TABLE "{table}" RENAME TO "{table}_plain"')
    run(f'CREATE TABLE "{table}" (LIKE "{table}_plain" INCLUDING DEFAULTS INCLUDING IDENTITY) PARTITION BY RANGE (at)')
    run(f'DROP TABLE "{table}_plain"')
    # A key of a partitioned table must hold the column it is partitioned by.
    run(f'ALTER TABLE "{table}" ADD PRIMARY KEY (id, at)')
    run(f'ALTER TABLE "{table}" ADD CONSTRAINT "{key}" UNIQUE (charger_id, epoch, sequence, at)')
    for name, columns in INDEXES[table].items():
        run(f'CREATE INDEX "{name}" ON "{table}" ({columns})')
    run(f'CREATE TABLE "{table}_rest" PARTITION OF "{table}" DEFAULT')


class Migration(migrations.Migration):
    dependencies = [("chargers", "0001_initial")]
    operations = [migrations.RunPython(partition, migrations.RunPython.noop)]
