"""The 1.6 Charge Point: which blocks it has and how it spells errors."""

from typing import Any, ClassVar

from simulator.core.calls import Call
from simulator.core.charging_limits import ChargingLimits
from simulator.core.configuration import Configuration
from simulator.core.errors import OCPP16_ERROR_CODES
from simulator.core.injecting import Injecting
from simulator.core.lab import Lab
from simulator.core.link import BackOff
from simulator.core.pinging import Pinging
from simulator.core.sessions import Sessions
from simulator.core.station import Station
from simulator.core.v16.availability import Availability
from simulator.core.v16.charging import Charging
from simulator.core.v16.configuration import ConfigurationBlock
from simulator.core.v16.data_transfer import DataTransfer
from simulator.core.v16.firmware_management import Diagnostics, Firmware
from simulator.core.v16.keys import keys
from simulator.core.v16.lights import Lights
from simulator.core.v16.local_auth_list import LocalAuthList
from simulator.core.v16.metering import Metering
from simulator.core.v16.registration import Registration
from simulator.core.v16.remote import RemoteControl
from simulator.core.v16.remote_trigger import ExtendedTrigger, RemoteTrigger
from simulator.core.v16.reservation import Reservations
from simulator.core.v16.security import (
    CertificateManagement,
    Events,
    Profiles,
)
from simulator.core.v16.smart_charging import SmartCharging
from simulator.core.visitors import Visitors


class Pings(Pinging):
    def interval(self) -> int:
        return self.station.configuration.number("WebSocketPingInterval")


class ChargePoint(Station):
    subprotocol: ClassVar = "ocpp1.6"
    block_classes: ClassVar = (
        Registration,
        Firmware,
        Diagnostics,
        Availability,
        Metering,
        SmartCharging,
        ChargingLimits,
        Charging,
        Reservations,
        ConfigurationBlock,
        DataTransfer,
        RemoteControl,
        LocalAuthList,
        RemoteTrigger,
        Events,
        Profiles,
        CertificateManagement,
        ExtendedTrigger,
        Pings,
        Sessions,
        Lab,
        Visitors,
        Injecting,
        Lights,
    )
    error_codes: ClassVar = OCPP16_ERROR_CODES
    answers_broken_frames: ClassVar = False

    def build_configuration(self, overrides: dict[str, str]) -> Configuration:
        return Configuration(keys(self.setup), overrides)

    def message_timeout(self) -> float:
        return float(self.configuration.number("MessageTimeout"))

    def transaction_attempts(self) -> tuple[int, float]:
        number = self.configuration.number
        return number("TransactionMessageAttempts"), float(number("TransactionMessageRetryInterval"))

    def reset_retries(self) -> int:
        return self.configuration.number("ResetRetries")

    def back_off(self) -> BackOff:
        number = self.configuration.number
        return BackOff(
            float(number("RetryBackOffWaitMinimum")),
            float(number("RetryBackOffRandomRange")),
            number("RetryBackOffRepeatTimes"),
        )

    def prepared(self, call: Call) -> dict[str, Any]:
        return self.block(Charging).prepared(call)
