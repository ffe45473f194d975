"""A whole lab as a person starts it: `manage.py up` on a fresh data folder and a free port."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.ops.processes import DEADLINE, Running, eventually, python

READY = "Ctrl-C stops"
logging.getLogger("httpx").setLevel(logging.WARNING)  # hundreds of questions whether it is ready yet


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lab:
    """A running lab, seen from outside: its output, its processes and its HTTP interface."""

    def __init__(self, running: Running, data_dir: Path, port: int) -> None:
        self.running = running
        self.data_dir = data_dir
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}"

    @property
    def facts(self) -> dict[str, str]:
        return json.loads((self.data_dir / "first-run.json").read_text())

    def request(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """As the first run's user."""
        headers = {"Authorization": f"Bearer {self.facts['user_token']}"}
        return httpx.request(method, self.base_url + path, headers=headers, timeout=10, **kwargs)

    def get(self, path: str, **params: Any) -> Any:
        answer = self.request("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def is_healthy(self) -> bool:
        try:
            return bool(httpx.get(f"{self.base_url}/health", timeout=5).json()["status"] == "ok")
        except (httpx.HTTPError, ValueError):
            return False

    def chargers_connected(self, at_least: int = 2) -> bool:
        states = [charger["connection_status"] for charger in self.get("/chargers")["data"]]
        return states.count("connected") >= at_least

    def eventually(self, condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
        """As `processes.eventually`; a failure shows what the lab has printed."""
        try:
            eventually(condition, what, deadline)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.running.read()[-4000:]}") from None

    def await_chargers(self, deadline: float = DEADLINE) -> None:
        self.eventually(self.chargers_connected, "both demo chargers are connected", deadline)

    def await_whole(self, deadline: float = 30) -> None:
        self.eventually(lambda: self.is_healthy() and self.chargers_connected(), "the lab is whole again", deadline)

    def processes(self) -> dict[str, int]:
        """Process ids of the supervisor's children by name: web, worker, beat, simulator-1."""
        supervisor = self.running.process.pid
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        return {name_of(int(pid)): int(pid) for pid in children}

    def await_ready(self) -> "Lab":
        self.running.until(READY, deadline=120)
        return self


def name_of(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    if "ocpplab.web" in words:
        return "web"
    return words[words.index("-n") + 1].split("@")[0] if "-n" in words else "beat"


@contextmanager
def up(data_dir: Path, port: int | None = None, **env: str) -> Iterator[Lab]:
    """Starts a lab; awaits nothing. What still runs at the end is killed, children included."""
    port = port or free_port()
    with python("manage.py", "up", DATA_DIR=str(data_dir), PORT=str(port), **env) as running:
        yield Lab(running, data_dir, port)
