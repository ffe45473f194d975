"""Changes of many EVSEs or of a location at once, with the times that delta pulls go by and the word to peers.

A change of an EVSE raises the time of its location as well (OCPI contract 5).
"""

from typing import Any

from django.db.models import QuerySet

from ocpi.models import CpoLocation, Evse
from ocpi.moments import now_ms
from ocpi.pushing import outbox


def touch_evses(evses: QuerySet[Evse], **changes: Any) -> int:
    """Changes the rows and tells the peers their status; the number of rows. Needs a transaction."""
    rows = list(evses.select_related("cpo", "location"))
    now = now_ms()
    keys = [row.pk for row in rows]
    for start in range(0, len(keys), 500):
        Evse.objects.filter(pk__in=keys[start : start + 500]).update(last_updated=now, **changes)
    CpoLocation.objects.filter(pk__in={row.location_id for row in rows}).update(last_updated=now)
    for row in rows:
        row.last_updated = now
        for name, value in changes.items():
            setattr(row, name, value)
        outbox.evse_status_changed(row)
    return len(rows)


def touch_location(site: CpoLocation, **changes: Any) -> None:
    """Changes the row and sends the peers the whole location. Needs a transaction."""
    now = now_ms()
    CpoLocation.objects.filter(pk=site.pk).update(last_updated=now, **changes)
    site.last_updated = now
    for name, value in changes.items():
        setattr(site, name, value)
    outbox.location_changed(site)
