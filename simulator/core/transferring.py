"""A block that moves one file at a time and tells the CSMS how far it is, whatever it takes.

All of it outlives restarts: a transfer that was under way begins anew, a notification goes out until it is answered.
"""

from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import urlsplit

from simulator.core.calls import Call
from simulator.core.facts import Order
from simulator.core.machine import Block, Machine
from simulator.core.network_faults import NetworkFaults
from simulator.core.security import SecurityProfiles
from simulator.core.transfers import FAILURE, NOT_SUPPORTED, Attempts, CancelTransfer, Transferred

MOST_UNTOLD = 50
INTERVAL_S = 10.0  # between attempts where the CSMS names none
MOST_RETRIES = 100
TOLD = "told"


class Transferring(Block):
    """`untold` holds notifications {action, payload} that the CSMS has not answered, oldest first."""

    section: ClassVar[str]
    notifications: ClassVar[tuple[str, ...]]
    protocols_setting: ClassVar[str]  # names the protocols that the station knows, in capitals

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.untold: list[dict[str, Any]] = list(station.store.get(self.section, {}).get("untold", []))
        self._key = ""  # of the transfer under way

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """What must survive beside `untold`; empty where there is nothing."""

    @abstractmethod
    def move_on(self) -> None:
        """Does what is due; called after every input while the machine is up."""

    @abstractmethod
    def next_step(self) -> float | None:
        """Wall time at which `move_on` has something to do by itself."""

    @abstractmethod
    def order(self, key: str) -> Order:
        """What the shell is to do under this key."""

    @abstractmethod
    def began(self) -> None: ...

    @abstractmethod
    def succeeded(self, result: Transferred) -> None: ...

    @abstractmethod
    def gave_up(self, result: Transferred) -> None:
        """The last attempt has failed."""

    @property
    @abstractmethod
    def attempts(self) -> Attempts | None:
        """Those of the transfer that is wanted now, if one is."""

    def save(self) -> None:
        record = self.record()
        if self.untold:
            record["untold"] = list(self.untold)
        if record or self.station.store.get(self.section):
            self.station.store.put(self.section, record)

    # --- moving a file ----------------------------------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        return self.station.link.state != "off" and not self.station.rebooting

    def is_supported(self, url: str) -> bool:
        return urlsplit(url).scheme.upper() in self.station.configuration.members(self.protocols_setting)

    def trusted(self) -> tuple[tuple[str, ...], bool]:
        """(PEM of the roots for file servers, whether any certificate is taken)."""
        security = self.station.block(SecurityProfiles)
        return security.trusted(), security.set.insecure

    def pursue(self, url: str) -> None:
        """Begins the wanted transfer, or the next attempt at it, if its time has come."""
        attempts, wall = self.attempts, self.station.now.wall
        if attempts is None or (not self._key and wall < attempts.again_at):
            return
        if not self.is_supported(url):
            self.gave_up(Transferred("", NOT_SUPPORTED, "the settings do not list the URL's protocol"))
        elif self.station.block(NetworkFaults).cut:
            self.drop_transfer()
            self.began()
            self._attempt_failed(Transferred("", FAILURE, "the network is cut"))
        elif not self._key:
            self._key = self.station.ids()
            self.began()
            self.station.order(self.order(self._key))

    def transferred(self, result: Transferred) -> None:
        if not self._key or result.key != self._key:
            return
        self._key = ""
        if result.failure:
            self._attempt_failed(result)
        else:
            self.succeeded(result)

    def _attempt_failed(self, result: Transferred) -> None:
        attempts = self.attempts
        if attempts is None or not attempts.failed(self.station.now.wall):
            self.gave_up(result)

    def opened(self, sealed: str) -> str:
        """The URL, or "" where it cannot be read any more."""
        try:
            return self.station.vault.unseal(sealed)
        except ValueError:
            return ""

    def drop_transfer(self) -> None:
        if self._key:
            self.station.order(CancelTransfer(self._key))
            self._key = ""

    def went_down(self) -> None:
        self.drop_transfer()

    def next_event(self) -> float | None:
        at = self.next_step() if self.is_up else None
        if at is None or self._key:
            return None
        return self.station.now.mono + max(0.0, at - self.station.now.wall)

    def settle(self) -> None:
        if self.is_up:
            self.move_on()
        self._tell_next()

    # --- telling the CSMS -------------------------------------------------------------------------------------------

    def notify(self, action: str, payload: dict[str, Any]) -> None:
        self.untold = [*self.untold, {"action": action, "payload": payload}][-MOST_UNTOLD:]

    def _tell_next(self) -> None:
        if not self.untold or not self.station.online:
            return
        if not any(self.station.has_call(action) for action in self.notifications):
            first = self.untold[0]
            self.station.call(Call(first["action"], first["payload"], context={TOLD: True}))

    def was_told(self, call: Call, answer: dict[str, Any]) -> None:
        """The CSMS has answered a notification."""
        self._is_told(call)

    def _is_told(self, call: Call) -> None:
        if call.context.get(TOLD) and self.untold and self.untold[0]["payload"] == call.payload:
            self.untold = self.untold[1:]

    def was_not_told(self, call: Call, problem: str) -> None:
        """What a lost connection has swallowed goes out again; an error, or silence, is an answer too."""
        if problem != "lost":
            self._is_told(call)
        self.station.commands.note(call.command_id, f"Done, but the CSMS did not take {call.action}.")


def attempts_of(request: dict[str, Any]) -> Attempts:
    """From `retries` and `retryInterval` of a request of the CSMS."""
    retries = min(max(request.get("retries", 0), 0), MOST_RETRIES)
    interval = request.get("retryInterval")
    return Attempts(retries, INTERVAL_S if interval is None else float(max(interval, 0)))
