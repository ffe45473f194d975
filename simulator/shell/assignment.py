"""What a node is to run: a charger as its rows describe it, and the station that comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from simulator.core.credentials import Security
from simulator.core.facts import Instant, Outcome
from simulator.core.setup import Setup
from simulator.core.station import NO_SECURITY, Station
from simulator.core.stations import STATIONS
from simulator.core.version_change import carry_over
from simulator.shell.vault import VAULT


@dataclass(frozen=True)
class Assignment:
    charger_id: UUID
    tenant_id: UUID
    shard: int
    revision: int
    url: str
    setup: Setup
    memory: dict[str, Any]
    known: bool  # has run before: state is saved
    security: Security = NO_SECURITY
    former: Setup | None = None  # as which it ran when the memory was saved, if it spoke another version then

    @property
    def csms(self) -> str:
        """Scheme, host and port: a CSMS may have many paths."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def station(self, memory: Mapping[str, Any], sequence: int, now: Instant) -> Station:
        """`sequence`: the last number used."""
        station_class = STATIONS[self.setup.subprotocol]
        return station_class(self.setup, dict(memory), now, sequence=sequence, security=self.security, vault=VAULT)

    def inherited(self, sequence: int, now: Instant) -> tuple[Mapping[str, Any], int, Outcome]:
        """The memory to start from, the last number used, and what happened on the way: of another version's memory
        only what is the device's own is kept, and what ran in that version ends."""
        former = self.former
        if former is None:
            return self.memory, sequence, Outcome()
        before = STATIONS[former.subprotocol](former, dict(self.memory), now, sequence=sequence, vault=VAULT)
        facts, memory = carry_over(before, self.setup, now)
        return memory, before.sequence, Outcome(facts, {**dict.fromkeys(self.memory), **memory})
