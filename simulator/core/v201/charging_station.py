"""The 2.0.1 Charging Station: which functional blocks it has and how it spells errors."""

from typing import ClassVar

from simulator.core.configuration import Configuration
from simulator.core.errors import OCPP201_ERROR_CODES
from simulator.core.injecting import Injecting
from simulator.core.lab import Lab
from simulator.core.link import BackOff
from simulator.core.pinging import Pinging
from simulator.core.sessions import Sessions
from simulator.core.station import Station
from simulator.core.v201.authorization import Authorization
from simulator.core.v201.availability import Availability
from simulator.core.v201.charging_limits import ChargingLimits
from simulator.core.v201.customer_information import CustomerInformation
from simulator.core.v201.data_transfer import DataTransfer
from simulator.core.v201.device_model import DeviceModel
from simulator.core.v201.diagnostics import Diagnostics
from simulator.core.v201.display_message import DisplayMessages
from simulator.core.v201.event_notifications import EventNotifications
from simulator.core.v201.firmware_management import Firmware, LogFiles
from simulator.core.v201.local_auth_list import LocalAuthList
from simulator.core.v201.metering import Metering
from simulator.core.v201.monitoring import Monitoring
from simulator.core.v201.monitoring_events import MonitoringEvents
from simulator.core.v201.monitoring_reports import MonitoringReports
from simulator.core.v201.network_profiles import NetworkProfiles
from simulator.core.v201.registration import Registration
from simulator.core.v201.remote_control import RemoteControl
from simulator.core.v201.remote_trigger import RemoteTrigger
from simulator.core.v201.reports import Reports
from simulator.core.v201.reservation import Reservations
from simulator.core.v201.reset import Reset
from simulator.core.v201.security import CertificateManagement, Events, Profiles
from simulator.core.v201.smart_charging import SmartCharging
from simulator.core.v201.tariff_and_cost import TariffAndCost
from simulator.core.v201.transaction_events import TransactionEvents
from simulator.core.v201.transactions import Transactions
from simulator.core.v201.variables import settings
from simulator.core.visitors import Visitors


class Pings(Pinging):
    def interval(self) -> int:
        return self.station.configuration.number("OCPPCommCtrlr.WebSocketPingInterval")


class ChargingStation(Station):
    subprotocol: ClassVar = "ocpp2.0.1"
    block_classes: ClassVar = (
        Registration,
        Firmware,
        LogFiles,
        Availability,
        Metering,
        Diagnostics,
        EventNotifications,
        TransactionEvents,
        SmartCharging,
        ChargingLimits,
        Transactions,
        Reservations,
        TariffAndCost,
        DisplayMessages,
        DeviceModel,
        Authorization,
        Reports,
        Monitoring,
        MonitoringEvents,
        MonitoringReports,
        CustomerInformation,
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
        Sessions,
        Lab,
        Visitors,
        Injecting,
    )
    error_codes: ClassVar = OCPP201_ERROR_CODES
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
