"""The real product for a bench: a data folder that goes away, SQLite, daphne for REST and one simulator node."""

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.processes import PROJECT, clean, program

DEADLINE = 60.0
GROUP = 100  # the most that one synchronous request creates


class Gateway:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        # Paced connects would measure the pace.
        self.env = {
            "DATA_DIR": str(folder),
            "PORT": str(self.port),
            "SIMULATOR_CONNECTS_PER_SECOND": "100000",
            "DJANGO_SETTINGS_MODULE": "ocpplab.settings",
        }
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        self.location = ""

    def prepare(self) -> None:
        (self.folder / "broker" / "control").mkdir(parents=True)
        self.manage("migrate", "--verbosity", "0")
        self.manage("seed_catalog")
        self.manage("create_organization", "Bench")
        token = self.manage("issue_token", "--organization", "bench")
        self.http.headers["Authorization"] = f"Bearer {token}"

    def manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=PROJECT, env=clean() | self.env, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()

    @contextmanager
    def web(self) -> Iterator[int]:
        arguments = ("-b", "127.0.0.1", "-p", str(self.port), "-v", "0", "ocpplab.asgi:application")
        with program("ocpplab.web", *arguments, env=self.env, log=self.folder / "web.log") as pid:
            wait(self.answers, "the web process answers")
            yield pid

    @contextmanager
    def node(self) -> Iterator[int]:
        quiet = ("--without-gossip", "--without-mingle", "-l", "WARNING")
        arguments = ("-A", "ocpplab.celery", "worker", "--simulator", "-P", "threads", "-c", "2", "-Q", "sim.1", *quiet)
        with program("celery", *arguments, env=self.env, log=self.folder / "simulator.log") as pid:
            yield pid

    def last_words(self, lines: int = 15) -> str:
        """The ends of the logs, for when it went wrong."""
        ends = [(log.name, log.read_text().splitlines()[-lines:]) for log in self.folder.glob("*.log")]
        return "\n".join(f"{name}: {line}" for name, tail in ends for line in tail)

    def complaints(self) -> list[str]:
        """Warnings and errors of the node: figures that it made in trouble are not worth much."""
        log = (self.folder / "simulator.log").read_text().splitlines()
        return [line for line in log if "level='warning'" in line or "level='error'" in line]

    def answers(self) -> bool:
        try:
            return self.http.get("/health").status_code == 200
        except httpx.TransportError:
            return False

    def node_is_there(self) -> bool:
        return bool(self.http.get("/health").json()["simulator"] == "ok")

    def create_chargers(self, count: int, ws_url: str) -> None:
        body = {
            "name": "Bench",
            "address": "Road 1",
            "city": "Rotterdam",
            "country": "NL",
            "coordinates": {"latitude": 51.9, "longitude": 4.48},
        }
        self.location = self.post("/locations", body)["id"]
        template = {
            "brand_slug": "wallbox",
            "model_slug": "wallbox-pulsar-plus",
            "connector_type": "Type2",
            "ocpp_version": "OCPP1.6",
            "ws_url": ws_url,
            "identity_prefix": "BENCH-",
        }
        for first in range(0, count, GROUP):
            group = {"template": template, "chargers_number": min(GROUP, count - first)}
            made = self.post(f"/locations/{self.location}/chargers", [group])
            assert made["failed_count"] == 0, made["failed"][:3]

    def post(self, path: str, body: object) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def recorded(self) -> int:
        """Frames in the log, counted behind the product's back so that counting costs it nothing."""
        with closing(sqlite3.connect(f"file:{self.folder / 'ocpplab.sqlite3'}?mode=ro", uri=True)) as database:
            count: int = database.execute("SELECT count(*) FROM chargers_message").fetchone()[0]
            return count


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"Not within {DEADLINE:g} s: {what}")
        time.sleep(0.05)
