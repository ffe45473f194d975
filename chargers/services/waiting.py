"""Waiting for commands to come to their end, for the operations that answer at once (gateway contract, 18.20).

A plain thread waits, so the number of waiters is bounded, and so is the time.
"""

import threading
import time
from collections.abc import Collection, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from chargers.models import FINAL_STATES, ChargerCommand, CommandState
from ocpplab.api.errors import Unavailable

LONGEST_WAIT = 5.0  # s, for one charger
WAIT_EACH = 0.03  # s more for every further one: building as many stations is the longest that a node has to do first
MOST_WAIT = 20.0  # s; clients give up after 30
INTERVAL = 0.05  # s; one query over all the rows waited for
MOST_WAITERS = 32  # of this process; each holds a thread and a database connection
NOT_BEGUN = "The simulator did not take the command in time; nothing was done."
NO_ANSWER = "The charger took the command but did not answer in time; see its log."
_places = threading.BoundedSemaphore(MOST_WAITERS)


def longest_wait(chargers: int) -> float:
    """Seconds that so many chargers together have to answer."""
    return min(LONGEST_WAIT + WAIT_EACH * (chargers - 1), MOST_WAIT)


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

    def until_answered(self, commands: Sequence[ChargerCommand]) -> list[ChargerCommand]:
        """The rows with their answer or in a final state, in the order given; the late ones are `timed_out`.

        An answer may come before the end: a station that has done its part may still wait for the CSMS.
        """
        ids = [command.pk for command in commands]
        end = time.monotonic() + longest_wait(len(ids))
        while time.monotonic() < end:
            if not _open(ids).exists():
                break
            time.sleep(INTERVAL)
        else:
            _give_up(ids)
        rows = ChargerCommand.objects.select_related("charger").in_bulk(ids)
        return [rows[command_id] for command_id in ids if command_id in rows]


def _open(ids: Collection[str]) -> QuerySet[ChargerCommand]:
    return ChargerCommand.objects.filter(pk__in=ids, result__isnull=True).exclude(state__in=FINAL_STATES)


def _give_up(ids: Collection[str]) -> None:
    """Conditional updates: a row that was answered a moment before keeps its answer, one not begun never begins."""
    end = {"state": CommandState.TIMED_OUT, "finished_at": timezone.now()}
    _open(ids).filter(state=CommandState.QUEUED).update(reason=NOT_BEGUN, **end)
    _open(ids).update(reason=NO_ANSWER, **end)
