"""What is wrong with a frame of the CSMS, in words for the people who build it.

Frames are judged by OCPP-J (section 4) and by the official schemas; what the station then does about it is another
matter. A verdict's `code` is stable; its `explanation` says where, what stands there and what belongs there.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from simulator.core import rpc, schemas

LONGEST = 500
LONGEST_VALUE = 60
MOST_NAMED = 3  # violations of one payload that are spelled out
MOST_CHOICES = 12
SHAPES = {
    rpc.CALL: (4, '[2, "<id>", "<action>", {…}]'),
    rpc.CALLRESULT: (3, '[3, "<id>", {…}]'),
    rpc.CALLERROR: (5, '[4, "<id>", "<error code>", "<description>", {…}]'),
}
FORMATS = {
    "date-time": "a date-time with its zone, such as 2026-04-02T09:15:00Z",
    "uri": "a URI",
}
CODES = {
    "Required": "missing_property",
    "AdditionalProperties": "unknown_property",
    "Type": "wrong_type",
    "Enum": "unknown_value",
    "MaxLength": "too_long",
    "MinItems": "too_few",
    "MaxItems": "too_many",
    "Format": "bad_format",
    "Minimum": "out_of_range",
    "Maximum": "out_of_range",
    "MultipleOf": "out_of_range",
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMON_ERRORS = _words(
    "GenericError InternalError NotImplemented NotSupported OccurrenceConstraintViolation "
    "PropertyConstraintViolation ProtocolError SecurityError TypeConstraintViolation FormatViolation"
)
# 1.6 misspells two of them, and its errata leave them so; the right spelling is no reason to blame anybody.
ERRORS = {
    "ocpp1.6": COMMON_ERRORS | {"FormationViolation", "OccurenceConstraintViolation"},
    "ocpp2.0.1": COMMON_ERRORS | {"MessageTypeNotSupported", "RpcFrameworkError"},
}
FROM_STATIONS = {
    "ocpp1.6": _words(
        "Authorize BootNotification DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat "
        "LogStatusNotification MeterValues SecurityEventNotification SignCertificate SignedFirmwareStatusNotification "
        "StartTransaction StatusNotification StopTransaction"
    ),
    "ocpp2.0.1": _words(
        "Authorize BootNotification ClearedChargingLimit FirmwareStatusNotification Get15118EVCertificate "
        "GetCertificateStatus Heartbeat LogStatusNotification MeterValues NotifyChargingLimit "
        "NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent "
        "NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification ReportChargingProfiles "
        "ReservationStatusUpdate SecurityEventNotification SignCertificate StatusNotification TransactionEvent"
    ),
}
BINARY = ("binary_frame", "A binary WebSocket frame: OCPP-J sends its JSON in text frames only.")


class Verdict(NamedTuple):
    code: str
    explanation: str


def of_binary() -> Verdict:
    return Verdict(*BINARY)


def of_broken(text: str) -> Verdict:
    """A frame that `rpc.read` found a problem with."""
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return Verdict("not_json", "The frame is no JSON: OCPP-J wants an array such as " + SHAPES[rpc.CALLRESULT][1])
    if not isinstance(frame, list) or len(frame) < 2:
        kind = f"an array of {len(frame)}" if isinstance(frame, list) else _kind(frame)
        return Verdict("not_a_frame", f"The frame is {kind}: OCPP-J wants an array such as {SHAPES[rpc.CALLRESULT][1]}")
    if not isinstance(frame[0], int) or isinstance(frame[0], bool) or frame[0] not in SHAPES:
        known = "2 (CALL), 3 (CALLRESULT) or 4 (CALLERROR)"
        return _cut("message_type", f"The first element is {_quoted(frame[0])}, but must be {known}.")
    if not isinstance(frame[1], str) or not frame[1]:
        return _cut("message_id", f"The message id is {_quoted(frame[1])}, but must be a string of 1 to 36 characters.")
    return Verdict("no_action", f"A CALL without an action: it must look like {SHAPES[rpc.CALL][1]}")


def of_call(subprotocol: str, text: str, incoming: rpc.Incoming, *, secret: bool = False) -> Verdict | None:
    """`secret`: values are not quoted, since the frame is masked in the log."""
    return (
        _of_shape(incoming)
        or _of_action(subprotocol, incoming.action)
        or _of_null(text, incoming)
        or of_payload(subprotocol, incoming.action, "request", incoming.payload, secret=secret)
    )


def of_result(subprotocol: str, action: str, incoming: rpc.Incoming) -> Verdict | None:
    """An answer to the station's own call of that action."""
    return _of_shape(incoming) or of_payload(subprotocol, action, "response", incoming.payload)


def of_error(subprotocol: str, text: str, incoming: rpc.Incoming) -> Verdict | None:
    if (verdict := _of_shape(incoming)) is not None:
        return verdict
    _, _, code, description, details = msgspec.json.decode(text)
    if not isinstance(code, str) or code not in ERRORS[subprotocol]:
        known = ", ".join(sorted(ERRORS[subprotocol]))
        return _cut("error_code", f"{_quoted(code)} is no error code of {_spoken(subprotocol)}; there are {known}.")
    if not isinstance(description, str) or len(description) > 255:
        return Verdict("error_description", "The error description must be a string of at most 255 characters.")
    if not isinstance(details, dict):
        return Verdict(
            "error_details", f"The error details are {_kind(details)}, but must be an object ({{}} for none)."
        )
    return None


