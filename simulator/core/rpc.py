"""OCPP-J frames: reading what came, writing what goes, and keeping secrets out of the log."""

import re
from typing import Any

import msgspec

CALL, CALLRESULT, CALLERROR = 2, 3, 4
NAMES = {CALL: "CALL", CALLRESULT: "CALLRESULT", CALLERROR: "CALLERROR"}
MAX_ID = 36  # OCPP-J 1.6 and 2.0.1: a message id has at most 36 characters
MASK = "********"
URL_PASSWORD = re.compile(r"(://[^/?#@:]*:)[^/?#]*@")
SECRETS = {"authorizationkey", "basicauthpassword"}
NETWORK_SECRETS = {"apnPassword", "basicAuthPassword", "key", "password", "simPin"}


class Incoming(msgspec.Struct):
    """A frame as read. `message_id` is "" where none could be found; `problem` says what is wrong with the frame."""

    message_type: int = 0
    message_id: str = ""
    action: str = ""
    payload: Any = None
    error_code: str = ""
    problem: str = ""
    size: int = 0  # elements of the array


def read(text: str) -> Incoming:
    """Reads any text; never raises. See `Incoming.problem` for what cannot be a frame."""
    try:
        frame = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return Incoming(problem="not JSON")
    if not isinstance(frame, list) or len(frame) < 2:
        return Incoming(problem="not an RPC array")
    message_type = frame[0] if isinstance(frame[0], int) and not isinstance(frame[0], bool) else 0
    message_id = frame[1] if isinstance(frame[1], str) else ""
    incoming = Incoming(message_type=message_type, message_id=message_id, size=len(frame))
    if not message_id:
        incoming.problem = "no usable message id"
    elif message_type == CALL:
        _read_call(incoming, frame)
    elif message_type == CALLRESULT:
        incoming.payload = frame[2] if len(frame) > 2 else {}
    elif message_type == CALLERROR:
        incoming.error_code = str(frame[2]) if len(frame) > 2 else ""
        incoming.payload = frame[3] if len(frame) > 3 else ""
    else:
        incoming.problem = "unknown message type"
    return incoming


def _read_call(incoming: Incoming, frame: list[Any]) -> None:
    if len(frame) < 3 or not isinstance(frame[2], str):
        incoming.problem = "a CALL without an action"
        return
    incoming.action = frame[2]
    payload = frame[3] if len(frame) > 3 else None
    incoming.payload = {} if payload is None else payload  # null counts as an empty object


def call(message_id: str, action: str, payload: Any) -> str:
    return msgspec.json.encode([CALL, message_id, action, payload]).decode()


def result(message_id: str, payload: Any) -> str:
    return msgspec.json.encode([CALLRESULT, message_id, payload]).decode()


def error(message_id: str, code: str, description: str) -> str:
    return msgspec.json.encode([CALLERROR, message_id, code, description[:255], {}]).decode()


def mentions_secret(text: str) -> bool:
    """For what cannot be taken apart: a name of a secret stands in it."""
    lowered = text.lower()
    return any(name in lowered for name in SECRETS)


def masked(action: str, payload: Any) -> Any:
    """A copy of the payload with secrets blanked, or None where it holds none.

    What is shaped otherwise than the action demands, yet names a secret, is blanked as a whole.
    """
    blank = BLANKERS.get(action.lower())
    if blank is None:
        return None
    found = blank(payload) if isinstance(payload, dict) else None
    return MASK if found is None and mentions_secret(str(payload)) else found


def _blank_key(payload: dict[str, Any]) -> Any:
    is_secret = str(payload.get("key", "")).lower() in SECRETS and payload.keys() <= {"key", "value"}
    return {**payload, "value": MASK} if is_secret else None


def _blank_variables(payload: dict[str, Any]) -> Any:
    entries = payload.get("setVariableData")
    if not isinstance(entries, list):
        return None
    blanked = [{**entry, "attributeValue": MASK} if _names_a_secret(entry) else entry for entry in entries]
    return {**payload, "setVariableData": blanked} if blanked != entries else None


def _names_a_secret(entry: Any) -> bool:
    variable = entry.get("variable") if isinstance(entry, dict) else None
    return isinstance(variable, dict) and str(variable.get("name", "")).lower() in SECRETS


def _blank_network(payload: dict[str, Any]) -> Any:
    """Passwords and keys of the modem, the VPN and (2.1) the CSMS, at whatever depth they stand."""
    blanked = {name: _without_network_secrets(value) for name, value in payload.items()}
    return blanked if blanked != payload else None


def _without_network_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: MASK if name in NETWORK_SECRETS else _without_network_secrets(item) for name, item in value.items()
        }
    return [_without_network_secrets(item) for item in value] if isinstance(value, list) else value


def _blank_locations(payload: dict[str, Any]) -> Any:
    """Passwords in the URLs of file servers; 1.6 names them at the top, the others one level down."""
    blanked = {
        name: _blank_locations(item) or item if isinstance(item, dict) else _without_password(item)
        for name, item in payload.items()
    }
    return blanked if blanked != payload else None


def _without_password(value: Any) -> Any:
    return URL_PASSWORD.sub(rf"\g<1>{MASK}@", value) if isinstance(value, str) else value


BLANKERS = {
    "getdiagnostics": _blank_locations,
    "getlog": _blank_locations,
    "signedupdatefirmware": _blank_locations,
    "updatefirmware": _blank_locations,
    "changeconfiguration": _blank_key,
    "setvariables": _blank_variables,
    "setnetworkprofile": _blank_network,
}
