"""One charger's log in wire order: by epoch and sequence, from any place on without counting off what came before."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from chargers.models import ConnectionEvent, Message
from chargers.services.traffic import Filters, Traffic

Line = Message | ConnectionEvent
Position = tuple[int, ...]  # epoch, sequence


class ChargerLog(Traffic):
    """Connects and closes stand between the frames, each at its place."""

    def __init__(self, charger_id: UUID, filters: Filters, *, with_connections: bool = False) -> None:
        super().__init__([charger_id], filters, with_connections=with_connections)

    def lines(self, after: Position | None, *, newest: bool, offset: int, most: int) -> list[Line]:
        """Up to `most` lines beyond that place, without the first `offset` of them; `newest` reads backwards."""
        found: list[Line] = []
        for piece in beyond(after, newest=newest):
            if len(found) < most:
                found += self._read(piece, newest, offset, most - len(found))
        return found

    @staticmethod
    def position_of(line: Line) -> Position:
        return line.epoch, line.sequence

    def _read(self, piece: Q, newest: bool, offset: int, most: int) -> list[Line]:
        order = ("-epoch", "-sequence") if newest else ("epoch", "sequence")
        frames = self.frames().filter(piece)
        if not self.with_connections:
            return list(frames.order_by(*order)[offset : offset + most])
        events = self.events().filter(piece)
        keys = _keys(frames).union(_keys(events), all=True).order_by(*order)[offset : offset + most]
        page = [(row["epoch"], row["sequence"]) for row in keys]
        if not page:
            return []
        span = _between(min(page), max(page))
        rows: list[Line] = [*frames.filter(span), *events.filter(span)]
        return sorted(rows, key=self.position_of, reverse=newest)


def beyond(after: Position | None, *, newest: bool) -> Iterator[Q]:
    """The rows beyond a place, in pieces that follow each other; each can be sought in an index (epoch, sequence)."""
    if after is None:
        yield Q()
        return
    epoch, sequence = after
    way = "lt" if newest else "gt"
    yield Q(epoch=epoch) & Q((f"sequence__{way}", sequence))
    yield Q((f"epoch__{way}", epoch))


def _keys(rows: QuerySet[Any]) -> Any:
    return rows.order_by().values("epoch", "sequence")


def _between(first: tuple[int, int], last: tuple[int, int]) -> Q:
    not_before = Q(epoch__gt=first[0]) | Q(epoch=first[0], sequence__gte=first[1])
    not_after = Q(epoch__lt=last[0]) | Q(epoch=last[0], sequence__lte=last[1])
    return Q(epoch__range=(first[0], last[0])) & not_before & not_after
