"""The faults a user can inject (behaviour contract, section 8): a catalog of hardware and network faults as data."""

import difflib
from collections.abc import Mapping
from typing import Any

import msgspec

HARDWARE, NETWORK = "hardware", "network"


class Parameter(msgspec.Struct, frozen=True):
    """`type` is number, integer, boolean, string or choice; a default of None means that there is none."""

    name: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    default: Any = None

    def problem(self, value: Any) -> str:
        """Why the value is unfit, or ""."""
        match self.type:
            case "boolean":
                return "" if isinstance(value, bool) else "A boolean is needed."
            case "choice":
                return "" if value in self.choices else f"One of {', '.join(self.choices)} is needed."
            case "string":
                fits = isinstance(value, str) and 0 < len(value) <= (self.maximum or 0)
                return "" if fits else f"A text of 1 to {self.maximum:.0f} characters is needed."
        kinds = (int,) if self.type == "integer" else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return f"A{'n integer' if self.type == 'integer' else ' number'} is needed."
        if not (self.minimum or 0) <= value <= (self.maximum or 0):
            return f"A value from {self.minimum:g} to {self.maximum:g} is needed."
        return ""


class FaultKind(msgspec.Struct, frozen=True):
    """`component` and `variable` carry the fault in OCPP 2.0.1's NotifyEvent; `stops` ends a running transaction
    where the fault is blocking. `on_reboot` and `on_replug` say what clears it beside a clear call."""

    code: str
    component: str = ""
    variable: str = "Problem"
    blocking: bool = True
    stops: bool = True
    note: str = ""
    on_reboot: bool = False
    on_replug: bool = False
    slows: bool = False  # the line to the CSMS, too
    layer: str = HARDWARE
    parameters: tuple[Parameter, ...] = ()
    shows: str = ""  # where it is no status: what the CSMS sees, in either version
    cleared_by: str = ""


def _number(name: str, least: float, most: float, default: float | None = None) -> Parameter:
    return Parameter(name, "number", least, most, default=default)


def _choice(name: str, *choices: str) -> Parameter:
    return Parameter(name, "choice", choices=choices, default=choices[0])


ACTION = Parameter("action", "string", maximum=50)
LATCHED = Parameter("latched", "boolean", default=False)
KINDS = {
    kind.code: kind
    for kind in (
        FaultKind("ConnectorLockFailure", "ConnectorPlugRetentionLock", stops=False, on_replug=True),
        FaultKind("EVCommunicationError", "CPPWMController", "State", blocking=False, stops=False, on_replug=True),
        FaultKind("GroundFailure", "RCD", "Tripped", parameters=(LATCHED,)),
        FaultKind("HighTemperature", "TemperatureSensor", blocking=False),
        FaultKind("InternalError", "Controller", on_reboot=True),
        FaultKind("LocalListConflict", "LocalAuthListCtrlr", blocking=False, stops=False),
        FaultKind("OtherError", "Controller", on_reboot=True),
        FaultKind("OverCurrentFailure", "OverCurrentProtection", "Tripped"),
        FaultKind("OverVoltage", "ElectricalFeed", "ACVoltage"),
        FaultKind("PowerMeterFailure", "FiscalMetering", blocking=False),
        FaultKind("PowerSwitchFailure", "PowerContactor", on_reboot=True),
        FaultKind("ReaderFailure", "TokenReader", blocking=False, stops=False),
        FaultKind("ResetFailure", "Controller", blocking=False, stops=False),
        FaultKind("UnderVoltage", "ElectricalFeed", "ACVoltage"),
        FaultKind("WeakSignal", "DataLink", "SignalStrength", blocking=False, stops=False, slows=True),
        FaultKind("EmergencyStop", "EmergencyStopSensor", "Active", note="Emergency stop"),
    )
}
_STEP = (_number("offset_wh", 1, 10_000_000, 10_000),)
# Faults that no status tells: the cable is simply gone, the values are simply wrong.
ANOMALIES = {
    kind.code: FaultKind(
        kind.code, blocking=False, stops=False, parameters=kind.parameters, shows=kind.shows, cleared_by=kind.cleared_by
    )
    for kind in (
        FaultKind("CableCut", shows="The transaction ends as EVDisconnected; the cable is out.", cleared_by="nothing"),
        FaultKind("MeterStuck", shows="The energy register stands still while power is drawn."),
        FaultKind("MeterJump", parameters=_STEP, shows="The energy register is too high by offset_wh."),
        FaultKind("MeterNegativeStep", parameters=_STEP, shows="The energy register steps back by offset_wh."),
        FaultKind("SwappedPhases", shows="Currents are told for the wrong phases."),
        FaultKind("FirmwareInstallationFailure", shows="Firmware is downloaded, then InstallationFailed."),
        FaultKind("FirmwareCertificateRevoked", shows="A signed firmware update is answered with RevokedCertificate."),
    )
}


def _network(code: str, shows: str, *parameters: Parameter) -> FaultKind:
    return FaultKind(code, blocking=False, stops=False, layer=NETWORK, parameters=parameters, shows=shows)


