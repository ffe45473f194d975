"""The 1.6 Charge Point: which blocks it has and how it spells errors."""

from typing import Any, ClassVar, TypeVar, cast

from simulator.core.block import Block
from simulator.core.calls import Call
from simulator.core.configuration import Configuration
from simulator.core.credentials import Credentials
from simulator.core.errors import Kind
from simulator.core.injecting import Injecting
from simulator.core.link import BackOff
from simulator.core.pinging import Pinging
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
from simulator.core.v16.remote_trigger import RemoteTrigger
from simulator.core.v16.reservation import Reservations
from simulator.core.v16.security import (
    EXTENSION,
    CertificateManagement,
    Events,
    ExtendedTrigger,
    Profiles,
    require,
)
from simulator.core.v16.smart_charging import SmartCharging
from simulator.core.visitors import Visitors

B = TypeVar("B", bound=Block[Any])

# OCPP-J 1.6, 4.2.3. Two spellings are wrong and must stay so (errata).
ERROR_CODES = {
    Kind.FRAMEWORK: "FormationViolation",
    Kind.MESSAGE_TYPE: "FormationViolation",
    Kind.NOT_IMPLEMENTED: "NotImplemented",
    Kind.NOT_SUPPORTED: "NotSupported",
    Kind.FORMAT: "FormationViolation",
    Kind.MISSING: "ProtocolError",
    Kind.COUNT: "OccurenceConstraintViolation",
    Kind.TYPE: "TypeConstraintViolation",
    Kind.PROPERTY: "PropertyConstraintViolation",
    Kind.PROTOCOL: "ProtocolError",
    Kind.SECURITY: "SecurityError",
    Kind.INTERNAL: "InternalError",
}


class Pings(Pinging["ChargePoint"]):
    def interval(self) -> int:
        return self.station.configuration.number("WebSocketPingInterval")


class Cars(Visitors["ChargePoint"]):
    @property
    def charging(self) -> Charging:
        return self.station.charging


class ChargePoint(Station):
    subprotocol: ClassVar = "ocpp1.6"
    block_classes: ClassVar = (
        Registration,
        Firmware,
        Diagnostics,
        Availability,
        Metering,
        SmartCharging,
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
        Cars,
        Injecting,
        Lights,
    )
    error_codes: ClassVar = ERROR_CODES
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

    def boot(self) -> None:
        self.registering.boot()

    def prepared(self, call: Call) -> dict[str, Any]:
        return self.charging.prepared(call)

    def call(self, call: Call) -> None:
        super().call(call)
        if call.action != "Heartbeat":
            self.registering.spoke()

    def credentials(self) -> Credentials:
        return self.security.credentials()

    @property
    def security_extension(self) -> bool:
        """The actions of the security whitepaper are offered."""
        return self.security.set.profile > 0 or self.configuration.flag(EXTENSION)

    def require_extension(self) -> None:
        """Raises Refusal (NotSupported) where they are not."""
        require(is_on=self.security_extension)

    # Blocks that others need, by subject.

    def _block(self, block_class: type[B]) -> B:
        return cast("B", self.blocks[self.block_classes.index(block_class)])

    @property
    def registering(self) -> Registration:
        return self._block(Registration)

    @property
    def firmware(self) -> Firmware:
        return self._block(Firmware)

    @property
    def diagnostics(self) -> Diagnostics:
        return self._block(Diagnostics)

    @property
    def availability(self) -> Availability:
        return self._block(Availability)

    @property
    def metering(self) -> Metering:
        return self._block(Metering)

    @property
    def smart_charging(self) -> SmartCharging:
        return self._block(SmartCharging)

    @property
    def charging(self) -> Charging:
        return self._block(Charging)

    @property
    def reservations(self) -> Reservations:
        return self._block(Reservations)

    @property
    def remote_trigger(self) -> RemoteTrigger:
        return self._block(RemoteTrigger)

    @property
    def security(self) -> Profiles:
        return self._block(Profiles)

    @property
    def security_events(self) -> Events:
        return self._block(Events)

    @property
    def certificates(self) -> CertificateManagement:
        return self._block(CertificateManagement)

    @property
    def pinging(self) -> Pings:
        return self._block(Pings)
