"""A database made in one go is what all migrations together make of an empty one."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.ops.processes import PROJECT

pytestmark = [pytest.mark.embedded, pytest.mark.slow]
AT_ONCE = "import django; django.setup(); from ocpplab import fresh_database; assert fresh_database.create_if_missing()"
UNCOMPARED = {"django_migrations", "sqlite_sequence"}  # the order in which rows were written


def made(folder: Path, *words: str) -> sqlite3.Connection:
    """The database that `python WORDS` leaves in this data folder."""
    outside = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment = outside | {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "ocpplab.settings"}
    subprocess.run([sys.executable, *words], cwd=PROJECT, env=environment, check=True, timeout=120)
    return sqlite3.connect(folder / "ocpplab.sqlite3")


def tables(database: sqlite3.Connection) -> list[str]:
    return [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]


def shape(database: sqlite3.Connection, table: str) -> dict[str, Any]:
    """Columns, keys, indexes and constraints, whatever their order."""
    [(text,)] = database.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
    indexes = database.execute("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", (table,))
    return {
        "columns": sorted(row[1:] for row in database.execute(f"PRAGMA table_info({table})")),
        "references": sorted(row[2:] for row in database.execute(f"PRAGMA foreign_key_list({table})")),
        "indexes": sorted(sql for (sql,) in indexes if sql),
        "constraints": sorted(re.findall(r'CONSTRAINT "(\w+)"', text)),
    }


def content(database: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    columns = sorted(row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "id")
    return sorted(database.execute(f"SELECT {', '.join(columns)} FROM {table}")) if columns else []


def test_both_ways_lead_to_the_same_database(tmp_path: Path) -> None:
    with (
        closing(made(tmp_path / "at once", "-c", AT_ONCE)) as at_once,
        closing(made(tmp_path / "step by step", "manage.py", "migrate", "--verbosity", "0")) as step_by_step,
    ):
        assert tables(at_once) == tables(step_by_step)
        for table in set(tables(at_once)) - UNCOMPARED:
            assert shape(at_once, table) == shape(step_by_step, table), table
        names = "SELECT app, name FROM django_migrations ORDER BY app, name"
        assert at_once.execute(names).fetchall() == step_by_step.execute(names).fetchall()
        for table in ("django_content_type", "tenants_user", "django_site"):
            if table in tables(at_once):
                assert content(at_once, table) == content(step_by_step, table)
        filled = [one for one in tables(step_by_step) if step_by_step.execute(f"SELECT 1 FROM {one}").fetchone()]
        assert filled == [one for one in tables(at_once) if at_once.execute(f"SELECT 1 FROM {one}").fetchone()]
