"""The station's own CALLs: their order, the queue that outlives restarts, and the one that is out."""

from typing import Any

import msgspec

from simulator.core.memory import Memory

BOOT, AUTHORIZE, NOTIFY, TRANSACTION, HEARTBEAT = range(5)  # priority, first goes first (contract F7)
QUEUE = "queue."


class Call(msgspec.Struct):
    """An own CALL that waits or is out. `context` is the caller's, for the answer; it must be plain JSON.

    `transaction` is the station's key of the transaction a queued message belongs to. `behind` is the number of the
    transaction message that must go out first, so that the wire shows cause before effect.
    """

    action: str
    payload: dict[str, Any]
    priority: int = NOTIFY
    context: dict[str, Any] = {}
    command_id: str = ""
    transaction: str = ""
    number: int = 0
    behind: int = 0
    sends: int = 0
    unasked: bool = True  # False: the CSMS asked for it, so it may go out while registration is pending
    injected: bool = False  # a user's own wording: nothing here acts upon its answer
    queued_offline: bool = False


class Outbox:
    """Waiting calls by priority; transaction messages in chronological order, each kept until it is answered."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.waiting: list[Call] = []
        names = memory.names(QUEUE)
        self.queue: list[Call] = [msgspec.convert(memory.get(name), Call) for name in names]
        self._mark_offline()
        self._last_number = self.queue[-1].number if self.queue else 0
        self.not_before = 0.0  # mono: the head of the queue is being retried

    def add(self, call: Call) -> None:
        if call.priority == TRANSACTION:
            self._last_number += 1
            call.number = self._last_number
            self.queue.append(call)
            self.store(call)
        else:
            # What waited out a lost connection holds nobody up: statuses first, then the queue (contract R3).
            last = self.queue[-1] if self.queue else None
            call.behind = last.number if last is not None and not last.queued_offline else 0
            self.waiting.append(call)

    def store(self, call: Call) -> None:
        # A restart is nobody's command any more: what is stored names none.
        stored = msgspec.structs.replace(call, command_id="")
        self._memory.put(f"{QUEUE}{call.number:010d}", msgspec.to_builtins(stored))

    def done(self, call: Call) -> None:
        """The queue's head was answered or given up."""
        if call in self.queue:
            self.queue.remove(call)
            self._memory.delete(f"{QUEUE}{call.number:010d}")
        self.not_before = 0.0

    def next(self, mono: float, *, only_asked: bool = False, only_boot: bool = False) -> Call | None:
        """The call to send now, or None; removes it unless it is a transaction message."""
        best: Call | None = None
        queue_moves = mono >= self.not_before and not only_asked and not only_boot
        for call in self.waiting:
            if only_boot and call.priority != BOOT:
                continue
            if only_asked and call.unasked and call.priority != BOOT:
                continue
            if queue_moves and self._must_wait(call):
                continue
            if best is None or call.priority < best.priority:
                best = call
        if best is not None and best.priority < TRANSACTION:
            self.waiting.remove(best)
            return best
        if self.queue and queue_moves:
            return self.queue[0]
        if best is not None:
            self.waiting.remove(best)
        return best

    def _must_wait(self, call: Call) -> bool:
        # Only for a message that was never sent: one that is being retried, or may not go out, holds nobody up.
        return any(one.number <= call.behind and one.sends == 0 for one in self.queue)

    def drop_waiting(self) -> list[Call]:
        """The connection is lost: gives what is not kept."""
        dropped, self.waiting = self.waiting, []
        self._mark_offline()
        return dropped

    def _mark_offline(self) -> None:
        for call in self.queue:
            call.queued_offline = True

    def has_for(self, transaction: str) -> bool:
        return any(call.transaction == transaction for call in self.queue)

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.queue
