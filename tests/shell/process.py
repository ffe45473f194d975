"""A simulator node as its own process, the way the supervisor starts it, on the test's database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """The test database, as DATABASE_URL spells it."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, password = settings["USER"], settings["PASSWORD"]
    return f"postgres://{user}:{password}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"


class NodeProcess:
    def __init__(self, data_dir: Path, number: int = 1, database: str = "") -> None:
        """`database`: another one than the test's, as DATABASE_URL spells it."""
        (data_dir / "broker" / "control").mkdir(parents=True, exist_ok=True)
        self.log = data_dir / f"simulator-{number}.log"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "ocpplab.settings",
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": database or database_url(),
            "SIMULATOR_LEASE_SECONDS": "6",  # tests wait for its end
        }
        name = f"simulator-{number}"
        options = ["-P", "threads", "-c", "2", "-n", f"{name}@%h", "-Q", f"sim.{number}", "-l", "INFO"]
        quiet = ["--without-gossip", "--without-mingle"]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "ocpplab.celery", "worker", "--simulator", *options, *quiet],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code."""
        return self._process.wait(seconds)

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
