"""The 2.0.1 Charging Station: which functional blocks it has and how it spells errors."""

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
from simulator.core.v201.authorization import Authorization
from simulator.core.v201.availability import Availability
from simulator.core.v201.data_transfer import DataTransfer
from simulator.core.v201.device_model import DeviceModel
from simulator.core.v201.diagnostics import Diagnostics
from simulator.core.v201.firmware_management import Firmware, LogFiles
from simulator.core.v201.local_auth_list import LocalAuthList
from simulator.core.v201.metering import Metering
from simulator.core.v201.network_profiles import NetworkProfiles
from simulator.core.v201.registration import Registration
from simulator.core.v201.remote_control import RemoteControl
from simulator.core.v201.remote_trigger import RemoteTrigger
from simulator.core.v201.reports import Reports
from simulator.core.v201.reset import Reset
from simulator.core.v201.security import CertificateManagement, Events, Profiles
from simulator.core.v201.transaction_events import TransactionEvents
from simulator.core.v201.transactions import Transactions
from simulator.core.v201.variables import settings
from simulator.core.visitors import Visitors

B = TypeVar("B", bound=Block[Any])

# OCPP-J 2.0.1, table 8.
ERROR_CODES = {
    Kind.FRAMEWORK: "RpcFrameworkError",
    Kind.MESSAGE_TYPE: "MessageTypeNotSupported",
    Kind.NOT_IMPLEMENTED: "NotImplemented",
    Kind.NOT_SUPPORTED: "NotSupported",
    Kind.FORMAT: "FormatViolation",
    Kind.MISSING: "OccurrenceConstraintViolation",
    Kind.COUNT: "OccurrenceConstraintViolation",
    Kind.TYPE: "TypeConstraintViolation",
    Kind.PROPERTY: "PropertyConstraintViolation",
    Kind.PROTOCOL: "ProtocolError",
    Kind.SECURITY: "SecurityError",
    Kind.INTERNAL: "InternalError",
}


class Pings(Pinging["ChargingStation"]):
    def interval(self) -> int:
        return self.station.configuration.number("OCPPCommCtrlr.WebSocketPingInterval")


class Cars(Visitors["ChargingStation"]):
    @property
    def charging(self) -> Transactions:
        return self.station.charging


class ChargingStation(Station):
    subprotocol: ClassVar = "ocpp2.0.1"
    block_classes: ClassVar = (
        Registration,
        Firmware,
        LogFiles,
        Availability,
        Metering,
        Diagnostics,
        TransactionEvents,
        Transactions,
        DeviceModel,
        Authorization,
        Reports,
        Reset,
        RemoteControl,
        LocalAuthList,
        RemoteTrigger,
        DataTransfer,
        Events,
        Profiles,
        CertificateManagement,
        NetworkProfiles,
        Pings,
        Cars,
        Injecting,
    )
    error_codes: ClassVar = ERROR_CODES
    answers_broken_frames: ClassVar = True

    def build_configuration(self, overrides: dict[str, str]) -> Configuration:
        return Configuration(settings(self.setup), overrides)

    def message_timeout(self) -> float:
        return float(self.configuration.number("OCPPCommCtrlr.MessageTimeout[Default]"))

    def transaction_attempts(self) -> tuple[int, float]:
        number = self.configuration.number
        return (
            number("OCPPCommCtrlr.MessageAttempts[TransactionEvent]"),
            float(number("OCPPCommCtrlr.MessageAttemptInterval[TransactionEvent]")),
        )

    def reset_retries(self) -> int:
        return self.configuration.number("OCPPCommCtrlr.ResetRetries")

    def back_off(self) -> BackOff:
        number = self.configuration.number
        return BackOff(
            float(number("OCPPCommCtrlr.RetryBackOffWaitMinimum")),
            float(number("OCPPCommCtrlr.RetryBackOffRandomRange")),
            number("OCPPCommCtrlr.RetryBackOffRepeatTimes"),
        )

    def boot(self) -> None:
        self.registering.boot()

    def call(self, call: Call) -> None:
        super().call(call)
        if call.action != "Heartbeat":
            self.registering.spoke()

    def credentials(self) -> Credentials:
        return self.security.credentials()

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
    def log_files(self) -> LogFiles:
        return self._block(LogFiles)

    @property
    def availability(self) -> Availability:
        return self._block(Availability)

    @property
    def metering(self) -> Metering:
        return self._block(Metering)

    @property
    def diagnostics(self) -> Diagnostics:
        return self._block(Diagnostics)

    @property
    def events(self) -> TransactionEvents:
        return self._block(TransactionEvents)

    @property
    def charging(self) -> Transactions:
        return self._block(Transactions)

    @property
    def device_model(self) -> DeviceModel:
        return self._block(DeviceModel)

    @property
    def resetting(self) -> Reset:
        return self._block(Reset)

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
    def network_profiles(self) -> NetworkProfiles:
        return self._block(NetworkProfiles)

    @property
    def pinging(self) -> Pings:
        return self._block(Pings)
