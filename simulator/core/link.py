"""When to connect: power, back-off with jitter, and what the wire last did (behaviour contract, 1.6)."""

from random import Random

import msgspec


class BackOff(msgspec.Struct, frozen=True):
    """OCPP 2.0.1's RetryBackOff variables, used for 1.6 too (s; the fleet-friendly lab defaults)."""

    wait_minimum: float = 3.0
    random_range: float = 11.0
    repeat_times: int = 4


class Link:
    """`state` is off, waiting, connecting, connected or closing. `connect_at` (mono) is set while waiting."""

    def __init__(self, random: Random) -> None:
        self.state = "off"
        self.connect_at: float | None = None
        self.failures = 0
        self._random = random

    @property
    def connected(self) -> bool:
        return self.state == "connected"

    def wait(self, mono: float, delay: float = 0.0) -> None:
        self.state, self.connect_at = "waiting", mono + delay

    def connecting(self) -> None:
        self.state, self.connect_at = "connecting", None

    def opened(self) -> None:
        self.state, self.connect_at, self.failures = "connected", None, 0

    def closing(self) -> None:
        self.state = "closing"

    def off(self) -> None:
        self.state, self.connect_at = "off", None

    def failed(self, mono: float, back_off: BackOff) -> float:
        """Waits for the next attempt and returns the wait in seconds: doubled per failure, newly jittered."""
        doublings = min(self.failures, back_off.repeat_times)
        self.failures += 1
        delay: float = back_off.wait_minimum * 2**doublings + self._random.uniform(0, back_off.random_range)
        self.wait(mono, delay)
        return delay
