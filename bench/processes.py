"""Processes of the bench: started, spoken to in lines, measured by what Linux has accounted to them, and ended."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
END_SECONDS = 20.0
ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """`cpu`: seconds of all threads, user and system. `memory`: resident bytes."""

    cpu: float
    memory: int


def usage(pid: int) -> Usage:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return Usage((int(fields[11]) + int(fields[12])) / TICKS, int(resident.split()[1]) * 1024)


class Talker:
    """A process that answers each line with a line of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def hear(self) -> Any:
        """The next answer. There is one per order, so nothing waits unseen in the buffer."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended or is silent")
        return json.loads(line)

    def tell(self, **order: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def ask(self, **order: object) -> Any:
        self.tell(**order)
        return self.hear()


@contextmanager
def talker(module: str, *arguments: str) -> Iterator[Talker]:
    """Runs `python -m module`; it ends when its stdin does, or is made to."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=clean(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Talker(process)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def program(module: str, *arguments: str, env: Mapping[str, str], log: Path) -> Iterator[int]:
    """Runs a program of the gateway, its output in `log`; yields its process id."""
    command = [sys.executable, "-m", module, *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=clean() | dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def clean() -> dict[str, str]:
    """The environment without what would lead a bench to somebody's data."""
    ours = ("DATABASE_URL", "REDIS_URL", "DATA_DIR", "PORT", "DJANGO_SETTINGS_MODULE")
    return {key: value for key, value in os.environ.items() if key not in ours}
