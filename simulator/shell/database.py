"""Threads with a database connection of their own: the loop runs no query."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connection, connections

# SQLite has one writer at a time, and its waiters poll: under a full load of frames a lease could wait for its turn
# until it is lost. Within a node the turns are therefore taken here.
_turn = threading.Lock()
P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThread:
    """One thread, so its jobs run in the order given."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The job's result; raises what it raises. A broken connection is replaced before the next job."""

        def fresh() -> R:
            close_old_connections()
            with _turn if connection.vendor == "sqlite" else nullcontext():
                return job(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._executor, fresh)

    def close(self) -> None:
        self._executor.submit(connections.close_all)
        self._executor.shutdown(wait=True)
