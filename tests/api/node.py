"""A stand-in for a simulator node: it claims the rows of queued commands and hands in outcomes as a node does.

The machines themselves are tested in `tests/core` and `tests/shell`; here only the way of an answer to HTTP counts.
"""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.utils import timezone

from chargers.models import ChargerCommand, CommandState
from chargers.services.ingest import Record, ingest
from simulator.core.facts import CommandAdvanced

EPOCH = 1
Reply = Callable[[ChargerCommand], tuple[str, str, dict[str, Any] | None]]  # state, reason, result


class StandIn(threading.Thread):
    """Answers every queued command by `reply` until stopped; `seen` holds (event_type, payload)."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(daemon=True)
        self.reply = reply
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self._stop_asked = threading.Event()

    def __enter__(self) -> "StandIn":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        try:
            while not self._stop_asked.wait(0.01):
                for command in ChargerCommand.objects.unscoped().filter(state=CommandState.QUEUED):
                    self._do(command)
        finally:
            connection.close()

    def _do(self, command: ChargerCommand) -> None:
        self.seen.append((command.event_type, command.payload))
        state, reason, result = self.reply(command)
        fact = CommandAdvanced(command.pk, state, timezone.now().timestamp(), reason, [], result)
        record = Record(command.tenant_id, command.charger_id, command.shard, EPOCH, [fact])
        ingest([record], snapshots={}, epochs=lambda shards: dict.fromkeys(shards, EPOCH))
