"""Countries and time zones that exist, from the IANA time zone database's own tables."""

import zoneinfo
from functools import cache
from importlib.resources import files


@cache
def countries() -> dict[str, str]:
    """ISO 3166-1: alpha-2 code to English short name (`iso3166.tab` of the time zone database)."""
    table = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] for row in rows}


@cache
def timezones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
