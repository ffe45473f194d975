"""Mayflies under the real supervisor: `python -m tests.ops.small_lab NAME=BEHAVIOUR ...`, in stopping order."""

import asyncio
import sys
from pathlib import Path

from ocpplab.supervisor import Program, Supervisor

FOLDER = str(Path(__file__).resolve().parents[2])


def say(name: str, line: str) -> None:
    print(f"{name} | {line}", flush=True)


async def started() -> None:
    say("up", "started")


def main(words: list[str]) -> int:
    programs = [
        Program(name, "tests.ops.mayfly", (behaviour,), stage=stage, patience=2, grace=1)
        for stage, (name, behaviour) in enumerate(word.split("=") for word in words)
    ]
    return asyncio.run(Supervisor(programs, folder=FOLDER, say=say).run(started))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
