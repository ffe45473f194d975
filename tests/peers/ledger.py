"""Every frame that a CSMS has seen, per station and in order, and a way to await one."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.peers.official import parse

TO_CSMS = "cp_to_csms"
TO_STATION = "csms_to_cp"
CALL, RESULT, ERROR = 2, 3, 4
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame as on the wire. `action` of an answer is that of its call; `frame` is None if it is no JSON array."""

    direction: str
    text: str
    connection: int
    frame: list[Any] | None
    action: str = ""

    @property
    def kind(self) -> int:
        return self.frame[0] if self.frame else 0

    @property
    def message_id(self) -> str:
        return self.frame[1] if self.frame else ""

    @property
    def payload(self) -> Any:
        """Of a CALL or a RESULT; the error code of an ERROR."""
        assert self.frame is not None
        return self.frame[3] if self.kind == CALL else self.frame[2]

    def is_call(self, action: str = "") -> bool:
        """Whether the station calls the CSMS (with this action)."""
        return self.direction == TO_CSMS and self.kind == CALL and action in ("", self.action)

    def is_answer(self, action: str = "") -> bool:
        """Whether the station answers the CSMS (a call of this action)."""
        return self.direction == TO_CSMS and self.kind in (RESULT, ERROR) and action in ("", self.action)

    def is_answered(self, action: str = "") -> bool:
        """Whether the CSMS answers the station (a call of this action)."""
        return self.direction == TO_STATION and self.kind in (RESULT, ERROR) and action in ("", self.action)


Predicate = Callable[[Seen], object]


@dataclass(slots=True)
class Page:
    frames: list[Seen] = field(default_factory=list)
    actions: dict[tuple[str, str], str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Ledger:
    def __init__(self) -> None:
        self.pages: defaultdict[str, Page] = defaultdict(Page)

    def record(self, identity: str, direction: str, text: str, connection: int) -> Seen:
        page = self.pages[identity]
        frame = parse(text)
        if not isinstance(frame, list) or len(frame) < 3 or not isinstance(frame[1], str):
            frame = None
        seen = Seen(direction, text, connection, frame, self.action_of(page, direction, frame))
        page.frames.append(seen)
        page.changed.set()
        return seen

    @staticmethod
    def action_of(page: Page, direction: str, frame: list[Any] | None) -> str:
        if frame is None:
            return ""
        if frame[0] == CALL:
            page.actions[direction, frame[1]] = str(frame[2])
            return str(frame[2])
        asked_by = TO_STATION if direction == TO_CSMS else TO_CSMS
        return page.actions.get((asked_by, frame[1]), "")

    def frames(self, identity: str) -> list[Seen]:
        return list(self.pages[identity].frames)

    def texts(self, identity: str, direction: str = "") -> list[str]:
        return [seen.text for seen in self.frames(identity) if direction in ("", seen.direction)]

    def calls(self, identity: str, action: str = "") -> list[Seen]:
        """The station's own calls."""
        return [seen for seen in self.frames(identity) if seen.is_call(action)]

    async def wait_for(
        self, identity: str, predicate: Predicate, *, after: int = 0, what: str = "", deadline: float = PATIENCE
    ) -> Seen:
        """The first frame for which the predicate holds, past ones from number `after` on included.

        Fails with all that was seen instead.
        """
        page = self.pages[identity]
        try:
            async with asyncio.timeout(deadline):
                while True:
                    page.changed.clear()
                    for seen in page.frames[after:]:
                        if predicate(seen):
                            return seen
                    after = max(after, len(page.frames))
                    await page.changed.wait()
        except TimeoutError:
            story = "\n".join(f"  {seen.direction} {seen.text[:300]}" for seen in page.frames)
            raise AssertionError(f"{identity}: no {what or 'such frame'} in {deadline:g} s; seen:\n{story}") from None
