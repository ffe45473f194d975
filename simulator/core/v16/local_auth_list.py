"""LocalAuthListManagement: GetLocalListVersion and SendLocalList (contract 5.2)."""

from typing import Any

from simulator.core.errors import Kind, Refusal
from simulator.core.local_auth_list import LocalAuthList as SharedLocalAuthList
from simulator.core.v16.charging import token_info


class LocalAuthList(SharedLocalAuthList):
    @property
    def enabled(self) -> bool:
        return self.station.configuration.flag("LocalAuthListEnabled")

    def most_entries(self) -> int:
        return self.station.configuration.number("LocalAuthListMaxLength")

    def on_GetLocalListVersion(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.enabled:
            return {"listVersion": -1}
        return {"listVersion": self.tokens.version if self.tokens.entries else 0}

    def on_SendLocalList(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.enabled:
            return {"status": "NotSupported"}
        entries: list[dict[str, Any]] = request.get("localAuthorizationList", [])
        if len(entries) > self.station.configuration.number("SendLocalListMaxLength"):
            raise Refusal(Kind.COUNT, "more entries than SendLocalListMaxLength")
        updates = [(one["idTag"], token_info(one) if "idTagInfo" in one else None) for one in entries]
        return {"status": self.take(request["listVersion"], updates, full=request["updateType"] == "Full")}
