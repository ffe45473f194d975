"""A station as its parts see it: what it knows and can do for them, and what a block is.

A block is one functional subject of an OCPP version. The station finds a block's methods by name: `on_<Action>`
answers a CALL of the CSMS with a payload or raises Refusal; `<Action>_answered` and `<Action>_failed` take what became
of an own CALL; `<what>_due` takes a timer; `do_<name>` does a user's command. Names are unique over the blocks of a
station.

Blocks know this module and, by `Machine.block`, those blocks that they build upon; nobody but `station.py` and the
versions' lists of blocks knows what a whole station is made of.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import Any, ClassVar, TypeVar, cast

import msgspec

from simulator.core.calls import HEARTBEAT, TRANSACTION, Call, Outbox
from simulator.core.commands import CommandTracker
from simulator.core.configuration import ACCEPTED, REBOOT_REQUIRED, Configuration
from simulator.core.credentials import Credentials, Security, Vault
from simulator.core.errors import Kind
from simulator.core.facts import AnyFact, Frame, Instant, Order, Send
from simulator.core.link import BackOff, Link
from simulator.core.memory import Memory
from simulator.core.methods import Methods
from simulator.core.physical.connector import Connector
from simulator.core.setup import Setup
from simulator.core.transfers import Transferred

B = TypeVar("B", bound="Block")


class Block:
    """Blocks hold no secrets of their own: what must outlive a restart goes to the station's memory."""

    actions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, station: "Machine") -> None:
        self.station = station

    def save(self) -> None:
        """Called after every input: put what must survive into the station's memory."""

    def settle(self) -> None:
        """Called after every input, before messages go out: draw conclusions from the changed facts."""

    def came_online(self, *, after_boot: bool) -> None:
        """The CSMS accepts us: after a boot, or after a mere reconnect."""

    def moved(self) -> None:
        """The machine starts and is to connect to another CSMS than before."""

    def power_lost(self) -> None:
        """The machine starts again after it lost its power without warning."""

    def power_survived(self) -> None:
        """The machine starts again after it lost its power, and its transactions go on: `seen_at` is when it did."""

    def retired(self) -> None:
        """The machine is to speak another OCPP version: what runs in this one ends."""

    def watchdog_bit(self) -> None:
        """The machine is about to reboot because it has caught itself failing."""

    def went_down(self) -> None:
        """The machine is off: it reboots, or has no power."""

    def went_offline(self) -> None:
        """The connection is gone."""

    def transferred(self, result: Transferred) -> None:
        """A file that some block has ordered is there, or never will be."""

    def connection_refused(self, code: int | None, reason: str) -> None:
        """A connection could not be made; `code` as `Station.refused` has it."""

    def clock_moved(self, seconds: float) -> None:
        """The CSMS has set the station's clock."""

    def suspected(self, event: str, info: str) -> None:
        """The peer did what it should not: the name of a security event, and what it was about."""

    def next_event(self) -> float | None:
        """Mono time at which something of this block happens by itself, beside its timers."""
        return None

    def picture(self) -> dict[str, Any]:
        """What readers of the station's state see of this block."""
        return {}


