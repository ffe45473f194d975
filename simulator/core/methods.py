"""The methods that a station calls by name (see `block.py`), found once for all stations of a class."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

PREFIXES = ("on_", "do_")
SUFFIXES = ("_due", "_answered", "_failed", "_sent")


class Methods:
    """The methods of all parts by name; bound when they are asked for, as thousands of stations have the same."""

    __slots__ = ("_parts", "_places")

    def __init__(self, parts: Sequence[object]) -> None:
        self._parts = parts
        self._places = _places(tuple(type(part) for part in parts))

    def get(self, name: str) -> Callable[..., Any] | None:
        place = self._places.get(name)
        return None if place is None else getattr(self._parts[place], name)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._parts[self._places[name]], name)
        return method


@cache
def _places(kinds: tuple[type, ...]) -> Mapping[str, int]:
    """In which part each method stands; of two with the same name the later one counts."""
    return {
        name: place
        for place, kind in enumerate(kinds)
        for name in dir(kind)
        if name.startswith(PREFIXES) or name.endswith(SUFFIXES)
    }
