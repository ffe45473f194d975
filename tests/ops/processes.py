"""Real processes for tests: started, read line by line with a deadline, and never left behind."""

import contextlib
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE = 60.0
LAB_SETTINGS = {"DJANGO_SETTINGS_MODULE", "PORT", "DATA_DIR", "DATABASE_URL", "REDIS_URL"}


class Running:
    """A process whose output can be awaited. `lines` is all that was read so far."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self.fresh: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.fresh.put(line.rstrip("\n"))
        self.process.stdout.close()
        self.fresh.put(None)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def until(self, pattern: str, deadline: float = DEADLINE) -> re.Match[str]:
        """The first line from now on that matches; fails with everything that was printed instead."""
        end = time.monotonic() + deadline
        while True:
            try:
                line = self.fresh.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"No line matched {pattern!r} in {deadline} s:\n{self.output}") from None
            if line is None:
                raise AssertionError(f"It ended before a line matched {pattern!r}:\n{self.output}")
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match

    def read(self) -> str:
        """All output up to now."""
        with contextlib.suppress(queue.Empty):
            while (line := self.fresh.get_nowait()) is not None:
                self.lines.append(line)
        return self.output

    def ended(self, deadline: float = DEADLINE) -> int:
        """Its exit status, once it has ended by itself and all its output is read."""
        status = self.process.wait(timeout=deadline)
        while (line := self.fresh.get(timeout=deadline)) is not None:
            self.lines.append(line)
        return status

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@contextlib.contextmanager
def running(*command: str, **env: str) -> Iterator[Running]:
    """Starts a command in the project's folder, with nothing inherited that shapes a lab; kills it at the end."""
    clean = {key: value for key, value in os.environ.items() if key not in LAB_SETTINGS}
    running_process = Running(list(command), clean | env)
    try:
        yield running_process
    finally:
        if running_process.process.poll() is None:
            running_process.process.kill()
            running_process.process.wait()
        running_process.reader.join(timeout=10)


def python(*arguments: str, **env: str):
    return running(sys.executable, *arguments, **env)


def eventually(condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    """For what no event announces, as another process's end: asks again until it holds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"Not within {deadline} s: {what}"
        time.sleep(0.2)


def lives(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