class Machine(ABC):
    """State and services that all parts of a station share."""

    subprotocol: ClassVar[str]
    error_codes: ClassVar[Mapping[Kind, str]]
    answers_broken_frames: ClassVar[bool]  # 2.0.1 answers what is no frame with id "-1", 1.6 cannot
    methods: Methods

    def __init__(
        self,
        setup: Setup,
        memory: dict[str, Any],
        now: Instant,
        sequence: int,
        ids: Callable[[], str],
        security: Security,
        vault: Vault,
    ) -> None:
        self.setup = setup
        self.installed_security = security
        self.vault = vault
        self.now = now
        self.ids = ids
        self.sequence = sequence
        self.store = Memory(memory)
        self.random = Random(setup.seed)
        self.configuration = self.build_configuration(self.store.get("configuration", {}))
        self.outbox = Outbox(self.store)
        self.commands = CommandTracker()
        # Seeded by identity too: chargers that share a seed must not all reconnect in the same instant.
        self.link = Link(Random(f"{setup.seed}/{setup.identity}/link"))
        self.timers: dict[str, float] = {}
        registration = self.store.get("registration", {})
        self.registration: str = registration.get("status", "")
        self.accepted_ever: bool = registration.get("accepted_ever", False)
        self.boot_reason: str = registration.get("boot_reason", "")
        self.clock_offset: float = registration.get("clock_offset", 0.0)
        self.connectors = [
            Connector(outlet, setup.options, setup.seed, self.store.get(self.section(outlet)), now, number)
            for number, outlet in enumerate(setup.outlets, start=1)
        ]
        self.quiet = False  # the input at hand changes no fact: nothing to conclude or store
        self._facts: list[AnyFact] = []
        self._orders: list[Order] = []

    # --- its blocks -------------------------------------------------------------------------------------------------

    def _assemble(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self._places = _places(tuple(type(block) for block in blocks))
        # Asked at every input: only those blocks that have something to say to it.
        self._settling = [block for block in blocks if type(block).settle is not Block.settle]
        self._saving = [block for block in blocks if type(block).save is not Block.save]
        self._with_events = [block for block in blocks if type(block).next_event is not Block.next_event]

    def block(self, kind: type[B]) -> B:
        """Its one block of this class, or of a subclass. Blocks know each other only once all of them are there."""
        return cast("B", self.blocks[self._places[kind]])

    def settle_blocks(self) -> None:
        for block in self._settling:
            block.settle()

    def suspect(self, event: str, info: str = "") -> None:
        """What the peer did that it should not, for the security log."""
        for block in self.blocks:
            block.suspected(event, info)

    # --- what versions provide --------------------------------------------------------------------------------------

    @abstractmethod
    def build_configuration(self, overrides: dict[str, str]) -> Configuration: ...

    @abstractmethod
    def message_timeout(self) -> float: ...

    @abstractmethod
    def transaction_attempts(self) -> tuple[int, float]:
        """(sends in total, interval in s) of the retry rule for transaction messages."""

    @abstractmethod
    def reset_retries(self) -> int:
        """How often a reset that failed is tried again."""

    @abstractmethod
    def back_off(self) -> BackOff:
        """How long to wait before the next attempt to connect."""

    def prepared(self, call: Call) -> dict[str, Any]:
        """The payload as it goes out now; 1.6 fills in transaction ids that were unknown when it was queued."""
        return call.payload

    # --- what it has and knows --------------------------------------------------------------------------------------

    @property
    def online(self) -> bool:
        """Connected and accepted: transactions may be reported."""
        return self.link.connected and self.registration == "Accepted"

    @property
    @abstractmethod
    def rebooting(self) -> bool:
        """On its way down, or without power."""

    @property
    @abstractmethod
    def all_said(self) -> bool:
        """No message waits, and no answer is awaited."""

    def connector(self, number: int) -> Connector | None:
        return next((one for one in self.connectors if one.number == number), None)

    @staticmethod
    def section(outlet: Any) -> str:
        return f"connector.{outlet.evse_id}.{outlet.connector_id}"

    def save_configuration(self) -> None:
        self.store.put("configuration", dict(self.configuration.overrides))

    @abstractmethod
    def credentials(self) -> Credentials:
        """What the next connection is made with. Raises ValueError where a secret cannot be read any more."""

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def skew(self) -> float:
        """Seconds by which a fault has put the station's clock off."""

    @property
    def clock(self) -> float:
        """The station's own wall clock, set by the CSMS's answers (contract H2)."""
        return self.now.wall + self.clock_offset + self.skew

    @contextmanager
    def as_of(self, clock: float) -> Iterator[None]:
        """What happens within the block happened at that time of the station's clock."""
        before = self.now
        self.now = Instant(before.mono, clock - self.clock_offset - self.skew)
        try:
            yield
        finally:
            self.now = before

    @abstractmethod
    def set_clock(self, csms_time: float | None) -> None:
        """The CSMS tells the time; None: it is not to be taken."""

    def set_timer(self, name: str, delay: float) -> None:
        """`<what>` or `<what>:<argument>`; `<what>_due(argument)` of a block is called once after `delay` s."""
        self.timers[name] = self.now.mono + delay

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    # --- what comes of an input -------------------------------------------------------------------------------------

    def fact(self, fact: AnyFact) -> None:
        self._facts.append(fact)

    def order(self, order: Order) -> None:
        self._orders.append(order)

    def record(self, frame: Frame) -> int:
        """Logs a frame under the next sequence number, which is returned."""
        self.sequence += 1
        self._facts.append(msgspec.structs.replace(frame, sequence=self.sequence))
        return self.sequence

    @abstractmethod
    def put_out(self, frame: Frame, order: Send, command_id: str = "") -> None:
        """Logs a frame and sends it: both happen at once or not at all."""

    def call(self, call: Call) -> None:
        """Queues an own CALL for the command at hand, if any. Only transaction messages wait out a lost connection."""
        call.command_id = call.command_id or self.commands.cause
        call.queued_offline = not self.online
        if call.priority != TRANSACTION and not self.link.connected:
            return
        if call.priority == HEARTBEAT and any(one.priority == HEARTBEAT for one in self.outbox.waiting):
            return
        self.outbox.add(call)
        if self.online:
            self.commands.call_opened(call.command_id)
        elif call.priority == TRANSACTION:
            self.commands.note(call.command_id, "Offline: the message is queued and goes out after the reconnect.")

    @abstractmethod
    def has_call(self, action: str) -> bool:
        """One of these waits or is out."""

    def note(self, text: str) -> None:
        """The reason that whoever gave the command at hand is told, if it ends accepted."""
        self.commands.note(self.commands.cause, text)

    def installed(self, result: dict[str, Any]) -> None:
        """Ends an installer's command at the device with this result; its `status` says whether anything changed."""
        command_id = self.commands.cause
        self.commands.answer(command_id, result)
        if result.get("status", ACCEPTED) in (ACCEPTED, REBOOT_REQUIRED):
            self.commands.note(command_id, "Done inside the station; no message is needed.")
        else:
            self.commands.finish(command_id, "rejected", result.get("msg") or result["status"], self.now)

    # --- its life ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def accept_registration(self, csms_time: float | None) -> None:
        """The CSMS has accepted the boot."""

    @abstractmethod
    def reboot(self, reason: str) -> None:
        """Once the last messages are out (or 10 s have passed): close, stay down, boot again with this reason.

        The command that caused it ends when the CSMS has accepted the boot.
        """

    @abstractmethod
    def drop_link(self, reason: str) -> None:
        """The link is dead though the socket looks open: nothing more goes out on it."""

    @abstractmethod
    def lose_link(self, order: Order) -> None:
        """Ends the connection by this order; the station sees it lost at once, and comes back after a while."""

    @abstractmethod
    def lose_connection(self) -> None:
        """Transaction messages stay; the rest is told anew after the reconnect."""


@cache
def _places(kinds: tuple[type[Block], ...]) -> Mapping[type, int]:
    """Where the block of each class stands, under its own name and those of the classes that it words."""
    return {ancestor: place for place, kind in enumerate(kinds) for ancestor in kind.__mro__}
