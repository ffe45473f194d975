"""UpdateFirmware and GetLog as 2.0.1 words them (contract 5.8)."""

from typing import Any, ClassVar

from simulator.core import firmware
from simulator.core.calls import Call
from simulator.core.firmware import FirmwareManagement
from simulator.core.logs import CANCELED, Logs, LogUpload
from simulator.core.machine import Machine

FIRMWARE_STATUS, LOG_STATUS = "FirmwareStatusNotification", "LogStatusNotification"
RUNNING_VERSION = "ChargingStation.FirmwareVersion"
PROTOCOLS = "OCPPCommCtrlr.FileTransferProtocols"


class Firmware(FirmwareManagement):
    actions: ClassVar = ("UpdateFirmware", "PublishFirmware", "UnpublishFirmware")
    notifications: ClassVar = (FIRMWARE_STATUS,)
    protocols_setting: ClassVar = PROTOCOLS

    def __init__(self, station: Machine) -> None:
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

    FirmwareStatusNotification_answered = FirmwareManagement.was_told
    FirmwareStatusNotification_failed = FirmwareManagement.was_not_told


class LogFiles(Logs):
    actions: ClassVar = ("GetLog",)
    notifications: ClassVar = (LOG_STATUS,)
    protocols_setting: ClassVar = PROTOCOLS
    canceled_status: ClassVar = CANCELED

    def on_GetLog(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.get_log(request)

    def tell_status(self, upload: LogUpload, status: str) -> None:
        self.notify(LOG_STATUS, {"status": status, "requestId": upload.request_id})

    def trigger(self) -> None:
        self.station.call(Call(LOG_STATUS, self.current(), unasked=False))

    LogStatusNotification_answered = Logs.was_told
    LogStatusNotification_failed = Logs.was_not_told
