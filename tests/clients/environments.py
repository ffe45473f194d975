"""The published Python clients, each in a virtual environment of its own, kept between runs."""

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

VERSIONS = ("0.1.1", "0.1.2", "0.2.2")
DRIVER = Path(__file__).with_name("driver.py")
INSTALL_SECONDS = 180


def cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "ocpplab-gateway" / "clients"


@cache
def interpreter(version: str) -> Path:
    """Python with that version of the client, installed from PyPI the first time. Skips where PyPI is out of reach."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"{version}-python{python}"
    ready, program = folder / "ready", folder / "bin" / "python"
    if ready.exists():
        return program
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=INSTALL_SECONDS)
    command = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"ocpplab=={version}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        pytest.skip(f"The published client {version} cannot be installed from PyPI: {done.stderr[-500:]}")
    ready.touch()
    return program


@cache
def methods(version: str) -> dict[str, list[str]]:
    """Names of the client's methods by kind (sync, async), found by looking at its classes."""
    command = [str(interpreter(version)), "-I", str(DRIVER), "list"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found: dict[str, list[str]] = json.loads(shown.stdout)
    return found
