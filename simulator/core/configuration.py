"""Settings of a station, typed: what a value may be, who may change it, and what was changed."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

ACCEPTED, REJECTED, REBOOT_REQUIRED, UNKNOWN = "Accepted", "Rejected", "RebootRequired", "Unknown"


class Setting(msgspec.Struct, frozen=True):
    """One setting. `kind`: bool, int, text, password or members (a comma-separated list drawn from `members`).

    `access`: RW, R (read-only) or W (write-only). Bounds are of the integer, or of the text's length, or of the count.
    """

    kind: str
    default: str
    access: str = "RW"
    least: int = 0
    most: int = 2**31 - 1
    members: tuple[str, ...] = ()
    reboot: bool = False

    def normalised(self, text: str) -> str:
        """The value as it is kept; raises ValueError with a reason."""
        return _READERS[self.kind](self, text)


def _boolean(setting: Setting, text: str) -> str:
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError("true or false is needed")
    return lowered


def _integer(setting: Setting, text: str) -> str:
    try:
        number = int(text.strip())
    except ValueError:
        raise ValueError("a whole number is needed") from None
    if not setting.least <= number <= setting.most:
        raise ValueError(f"must be {setting.least}..{setting.most}")
    return str(number)


def _text(setting: Setting, text: str) -> str:
    if not setting.least <= len(text) <= setting.most:
        raise ValueError(f"must have {setting.least}..{setting.most} characters")
    if setting.members and text not in setting.members:
        raise ValueError(f"must be one of {', '.join(setting.members)}")
    return text


def _password(setting: Setting, text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("printable ASCII characters are needed")
    return _text(setting, text)


def _members(setting: Setting, text: str) -> str:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not setting.least <= len(parts) <= setting.most:
        raise ValueError(f"must have {setting.least}..{setting.most} members")
    unknown = [part for part in parts if setting.members and part not in setting.members]
    if unknown:
        raise ValueError(f"not supported: {', '.join(unknown)}")
    return ",".join(parts)


_READERS = {"bool": _boolean, "int": _integer, "text": _text, "password": _password, "members": _members}


@lru_cache(maxsize=256)
def _spellings(names: tuple[str, ...]) -> dict[str, str]:
    """Each name by its lower case; shared by all stations of a model."""
    return {name.lower(): name for name in names}


class Configuration:
    """Values by name, looked up without regard to case; only what differs from the default is stored."""

    def __init__(self, settings: Mapping[str, Setting], overrides: Mapping[str, str]) -> None:
        self.settings = settings
        self._names = _spellings(tuple(settings))
        self.overrides = {name: value for name, value in overrides.items() if name in self.settings}

    def name_of(self, asked: str) -> str | None:
        """The setting's own spelling, or None where there is no such setting."""
        return self._names.get(asked.lower())

    def text(self, name: str) -> str:
        override = self.overrides.get(name)
        return self.settings[name].default if override is None else override

    def flag(self, name: str) -> bool:
        return self.text(name) == "true"

    def number(self, name: str) -> int:
        return int(self.text(name) or 0)

    def members(self, name: str) -> list[str]:
        return [part for part in self.text(name).split(",") if part]

    def change(self, asked: str, value: str) -> tuple[str, str]:
        """(status, why): Accepted, RebootRequired, Rejected or Unknown; a refused change changes nothing."""
        name = self.name_of(asked)
        if name is None:
            return UNKNOWN, "no such key"
        setting = self.settings[name]
        if setting.access == "R":
            return REJECTED, "read-only"
        try:
            normalised = setting.normalised(value)
        except ValueError as error:
            return REJECTED, str(error)
        self.put(name, normalised)
        return (REBOOT_REQUIRED if setting.reboot else ACCEPTED), ""

    def put(self, name: str, value: str) -> None:
        """Sets a value from within the station, read-only or not."""
        if value == self.settings[name].default:
            self.overrides.pop(name, None)
        else:
            self.overrides[name] = value

    def listing(self, names: list[str] | None = None) -> list[dict[str, Any]]:
        """Entries {key, value, readonly} in the table's order; write-only ones come without a value."""
        chosen = self.settings if names is None else [found for name in names if (found := self.name_of(name))]
        return [self._entry(name) for name in chosen]

    def _entry(self, name: str) -> dict[str, Any]:
        setting = self.settings[name]
        entry: dict[str, Any] = {"key": name, "readonly": setting.access == "R"}
        if setting.access != "W":
            entry["value"] = self.text(name)
        return entry


def summary(results: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """The REST answer to a set request: one status over all keys, and each key's own."""
    applied = [key for key, (status, _) in results.items() if status in (ACCEPTED, REBOOT_REQUIRED)]
    restart = any(status == REBOOT_REQUIRED for status, _ in results.values())
    refused = [f"{key}: {why}" for key, (_, why) in results.items() if why]
    words = [f"{len(applied)} of {len(results)} keys applied.", *refused]
    return {
        "status": REJECTED if not applied else REBOOT_REQUIRED if restart else ACCEPTED,
        "configured": applied,
        "msg": " ".join(words),
        "results": {key: REJECTED if status == UNKNOWN else status for key, (status, _) in results.items()},
    }
