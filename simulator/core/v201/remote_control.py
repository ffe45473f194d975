"""RequestStartTransaction, RequestStopTransaction, GetTransactionStatus, UnlockConnector (contract 5.5)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core import causes
from simulator.core.block import Block
from simulator.core.calls import AUTHORIZE
from simulator.core.physical.connector import Connector
from simulator.core.v201.authorization import NO_AUTHORIZATION

if TYPE_CHECKING:
    from simulator.core.v201.charging_station import ChargingStation


class RemoteControl(Block["ChargingStation"]):
    actions: ClassVar = (
        "RequestStartTransaction",
        "RequestStopTransaction",
        "GetTransactionStatus",
        "UnlockConnector",
    )

    def on_RequestStartTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.station.online or self.station.rebooting:
            return _rejected("NotReady")
        if "chargingProfile" in request:
            return _rejected("InvalidProfile")  # SmartChargingCtrlr is not available
        connector = self._startable(request.get("evseId"))
        if connector is None:
            return _rejected("NoEvse")
        answer: dict[str, Any] = {"status": "Accepted"}
        if connector.running is not None:
            answer["transactionId"] = connector.running.key
        self._start(connector, request)
        return answer

    def _startable(self, evse: int | None) -> Connector | None:
        """The plugged one first, else the lowest free one, of that EVSE or of all."""
        charging = self.station.charging
        free = [
            one
            for one in self.station.connectors
            if evse in (None, one.outlet.evse_id) and one.grant is None and charging.may_grant(one)
        ]
        return next((one for one in free if one.ev_connected), None) or next(iter(free), None)

    def _start(self, connector: Connector, request: dict[str, Any]) -> None:
        charging, token = self.station.charging, request["idToken"]
        extra = {"remote_start_id": request["remoteStartId"], "token_type": token["type"]}
        ask = self.station.configuration.flag("AuthCtrlr.AuthorizeRemoteStart")
        if ask and token["type"] != NO_AUTHORIZATION:
            charging.present(connector, token["idToken"], "remote", priority=AUTHORIZE, extra=extra)
        else:
            context = {"connector": connector.number, "token": token["idToken"], "purpose": "remote"} | extra
            charging.grant(connector, context)

    def on_RequestStopTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        for connector in self.station.connectors:
            running = connector.running
            if running is not None and running.key == request["transactionId"] and self.station.online:
                self.station.charging.end(connector, causes.REMOTE)
                return {"status": "Accepted"}
        return _rejected("TxNotFound")

    def on_GetTransactionStatus(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = request.get("transactionId")
        if asked is None:
            return {"messagesInQueue": bool(self.station.outbox.length)}
        running = [one.running.key for one in self.station.connectors if one.running is not None]
        return {"ongoingIndicator": asked in running, "messagesInQueue": self.station.outbox.has_for(asked)}

    def on_UnlockConnector(self, request: dict[str, Any]) -> dict[str, Any]:
        asked = (request["evseId"], request["connectorId"])
        outlets = {(one.outlet.evse_id, one.outlet.connector_id): one for one in self.station.connectors}
        connector = outlets.get(asked)
        if connector is None:
            return {"status": "UnknownConnector"}
        if connector.running is not None and connector.running.authorized:
            return {"status": "OngoingAuthorizedTransaction"}
        if any(fault.code == "ConnectorLockFailure" for fault in connector.faults):
            return {"status": "UnlockFailed"}
        return {"status": "Unlocked"}


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
