"""The faults a user can inject, by OCPP 1.6 error code (behaviour contract, 8.1)."""

import difflib

import msgspec


class FaultKind(msgspec.Struct, frozen=True):
    """`component` and `variable` carry the fault in OCPP 2.0.1's NotifyEvent; `stops` ends a running transaction."""

    code: str
    component: str
    variable: str = "Problem"
    blocking: bool = True
    stops: bool = True
    note: str = ""


KINDS = {
    kind.code: kind
    for kind in (
        FaultKind("ConnectorLockFailure", "ConnectorPlugRetentionLock", stops=False),
        FaultKind("EVCommunicationError", "CPPWMController", "State", blocking=False, stops=False),
        FaultKind("GroundFailure", "RCD", "Tripped"),
        FaultKind("HighTemperature", "TemperatureSensor", blocking=False, stops=False),
        FaultKind("InternalError", "Controller"),
        FaultKind("LocalListConflict", "LocalAuthListCtrlr", blocking=False, stops=False),
        FaultKind("OtherError", "Controller"),
        FaultKind("OverCurrentFailure", "OverCurrentProtection", "Tripped"),
        FaultKind("OverVoltage", "ElectricalFeed", "ACVoltage"),
        FaultKind("PowerMeterFailure", "FiscalMetering", blocking=False, stops=False),
        FaultKind("PowerSwitchFailure", "PowerContactor"),
        FaultKind("ReaderFailure", "TokenReader", blocking=False, stops=False),
        FaultKind("ResetFailure", "Controller", blocking=False, stops=False),
        FaultKind("UnderVoltage", "ElectricalFeed", "ACVoltage"),
        FaultKind("WeakSignal", "DataLink", "SignalStrength", blocking=False, stops=False),
        FaultKind("EmergencyStop", "EmergencyStopSensor", "Active", note="Emergency stop"),
    )
}
ALIASES = {"OverCurrent": "OverCurrentFailure"}
# What 1.6 calls faults it has no code of its own for.
WIRE_CODES = {"EmergencyStop": "OtherError"}


def kind_of(asked: str) -> tuple[FaultKind, str]:
    """The fault for a user's word, and a sentence to show: an unknown word is an OtherError with that text."""
    code = ALIASES.get(asked, asked)
    if code in KINDS:
        return KINDS[code], f"{asked} injected."
    nearest = difflib.get_close_matches(asked, [*KINDS, *ALIASES], n=1, cutoff=0.0)
    hint = f" The nearest known fault is {nearest[0]}." if nearest else ""
    return KINDS["OtherError"], f"{asked} is no known fault and was taken as OtherError.{hint}"
