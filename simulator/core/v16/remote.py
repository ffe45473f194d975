"""What the CSMS commands: RemoteStart, RemoteStop, Reset, UnlockConnector, ClearCache (contract 5.1)."""

from typing import Any, ClassVar

from simulator.core import causes
from simulator.core.calls import AUTHORIZE
from simulator.core.charging import Charging
from simulator.core.firmware import FirmwareManagement
from simulator.core.machine import Block
from simulator.core.physical.connector import Connector
from simulator.core.reservation import Reservations
from simulator.core.v16.smart_charging import SmartCharging

REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


class RemoteControl(Block):
    actions: ClassVar = ("RemoteStartTransaction", "RemoteStopTransaction", "Reset", "UnlockConnector", "ClearCache")

    def on_RemoteStartTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        charging, token, profile = self.station.block(Charging), request["idTag"], request.get("chargingProfile")
        connector = self._startable(request.get("connectorId"), token)
        if connector is None or not self.station.online or self.station.rebooting:
            return REJECTED
        if profile is not None and not self.station.block(SmartCharging).may_start_with(profile):
            return REJECTED
        extra = {} if profile is None else {"profile": profile}
        if self._asks_first():
            charging.present(connector, token, "remote", priority=AUTHORIZE, extra=extra)
        else:
            charging.grant(connector, {"connector": connector.number, "token": token, "purpose": "remote"} | extra)
        return ACCEPTED

    def _asks_first(self) -> bool:
        return self.station.configuration.flag("AuthorizeRemoteTxRequests")

    def _startable(self, number: int | None, token: str) -> Connector | None:
        """The asked outlet if it can start; without a number the plugged and idle one, else the one reserved for the
        token, else the lowest free."""
        reservations, charging = self.station.block(Reservations), self.station.block(Charging)
        free = [
            one
            for one in self.station.connectors
            if one.usable and one.grant is None and not charging.turned_away(one, token, may_ask=self._asks_first())
        ]
        if number is not None:
            return next((one for one in free if one.number == number), None)
        best = sorted(free, key=lambda one: (not one.ev_connected, reservations.own(one) is None))
        return next(iter(best), None)

    def on_RemoteStopTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = str(request["transactionId"])
        for connector in self.station.connectors:
            if connector.running is not None and connector.running.transaction_id == asked and self.station.online:
                self.station.block(Charging).end(connector, causes.REMOTE)
                return ACCEPTED
        return REJECTED

    def on_Reset(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.station.block(FirmwareManagement).is_installing:
            return REJECTED
        cause = causes.SOFT_RESET if request["type"] == "Soft" else causes.HARD_RESET
        for connector in self.station.connectors:
            self.station.block(Charging).end(connector, cause)
        self.station.reboot("RemoteReset")
        return ACCEPTED

    def do_reset(self, params: dict[str, Any]) -> None:
        """The button at the machine."""
        cause = causes.HARD_RESET if params.get("type") == "Hard" else causes.LOCAL_RESET
        for connector in self.station.connectors:
            self.station.block(Charging).end(connector, cause)
        self.station.reboot("LocalReset")

    def on_UnlockConnector(self, request: dict[str, Any]) -> dict[str, Any]:
        connector = self.station.connector(request["connectorId"])
        if connector is None or connector.outlet.format != "socket":
            return {"status": "NotSupported"}
        if any(fault.code == "ConnectorLockFailure" for fault in connector.faults):
            return {"status": "UnlockFailed"}
        self.station.block(Charging).end(connector, causes.UNLOCK)
        connector.cable_held_for = ""
        return {"status": "Unlocked"}

    def on_ClearCache(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.station.configuration.flag("AuthorizationCacheEnabled"):
            return REJECTED
        self.station.block(Charging).tokens.clear_cache()
        return ACCEPTED
