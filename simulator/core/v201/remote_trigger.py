"""TriggerMessage (contract 5.5)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block

if TYPE_CHECKING:
    from simulator.core.v201.charging_station import ChargingStation

ACCEPTED = {"status": "Accepted"}
PROGRESS = {"LogStatusNotification", "FirmwareStatusNotification"}
SIGN = "SignChargingStationCertificate"
TRIGGERS = {"BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "TransactionEvent", SIGN} | PROGRESS
ABOUT_AN_EVSE = {"StatusNotification", "MeterValues", "TransactionEvent"}


class RemoteTrigger(Block["ChargingStation"]):
    actions: ClassVar = ("TriggerMessage",)

    def on_TriggerMessage(self, request: dict[str, Any]) -> dict[str, Any]:
        wanted, evse = request["requestedMessage"], request.get("evse")
        if wanted not in TRIGGERS:
            return {"status": "NotImplemented"}
        if wanted in ABOUT_AN_EVSE and evse is not None and not self._is_known(evse):
            return _rejected("UnknownEvse")
        match wanted:
            case "BootNotification":
                return self._boot()
            case "Heartbeat":
                self.station.registering.heartbeat(unasked=False)
            case "StatusNotification":
                return self._status(evse)
            case "SignChargingStationCertificate":
                self.station.certificates.sign(unasked=False)
            case "MeterValues":
                self.station.metering.trigger(evse["id"] if evse else None)
            case "TransactionEvent":
                return self._transaction_events(evse)
            case "FirmwareStatusNotification":
                self.station.firmware.trigger()
            case _:
                self.station.log_files.trigger()
        return ACCEPTED

    def _is_known(self, evse: dict[str, Any]) -> bool:
        connector = evse.get("connectorId")
        return any(
            one.outlet.evse_id == evse["id"] and connector in (None, one.outlet.connector_id)
            for one in self.station.connectors
        )

    def _boot(self) -> dict[str, Any]:
        if self.station.registration == "Accepted":
            return _rejected("NotAllowed")
        self.station.registering.boot(reason="Triggered")
        return ACCEPTED

    def _status(self, evse: dict[str, Any] | None) -> dict[str, Any]:
        if evse is None or "connectorId" not in evse:
            return _rejected("MissingParam")
        for connector in self.station.connectors:
            if (connector.outlet.evse_id, connector.outlet.connector_id) == (evse["id"], evse["connectorId"]):
                self.station.availability.notify(connector, unasked=False)
        return ACCEPTED

    def _transaction_events(self, evse: dict[str, Any] | None) -> dict[str, Any]:
        running = [
            one
            for one in self.station.connectors
            if one.running is not None and (evse is None or one.outlet.evse_id == evse["id"])
        ]
        if not running or not self.station.online:
            return _rejected("TxNotFound")
        for connector in running:
            values = self.station.metering.tx_values(connector, "TxUpdatedMeasurands", "Trigger")
            self.station.events.send(connector, "Updated", "Trigger", values=values)
        return ACCEPTED


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
