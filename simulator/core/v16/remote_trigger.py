"""RemoteTrigger: TriggerMessage (contract 5.2)."""

from typing import Any, ClassVar

from simulator.core.certificate_store import Certificates
from simulator.core.machine import Block
from simulator.core.registration import Registration
from simulator.core.v16 import firmware_management
from simulator.core.v16.availability import Availability
from simulator.core.v16.firmware_management import Diagnostics, Firmware
from simulator.core.v16.metering import Metering
from simulator.core.v16.security import Profiles

REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


class RemoteTrigger(Block):
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
                station.block(Registration).boot()
            case "Heartbeat":
                station.block(Registration).heartbeat(unasked=False)
            case "StatusNotification":
                self._statuses(number)
            case "MeterValues":
                if number == 0:
                    return REJECTED
                self._meter_values(number)
            case "FirmwareStatusNotification" if firmware_management.is_offered(station):
                station.block(Firmware).trigger()
            case "DiagnosticsStatusNotification" if firmware_management.is_offered(station):
                station.block(Diagnostics).trigger()
            case _:
                return {"status": "NotImplemented"}
        return ACCEPTED

    def _statuses(self, number: int | None) -> None:
        numbers = range(len(self.station.connectors) + 1) if number is None else [number]
        for one in numbers:
            self.station.block(Availability).notify(one, unasked=False)

    def _meter_values(self, number: int | None) -> None:
        for connector in self.station.connectors:
            if number in (None, connector.number):
                values = self.station.block(Metering).values(connector, "MeterValuesSampledData", "Trigger")
                self.station.block(Metering).send(connector, values, self.station.clock, unasked=False)


class ExtendedTrigger(Block):
    """As TriggerMessage, and for what the extension adds."""

    actions: ClassVar = ("ExtendedTriggerMessage",)

    def on_ExtendedTriggerMessage(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        match request["requestedMessage"]:
            case "SignChargePointCertificate":
                self.station.block(Certificates).sign(unasked=False)
            case "LogStatusNotification":
                self.station.block(Diagnostics).trigger_log()
            case "FirmwareStatusNotification":
                self.station.block(Firmware).trigger_signed()
            case _:
                answer: dict[str, Any] = self.station.block(RemoteTrigger).on_TriggerMessage(request)
                return answer
        return {"status": "Accepted"}
