"""Pages of a log: by offset as the contract has them, and by a cursor that leads on from where a page ended."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from chargers.services.charger_log import Line
from chargers.services.traffic import Filters

MOST_COUNTED = 10_000
LARGEST = 2**128


class Log(Protocol):
    """`lines` reads from any place on, `position_of` says where a line stands (integers)."""

    @property
    def filters(self) -> Filters: ...

    def lines(self, after: tuple[int, ...] | None, *, newest: bool, offset: int, most: int) -> Sequence[Line]: ...

    def position_of(self, line: Line) -> tuple[int, ...]: ...

    def total(self) -> int: ...

    def counted_up_to(self, most: int) -> int: ...


class BadCursor(ValueError):
    """It is none of ours, or it belongs to another question."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page begins: beyond `position`, or before it (`is_back`). Counts are carried from the first page.

    `question` is a digest of what was asked: a cursor makes sense for the same filters only.
    """

    question: str
    position: list[str]  # of integers, which may be wider than JSON's
    is_back: bool
    offset: int
    total: int
    is_exact: bool

    def encoded(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @property
    def place(self) -> tuple[int, ...]:
        return tuple(int(number) for number in self.position)


@dataclass(frozen=True)
class Page:
    """`is_exact`: `total` is the number of all matches, else there are at least so many."""

    lines: list[Line]
    offset: int
    total: int
    is_exact: bool
    next: str | None
    previous: str | None


def question_of(*facts: Any) -> str:
    return hashlib.blake2b(repr(facts).encode(), digest_size=6).hexdigest()


def decoded(text: str, question: str) -> Cursor:
    """Raises BadCursor."""
    try:
        cursor = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
        numbers = [*cursor.place, cursor.offset, cursor.total]
    except (ValueError, msgspec.MsgspecError):
        raise BadCursor("It is no cursor of this log.") from None
    if cursor.question != question:
        raise BadCursor("It belongs to other filters: begin again without it.")
    if not all(0 <= number < LARGEST for number in numbers):
        raise BadCursor("It is no cursor of this log.")
    return cursor


def first_page(log: Log, question: str, *, newest: bool, offset: int, limit: int) -> Page:
    """Rows are not asked for where the counters know that there are none so far out."""
    counted = log.total() if log.filters.is_counted else None
    lines = [] if counted is not None and offset >= counted else _read(log, None, newest, offset, limit + 1)
    has_more, lines = len(lines) > limit, lines[:limit]
    total, is_exact = (counted, True) if counted is not None else _estimate(log, offset, lines, has_more)
    return _page(log, question, lines, has_more, (offset, total, is_exact), has_before=offset > 0)


def page_at(log: Log, question: str, cursor: Cursor, *, newest: bool, limit: int) -> Page:
    """Raises BadCursor when its position is none of this log's."""
    try:
        lines = _read(log, cursor.place, newest != cursor.is_back, 0, limit + 1)
    except (ValueError, OverflowError):
        raise BadCursor("It is no cursor of this log.") from None
    has_more, lines = len(lines) > limit, lines[:limit]
    if cursor.is_back:
        lines.reverse()
        counts = (max(0, cursor.offset - len(lines)), cursor.total, cursor.is_exact)
        return _page(log, question, lines, True, counts, has_before=has_more)
    seen = cursor.offset + len(lines) + has_more  # the log may have grown since the first page
    counts = (cursor.offset, max(cursor.total, seen), cursor.is_exact)
    return _page(log, question, lines, has_more, counts, has_before=True)


def _read(log: Log, after: tuple[int, ...] | None, newest: bool, offset: int, most: int) -> list[Line]:
    return list(log.lines(after, newest=newest, offset=offset, most=most))


def _estimate(log: Log, offset: int, lines: Sequence[Line], has_more: bool) -> tuple[int, bool]:
    """(total, is it exact) where no counter knows. A text would have to be looked for in every frame: not counted."""
    seen = offset + len(lines)
    if not has_more and (lines or offset == 0):
        return seen, True
    if log.filters.text is not None:
        return (seen + 1, False) if has_more else (0, False)
    counted = log.counted_up_to(MOST_COUNTED + 1)
    if counted > MOST_COUNTED:
        return max(MOST_COUNTED, seen + has_more), False
    return counted, True


def _page(
    log: Log, question: str, lines: list[Line], has_more: bool, counts: tuple[int, int, bool], *, has_before: bool
) -> Page:
    offset, total, is_exact = counts

    def cursor(line: Line, is_back: bool, at: int) -> str:
        position = [str(number) for number in log.position_of(line)]
        return Cursor(question, position, is_back, at, total, is_exact).encoded()

    following = cursor(lines[-1], False, offset + len(lines)) if lines and has_more else None
    before = cursor(lines[0], True, offset) if lines and has_before else None
    return Page(lines, offset, total, is_exact, following, before)
