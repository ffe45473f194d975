"""What the CSMS commands: RemoteStart, RemoteStop, Reset, UnlockConnector, ClearCache (contract 5.1)."""

from typing import Any, ClassVar

from simulator.core import causes
from simulator.core.block import Block
from simulator.core.calls import AUTHORIZE
from simulator.core.physical.connector import Connector

REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


class RemoteControl(Block["ChargePoint"]):
    actions: ClassVar = ("RemoteStartTransaction", "RemoteStopTransaction", "Reset", "UnlockConnector", "ClearCache")

    def on_RemoteStartTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        connector = self._startable(request.get("connectorId"))
        if connector is None or not self.station.online or "chargingProfile" in request or self.station.rebooting:
            return REJECTED
        charging, token = self.station.charging, request["idTag"]
        context = {"connector": connector.number, "token": token, "purpose": "remote"}
        if self.station.configuration.flag("AuthorizeRemoteTxRequests"):
            charging.present(connector, token, "remote", priority=AUTHORIZE)
        else:
            charging.grant(connector, context)
        return ACCEPTED

    def _startable(self, number: int | None) -> Connector | None:
        """The asked outlet if it can start; without a number the plugged and idle one, else the lowest free."""
        free = [one for one in self.station.connectors if one.usable and one.grant is None]
        if number is not None:
            return next((one for one in free if one.number == number), None)
        return next((one for one in free if one.ev_connected), None) or next(iter(free), None)

    def on_RemoteStopTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = str(request["transactionId"])
        for connector in self.station.connectors:
            if connector.running is not None and connector.running.transaction_id == asked and self.station.online:
                self.station.charging.end(connector, causes.REMOTE)
                return ACCEPTED
        return REJECTED

    def on_Reset(self, request: dict[str, Any]) -> dict[str, Any]:
        cause = causes.SOFT_RESET if request["type"] == "Soft" else causes.HARD_RESET
        for connector in self.station.connectors:
            self.station.charging.end(connector, cause)
        self.station.reboot("RemoteReset")
        return ACCEPTED

    def on_UnlockConnector(self, request: dict[str, Any]) -> dict[str, Any]:
        connector = self.station.connector(request["connectorId"])
        if connector is None or connector.outlet.format != "socket":
            return {"status": "NotSupported"}
        if any(fault.code == "ConnectorLockFailure" for fault in connector.faults):
            return {"status": "UnlockFailed"}
        self.station.charging.end(connector, causes.UNLOCK)
        return {"status": "Unlocked"}

    def on_ClearCache(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.station.configuration.flag("AuthorizationCacheEnabled"):
            return REJECTED
        self.station.charging.tokens.clear_cache()
        return ACCEPTED
