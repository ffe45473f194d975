"""What only the clock brings: starts that nothing followed, reservations that ran out, cables to be taken out."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from ocpi.charging import sessions
from ocpi.commanding import plugging, reserving
from ocpi.models import Authorization, Reservation, Session, SessionStatus
from ocpi.protocol.times import read
from tenants.scoping import scope

log = logging.getLogger(__name__)
KEPT = timedelta(days=1)


def chargers_to_look_at() -> set[UUID]:
    """Of sessions that run although their transaction has ended: its end may count as told by now."""
    rows = Session.objects.unscoped().filter(status=SessionStatus.ACTIVE, transaction__ended_at__isnull=False)
    rows = rows.filter(evse__charger__isnull=False)
    return {one for one in rows.values_list("evse__charger", flat=True) if one is not None}


def meet(is_stopping: Callable[[], bool]) -> None:
    for job in (_pending, _orphans, _reservations, _cables):
        if not is_stopping():
            job()
    Authorization.objects.unscoped().filter(at__lt=timezone.now() - KEPT).delete()


def _each(rows: Any, handle: Callable[[Any], None]) -> None:
    """In the organization and a transaction of its own; the row is read again, locked."""
    for row in rows:
        try:
            with scope(row.tenant_id), transaction.atomic():
                handle(type(row).objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk))
        except (InterfaceError, OperationalError):
            raise
        except Exception:
            log.exception("a deadline could not be met", extra={"row": f"{type(row).__name__} {row.pk}"})


def _pending() -> None:
    now = timezone.now()
    rows = Session.objects.unscoped().filter(status=SessionStatus.PENDING, cpo__destroyed_at=None)
    _each([row for row in rows if read(row.meter["expires"]) <= now], _give_up)


def _give_up(session: Session) -> None:
    if session.status == SessionStatus.PENDING:
        sessions.invalidate(session)


def _orphans() -> None:
    """Their charger was deleted, and its transactions with it: they end with what was known."""
    rows = Session.objects.unscoped().filter(status=SessionStatus.ACTIVE, transaction=None, cpo__destroyed_at=None)
    _each(rows, _end_orphan)


def _end_orphan(session: Session) -> None:
    if session.status == SessionStatus.ACTIVE and session.transaction_id is None:
        sessions.complete(session, read(session.meter["at"]), "The charger was removed.")


def _reservations() -> None:
    open_ones = Reservation.objects.unscoped().filter(ended_at=None, cpo__destroyed_at=None)
    for row in open_ones.select_related("evse", "session"):
        if reserving.is_over(row):
            _each([row], reserving.end)


def _cables() -> None:
    """A virtual car that came for a session leaves when it has been over for a while."""
    rows = Session.objects.unscoped().filter(
        status__in=[SessionStatus.COMPLETED, SessionStatus.INVALID],
        last_updated__gt=timezone.now() - timedelta(hours=1),
        meter__plugged=True,
    )
    _each(rows.filter(cpo__destroyed_at=None), plugging.unplug_after)
