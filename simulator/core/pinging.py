"""WebSocket pings and what it means when no pong comes (behaviour contract, T11 and T12)."""

from abc import abstractmethod

from simulator.core.facts import Ping
from simulator.core.machine import Block

PONG_TIMEOUT_S = 10.0


class Pinging(Block):
    @abstractmethod
    def interval(self) -> int:
        """Seconds between pings; 0 for none."""

    def settle(self) -> None:
        if self.station.link.connected and "ping" not in self.station.timers:
            self.rearm()

    def rearm(self) -> None:
        self.station.cancel_timer("ping")
        if self.station.link.connected and self.interval() > 0:
            self.station.set_timer("ping", float(self.interval()))

    def ping_due(self, _: str) -> None:
        if self.station.link.connected:
            self.station.order(Ping())
            self.station.timers.setdefault("pong", self.station.now.mono + PONG_TIMEOUT_S)
        self.rearm()

    def pong_due(self, _: str) -> None:
        self.station.drop_link("no pong")

    def went_offline(self) -> None:
        self.station.cancel_timer("ping")
        self.station.cancel_timer("pong")
