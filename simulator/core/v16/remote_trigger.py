"""RemoteTrigger: TriggerMessage (contract 5.2)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block
from simulator.core.v16 import firmware_management

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint

REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


class RemoteTrigger(Block["ChargePoint"]):
    actions: ClassVar = ("TriggerMessage",)

    def on_TriggerMessage(self, request: dict[str, Any]) -> dict[str, Any]:
        number = request.get("connectorId")
        station = self.station
        if number is not None and number != 0 and station.connector(number) is None:
            return REJECTED
        match request["requestedMessage"]:
            case "BootNotification":
                if station.registration == "Accepted":
                    return REJECTED
                station.boot()
            case "Heartbeat":
                station.registering.heartbeat(unasked=False)
            case "StatusNotification":
                self._statuses(number)
            case "MeterValues":
                if number == 0:
                    return REJECTED
                self._meter_values(number)
            case "FirmwareStatusNotification" if firmware_management.is_offered(station):
                station.firmware.trigger()
            case "DiagnosticsStatusNotification" if firmware_management.is_offered(station):
                station.diagnostics.trigger()
            case _:
                return {"status": "NotImplemented"}
        return ACCEPTED

    def _statuses(self, number: int | None) -> None:
        numbers = range(len(self.station.connectors) + 1) if number is None else [number]
        for one in numbers:
            self.station.availability.notify(one, unasked=False)

    def _meter_values(self, number: int | None) -> None:
        for connector in self.station.connectors:
            if number in (None, connector.number):
                values = self.station.metering.values(connector, "MeterValuesSampledData", "Trigger")
                self.station.metering.send(connector, values, self.station.clock, unasked=False)
