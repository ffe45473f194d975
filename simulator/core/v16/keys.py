"""The configuration keys of a 1.6 charge point: type, access, default (behaviour contract, 6.1)."""

from collections.abc import Mapping
from functools import lru_cache

from simulator.core.configuration import Setting
from simulator.core.setup import Outlet, Setup, VendorKey

MEASURANDS = (
    "Energy.Active.Import.Register",
    "Energy.Active.Import.Interval",
    "Energy.Active.Export.Register",
    "Energy.Active.Export.Interval",
    "Energy.Reactive.Import.Register",
    "Power.Active.Import",
    "Power.Reactive.Import",
    "Power.Offered",
    "Power.Factor",
    "Current.Import",
    "Current.Offered",
    "Voltage",
    "Frequency",
    "Temperature",
    "SoC",
)
PASSWORD = Setting("password", "", "W", least=16, most=40)
ROTATIONS = ("NotApplicable", "Unknown", "RST", "RTS", "SRT", "STR", "TRS", "TSR")
USUAL = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage"
PROFILES = "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"


def flag(default: bool, access: str = "RW") -> Setting:
    return Setting("bool", "true" if default else "false", access)


def number(default: int, access: str = "RW", *, least: int = 0, most: int = 2**31 - 1) -> Setting:
    return Setting("int", str(default), access, least=least, most=most)


def measurands(default: str) -> Setting:
    return Setting("members", default, members=MEASURANDS, most=16)


def keys(setup: Setup) -> Mapping[str, Setting]:
    """The keys of this device, vendor keys last."""
    return _of_model(setup.vendor, setup.outlets, setup.vendor_keys)


@lru_cache(maxsize=256)
def _of_model(
    vendor: str, all_outlets: tuple[Outlet, ...], vendor_keys: tuple[VendorKey, ...]
) -> Mapping[str, Setting]:
    """Shared by all stations of a model, which may be thousands."""
    vendors = {
        one.key: Setting("text", one.value, "R" if one.readonly else "RW", most=500, reboot=one.reboot_required)
        for one in vendor_keys
    }
    return _core(all_outlets) | _metering(all_outlets) | _other_profiles() | _security(vendor) | vendors


def _core(all_outlets: tuple[Outlet, ...]) -> dict[str, Setting]:
    outlets = len(all_outlets)
    sockets = any(outlet.format == "socket" for outlet in all_outlets)
    return {
        "AllowOfflineTxForUnknownId": flag(False),
        "AuthorizationCacheEnabled": flag(True),
        "AuthorizeRemoteTxRequests": flag(False),
        "BlinkRepeat": number(3),
        "ConnectionTimeOut": number(60),
        "ConnectorPhaseRotation": _rotations(outlets),
        "ConnectorPhaseRotationMaxLength": number(outlets + 1, "R"),
        "GetConfigurationMaxKeys": number(100, "R"),
        "HeartbeatInterval": number(300),
        "LightIntensity": number(75, most=100),
        "LocalAuthorizeOffline": flag(True),
        "LocalPreAuthorize": flag(False),
        "MaxEnergyOnInvalidId": number(0),
        "MessageTimeout": number(30, least=1),
        "MinimumStatusDuration": number(0),
        "NumberOfConnectors": number(outlets, "R"),
        "ResetRetries": number(1),
        "RetryBackOffRandomRange": number(11),
        "RetryBackOffRepeatTimes": number(4),
        "RetryBackOffWaitMinimum": number(3),
        "StopTransactionOnEVSideDisconnect": flag(True),
        "StopTransactionOnInvalidId": flag(True),
        "SupportedFeatureProfiles": Setting("members", PROFILES, "R"),
        "TransactionMessageAttempts": number(3),
        "TransactionMessageRetryInterval": number(60),
        "UnlockConnectorOnEVSideDisconnect": flag(True) if sockets else flag(False, "R"),
        "WebSocketPingInterval": number(30),
    }


def _metering(all_outlets: tuple[Outlet, ...]) -> dict[str, Setting]:
    has_dc = any(outlet.voltage_v >= 300 for outlet in all_outlets)
    return {
        "ClockAlignedDataInterval": number(0),
        "MeterValuesAlignedData": measurands("Energy.Active.Import.Register"),
        "MeterValuesAlignedDataMaxLength": number(16, "R"),
        "MeterValuesSampledData": measurands(USUAL + (",SoC" if has_dc else "")),
        "MeterValuesSampledDataMaxLength": number(16, "R"),
        "MeterValueSampleInterval": number(60),
        "StopTransactionMaxMeterValues": number(500, "R"),
        "StopTxnAlignedData": measurands(""),
        "StopTxnAlignedDataMaxLength": number(16, "R"),
        "StopTxnSampledData": measurands(""),
        "StopTxnSampledDataMaxLength": number(16, "R"),
    }


def _other_profiles() -> dict[str, Setting]:
    """Firmware, local list, reservation, smart charging."""
    return {
        "SupportedFileTransferProtocols": Setting("members", "HTTP,HTTPS", "R"),
        "LocalAuthListEnabled": flag(True),
        "LocalAuthListMaxLength": number(1000, "R"),
        "SendLocalListMaxLength": number(200, "R"),
        "ReserveConnectorZeroSupported": flag(True, "R"),
        "ChargeProfileMaxStackLevel": number(10, "R"),
        "ChargingScheduleAllowedChargingRateUnit": Setting("members", "Current,Power", "R"),
        "ChargingScheduleMaxPeriods": number(48, "R"),
        "ConnectorSwitch3to1PhaseSupported": flag(False, "R"),
        "MaxChargingProfilesInstalled": number(20, "R"),
    }


def _security(vendor: str) -> dict[str, Setting]:
    """Those of the security whitepaper."""
    return {
        "AdditionalRootCertificateCheck": flag(False, "R"),
        "AuthorizationKey": PASSWORD,
        "CertificateSignedMaxChainSize": number(10_000, "R"),
        "CertificateStoreMaxLength": number(20, "R"),
        "CertSigningRepeatTimes": number(3),
        "CertSigningWaitMinimum": number(30),
        "CpoName": Setting("text", vendor, most=500),
        "DisableSecurityEventNotifications": flag(False),
        "SecurityExtensionEnabled": flag(False),
        "SecurityProfile": number(0, most=3),
    }


def _rotations(outlets: int) -> Setting:
    """How each connector's phases (0: the station's) lie on those of the meter before it."""
    default = ",".join(f"{number}.RST" for number in range(outlets + 1))
    members = tuple(f"{number}.{one}" for number in range(outlets + 1) for one in ROTATIONS)
    return Setting("members", default, members=members, most=outlets + 1)
