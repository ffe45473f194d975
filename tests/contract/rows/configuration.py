"""Section 6.1: the configuration keys of 1.6, their access and their effect."""

from tests.contract.sights import Sight, call, closed, connect, error, in_order, never, once, result, row, status, times

SECTIONS = {"6.1": "Configuration keys"}
SET = result("ChangeConfiguration", status="Accepted")
READ_ONLY = {
    "ConnectorPhaseRotationMaxLength": "B", "GetConfigurationMaxKeys": "A", "MeterValuesAlignedDataMaxLength": "A",
    "MeterValuesSampledDataMaxLength": "A", "NumberOfConnectors": "A", "StopTransactionMaxMeterValues": "B",
    "StopTxnAlignedDataMaxLength": "A", "StopTxnSampledDataMaxLength": "A", "SupportedFeatureProfiles": "A",
    "LocalAuthListMaxLength": "A", "SendLocalListMaxLength": "A", "ReserveConnectorZeroSupported": "A",
    "ChargeProfileMaxStackLevel": "A", "ChargingScheduleAllowedChargingRateUnit": "A",
    "ChargingScheduleMaxPeriods": "A", "MaxChargingProfilesInstalled": "A", "ConnectorSwitch3to1PhaseSupported": "A",
}  # fmt: skip


def _read(name: str) -> Sight:
    return Sight("result", "GetConfiguration", {"configurationKey.*.key": name, "configurationKey.*.readonly": True})


