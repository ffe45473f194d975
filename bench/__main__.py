"""`make bench`: what a fleet costs, beside bare clients that do the same and record nothing, in the same run.

Prints a table and writes the figures as JSON. Judges nothing: a machine's speed is no test.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import Figures, measure_bare, measure_gateway
from bench.processes import PROJECT

OURS_ALONE = "fan_out_answer"  # the bare clients are told through a pipe, which answers nothing
# Of every figure: what the table calls it, its unit, and how many of that unit make one second or byte.
ROWS = {
    "boot": ("boot, first frame to last status", "ms", 1e3),
    "boot_cpu_per_charger": ("CPU of a boot, per charger", "ms", 1e3),
    "memory_per_charger": ("memory per charger", "KiB", 1 / 1024),
    "cpu_per_frame": ("CPU per frame (recorded | bare)", "us", 1e6),
    "frames_per_second": ("frames, one at a time per charger", "1/s", 1.0),
    "fan_out_answer": ("fan-out, order to its answer", "ms", 1e3),
    "fan_out": ("fan-out, order to last frame", "ms", 1e3),
}


def table(ours: Figures, bare: Figures) -> str:
    lines = [f"{'':<36}{'':>5}{'gateway':>12}{'bare':>12}{'ratio':>9}"]
    for field in fields(Figures):
        label, unit, scale = ROWS[field.name]
        left, right = getattr(ours, field.name), getattr(bare, field.name)
        beside = "" if field.name == OURS_ALONE else f"{right * scale:>12.1f}{left / max(right, 1e-9):>9.1f}"
        lines.append(f"{label:<36}{unit:>5}{left * scale:>12.1f}{beside}")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measures CPU and memory per charger and per frame.")
    parser.add_argument("--chargers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=10, help="TriggerMessage rounds; four frames per charger each")
    parser.add_argument("--output", type=Path, default=PROJECT / "data" / "bench.json")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    began = time.monotonic()
    bare = measure_bare(options.chargers, options.rounds)
    with tempfile.TemporaryDirectory(prefix="ocpplab-bench-") as folder:
        ours = measure_gateway(options.chargers, options.rounds, Path(folder) / "data")
    cores = os.cpu_count() or 1
    print(f"{options.chargers} chargers (OCPP 1.6, SQLite), {cores} cores, Python {platform.python_version()}\n")
    print(table(ours, bare))
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "chargers": options.chargers,
        "rounds": options.rounds,
        "cores": cores,
        "python": platform.python_version(),
        "gateway": asdict(ours),
        "bare": asdict(bare),
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(facts, indent=2) + "\n")
    print(f"\n{time.monotonic() - began:.0f} s; the figures are in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
