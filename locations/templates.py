"""The gallery of location templates: real site shapes to build test sites from (gateway contract, section 15.1)."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "templates.json"
MIXED, AC, DC, AC_DC = "mixed", "AC", "DC", "AC-DC"
AC_CONNECTORS = frozenset({"Type1", "Type2"})


@cache
def templates() -> tuple[dict[str, Any], ...]:
    """As the file has them: slug, version, name, description, site, charger_groups."""
    return tuple(json.loads(FILE.read_text(encoding="utf-8")))


def current_type(template: Mapping[str, Any]) -> str:
    """From the connectors: AC, DC, or AC-DC where a site has both."""
    kinds = {AC if group["connector_type"] in AC_CONNECTORS else DC for group in template["charger_groups"]}
    return AC_DC if len(kinds) > 1 else kinds.pop()


def ocpp_version(template: Mapping[str, Any]) -> str:
    versions = {group["ocpp_version"] for group in template["charger_groups"]}
    return MIXED if len(versions) > 1 else str(versions.pop())


def gallery(*, kind: str | None = None, version: str | None = None) -> list[dict[str, Any]]:
    """What the gallery shows. A template of mixed versions matches every version."""
    shown = [_shown(template) for template in templates()]
    return [
        one
        for one in shown
        if (kind is None or one["type"] == kind) and (version is None or one["ocpp_version"] in (version, MIXED))
    ]


def _shown(template: Mapping[str, Any]) -> dict[str, Any]:
    groups, site = template["charger_groups"], template["site"]
    return {
        "slug": template["slug"],
        "version": template["version"],
        "name": template["name"],
        "description": template["description"],
        "type": current_type(template),
        "country": site["country"],
        "parking_type": site["parking_type"],
        "ocpp_version": ocpp_version(template),
        "chargers": sum(group["count"] for group in groups),
        "charger_groups": groups,
    }