PERCENT, EVERY, JITTER = _number("percent", 0, 100, 100), _number("every_seconds", 1, 86_400, 30), "jitter_ms"
MALFORMATIONS = (
    "truncated", "wrong-type", "missing-field", "unknown-field", "wrong-enum", "oversize", "non-utf8",
    "wrong-message-type", "bad-id",
)  # fmt: skip
NETWORK_KINDS = {
    kind.code: kind
    for kind in (
        _network(
            "network-drop",
            "The connection is gone: by TCP reset, by silence, or with a close frame. No reconnect while it lasts.",
            _choice("kind", "reset", "silence", "clean"),
        ),
        _network(
            "frozen",
            "Pongs, but no answers and no CALLs. At its end the station resumes, or its watchdog reboots it.",
            _choice("kind", "resume", "watchdog"),
        ),
        _network(
            "slow-responses",
            "Answers come late, in their order; with an action, only those to it.",
            _number("delay_ms", 0, 600_000, 2_000),
            _number(JITTER, 0, 600_000, 0),
            ACTION,
        ),
        _network(
            "error-responses",
            "CALLs (of one action, or all) are answered with a CALLERROR of this code, or with this status.",
            ACTION,
            Parameter("error_code", "string", maximum=50),
            Parameter("status", "string", maximum=50),
        ),
        _network("drop-responses", "A share of the answers never comes.", PERCENT, ACTION),
        _network("duplicate-frames", "A share of the station's CALLs goes out twice with the same id.", PERCENT),
        _network(
            "malformed-frames",
            "One malformed frame at once, or with percent a share of the station's CALLs. The log marks them injected.",
            _choice("kind", *MALFORMATIONS),
            _number("percent", 0, 100),
        ),
        _network(
            "limited-link",
            "The line is slow in both directions: late by delay_ms, narrow, messages in fragments of so many bytes.",
            _number("delay_ms", 0, 60_000, 500),
            Parameter("bytes_per_second", "integer", 100, 10_000_000, default=2_000),
            Parameter("fragment_bytes", "integer", 1, 65_536),
        ),
        _network(
            "replay",
            "A CALL that went out before goes out again with its old id, once or every_seconds; or queued transaction "
            "messages go out in another order. The log marks them injected.",
            _choice("kind", "old-call", "queue-order"),
            _number("every_seconds", 1, 86_400),
        ),
        _network("no-pong", "Pings of the CSMS are not answered; everything else is."),
        _network("half-open", "TCP stays up but nothing is read or written. At its end the station reconnects."),
        _network("flapping", "The connection drops again and again.", EVERY, _number(JITTER, 0, 600_000, 0)),
        _network(
            "clock-drift",
            "The station's timestamps are off, until the CSMS's currentTime sets its clock; ppm goes on.",
            _number("offset_seconds", -315_360_000, 315_360_000, 0),
            _number("ppm", -100_000, 100_000, 0),
            Parameter("ignore_time", "boolean", default=False),
        ),
        _network(
            "wrong-subprotocol",
            "The station reconnects and offers this subprotocol.",
            Parameter("text", "string", maximum=50, default="ocpp1.2"),
        ),
        _network(
            "bad-credentials",
            "The station reconnects with a wrong password; under security profile 3 without its client certificate.",
        ),
        _network(
            "expired-certificate",
            "Security profile 3 only: the station reconnects with a client certificate that has expired.",
        ),
        _network("power-loss", "Silence without a close frame; at its end a BootNotification (PowerUp)."),
        _network("boot-loop", "The station reboots again and again.", EVERY, _number(JITTER, 0, 600_000, 0)),
    )
}
CATALOG = KINDS | ANOMALIES | NETWORK_KINDS
ALIASES = {"OverCurrent": "OverCurrentFailure"}
# What 1.6 calls faults it has no code of its own for.
WIRE_CODES = {"EmergencyStop": "OtherError"}


def kind_of(asked: str) -> tuple[FaultKind, str]:
    """The fault for a user's word, and a sentence to show: an unknown word is an OtherError with that text."""
    code = ALIASES.get(asked, asked)
    if code in CATALOG:
        return CATALOG[code], f"{asked} injected."
    nearest = difflib.get_close_matches(asked, [*CATALOG, *ALIASES], n=1, cutoff=0.0)
    hint = f" The nearest known fault is {nearest[0]}." if nearest else ""
    return KINDS["OtherError"], f"{asked} is no known fault and was taken as OtherError.{hint}"


def problems(asked: str, given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a fault's parameters, by name."""
    known = {parameter.name: parameter for parameter in kind_of(asked)[0].parameters}
    found = {}
    for name, value in given.items():
        problem = known[name].problem(value) if name in known else f"{asked} has no such parameter."
        if problem:
            found[name] = problem
    return found


def filled(kind: FaultKind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with the defaults of those that were not given."""
    defaults = {one.name: one.default for one in kind.parameters if one.default is not None}
    return defaults | dict(given)


def shown_in(kind: FaultKind, subprotocol: str) -> str:
    """What the CSMS sees of a fault, in a version's words."""
    if kind.shows:
        return kind.shows
    code = WIRE_CODES.get(kind.code, kind.code)
    slow = " The line is slow." if kind.slows else ""
    if subprotocol == "ocpp1.6":
        status = "Faulted" if kind.blocking else "its status kept"
        return f"StatusNotification: {status}, errorCode {code}.{slow}"
    status = " and StatusNotification Faulted" if kind.blocking else ""
    return f"NotifyEvent {kind.component}.{kind.variable}{status}.{slow}"


def cleared_by(kind: FaultKind) -> list[str]:
    """What ends a fault."""
    if kind.cleared_by == "nothing":
        return []
    more = ["reboot"] * kind.on_reboot + ["replug"] * kind.on_replug + ["sync"] * (kind.code == "clock-drift")
    more += ["full-list"] * (kind.code == "LocalListConflict") + ["unplug-and-reset"] * (LATCHED in kind.parameters)
    return ["clear-fault", "duration_seconds", *more]
