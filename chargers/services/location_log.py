"""The logs of many chargers as one, by time.

The indexes begin with the charger, so rows are fetched in windows of time, each of which is sought once per charger. A
window is as wide as the traffic is thin, and empty stretches are leapt over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import DateTimeField, Field, Func, Max, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual

from chargers.models import Charger, ConnectionEvent, Message
from chargers.services import traffic
from chargers.services.charger_log import Line
from chargers.services.traffic import Filters, Traffic

ORDER = ("at", "charger_id", "epoch", "sequence")
START, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST_WIDTH = timedelta(minutes=1)
LEAST_WIDTH, MOST_WIDTH = timedelta(milliseconds=1), timedelta(days=400)
FASTEST_GROWTH = 16
LINES_FOR_ONE = 20  # looked at for each line wanted, to begin with
MOST_AT_HAND = 200_000
Position = tuple[int, ...]  # microseconds since 1970, the charger's UUID as a number, epoch, sequence, width hint


class Pair(Func):
    """Two values that are compared as one, as an index of both has them."""

    template = "(%(expressions)s)"
    arity = 2
    output_field = Field()


@dataclass(frozen=True)
class Place:
    """A line's place. `width` of the last window is where the next page begins its guesses."""

    at: datetime
    charger_id: UUID
    epoch: int
    sequence: int
    width: timedelta

    @classmethod
    def of(cls, position: Position) -> "Place":
        """Raises ValueError or OverflowError when it is none."""
        micros, charger, epoch, sequence, width = position
        wide = timedelta(microseconds=width)
        if not LEAST_WIDTH <= wide <= MOST_WIDTH:
            raise ValueError(width)
        return cls(START + timedelta(microseconds=micros), UUID(int=charger), epoch, sequence, wide)

    def beyond(self, newest: bool) -> Q:
        way = "lt" if newest else "gt"
        later = Q((f"sequence__{way}", self.sequence))
        for name, value in (("epoch", self.epoch), ("charger_id", self.charger_id), ("at", self.at)):
            later = Q((f"{name}__{way}", value)) | Q((name, value)) & later
        return later


@dataclass
class Walk:
    """How many lines are looked at in one window: few where the page may fill, more and more where nothing comes."""

    least: int
    most: int = 0
    skipped: int = 0
    _is_too_far: bool = False

    def __post_init__(self) -> None:
        self.most = self.least

    def hurry(self) -> None:
        self.most = min(4 * self.most, MOST_AT_HAND)

    def skips(self, count: int, offset: int, *, can_narrow: bool) -> bool:
        """Whether these lines are only counted off: all of them (`skipped`), or none since there are too many to sort.

        In the latter case the same edge is tried again with a narrower window.
        """
        self._is_too_far = can_narrow and count > offset and count > self.least
        self.skipped = count if count <= offset else 0
        if self._is_too_far:
            self.most = self.least
        elif count <= offset:
            self.hurry()
        return self._is_too_far or count <= offset

    def goes_back(self) -> bool:
        went, self._is_too_far = self._is_too_far, False
        return went


