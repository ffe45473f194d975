"""RequestStartTransaction, RequestStopTransaction, GetTransactionStatus, UnlockConnector (contract 5.5)."""

from typing import Any, ClassVar

from simulator.core import causes
from simulator.core.calls import AUTHORIZE
from simulator.core.charging import Charging
from simulator.core.machine import Block
from simulator.core.physical.connector import Connector
from simulator.core.reservation import Reservations
from simulator.core.v201.authorization import NO_AUTHORIZATION
from simulator.core.v201.smart_charging import SmartCharging


class RemoteControl(Block):
    actions: ClassVar = (
        "RequestStartTransaction",
        "RequestStopTransaction",
        "GetTransactionStatus",
        "UnlockConnector",
    )

    def on_RequestStartTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.station.online or self.station.rebooting:
            return _rejected("NotReady")
        profile = request.get("chargingProfile")
        if profile is not None and (reason := self.station.block(SmartCharging).problem_of_start(profile)):
            return _rejected(reason)
        connector = self._startable(request)
        if connector is None:
            return _rejected("NoEvse")
        answer: dict[str, Any] = {"status": "Accepted"}
        if connector.running is not None:
            answer["transactionId"] = connector.running.key
        self._start(connector, request)
        return answer

    def _startable(self, request: dict[str, Any]) -> Connector | None:
        """The plugged one first, else the one reserved for the token, else the lowest free one, of that EVSE or all."""
        charging, reservations, evse = (
            self.station.block(Charging),
            self.station.block(Reservations),
            request.get("evseId"),
        )
        free = [
            one
            for one in self.station.connectors
            if evse in (None, one.outlet.evse_id)
            and one.grant is None
            and charging.may_grant(one)
            and not self._is_kept_from(one, request)
        ]
        best = sorted(free, key=lambda one: (not one.ev_connected, reservations.own(one) is None))
        return next(iter(best), None)

    def _is_kept_from(self, connector: Connector, request: dict[str, Any]) -> bool:
        """A reservation for somebody else; where the CSMS is asked first, it may yet tell the token's group."""
        token, group = request["idToken"]["idToken"], request.get("groupIdToken", {}).get("idToken", "")
        if group:
            return bool(self.station.block(Charging).kept_from(connector, token, group))
        return bool(self.station.block(Charging).turned_away(connector, token, may_ask=self._asks_first(request)))

    def _asks_first(self, request: dict[str, Any]) -> bool:
        ask = self.station.configuration.flag("AuthCtrlr.AuthorizeRemoteStart")
        return ask and request["idToken"]["type"] != NO_AUTHORIZATION

    def _start(self, connector: Connector, request: dict[str, Any]) -> None:
        charging, token = self.station.block(Charging), request["idToken"]
        extra = {
            "remote_start_id": request["remoteStartId"],
            "token_type": token["type"],
            "group": request.get("groupIdToken", {}).get("idToken", ""),
            "profile": request.get("chargingProfile"),
        }
        if self._asks_first(request):
            charging.present(connector, token["idToken"], "remote", priority=AUTHORIZE, extra=extra)
        else:
            context = {"connector": connector.number, "token": token["idToken"], "purpose": "remote"} | extra
            charging.grant(connector, context)

    def on_RequestStopTransaction(self, request: dict[str, Any]) -> dict[str, Any]:
        for connector in self.station.connectors:
            running = connector.running
            if running is not None and running.key == request["transactionId"] and self.station.online:
                self.station.block(Charging).end(connector, causes.REMOTE)
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
        connector.cable_held_for = ""
        return {"status": "Unlocked"}


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
