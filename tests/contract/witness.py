"""What the scripted CSMS of the test at hand has seen of a station, in wire order.

Only what a WebSocket brought counts: the CSMSs of the tests tell it (`tests/contract/csms.py` for scenarios,
`tests/shell/csms.py` beside a whole node). `tests/pytest_contract.py` forgets it before each test and asks it after.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple


class Seen(NamedTuple):
    """`kind`: connect, call, result, error, close, drop, ping, or broken for what is no frame of the version.

    `name` is the action (of a result or error: the one it answers), the error code for `error`, the close code for
    `close`; `payload` what came with it.
    """

    version: str
    kind: str
    name: str
    payload: Any


_seen: list[Seen] = []
_asked: dict[str, str] = {}  # actions of the CSMS's own calls, by message id


def forget() -> None:
    _seen.clear()
    _asked.clear()


def everything() -> list[Seen]:
    return list(_seen)


def note(version: str, kind: str, name: str = "", payload: Any = None) -> None:
    _seen.append(Seen(version, kind, name, payload))


def request(path: str, headers: Mapping[str, str]) -> None:
    """A station asks for a WebSocket, whether it gets one or not."""
    offered = headers.get("Sec-WebSocket-Protocol", "")
    payload = {"subprotocol": offered, "path": path}
    if "Sec-WebSocket-Extensions" in headers:
        payload["extensions"] = headers["Sec-WebSocket-Extensions"]
    if "Authorization" in headers:
        payload["authorization"], _, login = headers["Authorization"].partition(" ")
        payload["login"] = b64decode(login).decode("latin-1")
    note(offered if offered == "ocpp2.0.1" else "ocpp1.6", "connect", payload=payload)


def end(version: str, code: int | None) -> None:
    """A connection is over: with the station's close frame, or without one."""
    if code in (None, 1006):
        note(version, "drop")
    else:
        note(version, "close", str(code))


def sent(text: str) -> None:
    """The CSMS sends this frame: the answer to it will be known by its action."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(frame, list) and len(frame) > 2 and frame[0] == 2 and isinstance(frame[1], str):
        _asked[frame[1]] = str(frame[2])


def received(version: str, text: str) -> None:
    """The CSMS received this text frame from the station."""
    try:
        match json.loads(text):
            case [2, str(), str(action), payload]:
                note(version, "call", action, payload)
            case [3, str(message_id), payload]:
                note(version, "result", _asked.get(message_id, ""), payload)
            case [4, str(message_id), str(code), description, _]:
                payload = {"id": message_id, "action": _asked.get(message_id, ""), "description": description}
                note(version, "error", code, payload)
            case _:
                note(version, "broken", "", text)
    except ValueError:
        note(version, "broken", "", text)
