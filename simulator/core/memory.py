"""What a station keeps over restarts: named sections of plain JSON, with a note of what has changed."""

import copy
from typing import Any


class Memory:
    """Sections are replaced whole. `changes()` gives what differs since the last call; None means deleted."""

    def __init__(self, sections: dict[str, Any]) -> None:
        self._sections = copy.deepcopy(sections)
        self._changed: dict[str, Any] = {}

    def get(self, name: str, default: Any = None) -> Any:
        return self._sections.get(name, default)

    def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self._sections if name.startswith(prefix))

    def put(self, name: str, value: Any) -> None:
        if self._sections.get(name) != value:
            self._sections[name] = value
            self._changed[name] = value

    def delete(self, name: str) -> None:
        if self._sections.pop(name, None) is not None:
            self._changed[name] = None

    def hand_over(self, name: str, value: Any) -> None:
        """Somebody else is to keep this section, or as None to forget it: it is a change, but not kept here."""
        self._changed[name] = value

    def changes(self) -> dict[str, Any]:
        changed, self._changed = self._changed, {}
        return changed

    def snapshot(self) -> dict[str, Any]:
        """All sections; the caller must not change them."""
        return dict(self._sections)


def merged(sections: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A snapshot with later changes applied: how a spool's records become a state again."""
    result = {**sections, **changes}
    return {name: value for name, value in result.items() if value is not None}
