"""Rows for the far end of stations' queues: kept as the recorder's records say, read back a few at a time."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from chargers.models import QueuedMessage
from simulator.core.tail import PREFIX, SECTION

Changes = Mapping[str, Any]
MOST_NAMED = 500


def keep(changes: Iterable[tuple[UUID, Changes]]) -> None:
    """Applies what records changed, in their order: a message to keep, or None to forget it."""
    last: dict[UUID, dict[int, Any]] = {}
    for charger_id, changed in changes:
        if SECTION in changed and changed[SECTION] is None:  # another version begins: its queue is empty
            last.pop(charger_id, None)
            QueuedMessage.objects.filter(charger_id=charger_id).delete()
        for name, call in changed.items():
            if name.startswith(PREFIX):
                last.setdefault(charger_id, {})[int(name.removeprefix(PREFIX))] = call
    _write(last)
    for charger_id, calls_by_number in last.items():
        _forget(charger_id, [number for number, call in calls_by_number.items() if call is None])


def _write(last: Mapping[UUID, Mapping[int, Any]]) -> None:
    rows = [
        QueuedMessage(charger_id=charger_id, number=number, droppable=call.get("droppable", False), call=call)
        for charger_id, calls_by_number in last.items()
        for number, call in calls_by_number.items()
        if call is not None
    ]
    if rows:
        QueuedMessage.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["charger", "number"], update_fields=["droppable", "call"]
        )


def _forget(charger_id: UUID, numbers: list[int]) -> None:
    """A queue that was thinned out forgets thousands: more than one statement may name."""
    for start in range(0, len(numbers), MOST_NAMED):
        QueuedMessage.objects.filter(charger_id=charger_id, number__in=numbers[start : start + MOST_NAMED]).delete()


def beyond(charger_ids: Collection[UUID]) -> dict[UUID, list[int]]:
    """The numbers kept for each charger, in order; that of a sample is negative, as the station's core has it."""
    found: dict[UUID, list[int]] = {}
    rows = QueuedMessage.objects.filter(charger_id__in=charger_ids).order_by("charger_id", "number")
    for charger_id, number, droppable in rows.values_list("charger_id", "number", "droppable"):
        found.setdefault(charger_id, []).append(-number if droppable else number)
    return found


def calls(charger_id: UUID, numbers: Collection[int]) -> dict[int, Any]:
    """The messages of these numbers, as far as they are kept."""
    rows = QueuedMessage.objects.filter(charger_id=charger_id, number__in=numbers)
    return dict(rows.values_list("number", "call"))
