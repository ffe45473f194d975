"""Threads with a database connection of their own: the loop runs no query."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection, connections, transaction

P = ParamSpec("P")
R = TypeVar("R")


class Line:
    """Whose turn it is within this process, where the database has one writer at a time and its waiters poll.

    A lease waits for no turn: it asks the database at once, and nobody else begins until it is done. So it never waits
    for more than the transaction under way, however many frames follow it.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._busy = False
        self._first = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        with self._moved:
            self._moved.wait_for(lambda: not self._busy and not self._first)
            self._busy = True
        try:
            yield
        finally:
            with self._moved:
                self._busy = False
                self._moved.notify_all()

    @contextmanager
    def first(self) -> Iterator[None]:
        with self._moved:
            self._first += 1
        try:
            yield
        finally:
            with self._moved:
                self._first -= 1
                self._moved.notify_all()


_line = Line()


class DatabaseThread:
    """One thread, so its jobs run in the order given. `first`: before those of the process's other threads."""

    def __init__(self, name: str, *, first: bool = False) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._first = first

    async def run(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The job's result; raises what it raises. A broken connection is replaced before the next job."""

        def work() -> R:
            if connection.vendor == "sqlite":
                return self._in_line(lambda: job(*args, **kwargs))
            close_old_connections()
            return job(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _in_line(self, job: Callable[[], R]) -> R:
        """On one connection throughout: closing a file's last one costs SQLite a checkpoint."""
        if connection.errors_occurred:
            connection.close()
        if not self._first:
            with _line.turn():
                return job()
        with _line.first(), transaction.atomic():  # the lock is fought for once, not at every statement
            return job()

    def close(self) -> None:
        self._executor.submit(connections.close_all)
        self._executor.shutdown(wait=True)
