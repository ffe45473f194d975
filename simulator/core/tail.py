"""The far end of a long queue of transaction messages: they lie with the shell, here are only their numbers."""

from array import array
from collections.abc import Iterable

SECTION = "queue_beyond"  # what the shell tells of them when a station is built
PREFIX = "beyond."  # a message that the shell is to keep, or, as None, to forget


def name_of(number: int) -> str:
    return f"{PREFIX}{number:010d}"


class Tail:
    """Numbers in order; that of a sample, which may be dropped, is kept negative."""

    def __init__(self, saved: Iterable[int] = ()) -> None:
        self._numbers = array("q", saved)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def last(self) -> int:
        """The newest one's number, 0 where there is none."""
        return abs(self._numbers[-1]) if self._numbers else 0

    def append(self, number: int, *, droppable: bool) -> None:
        self._numbers.append(-number if droppable else number)

    def first(self, count: int) -> tuple[int, ...]:
        return tuple(abs(number) for number in self._numbers[:count])

    def remove_up_to(self, number: int) -> None:
        keep = next((place for place, one in enumerate(self._numbers) if abs(one) > number), len(self._numbers))
        del self._numbers[:keep]

    def has(self, number: int) -> bool:
        return number in self._numbers or -number in self._numbers

    def thin_out(self) -> list[int]:
        """Drops every second sample; gives their numbers."""
        samples = [number for number in self._numbers if number < 0]
        gone = set(samples[::2])
        self._numbers = array("q", (number for number in self._numbers if number not in gone))
        return [-number for number in gone]

    def saved(self) -> list[int]:
        return self._numbers.tolist()
