"""Reading a charger's log: frames in wire order, and totals that do not count the big table (contract, section 14)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum

from chargers.models import Charger, ConnectionEvent, Message, MessageCount

HOUR = timedelta(hours=1)
Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a charger's log is wanted. Bounds are inclusive; `action` is compared without regard to case.

    `exact` holds equalities of other columns: direction, message_id, message_type, transaction.
    """

    start: datetime | None = None
    end: datetime | None = None
    action: str | None = None
    exact: tuple[tuple[str, str], ...] = ()


def messages(charger: Charger, filters: Filters) -> QuerySet[Message]:
    found = within(Message.objects.filter(charger=charger), filters).filter(**dict(filters.exact))
    if filters.action is not None:
        found = found.filter(action__in=_spellings(charger, filters.action))
    return found.order_by("epoch", "sequence")


def connections(charger: Charger, filters: Filters) -> QuerySet[ConnectionEvent]:
    """Only the time filters apply: the others are about frames."""
    return within(ConnectionEvent.objects.filter(charger=charger), filters).order_by("epoch", "sequence")


def within(rows: QuerySet[Any], filters: Filters) -> QuerySet[Any]:
    if filters.start is not None:
        rows = rows.filter(at__gte=filters.start)
    if filters.end is not None:
        rows = rows.filter(at__lte=filters.end)
    return rows


def _spellings(charger: Charger, action: str) -> list[str]:
    """As the log spells it: an exact comparison can use the index."""
    known = MessageCount.objects.filter(charger=charger, action__iexact=action)
    return list(known.values_list("action", flat=True).distinct())


def total(charger: Charger, filters: Filters) -> int:
    """From the recorder's hourly counters; of frames themselves only those of the two hours at the edges are counted.

    Other filters than action and time have no counters and are counted.
    """
    if filters.exact:
        return messages(charger, filters).count()
    whole_hours, edges = _hours(filters)
    counters = MessageCount.objects.filter(charger=charger).filter(whole_hours)
    if filters.action is not None:
        counters = counters.filter(action__in=_spellings(charger, filters.action))
    counted: int = counters.aggregate(total=Sum("count"))["total"] or 0
    return counted + sum(messages(charger, edge).count() for edge in edges(filters.action))


def _hours(filters: Filters) -> tuple[Q, Any]:
    """The hours that lie wholly within the bounds, and a maker of the filters for what remains at the edges."""
    first = _hour(filters.start) + HOUR if filters.start and filters.start != _hour(filters.start) else filters.start
    last = _hour(filters.end) if filters.end else None

    def edges(action: str | None) -> Iterator[Filters]:
        if filters.start and filters.end and first is not None and last is not None and first > last:
            yield Filters(filters.start, filters.end, action)
            return
        if filters.start and first is not None and first != filters.start:
            yield Filters(filters.start, first - timedelta(microseconds=1), action)
        if filters.end and last is not None:
            yield Filters(last, filters.end, action)

    hours = Q()
    if first is not None:
        hours &= Q(hour__gte=first)
    if last is not None:
        hours &= Q(hour__lt=last)
    return hours, edges


def _hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def interleaved(charger: Charger, filters: Filters, offset: int, limit: int) -> list[Message | ConnectionEvent]:
    """Frames and connection events in one wire order."""
    frames, events = messages(charger, filters), connections(charger, filters)
    keys = _keys(frames).union(_keys(events), all=True).order_by("epoch", "sequence")[offset : offset + limit]
    page: list[Key] = [(row["epoch"], row["sequence"]) for row in keys]
    if not page:
        return []
    rows: list[Message | ConnectionEvent] = [*_between(frames, page), *_between(events, page)]
    return sorted(rows, key=lambda row: (row.epoch, row.sequence))


def _keys(rows: QuerySet[Any]) -> Any:
    return rows.order_by().values("epoch", "sequence")


def _between(rows: QuerySet[Any], page: list[Key]) -> QuerySet[Any]:
    (first_epoch, first), (last_epoch, last) = page[0], page[-1]
    after = Q(epoch__gt=first_epoch) | Q(epoch=first_epoch, sequence__gte=first)
    before = Q(epoch__lt=last_epoch) | Q(epoch=last_epoch, sequence__lte=last)
    return rows.filter(after & before)
