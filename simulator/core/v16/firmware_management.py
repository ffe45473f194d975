"""FirmwareManagement: UpdateFirmware, GetDiagnostics; SignedUpdateFirmware and GetLog of the security extension.

Contract 5.2 and 5.3.
"""

from typing import Any, ClassVar

from simulator.core import firmware, timestamps
from simulator.core.calls import Call
from simulator.core.errors import Kind, Refusal
from simulator.core.firmware import IDLE, PLAIN_STATUSES, FirmwareManagement, Update
from simulator.core.logs import DIAGNOSTICS, Logs, LogUpload
from simulator.core.machine import Machine
from simulator.core.transferring import attempts_of
from simulator.core.v16.security import Profiles

PROFILE = "FirmwareManagement"
PLAIN, SIGNED = "FirmwareStatusNotification", "SignedFirmwareStatusNotification"
DIAGNOSTICS_STATUS, LOG_STATUS = "DiagnosticsStatusNotification", "LogStatusNotification"
PROTOCOLS = "SupportedFileTransferProtocols"


class Firmware(FirmwareManagement):
    actions: ClassVar = ("UpdateFirmware", "SignedUpdateFirmware")
    notifications: ClassVar = (PLAIN, SIGNED)
    protocols_setting: ClassVar = PROTOCOLS

    def on_UpdateFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer knows no status: an installation that is under way goes on, and nothing says so."""
        require_profile(self.station)
        retrieve_at = timestamps.read(request["retrieveDate"]) or 0.0
        self.take(Update(request["location"], retrieve_at, attempts_of(request)))
        return {}

    def on_SignedUpdateFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        return {"status": self.take_signed(firmware.update_of(request))[0]}

    def tell_status(self, status: str, request_id: int | None) -> None:
        if request_id is None:
            self.notify(PLAIN, {"status": status})
        else:
            self.notify(SIGNED, {"status": status, "requestId": request_id})

    def trigger(self) -> None:
        """FirmwareStatusNotification with what goes on now."""
        status = self.update.status if self.update is not None else ""
        payload = {"status": status if status in PLAIN_STATUSES else IDLE}
        self.station.call(Call(PLAIN, payload, unasked=False))

    def trigger_signed(self) -> None:
        update = self.update
        if update is None or update.request_id is None or not update.status:
            payload: dict[str, Any] = {"status": IDLE}
        else:
            payload = {"status": update.status, "requestId": update.request_id}
        self.station.call(Call(SIGNED, payload, unasked=False))

    FirmwareStatusNotification_answered = FirmwareManagement.was_told
    FirmwareStatusNotification_failed = FirmwareManagement.was_not_told
    SignedFirmwareStatusNotification_answered = FirmwareManagement.was_told
    SignedFirmwareStatusNotification_failed = FirmwareManagement.was_not_told


class Diagnostics(Logs):
    actions: ClassVar = ("GetDiagnostics", "GetLog")
    notifications: ClassVar = (DIAGNOSTICS_STATUS, LOG_STATUS)
    protocols_setting: ClassVar = PROTOCOLS

    def on_GetDiagnostics(self, request: dict[str, Any]) -> dict[str, Any]:
        require_profile(self.station)
        span = request.get("startTime"), request.get("stopTime")
        name = self.take(request["location"], DIAGNOSTICS, request, span)[1]
        return {"fileName": name} if name else {}

    def on_GetLog(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        return self.get_log(request)

    def tell_status(self, upload: LogUpload, status: str) -> None:
        if upload.request_id is not None:
            self.notify(LOG_STATUS, {"status": status, "requestId": upload.request_id})
        else:
            known = status in ("Uploading", "Uploaded")
            self.notify(DIAGNOSTICS_STATUS, {"status": status if known else "UploadFailed"})

    def trigger(self) -> None:
        """DiagnosticsStatusNotification with what goes on now."""
        upload = self.upload
        status = upload.status if upload is not None and upload.request_id is None else ""
        self.station.call(Call(DIAGNOSTICS_STATUS, {"status": status or IDLE}, unasked=False))

    def trigger_log(self) -> None:
        self.station.call(Call(LOG_STATUS, self.current(), unasked=False))

    DiagnosticsStatusNotification_answered = Logs.was_told
    DiagnosticsStatusNotification_failed = Logs.was_not_told
    LogStatusNotification_answered = Logs.was_told
    LogStatusNotification_failed = Logs.was_not_told


def is_offered(station: Machine) -> bool:
    return PROFILE in station.configuration.members("SupportedFeatureProfiles")


def require_profile(station: Machine) -> None:
    """Raises Refusal (NotSupported) where the model does not have the profile."""
    if not is_offered(station):
        raise Refusal(Kind.NOT_SUPPORTED, f"this charger has no {PROFILE}")
