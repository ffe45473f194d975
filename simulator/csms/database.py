"""The CSMS's way to the database: a thread of its own that keeps its connection open.

Channels' helper closes the connection after every call. On SQLite that is a checkpoint and two file opens each time,
some 50 ms where the query takes one; and its thread is shared with everything else that is synchronous.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection

P = ParamSpec("P")
T = TypeVar("T")

# One thread: the calls keep their order, and SQLite has one writer at a time anyway.
THREAD = ThreadPoolExecutor(1, thread_name_prefix="csms-database")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs the function in the thread, in the caller's context (and so in its organization's scope)."""
    return await in_thread(THREAD, lambda: function(*args, **kwargs))


async def in_thread(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """The same in other threads, for work that queries and may be slow. A thread keeps its connection, too."""
    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(threads, context.run, _guarded, work)


def _guarded(work: Callable[[], T]) -> T:
    try:
        return work()
    except (InterfaceError, OperationalError):
        connection.close()  # it may be broken: the next call opens a fresh one
        raise
