"""Chance that is the same everywhere and for ever: from a text, by SHA-256, whatever the Python version."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws in a fixed row. Dice of another subject give another row, independent of how often these were thrown."""

    def __init__(self, *subject: object) -> None:
        self._subject = subject
        self._key = "\0".join(map(str, subject)).encode()
        self._thrown = 0

    def of(self, *part: object) -> "Dice":
        return Dice(*self._subject, *part)

    def below(self, limit: int) -> int:
        """0 up to but not including the limit. The bias of the remainder is below 2**-50 for what is asked here."""
        self._thrown += 1
        return int.from_bytes(sha256(self._key + self._thrown.to_bytes(8)).digest()[:8]) % limit

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.below(2**32) / 2**32

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]
