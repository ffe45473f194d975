"""What of a log is wanted, and totals that do not count the big table (gateway contract, section 14)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from chargers.models import ConnectionEvent, Message, MessageCount
from chargers.models.message import hour_of

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Filters:
    """Bounds are inclusive; `action` is compared without regard to case, and so is `text`, a part of the frame.

    `exact` holds equalities of other columns: direction, message_id, message_type, transaction, masked, injected.
    `violation` asks for frames that break the protocol (True) or do not (False).
    """

    start: datetime | None = None
    end: datetime | None = None
    action: str | None = None
    exact: tuple[tuple[str, Any], ...] = ()
    text: str | None = None
    violation: bool | None = None

    @property
    def is_counted(self) -> bool:
        """The recorder's counters know how many frames there are."""
        return not self.exact and self.text is None and self.violation is None

    @property
    def names_transaction(self) -> bool:
        """An index leads straight to its frames."""
        return any(name == "transaction" for name, _ in self.exact)


def messages(charger_ids: Sequence[UUID], filters: Filters) -> QuerySet[Message]:
    """Frames in no order."""
    found = narrowed(of_chargers(Message.objects.all(), charger_ids), filters)
    return found if filters.action is None else spelled(found, charger_ids, filters.action)


def narrowed(frames: QuerySet[Message], filters: Filters) -> QuerySet[Message]:
    """By all filters but the action."""
    frames = within(frames, filters).filter(**dict(filters.exact))
    if filters.names_transaction:
        frames = frames.exclude(transaction="")  # the index's own words: SQLite takes it for no others
    if filters.text is not None:
        frames = frames.filter(text__icontains=filters.text)
    if filters.violation is not None:
        frames = frames.exclude(violation_code="") if filters.violation else frames.filter(violation_code="")
    return frames


def connections(charger_ids: Sequence[UUID], filters: Filters) -> QuerySet[ConnectionEvent]:
    """Connection events in no order. Only the time filters apply: the others are about frames."""
    return within(of_chargers(ConnectionEvent.objects.all(), charger_ids), filters)


def of_chargers(rows: QuerySet[Any], charger_ids: Sequence[UUID]) -> QuerySet[Any]:
    """One charger is an equality, so that an index that begins with the charger also gives the order."""
    if len(charger_ids) == 1:
        return rows.filter(charger_id=charger_ids[0])
    return rows.filter(charger_id__in=charger_ids)


def within(rows: QuerySet[Any], filters: Filters) -> QuerySet[Any]:
    if filters.start is not None:
        rows = rows.filter(at__gte=filters.start)
    if filters.end is not None:
        rows = rows.filter(at__lte=filters.end)
    return rows


def spelled(rows: QuerySet[Any], charger_ids: Sequence[UUID], action: str) -> QuerySet[Any]:
    """As the log spells it: an exact comparison can use the index."""
    known = of_chargers(MessageCount.objects.all(), charger_ids).filter(action__iexact=action)
    spellings = list(known.values_list("action", flat=True).distinct())
    return rows.filter(action=spellings[0]) if len(spellings) == 1 else rows.filter(action__in=spellings)


def total(charger_ids: Sequence[UUID], filters: Filters) -> int:
    """From the recorder's hourly counters; of frames themselves only those of the two hours at the edges are counted.

    For filters that `is_counted`, or else counts all the frames.
    """
    if not filters.is_counted:
        return messages(charger_ids, filters).count()
    hours, edges = whole_hours(filters)
    counters = of_chargers(MessageCount.objects.all(), charger_ids).filter(hours)
    if filters.action is not None:
        counters = spelled(counters, charger_ids, filters.action)
    counted: int = counters.aggregate(total=Sum("count"))["total"] or 0
    return counted + sum(messages(charger_ids, edge).count() for edge in edges)


class Traffic:
    """What the logs of these chargers hold for a reader: the frames that pass the filters, and with
    `with_connections` also the connects and closes between them."""

    def __init__(self, charger_ids: Sequence[UUID], filters: Filters, *, with_connections: bool = False) -> None:
        self.charger_ids = charger_ids
        self.filters = filters
        self.with_connections = with_connections

    def frames(self) -> QuerySet[Message]:
        return messages(self.charger_ids, self.filters)

    def events(self) -> QuerySet[ConnectionEvent]:
        found = connections(self.charger_ids, self.filters)
        return found if self.with_connections else found.none()

    def total(self) -> int:
        return total(self.charger_ids, self.filters) + self.events().count()

    def counted_up_to(self, most: int) -> int:
        """The lines there are, or `most` if there are more."""
        return min(most, self.frames().values("pk")[:most].count() + self.events().count())


def whole_hours(filters: Filters) -> tuple[Q, Iterator[Filters]]:
    """The hours that lie wholly within the bounds, and the filters for what remains at the edges."""
    start, end = filters.start, filters.end
    first = hour_of(start) + HOUR if start and start != hour_of(start) else start
    last = hour_of(end) if end else None

    def edges() -> Iterator[Filters]:
        if first is not None and last is not None and first > last:
            yield filters
            return
        if first is not None and first != start:
            yield replace(filters, end=first - timedelta(microseconds=1))
        if last is not None:
            yield replace(filters, start=last)

    hours = Q()
    if first is not None:
        hours &= Q(hour__gte=first)
    if last is not None:
        hours &= Q(hour__lt=last)
    return hours, edges()
