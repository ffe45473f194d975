"""What readers may ask of a station's saved memory, without the station."""

from typing import Any

from simulator.core import timestamps
from simulator.core.configuration import Configuration
from simulator.core.setup import Setup
from simulator.core.v16 import keys
from simulator.core.v201 import variables


def configuration(setup: Setup, memory: dict[str, Any], keys_asked: list[str] | None) -> list[dict[str, Any]]:
    """Entries {key, value, readonly} in the device's order; unknown keys are left out, secrets have no value."""
    overrides = memory.get("configuration", {})
    return Configuration(SETTINGS[setup.subprotocol](setup), overrides).listing(keys_asked)


def local_list(memory: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """(version, entries {id_tag, expiry_date, parent_id_tag}) of the local authorization list."""
    saved = memory.get("local_list", {})
    entries = [
        {
            "id_tag": entry["token"],
            "expiry_date": _date(entry["info"].get("expires_at")),
            "parent_id_tag": entry["info"].get("parent") or None,
        }
        for entry in saved.get("entries", {}).values()
    ]
    return saved.get("version", 0), entries


def _date(seconds: float | None) -> str | None:
    return None if seconds is None else timestamps.written(seconds)


SETTINGS = {"ocpp1.6": keys.keys, "ocpp2.0.1": variables.keys}