class LocationLog(Traffic):
    """Reads the lines of these chargers. Not for several threads: it remembers how wide its last window was."""

    def __init__(self, charger_ids: Sequence[UUID], filters: Filters, *, with_connections: bool = False) -> None:
        super().__init__(charger_ids, filters, with_connections=with_connections)
        self.width = FIRST_WIDTH

    def lines(self, after: Position | None, *, newest: bool, offset: int, most: int) -> list[Line]:
        """Up to `most` lines beyond that place, without the first `offset` of them; `newest` reads backwards."""
        place = Place.of(after) if after else None
        sources = self._sources()
        if place is not None:
            self.width = place.width
            sources = [rows.filter(place.beyond(newest)) for rows in sources]
        if self.filters.names_transaction and not self.with_connections:
            return _merged(sources, newest, offset, most)
        edge = place.at if place else self._leap(self.filters.end if newest else self.filters.start, newest)
        found: list[Line] = []
        walk = Walk(LINES_FOR_ONE * most)
        for window in self._windows(edge, newest, walk):
            rows = [source.filter(window) for source in sources]
            can_narrow = self.width > LEAST_WIDTH
            if offset and walk.skips(sum(one.count() for one in rows), offset, can_narrow=can_narrow):
                offset -= walk.skipped
                continue
            found += _merged(rows, newest, offset, most - len(found))
            offset = 0
            if len(found) == most:
                break
            walk.hurry()
        return found

    def _windows(self, edge: datetime | None, newest: bool, walk: "Walk") -> Iterator[Q]:
        """Windows from the edge on, each with some lines of these chargers but fewer than the walk takes at once."""
        while edge is not None and not self._is_past(edge, newest):
            window = _window(edge, self.width, newest)
            at_hand = self._at_hand(window, walk.most)
            if at_hand >= walk.most and self.width > LEAST_WIDTH:
                self.width = max(self.width / FASTEST_GROWTH, LEAST_WIDTH)
                continue
            if at_hand:
                yield window
            if walk.goes_back():
                self.width = max(self.width / FASTEST_GROWTH, LEAST_WIDTH)
                continue
            far = edge - self.width if newest else edge + self.width
            edge = far if at_hand else self._leap(far, newest)
            growth = min(max(walk.most // (2 * at_hand), 1), FASTEST_GROWTH) if at_hand else FASTEST_GROWTH
            self.width = min(self.width * growth, MOST_WIDTH)

    def _at_hand(self, window: Q, most: int) -> int:
        """Lines in the window, whatever they say; counted up to `most`, in the index (charger, at)."""
        tables = (Message, ConnectionEvent) if self.with_connections else (Message,)
        rows = (traffic.of_chargers(table.objects.filter(window), self.charger_ids) for table in tables)
        return sum(one.values("at")[:most].count() for one in rows)

    def position_of(self, line: Line) -> Position:
        micros = (line.at - START) // MICROSECOND
        return micros, line.charger_id.int, line.epoch, line.sequence, self.width // MICROSECOND

    def _sources(self) -> list[QuerySet[Any]]:
        return [self.frames(), self.events()] if self.with_connections else [self.frames()]

    def _leap(self, edge: datetime | None, newest: bool) -> datetime | None:
        """The time of the first line at the edge or beyond it, whatever it says; None when there is no more."""
        tables = (Message, ConnectionEvent) if self.with_connections else (Message,)
        times = [at for table in tables if (at := self._nearest(table, edge, newest)) is not None]
        return (max if newest else min)(times, default=None)

    def _is_past(self, edge: datetime, newest: bool) -> bool:
        """Nothing beyond can lie within the filters' bounds."""
        start, end = self.filters.start, self.filters.end
        return start is not None and edge < start if newest else end is not None and edge > end

    def _nearest(self, table: type[Any], edge: datetime | None, newest: bool) -> datetime | None:
        """One step in the index (charger, at) for each charger.

        An equality would let PostgreSQL walk the index of times instead, through all that other chargers said.
        """
        place = Pair(OuterRef("pk"), Value(edge or (END if newest else START), DateTimeField()))
        rows: QuerySet[Any] = table.objects.all()
        if newest:
            rows = rows.filter(LessThanOrEqual(Pair("charger_id", "at"), place), charger_id__gte=OuterRef("pk"))
            first = Subquery(rows.order_by("-charger_id", "-at").values("at")[:1])
        else:
            rows = rows.filter(GreaterThanOrEqual(Pair("charger_id", "at"), place), charger_id__lte=OuterRef("pk"))
            first = Subquery(rows.order_by("charger_id", "at").values("at")[:1])
        chargers = Charger.objects.filter(pk__in=self.charger_ids).order_by().annotate(nearest=first)
        found: datetime | None = chargers.aggregate(found=(Max if newest else Min)("nearest"))["found"]
        return found


def _window(edge: datetime, width: timedelta, newest: bool) -> Q:
    """Holds its near edge and not its far one."""
    return Q(at__lte=edge, at__gt=edge - width) if newest else Q(at__gte=edge, at__lt=edge + width)


def _merged(sources: Sequence[QuerySet[Any]], newest: bool, offset: int, most: int) -> list[Line]:
    order = [f"-{name}" for name in ORDER] if newest else list(ORDER)
    if len(sources) == 1:
        return list(sources[0].order_by(*order)[offset : offset + most])
    rows: list[Line] = [row for source in sources for row in source.order_by(*order)[: offset + most]]
    rows.sort(key=lambda row: (row.at, row.charger_id, row.epoch, row.sequence), reverse=newest)
    return rows[offset : offset + most]
