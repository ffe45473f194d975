"""FirmwareManagement: UpdateFirmware, GetDiagnostics; SignedUpdateFirmware and GetLog of the security extension.

Contract 5.2 and 5.3.
"""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core import firmware, timestamps
from simulator.core.calls import Call
from simulator.core.errors import Kind, Refusal
from simulator.core.firmware import IDLE, PLAIN_STATUSES, FirmwareManagement, Update
from simulator.core.logs import DIAGNOSTICS, Logs, LogUpload
from simulator.core.physical.connector import Connector
from simulator.core.transferring import attempts_of

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint

PROFILE = "FirmwareManagement"
PLAIN, SIGNED = "FirmwareStatusNotification", "SignedFirmwareStatusNotification"
DIAGNOSTICS_STATUS, LOG_STATUS = "DiagnosticsStatusNotification", "LogStatusNotification"


class Firmware(FirmwareManagement["ChargePoint"]):
    actions: ClassVar = ("UpdateFirmware", "SignedUpdateFirmware")
    notifications: ClassVar = (PLAIN, SIGNED)

    def on_UpdateFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer knows no status: an installation that is under way goes on, and nothing says so."""
        require_profile(self.station)
        retrieve_at = timestamps.read(request["retrieveDate"]) or 0.0
        self.take(Update(request["location"], retrieve_at, attempts_of(request)))
        return {}

    def on_SignedUpdateFirmware(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.require_extension()
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

    def protocols(self) -> list[str]:
        return protocols(self.station)

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

    def SignedFirmwareStatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.was_told(call)

    def SignedFirmwareStatusNotification_failed(self, call: Call, problem: str) -> None:
        self.was_not_told(call, problem)


class Diagnostics(Logs["ChargePoint"]):
    actions: ClassVar = ("GetDiagnostics", "GetLog")
    notifications: ClassVar = (DIAGNOSTICS_STATUS, LOG_STATUS)

    def on_GetDiagnostics(self, request: dict[str, Any]) -> dict[str, Any]:
        require_profile(self.station)
        span = request.get("startTime"), request.get("stopTime")
        name = self.take(request["location"], DIAGNOSTICS, request, span)[1]
        return {"fileName": name} if name else {}

    def on_GetLog(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.require_extension()
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

    def protocols(self) -> list[str]:
        return protocols(self.station)

    def trusted(self) -> tuple[tuple[str, ...], bool]:
        return self.station.security.trusted(), self.station.security.set.insecure

    def security_log(self) -> list[dict[str, Any]]:
        return self.station.security_events.log

    def firmware_version(self) -> str:
        return self.station.firmware.version

    def DiagnosticsStatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.was_told(call)

    def DiagnosticsStatusNotification_failed(self, call: Call, problem: str) -> None:
        self.was_not_told(call, problem)

    def LogStatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.was_told(call)

    def LogStatusNotification_failed(self, call: Call, problem: str) -> None:
        self.was_not_told(call, problem)


def is_offered(station: "ChargePoint") -> bool:
    return PROFILE in station.configuration.members("SupportedFeatureProfiles")


def require_profile(station: "ChargePoint") -> None:
    """Raises Refusal (NotSupported) where the model does not have the profile."""
    if not is_offered(station):
        raise Refusal(Kind.NOT_SUPPORTED, f"this charger has no {PROFILE}")


def protocols(station: "ChargePoint") -> list[str]:
    return station.configuration.members("SupportedFileTransferProtocols")
