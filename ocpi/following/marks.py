"""Which chargers are to be looked at: marked in the transaction that changed them, unmarked once they were followed."""

import time
from collections.abc import Collection, Sequence
from uuid import UUID

from ocpi.models import ChargerChange, Cpo, Evse

BATCH = 500
MOST = 50_000
FORGET_SECONDS = 1.0

_none_until = 0.0


def mark(charger_ids: Collection[UUID]) -> None:
    """Marks those that belong to a CPO: one query and at most one insert; nothing at all while there is no CPO.

    What a process misses in the second for which it remembers that there was none is found by the sweep.
    """
    global _none_until
    if not charger_ids or time.monotonic() < _none_until:
        return
    rows = Evse.objects.unscoped().filter(charger__in=charger_ids).order_by()
    known = {one for one in rows.values_list("charger_id", flat=True) if one is not None}
    if known:
        ChargerChange.objects.bulk_create(ChargerChange(charger=one) for one in known)
    elif not Cpo.objects.unscoped().filter(destroyed_at=None).exists():
        _none_until = time.monotonic() + FORGET_SECONDS


def mark_all(cpo: Cpo) -> None:
    """Every charger of the CPO: what its EVSEs show of them has been given another meaning."""
    rows = Evse.objects.filter(cpo=cpo, charger__isnull=False).order_by().distinct()
    charger_ids = (one for one in rows.values_list("charger_id", flat=True) if one is not None)
    ChargerChange.objects.bulk_create(ChargerChange(charger=one) for one in charger_ids)


def take() -> dict[UUID, list[int]]:
    """The chargers of the oldest marks, each with the marks that stand for it now. They stay until `drop`.

    One query; a second where marks have piled up, since one look at a charger is worth all of its marks.
    """
    rows = ChargerChange.objects.order_by("id").values_list("id", "charger")
    found = list(rows[:BATCH])
    if len(found) == BATCH:
        found = list(rows.filter(charger__in={charger_id for _, charger_id in found})[:MOST])
    marks: dict[UUID, list[int]] = {}
    for pk, charger_id in found:
        marks.setdefault(charger_id, []).append(pk)
    return marks


def drop(mark_ids: Sequence[int]) -> None:
    """By id: a mark that has become visible since was not looked at."""
    for start in range(0, len(mark_ids), BATCH):
        ChargerChange.objects.filter(pk__in=mark_ids[start : start + BATCH]).delete()
