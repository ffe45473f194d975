"""Frames for the pages of other rows: looked up by key or from the end of one charger's log, never counted."""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db.models import Q

from chargers.models import Charger, Direction, Message

LATEST = 20
ARROWS = {Direction.CP_TO_CSMS.value: "→ CSMS", Direction.CSMS_TO_CP.value: "← CSMS"}


def latest(charger_id: UUID) -> list[Message]:
    """The newest frames, newest first; the index gives them in this order."""
    rows = Message.objects.unscoped().filter(charger_id=charger_id).order_by("-epoch", "-sequence")
    return list(rows[:LATEST])


def named(charger_id: UUID, entry_ids: Sequence[str]) -> list[Message]:
    """Those of the log entries `<epoch>-<sequence>` that are still in the log, in wire order."""
    sequences: dict[int, list[int]] = {}
    for entry_id in entry_ids:
        epoch, _, sequence = entry_id.partition("-")
        sequences.setdefault(int(epoch), []).append(int(sequence))
    if not sequences:
        return []
    wanted = Q()
    for number, found in sequences.items():
        wanted |= Q(epoch=number, sequence__in=found)
    return list(Message.objects.unscoped().filter(wanted, charger_id=charger_id).order_by("epoch", "sequence"))


def readable(message: Message) -> str:
    """The frame indented when it is JSON, else as it stood on the wire."""
    try:
        return json.dumps(json.loads(message.text), indent=2, ensure_ascii=False)
    except ValueError:
        return message.text


def arrow(direction: str) -> str:
    return ARROWS.get(direction, direction)


def owners_of(charger_ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """(identity, organization) of each charger that still exists, in one query."""
    rows = Charger.objects.unscoped().filter(pk__in=set(charger_ids)).order_by()
    return {row[0]: (row[1], row[2]) for row in rows.values_list("pk", "identity", "tenant__name")}
