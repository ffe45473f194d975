"""What has come to a log since one last looked: each frame once, none left out, also after a break.

A tail's position is a short text that a follower keeps and hands in again. Of one charger it names the last frame seen
of each of the latest epochs: a node that had lost its lease may hand in frames of its epoch after those of the next.
Of several chargers it is the last id seen, behind the horizon.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.db.models import Min, Q, QuerySet

from chargers.models import Charger, Message
from chargers.services import horizon
from chargers.services.traffic import Filters, narrowed
from locations.models import Location

AT_ONCE = 500
IDS_AT_ONCE = 20_000  # of all organizations, looked through by their primary key
EPOCHS_KEPT = 4
LONGEST_LAPSE = 2.0  # s
HORIZON = horizon.Horizon()
Event = tuple[str, Message]  # the position after it, the frame


class Tail(Protocol):
    """`read` gives what is new and fits, `position` is where it has got to, `has_more` whether to read on at once."""

    has_more: bool

    @property
    def position(self) -> str: ...

    def read(self) -> list[Event]: ...

    def exists(self) -> bool: ...


def fitting(frames: QuerySet[Message], filters: Filters) -> QuerySet[Message]:
    found = narrowed(frames, filters)
    return found if filters.action is None else found.filter(action__iexact=filters.action)


# --- one charger ----------------------------------------------------------------------------------------------------


class ChargerTail:
    def __init__(self, charger_id: UUID, filters: Filters, seen: dict[int, int]) -> None:
        self.charger_id = charger_id
        self.filters = filters
        self.seen = seen  # epoch -> the last sequence number read
        self.has_more = False
        self._settled = -1
        self._looked_at = float("-inf")

    @property
    def position(self) -> str:
        return ".".join(f"{epoch}-{sequence}" for epoch, sequence in sorted(self.seen.items()))

    def exists(self) -> bool:
        return Charger.objects.filter(pk=self.charger_id).exists()

    def read(self) -> list[Event]:
        keys = self._new_keys() if self._has_reason_to_look() else []
        self.has_more = len(keys) == AT_ONCE
        if not keys:
            return []
        rows = {(row.epoch, row.sequence): row for row in fitting(self._frames().filter(_among(keys)), self.filters)}
        events = []
        for epoch, sequence in keys:
            self.seen[epoch] = sequence
            self.seen = dict(sorted(self.seen.items())[-EPOCHS_KEPT:])
            if row := rows.get((epoch, sequence)):
                events.append((self.position, row))
        return events

    def _has_reason_to_look(self) -> bool:
        """Frames of whatever charger have come. The horizon may be held up by others, so now and then all the same."""
        settled, now = HORIZON.settled(), time.monotonic()
        if settled == self._settled and not self.has_more and now - self._looked_at < LONGEST_LAPSE:
            return False
        self._settled, self._looked_at = settled, now
        return True

    def _frames(self) -> QuerySet[Message]:
        return Message.objects.filter(charger_id=self.charger_id)

    def _new_keys(self) -> list[tuple[int, int]]:
        keys: list[tuple[int, int]] = []
        for piece in self._unseen():
            if room := AT_ONCE - len(keys):
                rows = self._frames().filter(piece).order_by("epoch", "sequence")
                keys += rows.values_list("epoch", "sequence")[:room]
        return keys

    def _unseen(self) -> list[Q]:
        """Each can be sought in the index. Epochs older than those kept are closed."""
        if not self.seen:
            return [Q()]
        known = [Q(epoch=epoch, sequence__gt=sequence) for epoch, sequence in sorted(self.seen.items())]
        return [*known, Q(epoch__gt=min(self.seen)) & ~Q(epoch__in=list(self.seen))]


def _among(keys: Sequence[tuple[int, int]]) -> Q:
    ranges: dict[int, tuple[int, int]] = {}
    for epoch, sequence in keys:
        first, _ = ranges.get(epoch, (sequence, sequence))
        ranges[epoch] = first, sequence
    wanted = Q()
    for epoch, bounds in ranges.items():
        wanted |= Q(epoch=epoch, sequence__range=bounds)
    return wanted


def epochs_of(position: str) -> dict[int, int]:
    """From a position, or from the id of a log entry. Raises ValueError."""
    seen = {}
    for part in position.split("."):
        epoch, _, sequence = part.partition("-")
        seen[number(epoch)] = number(sequence)
    return dict(sorted(seen.items())[-EPOCHS_KEPT:])


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(text)
    return int(text)


def charger_now(charger_id: UUID, before: datetime | None = None) -> dict[int, int]:
    """The last frames of the latest epochs, now or before that moment."""
    seen: dict[int, int] = {}
    frames = Message.objects.filter(charger_id=charger_id)
    if before is not None:
        last = frames.filter(at__lt=before).order_by("-at", "-epoch", "-sequence").values_list("epoch", "sequence")
        return dict([found]) if (found := last.first()) else {}
    while len(seen) < EPOCHS_KEPT:
        rest = frames.filter(epoch__lt=min(seen)) if seen else frames
        found = rest.order_by("-epoch", "-sequence").values_list("epoch", "sequence").first()
        if found is None:
            break
        seen[found[0]] = found[1]
    return seen


# --- a location's chargers ------------------------------------------------------------------------------------------


class LocationTail:
    """`asked` names some of the chargers; None follows all, also those that come to the location later."""

    def __init__(self, location_id: UUID, asked: Sequence[UUID] | None, filters: Filters, seen: int) -> None:
        self.location_id = location_id
        self.asked = None if asked is None else set(asked)
        self.filters = filters
        self.seen = seen  # the last id read
        self.has_more = False

    @property
    def position(self) -> str:
        return str(self.seen)

    def exists(self) -> bool:
        return Location.objects.filter(pk=self.location_id).exists()

    def read(self) -> list[Event]:
        settled = HORIZON.settled()
        until = min(settled, self.seen + IDS_AT_ONCE)
        self.has_more = until < settled
        if until <= self.seen:
            return []
        ids = Message.objects.filter(id__gt=self.seen, id__lte=until).order_by("id")
        found = list(ids.values_list("id", "charger_id", "at")[:AT_ONCE])
        if len(found) == AT_ONCE:
            until, self.has_more = found[-1][0], True
        ours = self._ours({charger_id for _, charger_id, _ in found})
        wanted = [(pk, at) for pk, charger_id, at in found if charger_id in ours]
        self.seen = until
        return [(str(row.pk), row) for row in self._rows(wanted)]

    def _ours(self, charger_ids: set[UUID]) -> set[UUID]:
        if self.asked is not None:
            charger_ids &= self.asked
        if not charger_ids:
            return set()
        here = Charger.objects.filter(location_id=self.location_id, pk__in=charger_ids)
        return set(here.order_by().values_list("pk", flat=True))

    def _rows(self, wanted: Sequence[tuple[int, datetime]]) -> QuerySet[Message]:
        if not wanted:
            return Message.objects.none()
        times = [at for _, at in wanted]  # spares partitions of other days
        rows = Message.objects.filter(pk__in=[pk for pk, _ in wanted], at__range=(min(times), max(times)))
        return fitting(rows, self.filters).order_by("id")


def location_now(charger_ids: Sequence[UUID], since: datetime | None = None) -> int:
    """The last id given out, or that before the first frame since that moment."""
    if since is None:
        return horizon.allocated()
    settled = HORIZON.settled()
    rows = Message.objects.filter(charger_id__in=charger_ids, at__gte=since)
    first: int | None = rows.aggregate(first=Min("id"))["first"]
    return settled if first is None else min(settled, first - 1)
