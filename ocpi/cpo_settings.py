"""The settings of a bundle that its owner may change at any time (OCPI contract 16, PATCH settings)."""

from typing import Any

from ocpi.models import Cpo

# `rta` "prefer": tokens that are ALLOWED are asked about too. `update_interval`: seconds between session updates.
DEFAULTS: dict[str, Any] = {
    "lenient_auth": False,
    "strict_routing": False,
    "auto_plug": True,
    "occupied_as": "CHARGING",
    "page_limit_cap": 100,
    "update_interval": 30,
    "rta": "default",
}


def setting(cpo: Cpo, name: str) -> Any:
    return cpo.settings.get(name, DEFAULTS[name])


def settings_of(cpo: Cpo) -> dict[str, Any]:
    return {name: setting(cpo, name) for name in DEFAULTS}
