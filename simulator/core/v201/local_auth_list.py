"""GetLocalListVersion and SendLocalList (contract 5.5)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block
from simulator.core.v201.authorization import token_info

if TYPE_CHECKING:
    from simulator.core.v201.charging_station import ChargingStation

FAILED = {"status": "Failed"}


class LocalAuthList(Block["ChargingStation"]):
    actions: ClassVar = ("GetLocalListVersion", "SendLocalList")

    @property
    def enabled(self) -> bool:
        return self.station.configuration.flag("LocalAuthListCtrlr.Enabled")

    def on_GetLocalListVersion(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"versionNumber": self.station.charging.tokens.version if self.enabled else 0}

    def on_SendLocalList(self, request: dict[str, Any]) -> dict[str, Any]:
        tokens, version = self.station.charging.tokens, request["versionNumber"]
        updates: list[dict[str, Any]] = request.get("localAuthorizationList", [])
        full = request["updateType"] == "Full"
        if not self.enabled or version <= 0 or not self._is_sound(updates, full=full):
            return FAILED
        if not full and version <= tokens.version:
            return {"status": "VersionMismatch"}
        entries = {} if full else dict(tokens.entries)
        for update in updates:
            name = update["idToken"]["idToken"].casefold()
            if "idTokenInfo" in update:
                entries[name] = _stored(update)
            else:
                entries.pop(name, None)
        if len(entries) > self.station.configuration.settings["LocalAuthListCtrlr.Entries"].most:
            return FAILED
        tokens.entries, tokens.version = entries, version
        if full:
            self.station.charging.clear_everywhere("LocalListConflict")
        return {"status": "Accepted"}

    def _is_sound(self, updates: list[dict[str, Any]], *, full: bool) -> bool:
        names = [update["idToken"]["idToken"].casefold() for update in updates]
        too_many = len(updates) > self.station.configuration.number("LocalAuthListCtrlr.ItemsPerMessage")
        incomplete = full and any("idTokenInfo" not in update for update in updates)
        return not too_many and not incomplete and len(set(names)) == len(names)


def _stored(update: dict[str, Any]) -> dict[str, Any]:
    info = token_info(update)
    return {
        "token": update["idToken"]["idToken"],
        "info": {"status": info.status, "parent": info.parent, "expires_at": info.expires_at},
    }
