"""How long something lives, as people type it on a command line."""

import re
from datetime import timedelta

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = timedelta(days=3650)


def lifetime(text: str) -> timedelta:
    """`3600`, `90m`, `12h` or `30d`; raises ValueError for anything else, for zero, and beyond ten years."""
    match = re.fullmatch(r"(\d{1,10})([smhd]?)", text.strip())
    seconds = int(match[1]) * UNITS[match[2]] if match else 0
    if not 0 < seconds <= LONGEST.total_seconds():
        raise ValueError("Give a number with s, m, h or d, such as 12h or 30d (at most ten years).")
    return timedelta(seconds=seconds)
