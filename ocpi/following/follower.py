"""One look at everything that moves: marked chargers, commands under way, and what only the clock brings."""

import logging
import time
from collections.abc import Callable
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from chargers.models import Charger, Transaction
from ocpi.charging import sessions
from ocpi.commanding import results
from ocpi.following import deadlines, marks, statuses
from ocpi.models import Evse
from tenants.scoping import scope

log = logging.getLogger(__name__)
SWEEP_SECONDS = 2.0


class Follower:
    """Runs in one thread. Two of them at once do the same work twice, to the same effect."""

    def __init__(self) -> None:
        self._swept = 0.0

    def look(self, is_stopping: Callable[[], bool] = lambda: False) -> None:
        """Raises nothing but what the database raises."""
        for charger_id, mark_ids in marks.take().items():
            if is_stopping():
                return
            follow(charger_id)
            marks.drop(mark_ids)
        results.settle(is_stopping)
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            self._swept = time.monotonic()
            self._sweep(is_stopping)

    def _sweep(self, is_stopping: Callable[[], bool]) -> None:
        for charger_id in statuses.overdue(timezone.now()) | deadlines.chargers_to_look_at():
            if not is_stopping():
                follow(charger_id)
        deadlines.meet(is_stopping)


def follow(charger_id: UUID) -> None:
    """Brings everything that peers see of one charger up to date, in one short transaction.

    A charger at which something breaks is logged and left: it hinders no other, and its next change tries again. Raises
    only when the database is not there.
    """
    tenant_id = Charger.objects.unscoped().filter(pk=charger_id).values_list("tenant_id", flat=True).first()
    if tenant_id is None:
        return
    try:
        with scope(tenant_id), transaction.atomic():
            _follow(charger_id)
    except (InterfaceError, OperationalError):
        raise
    except Exception:
        log.exception("a charger could not be followed", extra={"charger": str(charger_id)})


def _follow(charger_id: UUID) -> None:
    # Locked, so that of two followers one waits; in an order, so that neither waits for the other.
    locked = Evse.objects.filter(charger=charger_id, cpo__destroyed_at=None).select_for_update(
        of=("self",), no_key=True
    )
    evses = list(locked.select_related("cpo", "location__cpo", "location__location").order_by("pk"))
    charger = Charger.objects.filter(pk=charger_id).first()
    if charger is None or not evses:
        return
    sessions.follow(charger, evses)
    running = Transaction.objects.filter(charger=charger, ended_at=None)
    busy = set(running.values_list("evse_id", "connector_id"))
    statuses.follow(charger, evses, busy)
