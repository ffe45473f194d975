"""The local authorization list: as the CSMS sends it, and as an installer sets it (behaviour contract, 4.2 and 5)."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from simulator.core import timestamps
from simulator.core.authorization import TokenInfo, TokenStore
from simulator.core.charging import Charging
from simulator.core.machine import Block


class LocalAuthList(Block):
    actions: ClassVar = ("GetLocalListVersion", "SendLocalList")

    @property
    def tokens(self) -> TokenStore:
        return self.station.block(Charging).tokens

    @abstractmethod
    def most_entries(self) -> int:
        """How long the list may grow."""

    # --- from the CSMS ----------------------------------------------------------------------------------------------

    def take(self, version: int, updates: Sequence[tuple[str, TokenInfo | None]], *, full: bool) -> str:
        """The status of SendLocalList. `updates`: tokens as written; one without an info is to be removed."""
        tokens, names = self.tokens, [token.casefold() for token, _ in updates]
        incomplete = full and any(info is None for _, info in updates)
        if version <= 0 or incomplete or len(set(names)) < len(names):
            return "Failed"
        if not full and version <= tokens.version:
            return "VersionMismatch"
        entries = {} if full else dict(tokens.entries)
        for name, (token, info) in zip(names, updates, strict=True):
            if info is not None:
                entries[name] = _entry(token, info)
            else:
                entries.pop(name, None)
        if len(entries) > self.most_entries():
            return "Failed"
        tokens.entries, tokens.version = entries, version
        if full:
            self.station.block(Charging).clear_everywhere("LocalListConflict")
        return "Accepted"

    # --- from an installer (gateway contract, section 10) -----------------------------------------------------------

    def do_reset_cache(self, params: dict[str, Any]) -> None:
        cleared = self.tokens.clear_cache()
        self.station.installed({"cleared_entries": cleared, "msg": f"{cleared} cached decisions dropped."})

    def do_set_local_auth_list(self, params: dict[str, Any]) -> None:
        """An installer's push: replaces the list if its version is newer."""
        version, entries = params["list_version"], params["entries"]
        status = "VersionMismatch"
        if version > self.tokens.version:
            status = "Accepted"
            self.tokens.version = version
            self.tokens.entries = {entry["id_tag"].casefold(): _told(entry) for entry in entries}
            self.station.block(Charging).clear_everywhere("LocalListConflict")
        result = {"status": status, "list_version": self.tokens.version, "entries_received": len(entries)}
        self.station.installed(result)

    def do_clear_local_auth_list(self, params: dict[str, Any]) -> None:
        deleted = self.tokens.clear_list()
        self.station.installed({"msg": f"{deleted} entries deleted.", "entries_deleted": deleted, "list_version": 0})


def _told(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the REST shape, as it is stored."""
    expiry = entry.get("expiry_date")
    expires_at = timestamps.read(expiry) if expiry else None
    return _entry(entry["id_tag"], TokenInfo("Accepted", entry.get("parent_id_tag") or "", expires_at))


def _entry(token: str, info: TokenInfo) -> dict[str, Any]:
    return {"token": token, "info": msgspec.to_builtins(info)}
