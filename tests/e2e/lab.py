"""The real product as a person runs it: `manage.py up` with a data folder, a port and (grown) a database of its own."""

import json
import os
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.ops.processes import Running, eventually, lives, python

READY_SECONDS = 60.0
END_SECONDS = 20.0
# A word of its command line by which each program is known, tried in this order.
SIGNS = (("web", "ocpplab.web"), ("beat", "beat"), ("simulator", "--simulator"), ("worker", "worker"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """A fresh PostgreSQL database beside the one named; SQLite (no URL) lives in the data folder anyway."""
    if not url.startswith("postgres"):
        yield ""
        return
    name = f"ocpplab_e2e_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def own_redis(url: str) -> str:
    """Another of Redis's 16 databases than those of the test workers, which count up from the one named."""
    if not url:
        return ""
    parts = urlsplit(url)
    return parts._replace(path=f"/{(int(parts.path.strip('/') or 0) + 8) % 16}").geturl()


class Lab:
    """One data folder and what runs on it while it is up. `facts` is first-run.json."""

    running: Running

    def __init__(self, data_dir: Path, environment: dict[str, str]) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.environment = environment | {"DATA_DIR": str(data_dir), "PORT": str(self.port)}
        self.facts: dict[str, str] = {}

    @contextmanager
    def up(self) -> Iterator[None]:
        """Runs `manage.py up` until the end of the block; returns once the lab answers."""
        with python("manage.py", "up", **self.environment) as running:
            running.until(r"Healthy after|Not healthy", READY_SECONDS)
            assert "Not healthy" not in running.output, running.output
            self.facts = json.loads((self.data_dir / "first-run.json").read_text())
            self.running = running
            try:
                yield
            finally:
                self.down()

    def down(self) -> None:
        """In order, unless it has been killed already; its children never stay behind."""
        family = self.children()
        if self.running.process.poll() is None:
            self.running.send(signal.SIGTERM)
            self.running.ended(END_SECONDS)
        eventually(lambda: not any(map(lives, family)), f"{family} end with their supervisor", END_SECONDS)

    def children(self) -> list[int]:
        pid = self.running.process.pid
        try:
            return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except FileNotFoundError:
            return []

    def said(self) -> str:
        """What it has printed since it was last asked."""
        lines = []
        while not self.running.fresh.empty():
            lines.append(self.running.fresh.get() or "")
        self.running.lines += lines
        return "\n".join(lines)

    def programs(self) -> dict[str, int]:
        """The supervised processes by name: web, worker, beat, simulator."""
        found = {}
        for pid in self.children():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            name = next((name for name, word in SIGNS if word in words), "")
            found[name] = pid
        return found

    def kill(self, name: str) -> int:
        """SIGKILL for one program; returns the process id that it had."""
        pid = self.programs()[name]
        os.kill(pid, signal.SIGKILL)
        return pid
