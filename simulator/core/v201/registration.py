"""BootNotification as 2.0.1 words it (behaviour contract, section 2)."""

from typing import Any, ClassVar

from simulator.core.firmware import FirmwareManagement
from simulator.core.registration import Registration as SharedRegistration

# BootReasonEnumType; whatever else the station was told of its own start is Unknown to the CSMS.
REASONS = {
    "ApplicationReset",
    "FirmwareUpdate",
    "LocalReset",
    "PowerUp",
    "RemoteReset",
    "ScheduledReset",
    "Triggered",
    "Unknown",
    "Watchdog",
}


class Registration(SharedRegistration):
    heartbeat_setting: ClassVar = "OCPPCommCtrlr.HeartbeatInterval"

    def boot_payload(self) -> dict[str, Any]:
        setup, reason = self.station.setup, self.station.boot_reason or "PowerUp"
        device: dict[str, Any] = {
            "vendorName": setup.vendor[:50],
            "model": setup.model[:20],
            "serialNumber": setup.serial_number[:25],
            "firmwareVersion": self.station.block(FirmwareManagement).version,
        }
        modem = {"iccid": setup.iccid[:20], "imsi": setup.imsi[:20]}
        device["modem"] = {name: value for name, value in modem.items() if value}
        return {
            "reason": reason if reason in REASONS else "Unknown",
            "chargingStation": {name: value for name, value in device.items() if value},
        }

    def takes_csms_time(self) -> bool:
        return "Heartbeat" in self.station.configuration.members("ClockCtrlr.TimeSource")
