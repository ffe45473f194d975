"""UpdateFirmware and GetLog as 2.0.1 words them (contract 5.8)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core import firmware
from simulator.core.calls import Call
from simulator.core.firmware import FirmwareManagement
from simulator.core.logs import CANCELED, Logs, LogUpload
from simulator.core.physical.connector import Connector

if TYPE_CHECKING:
    from simulator.core.v201.charging_station import ChargingStation

FIRMWARE_STATUS, LOG_STATUS = "FirmwareStatusNotification", "LogStatusNotification"
RUNNING_VERSION = "ChargingStation.FirmwareVersion"


class Firmware(FirmwareManagement["ChargingStation"]):
    actions: ClassVar = ("UpdateFirmware", "PublishFirmware", "UnpublishFirmware")
    notifications: ClassVar = (FIRMWARE_STATUS,)

    def __init__(self, station: "ChargingStation") -> None:
        super().__init__(station)
        self._show_version()

    def _show_version(self) -> None:
        configuration = self.station.configuration
        if configuration.text(RUNNING_VERSION) != self.version:
            configuration.put(RUNNING_VERSION, self.version)
            self.station.save_configuration()

    def runs(self, version: str) -> None:
        super().runs(version)
        self._show_version()

    def on_UpdateFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        status, why = self.take_signed(firmware.update_of(request))
        if not why:
            return {"status": status}
        reason = "InvalidCertificate"
        if status == firmware.REJECTED:
            reason = "FwUpdateInProgress" if self.is_installing else "InvalidURL"
        return {"status": status, "statusInfo": {"reasonCode": reason, "additionalInfo": why[:512]}}

    def on_PublishFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": "Rejected", "statusInfo": {"reasonCode": "UnsupportedRequest"}}  # no local controller

    def on_UnpublishFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": "NoFirmware"}

    def takes_sessions_while_waiting(self) -> bool:
        return self.station.configuration.flag("ChargingStation.AllowNewSessionsPendingFirmwareUpdate")

    def tell_status(self, status: str, request_id: int | None) -> None:
        self.notify(FIRMWARE_STATUS, {"status": status, "requestId": request_id})

    def trigger(self) -> None:
        """The last status told, or Idle once all is done."""
        last = self.last
        if not last or last["status"] == "Installed":
            payload: dict[str, Any] = {"status": firmware.IDLE}
        else:
            payload = {"status": last["status"], "requestId": last["request_id"]}
        self.station.call(Call(FIRMWARE_STATUS, payload, unasked=False))

    def protocols(self) -> list[str]:
        return self.station.configuration.members("OCPPCommCtrlr.FileTransferProtocols")

    def happened(self, kind: str, info: str = "") -> None:
        self.station.security_events.happened(kind, info)

    def manufacturer_roots(self) -> list[Any]:
        return firmware.manufacturer_roots(self.station.certificates.roots())

    def trusted(self) -> tuple[tuple[str, ...], bool]:
        return self.station.security.trusted(), self.station.security.set.insecure

    def forget_grant(self, connector: Connector, reason: str) -> None:
        self.station.charging.forget_grant(connector, reason)

    def FirmwareStatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.was_told(call)

    def FirmwareStatusNotification_failed(self, call: Call, problem: str) -> None:
        self.was_not_told(call, problem)


class LogFiles(Logs["ChargingStation"]):
    actions: ClassVar = ("GetLog",)
    notifications: ClassVar = (LOG_STATUS,)
    canceled_status: ClassVar = CANCELED

    def on_GetLog(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.get_log(request)

    def tell_status(self, upload: LogUpload, status: str) -> None:
        self.notify(LOG_STATUS, {"status": status, "requestId": upload.request_id})

    def trigger(self) -> None:
        self.station.call(Call(LOG_STATUS, self.current(), unasked=False))

    def protocols(self) -> list[str]:
        return self.station.configuration.members("OCPPCommCtrlr.FileTransferProtocols")

    def trusted(self) -> tuple[tuple[str, ...], bool]:
        return self.station.security.trusted(), self.station.security.set.insecure

    def security_log(self) -> list[dict[str, Any]]:
        return self.station.security_events.log

    def firmware_version(self) -> str:
        return self.station.firmware.version

    def LogStatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.was_told(call)

    def LogStatusNotification_failed(self, call: Call, problem: str) -> None:
        self.was_not_told(call, problem)
