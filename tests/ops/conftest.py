"""Servers to grow into, where there are any."""

import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

SERVERS = ("TEST_DATABASE_URL", "TEST_REDIS_URL")
LAST_REDIS = 15  # the test workers count up from 0; whole labs count down from here


@pytest.fixture
def servers(worker_id: str) -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of an empty database on either server."""
    missing = [name for name in SERVERS if not os.environ.get(name)]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not set: no PostgreSQL and Redis to grow into")
    server, name = urlsplit(os.environ["TEST_DATABASE_URL"]), f"lab_{secrets.token_hex(4)}"
    number = LAST_REDIS - int(worker_id.removeprefix("gw") if worker_id != "master" else 0)
    redis_url = urlsplit(os.environ["TEST_REDIS_URL"])._replace(path=f"/{number}").geturl()
    redis.Redis.from_url(redis_url).flushdb()
    with psycopg.connect(server.geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield {"DATABASE_URL": server._replace(path=f"/{name}").geturl(), "REDIS_URL": redis_url}
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
