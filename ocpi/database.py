"""A thread's connection to the database, kept open: on SQLite to open and close one costs more than most queries."""

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

R = TypeVar("R")


def keeping_open(job: Callable[[], R]) -> R:
    """Runs the job; a connection that may be broken is closed, the next job opens a fresh one."""
    try:
        return job()
    except (InterfaceError, OperationalError):
        connection.close()
        raise
