"""How far the frames' ids can be read without missing one: rows become visible out of their ids' order.

A row gets its id when it is written and shows itself when its transaction commits, so a later id may show first. Ids up
to the horizon are settled: each is visible, or never will be.
"""

import threading
import time
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max

from chargers.models import Message

FRESH_SECONDS = 0.2  # all who ask within share one look


@dataclass(frozen=True, slots=True)
class Candidate:
    """Ids up to `allocated` were given out by transactions that had begun before `first_later`, a transaction id."""

    allocated: int
    first_later: int


class Horizon:
    """One for all followers of a process; any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._settled = 0
        self._candidate: Candidate | None = None

    def settled(self) -> int:
        """The greatest id up to which nothing more will appear."""
        with self._lock:
            if time.monotonic() - self._looked_at > FRESH_SECONDS:
                self._look()
                self._looked_at = time.monotonic()
            return self._settled

    def _look(self) -> None:
        if connection.vendor != "postgresql":
            self._settled = allocated()  # one writer at a time: what commits later has greater ids
            return
        if self._candidate is None:
            given_out = allocated()  # before the snapshot: who holds one of these ids is older than `first_later`
            oldest_running, first_later = _snapshot()
            self._candidate = Candidate(given_out, first_later)
        else:
            oldest_running, _ = _snapshot()
        if oldest_running >= self._candidate.first_later:
            self._settled = self._candidate.allocated
            self._candidate = None


def allocated() -> int:
    """The last id given out, whether its row shows already or not."""
    if connection.vendor != "postgresql":
        last: int | None = Message.objects.unscoped().aggregate(last=Max("id"))["last"]
        return last or 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [Message._meta.db_table])
        (sequence,) = cursor.fetchone()
        cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608  # the server's own word
        number, is_called = cursor.fetchone()
    return int(number) if is_called else int(number) - 1


def _snapshot() -> tuple[int, int]:
    """The oldest transaction that still runs, and the first that has not begun."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(now)::text, pg_snapshot_xmax(now)::text FROM pg_current_snapshot() AS now"
        )
        oldest, first_later = cursor.fetchone()
    return int(oldest), int(first_later)
