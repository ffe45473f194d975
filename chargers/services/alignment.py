"""Aligning two sequences: a longest common subsequence, exact and with bounded cost."""

from collections.abc import Hashable, Iterator, Sequence


def aligned(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Pairs of indices of equal items, rising on both sides, as many as there can be.

    Rows of the usual table are kept as the bits of one integer each: n·m/8 bytes, and n operations on m bits.
    """
    first, last = _common_ends(left, right)
    middle = _inner(left[first : len(left) - last], right[first : len(right) - last])
    pairs = [(index, index) for index in range(first)]
    pairs += [(first + one, first + other) for one, other in middle]
    pairs += [(len(left) - back, len(right) - back) for back in range(last, 0, -1)]
    return pairs


def _common_ends(left: Sequence[Hashable], right: Sequence[Hashable]) -> tuple[int, int]:
    """How many items are the same at the beginning, and how many of the others at the end."""
    most = min(len(left), len(right))
    first = 0
    while first < most and left[first] == right[first]:
        first += 1
    last = 0
    while last < most - first and left[-1 - last] == right[-1 - last]:
        last += 1
    return first, last


def _inner(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    if not left or not right:
        return []
    rows = list(_rows(left, right))
    pairs: list[tuple[int, int]] = []
    row, column = len(left), len(right)
    while row and column:
        if rows[row - 1] >> (column - 1) & 1:
            column -= 1  # this item of the right side adds nothing
        else:
            row -= 1
            if row == 0 or rows[row - 1] >> (column - 1) & 1:
                column -= 1  # it is this row that brought the match
                pairs.append((row, column))
    return pairs[::-1]


def _rows(left: Sequence[Hashable], right: Sequence[Hashable]) -> Iterator[int]:
    """For each item of the left side: a cleared bit where the best length grows from one column to the next."""
    places: dict[Hashable, int] = {}
    for index, item in enumerate(right):
        places[item] = places.get(item, 0) | 1 << index
    full = (1 << len(right)) - 1
    row = full
    for item in left:
        matches = row & places.get(item, 0)
        row = (row + matches | row - matches) & full
        yield row
