"""Which chargers are to be looked at: marked in the transaction that changed them, unmarked once they were followed."""

import time
from collections.abc import Collection
from uuid import UUID

from ocpi.models import ChargerChange, Cpo, Evse

BATCH = 500
FORGET_SECONDS = 1.0

_none_until = 0.0


def mark(charger_ids: Collection[UUID]) -> None:
    """Marks those that belong to a CPO: one query and at most one insert; nothing at all while there is no CPO.

    What a process misses in the second for which it remembers that there was none is found by the sweep.
    """
    if not charger_ids or _no_cpo():
        return
    known = Evse.objects.unscoped().filter(charger__in=charger_ids).values_list("charger_id", flat=True)
    ChargerChange.objects.bulk_create(ChargerChange(charger=one) for one in set(known) if one is not None)


def _no_cpo() -> bool:
    global _none_until
    if time.monotonic() < _none_until:
        return True
    if Cpo.objects.unscoped().filter(destroyed_at=None).exists():
        return False
    _none_until = time.monotonic() + FORGET_SECONDS
    return True


def take() -> dict[UUID, list[int]]:
    """The oldest marks: charger and the marks that stand for it. They stay until `drop`."""
    marks: dict[UUID, list[int]] = {}
    for pk, charger_id in ChargerChange.objects.order_by("id").values_list("id", "charger")[:BATCH]:
        marks.setdefault(charger_id, []).append(pk)
    return marks


def drop(mark_ids: Collection[int]) -> None:
    ChargerChange.objects.filter(pk__in=mark_ids).delete()
