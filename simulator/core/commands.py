"""What became of a user's command: which frames it caused and whether the station did it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from simulator.core.facts import CommandAdvanced, Instant

TIMEOUT = 90.0  # s; the row's own deadline may be earlier
MOST_FRAMES = 50


class Pending(msgspec.Struct):
    """A command under way. It ends by itself, accepted, once nothing holds it and none of its calls is open."""

    command_id: str
    deadline: float
    frames: list[int] = []
    open_calls: int = 0
    held: bool = False
    sent: bool = False
    note: str = ""
    result: dict[str, Any] | None = None
    result_told: bool = False


class CommandTracker:
    def __init__(self) -> None:
        self.cause = ""
        self._pending: dict[str, Pending] = {}
        self._facts: list[CommandAdvanced] = []

    def begin(self, command_id: str, now: Instant, *, within: float = TIMEOUT) -> None:
        """`within`: seconds until it is overdue. Also for one that has waited and now begins in earnest."""
        known = self._pending.setdefault(command_id, Pending(command_id, deadline=0.0))
        known.deadline = now.mono + within

    def is_pending(self, command_id: str) -> bool:
        return command_id in self._pending

    @contextmanager
    def caused_by(self, command_id: str) -> Iterator[None]:
        """Calls made within the block belong to this command ("" for none)."""
        before, self.cause = self.cause, command_id
        try:
            yield
        finally:
            self.cause = before

    def hold(self, command_id: str) -> None:
        """The command waits for more than its open calls; `finish` must end it."""
        if command_id in self._pending:
            self._pending[command_id].held = True

    def release(self, command_id: str) -> None:
        if command_id in self._pending:
            self._pending[command_id].held = False

    def note(self, command_id: str, text: str) -> None:
        if command_id in self._pending:
            self._pending[command_id].note = text

    def answer(self, command_id: str, result: dict[str, Any]) -> None:
        """The result of a command that is done inside the station, whatever its messages still wait for."""
        if command_id in self._pending:
            self._pending[command_id].result = result

    def call_opened(self, command_id: str) -> None:
        if command_id in self._pending:
            self._pending[command_id].open_calls += 1

    def call_closed(self, command_id: str) -> None:
        if command_id in self._pending:
            self._pending[command_id].open_calls -= 1

    def frame(self, command_id: str, sequence: int, now: Instant) -> None:
        pending = self._pending.get(command_id)
        if pending is None:
            return
        if len(pending.frames) < MOST_FRAMES:
            pending.frames.append(sequence)
        if not pending.sent:
            pending.sent = True
            self._tell(pending, "sent", now)

    def _tell(self, pending: Pending, state: str, now: Instant) -> None:
        pending.result_told = pending.result is not None
        fact = CommandAdvanced(pending.command_id, state, now.wall, "", list(pending.frames), pending.result)
        self._facts.append(fact)

    def finish(self, command_id: str, state: str, reason: str, now: Instant) -> None:
        pending = self._pending.pop(command_id, None)
        if pending is not None:
            fact = CommandAdvanced(command_id, state, now.wall, reason[:500], pending.frames, pending.result)
            self._facts.append(fact)

    def hand_back(self, waiting: Collection[str], why: str, now: Instant) -> None:
        """The machine leaves: who waits to begin is queued again, what is done inside is done, the rest has failed."""
        for pending in list(self._pending.values()):
            if pending.command_id in waiting:
                self.finish(pending.command_id, "queued", "", now)
            elif pending.result is not None:
                self.finish(pending.command_id, "accepted", pending.note, now)
            else:
                self.finish(pending.command_id, "failed", why, now)

    def next_deadline(self) -> float | None:
        return min((pending.deadline for pending in self._pending.values()), default=None)

    def settle(self, now: Instant, why_silent: str) -> list[CommandAdvanced]:
        """Ends what is done or overdue and returns the news. `why_silent` is the reason where no frame went out."""
        for pending in list(self._pending.values()):
            if not pending.held and pending.open_calls <= 0:
                reason = pending.note or ("" if pending.frames else why_silent)
                self.finish(pending.command_id, "accepted", reason, now)
            elif now.mono >= pending.deadline:
                reason = "No answer in time; see the log." if pending.sent else "The CSMS has not accepted the charger."
                self.finish(pending.command_id, "timed_out", reason, now)
            elif pending.result is not None and not pending.result_told:
                self._tell(pending, "sent" if pending.sent else "claimed", now)
        facts, self._facts = self._facts, []
        return facts