ROWS = (
    row("6.1/types", "A", "Booleans in any case, integers from 0, lists without unknown members; else Rejected",
        SET, result("ChangeConfiguration", status="Rejected")),
    row("6.1/unknown", "A", "An unknown key: NotSupported when set, listed in unknownKey when read",
        result("ChangeConfiguration", status="NotSupported"), result("GetConfiguration", unknownKey=...)),
    row("6.1/persistent", "A", "A value outlives a restart",
        SET, result("GetConfiguration", configurationKey__0__value="77")),
    row("6.1/AllowOfflineTxForUnknownId", "A", "true: an unknown token may start offline", SET,
        call("StartTransaction")),
    row("6.1/AuthorizationCacheEnabled", "A", "false: ClearCache is Rejected", SET,
        result("ClearCache", status="Rejected")),
    row("6.1/AuthorizeRemoteTxRequests", "A", "true: a remote start asks first",
        in_order(SET, call("Authorize"), call("StartTransaction"))),
    row("6.1/BlinkRepeat", "B", "How often the lamp signals; seen in the station's state", SET),
    row("6.1/ClockAlignedDataInterval", "A", "Samples on the grid of the clock, of the main meter too", SET,
        call("MeterValues", connectorId=0), call("MeterValues", connectorId=1)),
    row("6.1/ConnectionTimeOut", "A", "Seconds that a plugged cable waits for a token", SET, status(1, "Finishing")),
    row("6.1/ConnectorPhaseRotation", "A", "The phases of meter values follow it", SET, call("MeterValues")),
    row("6.1/HeartbeatInterval", "A", "Seconds of silence before a Heartbeat; 0 for none", SET, call("Heartbeat")),
    row("6.1/LightIntensity", "B", "0..100 %; seen in the station's state", SET,
        result("ChangeConfiguration", status="Rejected")),
    row("6.1/LocalAuthorizeOffline", "A", "false: nobody starts offline, known or not", SET,
        result("SendLocalList", status="Accepted")),
    row("6.1/LocalPreAuthorize", "A", "true: a listed token starts without Authorize", SET, call("StartTransaction"),
        never(call("Authorize"))),
    row("6.1/MaxEnergyOnInvalidId", "A", "Wh that a refused token may still take",
        in_order(SET, status(1, "Charging"), status(1, "SuspendedEVSE"))),
    row("6.1/MessageTimeout", "B", "Seconds that a CALL waits for its answer", SET, call("Authorize")),
    row("6.1/MeterValuesAlignedData", "A", "The measurands of clock-aligned samples", SET,
        call("MeterValues", meterValue__0__sampledValue__0__measurand="Voltage")),
    row("6.1/MeterValuesSampledData", "A", "The measurands of periodic samples", SET,
        call("MeterValues", meterValue__0__sampledValue__0__measurand="Energy.Active.Import.Interval")),
    row("6.1/MeterValueSampleInterval", "A", "Seconds between periodic samples, at once for what runs", SET,
        call("MeterValues", meterValue__0__sampledValue__0__context="Sample.Periodic")),
    row("6.1/MinimumStatusDuration", "A", "A status left before that time is not sent", SET,
        once(status(1, "Preparing"))),
    row("6.1/ResetRetries", "A", "How often a failed reset is tried again",
        in_order(result("Reset", status="Accepted"), call("BootNotification"))),
    row("6.1/StopTransactionOnEVSideDisconnect", "A", "false: the transaction goes on, SuspendedEV", SET,
        status(1, "SuspendedEV", info="EV side disconnected")),
    row("6.1/StopTransactionOnInvalidId", "A", "true: stopped as DeAuthorized; false: SuspendedEVSE", SET,
        call("StopTransaction", reason="DeAuthorized"), status(1, "SuspendedEVSE")),
    row("6.1/StopTxnAlignedData", "A", "Clock-aligned values in transactionData", SET,
        Sight("call", "StopTransaction", {"transactionData.*.sampledValue.*.context": "Sample.Clock"})),
    row("6.1/StopTxnSampledData", "A", "Begin, periodic and end values in transactionData", SET,
        *(Sight("call", "StopTransaction", {"transactionData.*.sampledValue.*.context": context})
          for context in ("Transaction.Begin", "Sample.Periodic", "Transaction.End"))),
    row("6.1/TransactionMessageAttempts", "A", "How often a transaction message is sent in all", SET,
        times(2, call("StopTransaction"))),
    row("6.1/TransactionMessageRetryInterval", "A", "Seconds of the growing wait between them", SET,
        times(2, call("StopTransaction"))),
    row("6.1/UnlockConnectorOnEVSideDisconnect", "A", "false: the station's end stays locked until the driver's tag; "
        "read-only false with fixed cables", SET, result("ChangeConfiguration", status="Rejected"),
        call("StopTransaction", reason="EVDisconnected")),
    row("6.1/WebSocketPingInterval", "A", "Seconds between pings, 0 for none, at once; negative is Rejected", SET,
        result("ChangeConfiguration", status="Rejected"), times(4, Sight("ping"))),
    row("6.1/LocalAuthListEnabled", "A", "false: the list counts for nothing, its version is -1", SET,
        result("GetLocalListVersion", listVersion=-1)),
    *(row(f"6.1/{name}", tier, "Read-only", _read(name), result("ChangeConfiguration", status="Rejected"))
      for name, tier in READ_ONLY.items()),
    row("6.1/limits", "A", "The limits hold: too many keys or entries are refused",
        error("OccurenceConstraintViolation", action="GetConfiguration"),
        error("OccurenceConstraintViolation", action="SendLocalList")),
    row("6.1/vendor", "B", "3 to 8 keys of the brand, one with RebootRequired",
        result("ChangeConfiguration", status="RebootRequired")),
    row("6.1/SupportedFileTransferProtocols", "A", "Read-only; only what it lists is spoken",
        _read("SupportedFileTransferProtocols"), result("ChangeConfiguration", status="Rejected"),
        call("FirmwareStatusNotification", status="DownloadFailed")),
    *(row(f"6.1/{name}", "B", "Read-only", _read(name), result("ChangeConfiguration", status="Rejected"))
      for name in ("AdditionalRootCertificateCheck", "CertificateSignedMaxChainSize", "CertificateStoreMaxLength")),
    row("6.1/AuthorizationKey", "B", "The password, written only",
        in_order(SET, closed(1001), connect(authorization="Basic"))),
    row("6.1/SecurityProfile", "B", "Rises only", SET, result("ChangeConfiguration", status="Rejected"), closed(1001)),
    row("6.1/CpoName", "B", "Stands in the request for a certificate", SET, call("SignCertificate")),
    row("6.1/CertSigningWaitMinimum", "B", "When a request is repeated", SET, times(2, call("SignCertificate"))),
    row("6.1/CertSigningRepeatTimes", "B", "How often a request is repeated", SET, times(2, call("SignCertificate"))),
)  # fmt: skip