def of_unknown_answer(action: str, *, twice: bool) -> Verdict:
    if twice:
        return Verdict("answered_twice", f"This {action} had its answer already: a CALL is answered once.")
    return Verdict("unknown_id", "No CALL with this message id is open: an answer repeats the id of its CALL exactly.")


def of_payload(subprotocol: str, action: str, direction: str, payload: Any, *, secret: bool = False) -> Verdict | None:
    """By the official schema; unknown actions have no schema to break."""
    errors = schemas.errors(subprotocol, action, direction, payload)
    if not errors:
        return None
    # One that several keywords complain of is told once.
    told = list(dict.fromkeys(_told(error, quoting=not secret) for error in errors))
    more = f" And {len(told) - MOST_NAMED} more." if len(told) > MOST_NAMED else ""
    sentence = "; ".join(told[:MOST_NAMED]) + "." + more
    code = CODES.get(type(errors[0].kind).__name__, "schema")
    return _cut(code, f"{action}{'' if direction == 'request' else ' answer'}: {sentence}")


def _of_shape(incoming: rpc.Incoming) -> Verdict | None:
    size, shape = SHAPES[incoming.message_type]
    if incoming.size != size:
        name = rpc.NAMES[incoming.message_type]
        return Verdict("frame_length", f"A {name} has {size} elements, {shape}, but this one has {incoming.size}.")
    if len(incoming.message_id) > rpc.MAX_ID:
        length = len(incoming.message_id)
        return Verdict("message_id", f"The message id has {length} characters, but at most {rpc.MAX_ID} are allowed.")
    return None


def _of_action(subprotocol: str, action: str) -> Verdict | None:
    if schemas.validator(subprotocol, action, "request") is None:
        right = schemas.spelling(subprotocol, action)
        hint = f" It is spelled {right}." if right else ""
        return _cut("unknown_action", f"{_quoted(action)} is no action of {_spoken(subprotocol)}.{hint}")
    if action in FROM_STATIONS[subprotocol]:
        return Verdict("wrong_direction", f"{action} goes from the station to the CSMS, never the other way.")
    return None


def _of_null(text: str, incoming: rpc.Incoming) -> Verdict | None:
    if incoming.payload == {} and "null" in text and msgspec.json.decode(text)[3] is None:
        return Verdict("wrong_type", f"{incoming.action}: the payload is null, but must be an object ({{}} for none).")
    return None


def _told(error: Any, *, quoting: bool) -> str:
    kind, name = error.kind, type(error.kind).__name__
    where = _path(error.instance_path)
    match name:
        case "Required":
            return f"{_within(where)}{kind.property} is missing"
        case "AdditionalProperties":
            return f"{_within(where)}{', '.join(map(str, kind.unexpected))} is no property the specification knows"
    stands = _quoted(error.instance) if quoting else "there"
    return f"{where or 'the payload'} is {_stands(name, error, stands)}"


def _stands(name: str, error: Any, stands: str) -> str:
    kind = error.kind
    match name:
        case "Type":
            wanted = " or ".join(map(str, kind.types))
            return f"{_kind(error.instance)}{'' if stands == 'there' else f' ({stands})'}, but must be of type {wanted}"
        case "Enum":
            return f"{stands}, but must be {_choice(kind.options)}"
        case "MaxLength":
            return f"{len(error.instance)} characters long, but at most {kind.limit} are allowed"
        case "MinItems" | "MaxItems":
            bound = "at least" if name == "MinItems" else "at most"
            return f"a list of {len(error.instance)}, but must have {bound} {kind.limit}"
        case "Format":
            return f"{stands}, but must be {FORMATS.get(kind.format, kind.format)}"
        case "Minimum" | "Maximum":
            bound = "at least" if name == "Minimum" else "at most"
            return f"{stands}, but must be {bound} {kind.limit}"
        case "MultipleOf":
            return f"{stands}, but must be a multiple of {kind.multiple_of}"
    return f"{stands}, which breaks the schema ({name})"


def _path(parts: Iterable[Any]) -> str:
    """`chargingSchedule.chargingSchedulePeriod[0].limit`; empty for the payload itself."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _within(path: str) -> str:
    return f"{path}." if path else ""


def _choice(options: list[Any]) -> str:
    shown = ", ".join(map(str, options[:MOST_CHOICES]))
    return f"one of {shown}{', …' if len(options) > MOST_CHOICES else ''}"


def _quoted(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return _kind(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _spoken(subprotocol: str) -> str:
    return subprotocol.replace("ocpp", "OCPP ")


def _cut(code: str, text: str) -> Verdict:
    """Fit for every database and terminal: signs that cannot be shown are spelled out."""
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:LONGEST])
    return Verdict(code, shown if len(text) <= LONGEST and len(shown) <= LONGEST else shown[: LONGEST - 1] + "…")
