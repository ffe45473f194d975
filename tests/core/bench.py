"""How a scenario reaches its station: straight, as here, or over a wire (`tests/contract/wire.py`)."""

from collections.abc import Mapping
from ssl import SSLContext
from typing import Any, Protocol

from simulator.core import tail
from simulator.core.credentials import Security
from simulator.core.facts import AnyFact, FetchQueued, Instant, Order, Send
from simulator.core.setup import Setup
from simulator.core.station import Station
from simulator.core.stations import STATIONS
from simulator.core.transfers import Transferred
from simulator.shell.vault import VAULT


class Scenario(Protocol):
    """What a line needs to know, and whom it tells what the station does."""

    setup: Setup
    security: Security
    tls: SSLContext | None
    kept: dict[str, Any]

    @property
    def now(self) -> Instant: ...

    def recorded(self, facts: list[AnyFact], changes: Mapping[str, Any]) -> None: ...

    def arrived(self, text: str | bytes) -> None: ...

    def ordered(self, order: Order) -> None: ...

    def lost(self) -> None: ...

    @property
    def all_arrived(self) -> bool: ...


class Line(Protocol):
    """Between a scenario and its station. Every method returns when the station has done what it does at once."""

    pongs: bool  # pings are answered

    @property
    def station(self) -> Station: ...

    def build(self, memory: Mapping[str, Any]) -> None:
        """Another station of the scenario's setup takes its place, with nothing but this memory."""

    def speak_tls(self, tls: SSLContext) -> None:
        """From the next connection on the CSMS shows this, and speaks nothing else."""

    def power_up(self, *, resume: bool = False) -> None:
        """It runs, and waits to be let dial."""

    def power_off(self, *, killed: bool) -> None: ...

    def deadline(self) -> float | None: ...

    def tick(self) -> None: ...

    def dial(self) -> None:
        """The station makes the connection that it wants."""

    def refuse(self) -> None:
        """It tries, in vain."""

    def cut(self) -> None:
        """The connection ends, not by the station."""

    def say(self, text: str) -> None:
        """The CSMS does."""

    def execute(self, command_id: str, name: str, params: dict[str, Any]) -> None: ...

    def transferred(self, result: Transferred) -> None: ...

    def collect(self) -> None:
        """What the station has been made to do by other means."""


def kept(scenario: Scenario, numbers: tuple[int, ...]) -> dict[int, Any]:
    """These messages of the far end of a long queue."""
    return {number: scenario.kept[tail.name_of(number)] for number in numbers if tail.name_of(number) in scenario.kept}


class Bench:
    """The station by itself, fed by hand: no socket, no time of its own."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.pongs = True

    def build(self, memory: Mapping[str, Any]) -> None:
        setup, security, now = self._scenario.setup, self._scenario.security, self._scenario.now
        self.station = STATIONS[setup.subprotocol](setup, dict(memory), now, security=security, vault=VAULT)

    def speak_tls(self, tls: SSLContext) -> None:
        pass  # there is no wire

    def power_up(self, *, resume: bool = False) -> None:
        self.station.power_up(self._scenario.now, "resume" if resume else "PowerUp")
        self.collect()

    def power_off(self, *, killed: bool) -> None:
        if not killed:
            self.station.shut_down(self._scenario.now)
            self.station.disconnected(self._scenario.now, 1001, "going away")
            self.collect()

    def deadline(self) -> float | None:
        return self.station.next_deadline()

    def tick(self) -> None:
        if self.pongs:
            self.station.pong(self._scenario.now)
        self.station.tick(self._scenario.now)
        self.collect()

    def dial(self) -> None:
        self.station.connecting(self._scenario.now)
        self.station.connected(self._scenario.now)
        self.collect()

    def refuse(self) -> None:
        self.station.connecting(self._scenario.now)
        self.station.refused(self._scenario.now, None, "down")
        self.collect()

    def cut(self) -> None:
        self.station.disconnected(self._scenario.now, 1006, "cut")
        self.collect()

    def say(self, text: str) -> None:
        self.station.receive(text, self._scenario.now)
        self.collect()

    def execute(self, command_id: str, name: str, params: dict[str, Any]) -> None:
        self.station.execute(command_id, name, params, self._scenario.now)
        self.collect()

    def transferred(self, result: Transferred) -> None:
        self.station.transferred(result, self._scenario.now)
        self.collect()

    def collect(self) -> None:
        wanted = [self._take()]
        while wanted:
            for numbers in wanted.pop():
                self.station.queued(numbers, kept(self._scenario, numbers), self._scenario.now)
                wanted.append(self._take())

    def _take(self) -> list[tuple[int, ...]]:
        """Hands on what the station has done; the messages that it wants back."""
        outcome = self.station.take()
        self._scenario.recorded(outcome.facts, outcome.changes)
        for order in outcome.orders:
            if isinstance(order, Send):
                self._scenario.arrived(getattr(order, "data", order.text))
            self._scenario.ordered(order)
        return [order.numbers for order in outcome.orders if isinstance(order, FetchQueued)]
