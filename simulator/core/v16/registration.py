"""BootNotification as 1.6 words it (behaviour contract, section 2)."""

from typing import Any, ClassVar

from simulator.core.firmware import FirmwareManagement
from simulator.core.registration import Registration as SharedRegistration


class Registration(SharedRegistration):
    heartbeat_setting: ClassVar = "HeartbeatInterval"

    def boot_payload(self) -> dict[str, Any]:
        setup = self.station.setup
        payload = {
            "chargePointVendor": setup.vendor[:20],
            "chargePointModel": setup.model[:20],
            "chargePointSerialNumber": setup.serial_number[:25],
            "firmwareVersion": self.station.block(FirmwareManagement).version,
            "iccid": setup.iccid[:20],
            "imsi": setup.imsi[:20],
            "meterType": setup.meter_type[:25],
        }
        return {key: value for key, value in payload.items() if value}
