"""The wake-up between processes: "look at your rows". It carries nothing else, so that losing one loses no work.

Whoever writes rows that a simulator node must see calls `wake_on_commit()`; nodes listen, and poll as a safety net.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import connection, transaction

logger = logging.getLogger(__name__)
CHANNEL = "ocpplab_wake"
RETRY_SECONDS = 2.0
OnWake = Callable[[], None]


class Transport(Protocol):
    """`send` is for any thread; `listen` runs on an asyncio loop until cancelled and may raise when its link breaks."""

    def send(self) -> None: ...

    async def listen(self, on_wake: OnWake) -> None: ...


class PostgresNotify:
    """NOTIFY on the request's own connection, LISTEN on one that belongs to the listener."""

    def send(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")

    async def listen(self, on_wake: OnWake) -> None:
        import psycopg

        parameters = connection.get_connection_params()
        keep = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if key in parameters}
        link = await psycopg.AsyncConnection.connect(**keep, autocommit=True)
        async with link:
            await link.execute(f"LISTEN {CHANNEL}")
            async for _ in link.notifies():
                on_wake()


class RedisPublish:
    def send(self) -> None:
        redis_client().publish(CHANNEL, b"")

    async def listen(self, on_wake: OnWake) -> None:
        from redis.asyncio import Redis

        # A read waits as long as nothing happens: that is no fault of the connection.
        async with Redis.from_url(settings.REDIS_URL, socket_timeout=None) as client, client.pubsub() as pubsub:
            await pubsub.subscribe(CHANNEL)
            async for message in pubsub.listen():
                if message["type"] == "message":
                    on_wake()


class LocalDatagram:
    """One Unix datagram socket per listener, all in one private folder; a sender rings at each of them."""

    def send(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
            bell.setblocking(False)
            for path in datagram_folder().glob("*.wake"):
                try:
                    bell.sendto(b"w", str(path))
                except BlockingIOError:
                    continue  # its buffer is full of wake-ups already
                except (ConnectionRefusedError, FileNotFoundError):
                    path.unlink(missing_ok=True)  # nobody is bound there any more

    async def listen(self, on_wake: OnWake) -> None:
        path = datagram_folder() / f"{os.getpid()}-{secrets.token_hex(4)}.wake"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.setblocking(False)
            ear.bind(str(path))
            loop = asyncio.get_running_loop()
            loop.add_reader(ear, self._drain, ear, on_wake)
            try:
                await loop.create_future()
            finally:
                loop.remove_reader(ear)
                path.unlink(missing_ok=True)

    @staticmethod
    def _drain(ear: socket.socket, on_wake: OnWake) -> None:
        with contextlib.suppress(BlockingIOError):
            while ear.recv(16):
                pass
        on_wake()


def datagram_folder() -> Path:
    """A folder of this data folder's processes; in the temporary directory, as a socket's path may have 107 bytes.

    Raises PermissionError when somebody else owns a folder of that name.
    """
    mark = hashlib.blake2b(str(settings.DATA_DIR).encode(), digest_size=8).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"ocpplab-{os.getuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = folder.lstat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077 or folder.is_symlink():
        raise PermissionError(f"{folder} is not private to this user")
    return folder


@cache
def redis_client() -> Any:
    from redis import Redis

    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def transport() -> Transport:
    """PostgreSQL's own notifications where there is one, else Redis, else datagrams on this machine."""
    if connection.vendor == "postgresql":
        return PostgresNotify()
    return RedisPublish() if settings.REDIS_URL else LocalDatagram()


def wake() -> None:
    """Tells every simulator node to look at its rows now. Never raises: their poll finds the work a little later."""
    try:
        transport().send()
    except Exception:
        logger.warning("wake-up not sent", exc_info=True)


def wake_on_commit() -> None:
    """`wake()` once the current transaction has committed, or at once outside of one."""
    transaction.on_commit(wake, robust=True)


async def listen(on_wake: OnWake) -> None:
    """Calls `on_wake` on the running loop at every wake-up, until cancelled; a broken link is taken up again."""
    while True:
        try:
            await transport().listen(on_wake)
        except Exception:
            logger.warning("wake-up link lost", exc_info=True)
        await asyncio.sleep(RETRY_SECONDS)
