"""The code blocks of a page, to be run as they stand."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```(\S*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 90
HARNESS = """set -euo pipefail
exec 3>&1
"""


@dataclass
class Block:
    """`shown` is the answer that the page prints below it."""

    language: str
    variant: str
    code: str
    shown: Any = None


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    for language, variant, code in FENCE.findall(text):
        if language == "json":
            found[-1].shown = json.loads(code)
        else:
            found.append(Block(language, variant, code))
    return found


def run(before: list[Block], wanted: list[Block], folder: Path) -> list[str]:
    """What each wanted block printed, all run in one shell after those before; the first that fails raises."""
    parts = [HARNESS, *(f"{{ {one.code}\n}} >/dev/null\n" for one in before)]
    parts += [f"{{ {one.code}\n}} >out-{index}\n" for index, one in enumerate(wanted)]
    done = subprocess.run(
        ["bash"], input="".join(parts), cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return [(folder / f"out-{index}").read_text() for index in range(len(wanted))]


def lacks(shown: Any, real: Any, at: str = "") -> list[str]:
    """What the page shows and the real answer has not: names, and kinds of values. Null fits everything."""
    if isinstance(shown, dict) and isinstance(real, dict):
        missing = [f"{at}.{name}" for name in shown if name not in real]
        return missing + [
            one for name in shown if name in real for one in lacks(shown[name], real[name], f"{at}.{name}")
        ]
    if isinstance(shown, list) and isinstance(real, list):
        if shown and not real:
            return [f"{at} is empty"]
        return lacks(shown[0], real[0], f"{at}[0]") if shown else []
    kinds = {type(shown), type(real)}
    alike = len(kinds) == 1 or kinds <= {int, float} or type(None) in kinds
    return [] if alike else [f"{at} is {real!r}, not like {shown!r}"]
