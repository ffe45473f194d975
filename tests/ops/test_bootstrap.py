"""The shell step before the first run: what it says when something is missing, and when it installs again."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.ops.processes import PROJECT

TOOLS = ("sh", "dirname", "basename", "cat", "cksum", "head", "rm", "env")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project folder with nothing in it but the script and a lock file that names no package."""
    (tmp_path / "ops").mkdir()
    shutil.copy(PROJECT / "ops/bootstrap.sh", tmp_path / "ops")
    (tmp_path / "requirements.lock").write_text("")
    return tmp_path


def bare_path(folder: Path, *more: str) -> str:
    """A PATH with the plainest tools, and those asked for."""
    programs = folder / "programs"
    programs.mkdir()
    for tool in (*TOOLS, *more):
        found = shutil.which(tool)
        assert found, tool
        (programs / tool).symlink_to(found)
    return str(programs)


def bootstrap(clone: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "ops/bootstrap.sh", "requirements.lock"],
        cwd=clone,
        env={key: value for key, value in os.environ.items() if key != "PYTHON"} | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def pretender(folder: Path, version: str, modules: bool = True) -> str:
    """A program that behaves like `python3` of that version, with or without the venv module."""
    path = folder / "python-of-old"
    new_enough = version >= "Python 3.11"
    path.write_text(
        "#!/bin/sh\n"
        f'case "$*" in --version) echo {version} ;;'
        f" *version_info*) exit {0 if new_enough else 1} ;;"
        f" *ensurepip*) exit {0 if modules else 1} ;; esac\n"
    )
    path.chmod(0o755)
    return str(path)


def test_no_python(clone: Path):
    answer = bootstrap(clone, PATH=bare_path(clone, "git"))
    assert answer.returncode == 2
    assert answer.stderr == "Python is missing. On Debian: apt install python3 python3-venv\n"


def test_no_git(clone: Path):
    answer = bootstrap(clone, PATH=bare_path(clone))
    assert answer.returncode == 2
    assert answer.stderr == "git is missing. On Debian: apt install git\n"


def test_an_old_python(clone: Path):
    answer = bootstrap(clone, PYTHON=pretender(clone, "Python 3.10.4"))
    assert answer.returncode == 2
    assert "is Python 3.10.4, and OCPPLAB Gateway needs Python 3.11, 3.12 or 3.13" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_no_venv_module(clone: Path):
    answer = bootstrap(clone, PYTHON=pretender(clone, "Python 3.12.1", modules=False))
    assert answer.returncode == 2
    assert answer.stderr == "Python's venv module is missing. On Debian: apt install python3-venv\n"


@pytest.mark.slow
def test_installs_once_again_after_a_failure_and_when_the_lock_changes(clone: Path):
    lock = clone / "requirements.lock"
    lock.write_text("nothing @ file:///nowhere/nothing.whl --hash=sha256:00\n")
    failed = bootstrap(clone)
    assert failed.returncode == 2
    assert "The installation did not finish" in failed.stderr

    lock.write_text("# nothing to install\n")
    assert "Installing" in bootstrap(clone).stdout
    assert bootstrap(clone).stdout == ""

    lock.write_text("# nothing to install, put differently\n")
    changed = bootstrap(clone)
    assert changed.returncode == 0
    assert "Installing" in changed.stdout
    assert "Creating" not in changed.stdout


@pytest.mark.slow
def test_half_an_environment_is_made_anew(clone: Path):
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/bin/python").symlink_to("/nowhere/python3")
    made = bootstrap(clone)
    assert made.returncode == 0, made.stderr
    assert "Creating" in made.stdout
