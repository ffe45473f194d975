"""GetLocalListVersion and SendLocalList (contract 5.5)."""

from typing import Any

from simulator.core.local_auth_list import LocalAuthList as SharedLocalAuthList
from simulator.core.v201.authorization import token_info

FAILED = {"status": "Failed"}


class LocalAuthList(SharedLocalAuthList):
    @property
    def enabled(self) -> bool:
        return self.station.configuration.flag("LocalAuthListCtrlr.Enabled")

    def most_entries(self) -> int:
        return self.station.configuration.settings["LocalAuthListCtrlr.Entries"].most

    def on_GetLocalListVersion(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"versionNumber": self.tokens.version if self.enabled else 0}

    def on_SendLocalList(self, request: dict[str, Any]) -> dict[str, Any]:
        entries: list[dict[str, Any]] = request.get("localAuthorizationList", [])
        if not self.enabled or len(entries) > self.station.configuration.number("LocalAuthListCtrlr.ItemsPerMessage"):
            return FAILED
        updates = [(one["idToken"]["idToken"], token_info(one) if "idTokenInfo" in one else None) for one in entries]
        return {"status": self.take(request["versionNumber"], updates, full=request["updateType"] == "Full")}
