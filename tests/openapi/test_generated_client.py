"""A client that openapi-python-client makes of the document takes the five steps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ocpplab.api.document import document
from tests.clients.environments import cache_folder
from tests.openapi.gateway import Gateway

GENERATOR = "openapi-python-client==0.29.1"
STEPS = Path(__file__).with_name("generated_steps.py")
SECONDS = 240


def environment() -> Path:
    """Python with the generator and what its clients need, kept between runs. Skips where PyPI is out of reach."""
    folder = cache_folder().parent / f"generator-{GENERATOR.rpartition('=')[2]}-python3.{sys.version_info.minor}"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, timeout=SECONDS)
        command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", GENERATOR, "python-dateutil"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode:
            pytest.skip(f"{GENERATOR} cannot be installed from PyPI: {done.stderr[-500:]}")
        (folder / "ready").touch()
    return folder / "bin"


@pytest.mark.timeout(600)
def test_a_generated_client_takes_the_five_steps(gateway: Gateway, tmp_path: Path) -> None:
    programs = environment()
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    generate = [str(programs / "openapi-python-client"), "generate", "--path", "openapi.json", "--meta", "none"]
    made = subprocess.run(
        [*generate, "--output-path", "ocpplab_gateway_client"],
        cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr, "it leaves an operation out: " + made.stdout + made.stderr
    (tmp_path / "steps.py").write_text(STEPS.read_text())
    token = gateway.headers["Authorization"].removeprefix("Bearer ")
    steps = [str(programs / "python"), "steps.py", gateway.base_url, token, gateway.house_csms]
    done = subprocess.run(steps, cwd=tmp_path, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for frame in ("cp_to_csms BootNotification", "cp_to_csms StartTransaction", "csms_to_cp StartTransaction"):
        assert frame in done.stdout
