"""TriggerMessage (contract 5.5)."""

from typing import Any, ClassVar

from simulator.core.certificate_store import Certificates
from simulator.core.machine import Block
from simulator.core.registration import Registration
from simulator.core.v201.availability import Availability
from simulator.core.v201.firmware_management import Firmware, LogFiles
from simulator.core.v201.metering import Metering
from simulator.core.v201.transaction_events import TransactionEvents

ACCEPTED = {"status": "Accepted"}
PROGRESS = {"LogStatusNotification", "FirmwareStatusNotification"}
SIGN = "SignChargingStationCertificate"
TRIGGERS = {"BootNotification", "Heartbeat", "StatusNotification", "MeterValues", "TransactionEvent", SIGN} | PROGRESS
ABOUT_AN_EVSE = {"StatusNotification", "MeterValues", "TransactionEvent"}


class RemoteTrigger(Block):
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
                self.station.block(Registration).heartbeat(unasked=False)
            case "StatusNotification":
                return self._status(evse)
            case "SignChargingStationCertificate":
                self.station.block(Certificates).sign(unasked=False)
            case "MeterValues":
                self.station.block(Metering).trigger(evse["id"] if evse else None)
            case "TransactionEvent":
                return self._transaction_events(evse)
            case "FirmwareStatusNotification":
                self.station.block(Firmware).trigger()
            case _:
                self.station.block(LogFiles).trigger()
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
        self.station.block(Registration).boot(reason="Triggered")
        return ACCEPTED

    def _status(self, evse: dict[str, Any] | None) -> dict[str, Any]:
        if evse is None or "connectorId" not in evse:
            return _rejected("MissingParam")
        for connector in self.station.connectors:
            if (connector.outlet.evse_id, connector.outlet.connector_id) == (evse["id"], evse["connectorId"]):
                self.station.block(Availability).notify(connector, unasked=False)
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
            values = self.station.block(Metering).tx_values(connector, "TxUpdatedMeasurands", "Trigger")
            self.station.block(TransactionEvents).send(connector, "Updated", "Trigger", values=values)
        return ACCEPTED


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
