"""Section 5: what the CSMS asks for, and what the station says by itself."""

from tests.contract.sights import Row, Sight, call, error, result, row, status

SECTIONS = {
    "5.1": "Core", "5.2": "Other profiles", "5.3": "Security extension", "5.9": "What the station starts by itself",
}  # fmt: skip
LATER = "comes with FirmwareManagement"
EXTENSION = "built with the security extension"


def _answers(name: str, *words: str, tier: str = "A", section: str = "5.1") -> list[Row]:
    says = f"{name} is answered so where it must be"
    return [row(f"{section}/{name} {word}", tier, says, result(name, status=word)) for word in words]


ROWS = (
    *_answers("ChangeAvailability", "Accepted", "Rejected", "Scheduled"),
    row("5.1/ChangeAvailability effect", "A", "Told, persistent, cancelled by a new request",
        status(0, "Unavailable"), status(1, "Unavailable"), status(2, "Unavailable"), status(2, "Available")),
    *_answers("ChangeConfiguration", "Accepted", "Rejected", "NotSupported"),
    *_answers("ClearCache", "Accepted", "Rejected"),
    row("5.1/ClearCache effect", "A", "The cache is empty, the list is not", result("ClearCache", status="Accepted"),
        call("StartTransaction", idTag="LISTED")),
    *_answers("DataTransfer", "UnknownVendorId"),
    row("5.1/DataTransfer known vendor", "B", "UnknownMessageId, Rejected, Accepted by configured handlers",
        open="no handlers yet"),
    row("5.1/GetConfiguration", "A", "All keys without a list, else the known and the unknown ones",
        result("GetConfiguration", configurationKey__0__key=...), result("GetConfiguration", unknownKey=...)),
    *_answers("RemoteStartTransaction", "Accepted", "Rejected"),
    row("5.1/RemoteStartTransaction effect", "A", "The plugged and idle connector first, else the lowest free one",
        call("StartTransaction", connectorId=2), status(1, "Preparing")),
    *_answers("RemoteStopTransaction", "Accepted", "Rejected"),
    row("5.1/RemoteStopTransaction effect", "A", "StopTransaction Remote, Finishing",
        call("StopTransaction", reason="Remote"), status(1, "Finishing")),
    *_answers("Reset", "Accepted"),
    row("5.1/Reset Rejected", "A", "Rejected while firmware is installed", open=LATER),
    row("5.1/Reset effect", "A", "Transactions end as SoftReset or HardReset, then a boot; what must survive does",
        call("StopTransaction", reason="SoftReset"), call("StopTransaction", reason="HardReset"),
        call("BootNotification")),
    *_answers("UnlockConnector", "Unlocked", "UnlockFailed", "NotSupported"),
    row("5.1/UnlockConnector effect", "A", "A transaction stops as UnlockCommand",
        call("StopTransaction", reason="UnlockCommand"), status(1, "Finishing")),
    row("5.2/GetLocalListVersion", "A", "-1 when off, 0 when empty, else the version",
        result("GetLocalListVersion", listVersion=-1), result("GetLocalListVersion", listVersion=0),
        result("GetLocalListVersion", listVersion=3)),
    *_answers("SendLocalList", "Accepted", "Failed", "VersionMismatch", "NotSupported", section="5.2"),
    *_answers("ReserveNow", "Accepted", "Rejected", "Faulted", "Unavailable", "Occupied", section="5.2"),
    row("5.2/ReserveNow effect", "A", "Reserved; ends by use, by expiry, by cancelling", status(1, "Reserved"),
        call("StartTransaction", reservationId=3), status(1, "Available")),
    *_answers("CancelReservation", "Accepted", "Rejected", section="5.2"),
    *_answers("SetChargingProfile", "Accepted", "Rejected", section="5.2"),
    row("5.2/SetChargingProfile connector", "A", "An unknown connector is an ERROR",
        error("PropertyConstraintViolation", action="SetChargingProfile")),
    *_answers("ClearChargingProfile", "Accepted", "Unknown", section="5.2"),
    *_answers("GetCompositeSchedule", "Accepted", "Rejected", section="5.2"),
    row("5.2/GetCompositeSchedule unit", "A", "Garbage for a unit is an ERROR",
        error("PropertyConstraintViolation", action="GetCompositeSchedule")),
    *_answers("TriggerMessage", "Accepted", "Rejected", "NotImplemented", section="5.2"),
    row("5.2/TriggerMessage effect", "A", "Exactly that message; meter values in context Trigger",
        call("BootNotification"), call("Heartbeat"), status(0, "Available"), status(2, "Available"),
        Sight("call", "MeterValues", {"meterValue.*.sampledValue.*.context": "Trigger"})),
    row("5.2/GetDiagnostics", "A", "A real upload", open=LATER),
    row("5.2/UpdateFirmware", "A", "A real download, then a boot with the new version", open=LATER),
    *_answers("ExtendedTriggerMessage", "Accepted", "Rejected", section="5.3", tier="B"),
    *_answers("CertificateSigned", "Accepted", "Rejected", section="5.3", tier="B"),
    *_answers("InstallCertificate", "Accepted", "Rejected", section="5.3", tier="B"),
    *_answers("DeleteCertificate", "Accepted", "Failed", "NotFound", section="5.3", tier="B"),
    *_answers("GetInstalledCertificateIds", "Accepted", "NotFound", section="5.3", tier="B"),
    row("5.3/SignCertificate", "B", "A real request for a real key", call("SignCertificate", csr=...)),
    *(row(f"5.3/{name}", "B", "Security extension", open=EXTENSION) for name in ("GetLog", "SignedUpdateFirmware")),
    row("5.9/by itself", "A", "Boot, status, heartbeat, Authorize, Start, MeterValues, Stop",
        *(call(name) for name in ("BootNotification", "StatusNotification", "Heartbeat", "Authorize",
                                  "StartTransaction", "MeterValues", "StopTransaction"))),
    row("5.9/DataTransfer", "B", "Only when a user asks for it", call("DataTransfer")),
    row("5.9/progress", "A", "Diagnostics and firmware statuses", open=LATER),
    row("5.9/security", "B", "Log, signed firmware, security events, SignCertificate", open=EXTENSION),
)  # fmt: skip
