"""LocalAuthListManagement: GetLocalListVersion and SendLocalList (contract 5.2)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block
from simulator.core.errors import Kind, Refusal
from simulator.core.v16.charging import token_info

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint


class LocalAuthList(Block["ChargePoint"]):
    actions: ClassVar = ("GetLocalListVersion", "SendLocalList")

    @property
    def enabled(self) -> bool:
        return self.station.configuration.flag("LocalAuthListEnabled")

    def on_GetLocalListVersion(self, request: dict[str, Any]) -> dict[str, Any]:
        tokens = self.station.charging.tokens
        if not self.enabled:
            return {"listVersion": -1}
        return {"listVersion": tokens.version if tokens.entries else 0}

    def on_SendLocalList(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.enabled:
            return {"status": "NotSupported"}
        tokens, version = self.station.charging.tokens, request["listVersion"]
        updates: list[dict[str, Any]] = request.get("localAuthorizationList", [])
        if len(updates) > self.station.configuration.number("SendLocalListMaxLength"):
            raise Refusal(Kind.COUNT, "more entries than SendLocalListMaxLength")
        full = request["updateType"] == "Full"
        names = [entry["idTag"].casefold() for entry in updates]
        if version <= 0 or len(set(names)) < len(names) or (full and any("idTagInfo" not in one for one in updates)):
            return {"status": "Failed"}
        if not full and version <= tokens.version:
            return {"status": "VersionMismatch"}
        entries = {} if full else dict(tokens.entries)
        for name, entry in zip(names, updates, strict=True):
            if "idTagInfo" in entry:
                entries[name] = _stored(entry)
            else:
                entries.pop(name, None)
        if len(entries) > self.station.configuration.number("LocalAuthListMaxLength"):
            return {"status": "Failed"}
        tokens.entries, tokens.version = entries, version
        if full:
            self.station.charging.clear_everywhere("LocalListConflict")
        return {"status": "Accepted"}


def _stored(entry: dict[str, Any]) -> dict[str, Any]:
    info = token_info(entry)
    return {
        "token": entry["idTag"],
        "info": {"status": info.status, "parent": info.parent, "expires_at": info.expires_at},
    }
