"""Every example of the documentation runs as it stands, and answers as the page says."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from ocpplab.handbook.pages import CHAPTERS, FOLDER
from tests.clients.environments import interpreter
from tests.docs.examples import Block, blocks, lacks, run

FIRST = "five-steps"
PAGES = {slug: blocks((FOLDER / f"{slug}.md").read_text()) for slugs in CHAPTERS.values() for slug in slugs}
SHELL = {slug: [one for one in found if one.language == "sh"] for slug, found in PAGES.items()}
PYTHON = [one for found in PAGES.values() for one in found if one.language == "python"]
README = Path(FOLDER).parent.parent / "README.md"


@pytest.mark.parametrize("slug", [slug for slug, found in SHELL.items() if found])
def test_the_shell_examples_of_a_page_run(slug: str, clone: Path) -> None:
    before = [] if slug == FIRST else SHELL[FIRST]
    for block, printed in zip(SHELL[slug], run(before, SHELL[slug], clone), strict=True):
        if block.shown is not None:
            assert lacks(block.shown, json.loads(printed)) == [], f"{block.code}\n{printed}"
        else:
            assert '"detail"' not in printed, f"{block.code}\n{printed}"


def test_the_readme_runs(clone: Path) -> None:
    printed = run([], [one for one in blocks(README.read_text()) if one.language == "sh"], clone)
    assert "StartTransaction" in printed[-1], printed


def program(block: Block, clone: Path) -> str:
    version = block.variant
    done = subprocess.run(
        [str(interpreter(version)), "-I", "-c", block.code],
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", PYTHON, ids=lambda one: one.variant)
def test_the_python_examples_run(block: Block, clone: Path) -> None:
    assert "cp_to_csms BootNotification" in program(block, clone)


@pytest.mark.parametrize(("number", "version"), [(0, "0.1.1"), (1, "0.2.2")])
def test_the_python_examples_of_the_readme_run(number: int, version: str, clone: Path) -> None:
    block = [one for one in blocks(README.read_text()) if one.language == "python"][number]
    before = chargers_in(clone)
    program(Block("python", version, block.code), clone)
    assert chargers_in(clone) == before + 1


def chargers_in(clone: Path) -> int:
    lab = json.loads((clone / "data" / "first-run.json").read_text())
    headers = {"Authorization": f"Bearer {lab['user_token']}"}
    total: int = httpx.get(f"{lab['base_url']}/chargers", headers=headers).json()["total"]
    return total
