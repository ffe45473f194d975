"""The station's own CALLs: their order, the queue that outlives restarts, and the one that is out."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from simulator.core import tail
from simulator.core.memory import Memory
from simulator.core.tail import Tail

BOOT, AUTHORIZE, NOTIFY, TRANSACTION, HEARTBEAT = range(5)  # priority, first goes first (contract F7)
QUEUE = "queue."
MOST_QUEUED = 10_000
MOST_IN_MEMORY = 100  # of the queue; the rest lies with the shell
FETCHED_AT_ONCE = 50


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
    droppable: bool = False  # a sample between others: it may go when the queue is too long (contract Q3)


class Outbox:
    """Waiting calls by priority; transaction messages in chronological order, each kept until it is answered.

    Of a long queue only the front is held here: see `Tail`. When it has grown short, `wanted` says what to fetch.
    """

    def __init__(self, memory: Memory) -> None:
        self.most_queued = MOST_QUEUED
        self._memory = memory
        self._beyond = Tail(memory.get(tail.SECTION, ()))
        self._fetching = False
        self.waiting: list[Call] = []
        names = memory.names(QUEUE)
        self.queue: list[Call] = [msgspec.convert(memory.get(name), Call) for name in names]
        self._mark_offline()
        self._last_number = max(self._beyond.last, self.queue[-1].number if self.queue else 0)
        self.not_before = 0.0  # mono: the head of the queue is being retried

    def add(self, call: Call) -> None:
        if call.priority == TRANSACTION:
            self._last_number += 1
            call.number = self._last_number
            if self._beyond or len(self.queue) >= MOST_IN_MEMORY:
                self._beyond.append(call.number, droppable=call.droppable)
                self._memory.hand_over(tail.name_of(call.number), _stored(call))
            else:
                self.queue.append(call)
                self.store(call)
            if self.length > self.most_queued:
                self._thin_out()
        else:
            call.behind = self._cause_of(call)
            self.waiting.append(call)

    def _cause_of(self, call: Call) -> int:
        """The number of the start or stop that a status must follow, 0 where it need not wait.

        What waited out a lost connection holds nobody up: statuses first, then the queue (contract R3). Nor does a
        sample, and a driver who waits for an Authorize waits for nothing else (F7).
        """
        if call.priority == AUTHORIZE or self._beyond:
            return 0
        for one in reversed(self.queue):
            if one.queued_offline or not one.droppable:
                return 0 if one.queued_offline else one.number
        return 0

    def _thin_out(self) -> None:
        """Every second sample goes, but for one that may be on its way; starts and ends stay, however many."""
        samples = [call for call in self.queue[1:] if call.droppable]
        for call in samples[::2]:
            self._memory.delete(_name(call))
        gone = {call.number for call in samples[::2]}
        self.queue = [call for call in self.queue if call.number not in gone]
        for number in self._beyond.thin_out():
            self._memory.hand_over(tail.name_of(number), None)

    # --- what lies with the shell -----------------------------------------------------------------------------------

    @property
    def length(self) -> int:
        return len(self.queue) + len(self._beyond)

    def wanted(self) -> tuple[int, ...]:
        """Numbers of the messages to fetch now; asked once, until `fetched` brings them."""
        if self._fetching or not self._beyond or len(self.queue) > MOST_IN_MEMORY - FETCHED_AT_ONCE:
            return ()
        self._fetching = True
        return self._beyond.first(FETCHED_AT_ONCE)

    def fetched(self, asked: tuple[int, ...], found: Mapping[int, Any]) -> None:
        """They are back; those that were dropped meanwhile stay away."""
        self._fetching = False
        for number in asked:
            if number in found and self._beyond.has(number):
                call = msgspec.convert(found[number], Call)
                call.queued_offline = True
                self.queue.append(call)
                self.store(call)
            self._memory.hand_over(tail.name_of(number), None)
        self._beyond.remove_up_to(asked[-1])

    def beyond(self) -> list[int]:
        return self._beyond.saved()

    def store(self, call: Call) -> None:
        self._memory.put(_name(call), _stored(call))

    def done(self, call: Call) -> None:
        """The queue's head was answered or given up."""
        if call in self.queue:
            self.queue.remove(call)
            self._memory.delete(_name(call))
        self.not_before = 0.0

    def next(
        self,
        mono: float,
        *,
        only_asked: bool = False,
        only_boot: bool = False,
        choose: Callable[[int], int] = lambda _: 0,
    ) -> Call | None:
        """The call to send now, or None; removes it unless it is a transaction message.

        `choose` says which of so many queued transaction messages goes first: the oldest, if nobody meddles.
        """
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
            return self.queue[choose(len(self.queue))]
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
        """What lies with the shell may be of any transaction, so it counts for each."""
        return bool(self._beyond) or any(call.transaction == transaction for call in self.queue)

    def is_out_of_turn(self, call: Call) -> bool:
        """A transaction message that overtakes older ones."""
        return call.priority == TRANSACTION and call is not self.queue[0]

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.length


def _name(call: Call) -> str:
    return f"{QUEUE}{call.number:010d}"


def _stored(call: Call) -> Any:
    """A restart is nobody's command any more: what is stored names none."""
    return msgspec.to_builtins(msgspec.structs.replace(call, command_id=""))
