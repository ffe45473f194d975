"""Rings at the pusher of this process, if it runs here; the pusher of another finds the rows by its poll."""

from collections.abc import Callable

from django.db import transaction

_ringers: list[Callable[[], None]] = []


def answer_with(ringer: Callable[[], None]) -> None:
    """`ringer` may be called from any thread."""
    _ringers[:] = [ringer]


def unplug() -> None:
    _ringers.clear()


def ring_on_commit() -> None:
    transaction.on_commit(_ring, robust=True)


def _ring() -> None:
    for ringer in _ringers:
        ringer()
