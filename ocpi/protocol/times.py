"""OCPI's DateTime: UTC, written with `Z`, with a fraction of at most three digits (OCPI contract, 4.5)."""

import re
from datetime import UTC, datetime

PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)?", re.ASCII)


def written(at: datetime) -> str:
    """In whole seconds, or with the milliseconds where there are any; finer parts are cut off."""
    at = at.astimezone(UTC)
    milliseconds = at.microsecond // 1000
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{milliseconds:03}Z" if milliseconds else "Z")


def read(text: str) -> datetime:
    """Also without a designator, which means UTC. Raises ValueError for anything else."""
    if not PATTERN.fullmatch(text):
        raise ValueError(f"{text!r} is no DateTime, such as 2026-01-31T12:00:00Z")
    bare = re.sub(r"(Z|\+00:00)$", "", text)
    whole, _, fraction = bare.partition(".")
    at = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return at.replace(microsecond=int(fraction[:6].ljust(6, "0") or 0))
