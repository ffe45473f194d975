"""The rules of OCPP-J and of the schemas, applied to one station over all of its connections."""

import time
from collections.abc import Callable

from tests.peers.ledger import CALL, ERROR, RESULT, TO_CSMS, Seen
from tests.peers.official import ERROR_CODES, FROM_STATION, V201, faults


class Judge:
    """Sees every frame of either direction in order and tells `accuse` what the station does wrong.

    `patience`: seconds after which the station may give up waiting for an answer (its MessageTimeout).
    """

    def __init__(self, accuse: Callable[[str], None], patience: float) -> None:
        self.accuse = accuse
        self.patience = patience
        self.subprotocol = ""
        self.used: set[str] = set()
        self.waiting: tuple[str, float] | None = None
        self.asked: dict[str, str] = {}
        self.nonsense = 0

    def connected(self, subprotocol: str) -> None:
        self.subprotocol = subprotocol
        self.waiting = None
        self.asked.clear()
        self.nonsense = 0

    def see(self, seen: Seen) -> None:
        if seen.direction == TO_CSMS:
            self.station_sent(seen)
        else:
            self.csms_sent(seen)

    def csms_sent(self, seen: Seen) -> None:
        if seen.frame is None or seen.kind not in (CALL, RESULT, ERROR):
            self.nonsense += 1
        elif seen.kind == CALL:
            self.asked[seen.message_id] = seen.action
        elif self.waiting and self.waiting[0] == seen.message_id:
            self.waiting = None

    def station_sent(self, seen: Seen) -> None:
        if seen.frame is None:
            self.accuse(f"no OCPP frame: {seen.text[:200]}")
        elif seen.kind == CALL:
            self.called(seen)
        elif seen.kind in (RESULT, ERROR):
            self.answered(seen)
        else:
            self.accuse(f"message type {seen.kind}: {seen.text[:200]}")

    def called(self, seen: Seen) -> None:
        frame, name = seen.frame, seen.action
        assert frame is not None
        if len(frame) != 4:
            self.accuse(f"a CALL of {len(frame)} elements: {seen.text[:200]}")
            return
        if not 1 <= len(seen.message_id) <= 36:
            self.accuse(f"{name}: a message id of {len(seen.message_id)} characters")
        if seen.message_id in self.used:
            self.accuse(f"{name}: message id {seen.message_id} was used before")
        if self.waiting and time.monotonic() - self.waiting[1] < self.patience:
            self.accuse(f"{name}: a second CALL while {self.waiting[0]} is open")
        self.used.add(seen.message_id)
        self.waiting = (seen.message_id, time.monotonic())
        if name not in FROM_STATION[self.subprotocol]:
            self.accuse(f"{name} is no action of a station in {self.subprotocol}")
        else:
            self.compare(name, frame[3], response=False)

    def answered(self, seen: Seen) -> None:
        if self.nonsense and seen.kind == ERROR and seen.message_id == "-1" and self.subprotocol == V201:
            self.nonsense -= 1
            self.compare_error(seen)
            return
        if seen.message_id not in self.asked:
            self.accuse(f"an answer to nothing that is open: {seen.text[:200]}")
            return
        if next(iter(self.asked)) != seen.message_id:
            self.accuse(f"answered {seen.action} before an earlier call: {list(self.asked.items())}")
        action = self.asked.pop(seen.message_id)
        if seen.kind == ERROR:
            self.compare_error(seen)
        elif len(seen.frame or ()) != 3:
            self.accuse(f"a RESULT of {len(seen.frame or ())} elements: {seen.text[:200]}")
        else:
            self.compare(action, seen.payload, response=True)

    def compare(self, action: str, payload: object, *, response: bool) -> None:
        what = f"{action}{' response' if response else ''}"
        for fault in faults(self.subprotocol, action, payload, response=response):
            self.accuse(f"{what}: {fault}")

    def compare_error(self, seen: Seen) -> None:
        frame = seen.frame or []
        if len(frame) != 5 or not isinstance(frame[3], str) or not isinstance(frame[4], dict):
            self.accuse(f"a malformed ERROR: {seen.text[:200]}")
        elif frame[2] not in ERROR_CODES[self.subprotocol]:
            self.accuse(f"error code {frame[2]} is unknown to {self.subprotocol}")
        elif len(frame[3]) > 255:
            self.accuse(f"an error description of {len(frame[3])} characters")

    def forget(self, message_id: str) -> None:
        """The CSMS no longer waits for this answer."""
        self.asked.pop(message_id, None)
