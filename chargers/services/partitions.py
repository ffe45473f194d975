"""Days of the traffic tables on PostgreSQL: a partition each, made ahead of time and dropped when it is too old.

Elsewhere the tables are plain and every function here does nothing. Old rows within the longest retention are
deleted in batches by `prune_messages`; a whole day beyond it costs one DROP.
"""

from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLES = ("chargers_message", "chargers_connectionevent")
DAYS_AHEAD = 7


def ensure_partitions(today: date | None = None, using: BaseDatabaseWrapper | None = None) -> int:
    """Makes the missing partitions of today and the next days; returns how many. Safe to repeat and to race."""
    database = using or connection
    if database.vendor != "postgresql":
        return 0
    first = today or datetime.now(UTC).date()
    days = [first + timedelta(days=offset) for offset in range(DAYS_AHEAD + 1)]
    return sum(_make(database, table, day) for table in TABLES for day in days)


def drop_partitions(before: date) -> int:
    """Drops the partitions of days that ended before this date; returns how many."""
    if connection.vendor != "postgresql":
        return 0
    dropped = 0
    for table in TABLES:
        for name in _partitions(table):
            day = _day_of(name)
            if day is not None and day < before:
                with connection.cursor() as cursor:
                    cursor.execute(f'DROP TABLE "{name}"')
                dropped += 1
    return dropped


def _make(database: BaseDatabaseWrapper, table: str, day: date) -> bool:
    """Rows of that day which the default partition has taken meanwhile move over."""
    name = f"{table}_{day:%Y%m%d}"
    bounds = [day.isoformat(), (day + timedelta(days=1)).isoformat()]
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [table])  # nodes start together
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is not None:
            return False
        cursor.execute(f'CREATE TABLE "{name}" (LIKE "{table}" INCLUDING DEFAULTS)')
        cursor.execute(
            f'WITH moved AS (DELETE FROM "{table}_rest" WHERE at >= %s::date AND at < %s::date RETURNING *) '  # noqa: S608
            f'INSERT INTO "{name}" SELECT * FROM moved',
            bounds,
        )
        cursor.execute(
            f'ALTER TABLE "{table}" ATTACH PARTITION "{name}" '
            f"FOR VALUES FROM ('{bounds[0]}T00:00:00Z') TO ('{bounds[1]}T00:00:00Z')"
        )
    return True


def _partitions(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table])
        return [name for (name,) in cursor.fetchall()]


def _day_of(name: str) -> date | None:
    digits = name.rpartition("_")[2]
    return datetime.strptime(digits, "%Y%m%d").replace(tzinfo=UTC).date() if digits.isdigit() else None
