"""Which actions a version knows, and which way each may travel."""

from functools import cache
from importlib.resources import files

from simulator.core.schemas import FOLDERS, REQUEST_SUFFIX

# Sent by stations only (OCPP 1.6 edition 2 with the security extension; OCPP 2.0.1 edition 3, part 2).
FROM_STATION = {
    "ocpp1.6": frozenset(
        [
            "Authorize",
            "BootNotification",
            "DiagnosticsStatusNotification",
            "FirmwareStatusNotification",
            "Heartbeat",
            "LogStatusNotification",
            "MeterValues",
            "SecurityEventNotification",
            "SignCertificate",
            "SignedFirmwareStatusNotification",
            "StartTransaction",
            "StatusNotification",
            "StopTransaction",
        ]
    ),
    "ocpp2.0.1": frozenset(
        [
            "Authorize",
            "BootNotification",
            "ClearedChargingLimit",
            "FirmwareStatusNotification",
            "Get15118EVCertificate",
            "GetCertificateStatus",
            "Heartbeat",
            "LogStatusNotification",
            "MeterValues",
            "NotifyChargingLimit",
            "NotifyCustomerInformation",
            "NotifyDisplayMessages",
            "NotifyEVChargingNeeds",
            "NotifyEVChargingSchedule",
            "NotifyEvent",
            "NotifyMonitoringReport",
            "NotifyReport",
            "PublishFirmwareStatusNotification",
            "ReportChargingProfiles",
            "ReservationStatusUpdate",
            "SecurityEventNotification",
            "SignCertificate",
            "StatusNotification",
            "TransactionEvent",
        ]
    ),
}


@cache
def known(subprotocol: str) -> frozenset[str]:
    """Every action that the version's official schemas name, in either direction."""
    stems = {path.name.removesuffix(".json") for path in (files("ocpp") / FOLDERS[subprotocol] / "schemas").iterdir()}
    suffix = REQUEST_SUFFIX[subprotocol]
    return frozenset(
        stem.removesuffix(suffix) for stem in stems if stem.endswith(suffix) and not stem.endswith("Response")
    )


@cache
def to_station(subprotocol: str) -> frozenset[str]:
    """What a CSMS may send."""
    return known(subprotocol) - FROM_STATION[subprotocol]
