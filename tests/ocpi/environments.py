"""A published OCPI package in a virtual environment of its own, kept between runs, and an eMSP that is made of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.environments import INSTALL_SECONDS, cache_folder
from tests.e2e.lab import free_port
from tests.ops.processes import eventually

REQUIREMENTS = ("extrawest-ocpi==2025.7.16", "uvicorn==0.34.0")
PROGRAM = Path(__file__).with_name("extrawest_platform.py")
READY_SECONDS = 60.0


@cache
def interpreter() -> Path:
    """Python with the package, installed from PyPI the first time. Skips where PyPI is out of reach."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"extrawest-2025.7.16-python{python}"
    ready, program = folder / "ready", folder / "bin" / "python"
    if ready.exists():
        return program
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=INSTALL_SECONDS)
    command = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        pytest.skip(f"extrawest-ocpi cannot be installed from PyPI: {done.stderr[-500:]}")
    ready.touch()
    return program


class Extrawest:
    """The running platform. `kept()` is what it was pushed, by module and id."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.versions_url = f"{self.url}/ocpi/versions"
        self.token_a = "token-a-of-extrawest"

    def do(self, what: str, **wanted: Any) -> Any:
        answer = httpx.post(f"{self.url}/control/{what}", json=wanted, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def kept(self, module: str) -> dict[str, Any]:
        return httpx.get(f"{self.url}/control/kept", timeout=30).json()[module]

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/control/kept", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def extrawest(log: Path) -> Iterator[Extrawest]:
    """Runs until the end of the block; what it prints goes to that file."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(interpreter()), "-I", str(PROGRAM), str(port)],
            stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=log.parent,
        )  # fmt: skip
        try:
            platform = Extrawest(port)
            eventually(platform.answers, f"the platform answers; see {log.read_text()}", READY_SECONDS)
            yield platform
        finally:
            process.terminate()
            process.wait(20)
