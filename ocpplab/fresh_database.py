"""The embedded database of a first start, made from today's models in one go.

Replaying the history of migrations on an empty file costs seconds, most of them spent on models that no longer look
that way. The outcome is the same (a test compares them), and every migration is noted as applied.
"""

from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def create_if_missing() -> bool:
    """Whether the file was missing and has been made. It appears whole or, if this is interrupted, not at all."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return False
    path = Path(connection.settings_dict["NAME"])
    if path.exists():
        return False
    fresh = path.with_name(f"{path.name}.new")
    for leftover in path.parent.glob(f"{fresh.name}*"):
        leftover.unlink()
    _build(fresh)
    fresh.rename(path)
    return True


def _build(path: Path) -> None:
    final = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        _create_tables()
        _note_migrations()
    finally:
        connection.close()  # which also moves the write-ahead log into the file
        connection.settings_dict["NAME"] = final


def _create_tables() -> None:
    """As `migrate` does for apps without migrations; signals create content types and permissions."""
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = dict.fromkeys(app.label for app in apps.get_app_configs())
    try:
        call_command("migrate", run_syncdb=True, verbosity=0, interactive=False, skip_checks=True)
    finally:
        settings.MIGRATION_MODULES = before


def _note_migrations() -> None:
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    applied = recorder.Migration.objects.using(connection.alias)
    applied.bulk_create(recorder.Migration(app=app, name=name) for app, name in MigrationLoader(None).disk_migrations)
