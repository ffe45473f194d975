"""Waiting for commands to come to their end, for the operations that answer at once (gateway contract, 18.20).

A plain thread waits, so the number of waiters is bounded, and so is the time.
"""

import threading
import time
from collections.abc import Collection, Sequence

from django.utils import timezone

from chargers.models import FINAL_STATES, ChargerCommand, CommandState
from ocpplab.api.errors import Unavailable

LONGEST_WAIT = 5.0  # s
INTERVAL = 0.05  # s; one query over all the rows waited for
MOST_WAITERS = 32  # of this process; each holds a thread and a database connection
_places = threading.BoundedSemaphore(MOST_WAITERS)


class Place:
    """A waiter's place, to be taken before the commands are written. Raises Unavailable when all are taken."""

    def __enter__(self) -> "Place":
        if not _places.acquire(blocking=False):
            raise Unavailable(
                "Too many requests wait for the simulator: repeat in a moment.", headers={"Retry-After": "1"}
            )
        return self

    def __exit__(self, *exc: object) -> None:
        _places.release()

    def until_finished(self, commands: Sequence[ChargerCommand]) -> list[ChargerCommand]:
        """The rows in a final state, in the order given; those not done in time are `timed_out` and never done."""
        ids = [command.pk for command in commands]
        end = time.monotonic() + LONGEST_WAIT
        while _unfinished(ids) and time.monotonic() < end:
            time.sleep(INTERVAL)
        _give_up(ids)
        rows = ChargerCommand.objects.select_related("charger").in_bulk(ids)
        return [rows[command_id] for command_id in ids if command_id in rows]


def _unfinished(ids: Collection[str]) -> bool:
    return ChargerCommand.objects.filter(pk__in=ids).exclude(state__in=FINAL_STATES).exists()


def _give_up(ids: Collection[str]) -> None:
    """One conditional update: a row that its node finished a moment before keeps its outcome."""
    ChargerCommand.objects.filter(pk__in=ids).exclude(state__in=FINAL_STATES).update(
        state=CommandState.TIMED_OUT,
        reason="The simulator did not answer in time; nothing was done.",
        finished_at=timezone.now(),
    )
