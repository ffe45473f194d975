"""The 1.6 Charge Point: which blocks it has and how it spells errors."""

from typing import Any, ClassVar, cast

from simulator.core.calls import Call
from simulator.core.configuration import Configuration
from simulator.core.errors import Kind
from simulator.core.link import BackOff
from simulator.core.pinging import Pinging
from simulator.core.station import Station
from simulator.core.v16.availability import Availability
from simulator.core.v16.charging import Charging
from simulator.core.v16.configuration import ConfigurationBlock
from simulator.core.v16.keys import keys
from simulator.core.v16.local_auth_list import LocalAuthList
from simulator.core.v16.metering import Metering
from simulator.core.v16.registration import Registration
from simulator.core.v16.remote import RemoteControl
from simulator.core.v16.remote_trigger import RemoteTrigger

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


class ChargePoint(Station):
    subprotocol: ClassVar = "ocpp1.6"
    block_classes: ClassVar = (
        Registration,
        Availability,
        Metering,
        Charging,
        ConfigurationBlock,
        RemoteControl,
        LocalAuthList,
        RemoteTrigger,
        Pings,
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
            self.registering.rearm()

    # Blocks that others need, by subject.

    @property
    def registering(self) -> Registration:
        return cast("Registration", self.blocks[0])

    @property
    def availability(self) -> Availability:
        return cast("Availability", self.blocks[1])

    @property
    def metering(self) -> Metering:
        return cast("Metering", self.blocks[2])

    @property
    def charging(self) -> Charging:
        return cast("Charging", self.blocks[3])

    @property
    def pinging(self) -> Pings:
        return cast("Pings", self.blocks[8])
