"""Frames that no good station would send, made of good ones (behaviour contract, 8.2)."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

# Kinds that take a CALL with fields, of which one must be there and one has its own values.
OF_FIELDS = frozenset(["wrong-type", "missing-field", "wrong-enum"])
STATUS: dict[str, dict[str, Any]] = {
    "ocpp1.6": {"connectorId": 1, "errorCode": "NoError", "status": "Available"},
    "ocpp2.0.1": {"evseId": 1, "connectorId": 1, "connectorStatus": "Available"},
}
ENUMS = ("status", "connectorStatus", "reason", "eventType")
OVERSIZE = 300_000  # characters: more than most servers take


def example(kind: str, subprotocol: str, timestamp: str) -> tuple[str, dict[str, Any]]:
    """(action, payload) of a good CALL to make this defect of. What of it is not true, the defect makes void."""
    if kind in OF_FIELDS:
        return "StatusNotification", {**STATUS[subprotocol], "timestamp": timestamp}
    return "Heartbeat", {}


def malformed(wire: str, kind: str) -> bytes:
    """The bytes of a CALL with this defect."""
    if kind == "truncated":
        return wire[: max(1, len(wire) * 2 // 3)].encode()
    if kind == "non-utf8":
        return wire.encode()[:-1] + b"\xff\xfe]"
    frame = msgspec.json.decode(wire)
    DEFECTS[kind](frame)
    return msgspec.json.encode(frame)


def logged(data: bytes) -> tuple[str, str]:
    """(text, encoding) for the log: base64 where it is no text."""
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return base64.b64encode(data).decode(), "base64"


def _wrong_type(frame: list[Any]) -> None:
    name = next(iter(frame[3]), "timestamp")
    frame[3][name] = {"unexpected": True}


def _missing_field(frame: list[Any]) -> None:
    if frame[3]:
        frame[3].pop(next(iter(frame[3])))
    else:
        frame.pop()


def _unknown_field(frame: list[Any]) -> None:
    frame[3]["gremlin"] = "here"


def _wrong_enum(frame: list[Any]) -> None:
    texts = [name for name, value in frame[3].items() if isinstance(value, str)]
    frame[3][next((one for one in (*ENUMS, *texts) if one in texts), "status")] = "Gremlin"


def _oversize(frame: list[Any]) -> None:
    frame[3]["gremlin"] = "x" * OVERSIZE


def _wrong_message_type(frame: list[Any]) -> None:
    frame[0] = 9


def _bad_id(frame: list[Any]) -> None:
    frame[1] = "x" * 64


DEFECTS: dict[str, Callable[[list[Any]], None]] = {
    "wrong-type": _wrong_type,
    "missing-field": _missing_field,
    "unknown-field": _unknown_field,
    "wrong-enum": _wrong_enum,
    "oversize": _oversize,
    "wrong-message-type": _wrong_message_type,
    "bad-id": _bad_id,
}
