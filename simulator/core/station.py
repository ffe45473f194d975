"""A station: what OCPP-J and the device itself demand of every version.

Pure: bytes and times come in through the methods below, and `take()` gives what they caused. Versions are lists of
blocks (see `machine.py`) with a table of error spellings.
"""

import uuid
from collections.abc import Callable, Mapping
from random import getrandbits
from typing import Any, ClassVar

from simulator.core import tail
from simulator.core.calls import Call
from simulator.core.commands import TIMEOUT
from simulator.core.conversation import Conversation
from simulator.core.credentials import Credentials, NoVault, Security, Vault
from simulator.core.errors import CommandRefused
from simulator.core.facts import Close, ConnectionChanged, FetchQueued, Frame, Instant, Order, Outcome, Send
from simulator.core.machine import Block, Machine
from simulator.core.methods import Methods
from simulator.core.network_faults import NetworkFaults
from simulator.core.registration import Registration
from simulator.core.restarting import GOING_AWAY, Restarts
from simulator.core.security import SecurityProfiles
from simulator.core.setup import Setup
from simulator.core.transfers import Transferred

PARKED = "parked"
CSMS = "csms"  # whose acceptance the registration stands for
SUBPROTOCOL = "subprotocol"  # of the station that has written a memory
CLOCK_STEP = 1.0  # s; corrections below are not stored
CLOCK_FROM, CLOCK_TO = 946_684_800.0, 4_102_444_800.0  # a clock holds the years 2000 to 2099; other times are not taken
CUT_SHORT = "The charger was stopped, changed or moved before the command was finished; see the log."
# Timers that change no fact of the station (see `conversation.QUIET_ANSWERS`).
QUIET_TIMERS = {"heartbeat", "ping"}
NO_SECURITY, NO_VAULT = Security(), NoVault()
# An installer at the device needs no CSMS.
INSTALLER_COMMANDS = {
    "update_configuration",
    "reset_cache",
    "set_local_auth_list",
    "clear_local_auth_list",
    "inject_fault",
    "clear_fault",
}


def random_id() -> str:
    """Unlike uuid4(), it asks the operating system for nothing: message ids are no secrets."""
    return str(uuid.UUID(int=getrandbits(128), version=4))


class Station(Machine):
    """One simulated charge point or charging station. Not thread-safe; each method is one input."""

    block_classes: ClassVar[tuple[type[Block], ...]]

    def __init__(
        self,
        setup: Setup,
        memory: dict[str, Any],
        now: Instant,
        sequence: int = 0,
        ids: Callable[[], str] = random_id,
        security: Security = NO_SECURITY,
        vault: Vault = NO_VAULT,
    ) -> None:
        super().__init__(setup, memory, now, sequence, ids, security, vault)
        self.wire = NetworkFaults(self)
        self.conversation = Conversation(self, self.wire)
        self.restarts = Restarts(self)
        self._deferred: list[tuple[str, str, dict[str, Any]]] = []
        self._assemble([*(block_class(self) for block_class in self.block_classes), self.wire, self.restarts])
        self.methods = Methods([self.conversation, *self.blocks])

    # --- inputs -----------------------------------------------------------------------------------------------------

    def power_up(self, now: Instant, reason: str = "PowerUp", *, csms: str = "") -> None:
        """The machine starts. `resume`: it ran before, perhaps elsewhere.

        After an orderly `shut_down` that is a mere reconnect, if the CSMS had accepted us. Otherwise the process was
        killed under it, and that is a power loss (contract Q8). `csms` names whom it connects to: another one has not
        accepted us yet, so it is told of us first (contract R1), though nothing else of the machine has changed.
        """
        self._enter(now)
        self.store.put(SUBPROTOCOL, self.subprotocol)
        moved = self.store.get(CSMS, csms) != csms
        self.store.put(CSMS, csms)
        parked = self.store.get(PARKED, False)
        self.store.delete(PARKED)
        if reason != "resume" or not parked or self.registration != "Accepted":
            self.registration = ""
            self.boot_reason = "PowerUp" if reason == "resume" else reason
            if not parked:
                self._after_power_loss()
        elif moved:
            self.registration, self.boot_reason = "", "Unknown"
        if moved:
            for block in self.blocks:
                block.moved()
        self.link.wait(now.mono)
        self._leave()

    def _after_power_loss(self) -> None:
        survived = self.setup.options.on_power_loss == "resume"
        for block in self.blocks:
            if survived:
                block.power_survived()
            else:
                block.power_lost()

    def wants_connection(self, now: Instant) -> bool:
        return self.link.connect_at is not None and now.mono >= self.link.connect_at and not self.wire.cut

    def connecting(self, now: Instant) -> None:
        self._enter(now)
        self.link.connecting()
        self._connection("connecting")
        self._leave()

    def connected(self, now: Instant) -> None:
        self._enter(now)
        self.link.opened()
        self.conversation.opened()
        self._connection("connected", reason=self.subprotocol)
        if self.registration == "Accepted" and not self.setup.options.boot_on_reconnect:
            self._come_online(after_boot=False)
        elif "boot" not in self.timers:  # Pending or Rejected: never earlier than the CSMS's interval (contract 2.2)
            self.block(Registration).boot()
        self._leave()

    def refused(self, now: Instant, code: int | None, reason: str) -> None:
        """The connection could not be made. `code`: the HTTP status where there was one, 1015 for a bad certificate."""
        self._enter(now)
        self._connection("refused", code=code, reason=reason)
        for block in self.blocks:
            block.connection_refused(code, reason)
        self._reconnect_later()
        self._leave()

    def disconnected(self, now: Instant, code: int | None, reason: str) -> None:
        self._enter(now)
        self._connection("closed", code=code, reason=reason)
        if self.link.state in ("connected", "closing"):
            self.lose_connection()
            self._reconnect_later()
        self._leave()

    def receive(self, text: str, now: Instant) -> None:
        self._enter(now)
        self.conversation.receive(text)
        self._leave()

    def receive_binary(self, encoded: str, now: Instant) -> None:
        self._enter(now)
        self.conversation.receive_binary(encoded)
        self._leave()

    def tick(self, now: Instant) -> None:
        self._enter(now)
        due = sorted((at, name) for name, at in self.timers.items() if at <= now.mono and not self.wire.dark)
        self.quiet = bool(due) and all(name in QUIET_TIMERS for _, name in due)
        for _, name in due:
            # An earlier timer of this tick may have cancelled or moved this one.
            if self.timers.get(name, now.mono + 1) <= now.mono:
                del self.timers[name]
                what, _, argument = name.partition(":")
                self.methods[f"{what}_due"](argument)
        self._leave()

    def execute(
        self, command_id: str, name: str, params: dict[str, Any], now: Instant, *, patience: float = TIMEOUT
    ) -> None:
        """Does a user's command; what became of it comes as CommandAdvanced facts.

        `patience`: seconds that it may wait for the station to be up.
        """
        self._enter(now)
        self.commands.begin(command_id, now)
        if self._not_up_yet() and name not in INSTALLER_COMMANDS:
            self.commands.begin(command_id, now, within=min(patience, TIMEOUT))
            self.commands.hold(command_id)
            self._deferred.append((command_id, name, params))
        else:
            self._do(command_id, name, params)
        self._leave()

    def queued(self, asked: tuple[int, ...], found: Mapping[int, Any], now: Instant) -> None:
        """The messages of a FetchQueued are here; a number without one was dropped."""
        self._enter(now)
        self.outbox.fetched(asked, found)
        self._leave()

    def transferred(self, result: Transferred, now: Instant) -> None:
        """What became of a Download or an Upload."""
        self._enter(now)
        for block in self.blocks:
            block.transferred(result)
        self._leave()

    def pong(self, now: Instant) -> None:
        self.timers.pop("pong", None)

    def shut_down(self, now: Instant, *, parked: bool = True) -> None:
        """Close politely, keep everything. `parked`: the machine only moves or waits, its power stays on.

        Commands that have not begun go back to where they came from.
        """
        self._enter(now)
        self.commands.hand_back([command_id for command_id, _, _ in self._deferred], CUT_SHORT, now)
        self._deferred.clear()
        if parked:
            self.store.put(PARKED, True)
        if self.link.connected:
            self._orders.append(Close(GOING_AWAY, "going away"))
        self.link.off()
        self.timers.clear()
        self._leave()

    def retire(self, now: Instant) -> None:
        """The machine is to speak another version: what runs ends, and once that is told it goes down."""
        self._enter(now)
        for block in self.blocks:
            block.retired()
        if self.link.connected:
            self.restarts.retire("ApplicationReset")
        self._leave()

    # --- outputs ----------------------------------------------------------------------------------------------------

    def take(self) -> Outcome:
        """Everything caused since the last call."""
        outcome = Outcome(self._facts, self.store.changes(), self._orders)
        self._facts, self._orders = [], []
        return outcome

    def next_deadline(self) -> float | None:
        """Mono time at which `tick` must be called, or a connection is wanted; None: never by itself."""
        events = [connector.next_event(self.now) for connector in self.connectors]
        events += [block.next_event() for block in self._with_events]
        events += [None if self.wire.cut else self.link.connect_at, self.commands.next_deadline()]
        events += [] if self.wire.dark else self.timers.values()
        times = [event for event in events if event is not None]
        retries = self.link.connected and self.outbox.queue and not self.conversation.waits
        if retries and self.outbox.not_before > self.now.mono:
            times.append(self.outbox.not_before)
        return min(times) if times else None

    @property
    def memory(self) -> dict[str, Any]:
        """All that another station object needs to go on from here, but for the messages that lie with the shell."""
        beyond = self.outbox.beyond()
        return self.store.snapshot() | ({tail.SECTION: beyond} if beyond else {})

    def picture(self, now: Instant) -> dict[str, Any]:
        """What `GET /chargers/{id}/state` shows."""
        self.now = now
        for connector in self.connectors:
            connector.advance(now)
        shown: dict[str, Any] = {
            "registration": self.registration or None,
            "connection": self.link.state,
            "queue_length": self.outbox.length,
        }
        for block in self.blocks:
            shown |= block.picture()
        return shown

    # --- for blocks -------------------------------------------------------------------------------------------------

    @property
    def skew(self) -> float:
        return self.wire.skew

    def put_out(self, frame: Frame, order: Send, command_id: str = "") -> None:
        sequence = self.record(frame)
        self.commands.frame(command_id or self.commands.cause, sequence, self.now)
        self.conversation.went_out(frame, sequence)
        self.order(order)

    def call(self, call: Call) -> None:
        super().call(call)
        if call.action != "Heartbeat":
            self.block(Registration).spoke()

    def has_call(self, action: str) -> bool:
        return self.conversation.is_out(action) or any(one.action == action for one in self.outbox.waiting)

    def credentials(self) -> Credentials:
        return self.block(SecurityProfiles).credentials()

    def accept_registration(self, csms_time: float | None) -> None:
        self.registration, self.accepted_ever, self.boot_reason = "Accepted", True, ""
        self.set_clock(csms_time)
        self.restarts.accepted()
        self._come_online(after_boot=True)

    def set_clock(self, csms_time: float | None) -> None:
        if csms_time is not None and CLOCK_FROM <= csms_time < CLOCK_TO and self.wire.clock_set():
            before = self.clock
            self.clock_offset = csms_time - self.now.wall
            moved = self.clock - before
            for block in self.blocks:
                block.clock_moved(moved)

    def reboot(self, reason: str) -> None:
        self.restarts.begin(reason)

    @property
    def rebooting(self) -> bool:
        return bool(self.restarts.reason) or self.wire.dark

    def drop_link(self, reason: str) -> None:
        if self.wire.mute:
            return  # a frozen station notices nothing
        self.link.closing()
        self._orders.append(Close(GOING_AWAY, reason))

    def lose_link(self, order: Order) -> None:
        if self.link.connected:
            self._orders.append(order)
            self.lose_connection()
            self._reconnect_later()

    @property
    def all_said(self) -> bool:
        return self.outbox.idle and not self.conversation.waits

    # --- a user's commands ------------------------------------------------------------------------------------------

    def _not_up_yet(self) -> bool:
        """Still booting, or at the first connection since power-up: a command waits for that, up to its deadline."""
        first_attempt = self.link.state in ("waiting", "connecting") and self.link.failures == 0
        return not self.accepted_ever or self.rebooting or first_attempt or "boot_done" in self.timers

    def _do(self, command_id: str, name: str, params: dict[str, Any]) -> None:
        method = self.methods.get(f"do_{name}")
        with self.commands.caused_by(command_id):
            try:
                if method is None:
                    raise CommandRefused(f"This station does not know the command {name}.")
                method(params)
                self.settle_blocks()  # what follows from it is this command's too
            except CommandRefused as refused:
                self.commands.finish(command_id, "rejected", str(refused), self.now)
            except Exception as error:  # one command must not stop the charger
                reason = f"Internal error in the simulator: {type(error).__name__}: {error}"
                self.commands.finish(command_id, "failed", reason, self.now)

    def _do_deferred(self) -> None:
        deferred, self._deferred = self._deferred, []
        for command_id, name, params in deferred:
            self.commands.release(command_id)
            if self.commands.is_pending(command_id):
                self.commands.begin(command_id, self.now)
                self._do(command_id, name, params)

    # --- connection -------------------------------------------------------------------------------------------------

    def _connection(self, kind: str, *, code: int | None = None, reason: str = "") -> None:
        self.sequence += 1
        self._facts.append(ConnectionChanged(self.sequence, kind, self.now.wall, code, reason[:255]))

    def _reconnect_later(self) -> None:
        delay = self.link.failed(self.now.mono, self.back_off())
        self._connection("reconnecting", reason=f"next attempt in {delay:.1f} s")
        if self.accepted_ever:
            self._do_deferred()  # no longer a matter of moments: what is possible offline is done offline

    def _come_online(self, *, after_boot: bool) -> None:
        for block in self.blocks:
            block.came_online(after_boot=after_boot)
        self._do_deferred()

    def lose_connection(self) -> None:
        lost = self.conversation.lost()
        self.timers.pop("pong", None)
        for block in self.blocks:
            block.went_offline()
        for call in lost:
            self.conversation.fail(call, "lost")

    # --- each input -------------------------------------------------------------------------------------------------

    def _enter(self, now: Instant) -> None:
        self.now = now
        self.quiet = False
        for connector in self.connectors:
            connector.advance(now)

    def _leave(self) -> None:
        if not self.quiet:
            self.settle_blocks()
        is_free = self.conversation.may_call and not self.conversation.call_next()
        if is_free and self.restarts.reason and self.outbox.idle:
            self.restarts.go_down()
        if self.online and (numbers := self.outbox.wanted()):
            self._orders.append(FetchQueued(numbers))
        self._facts.extend(self.commands.settle(self.now, self._why_silent()))
        if not self.quiet:
            self._save()

    def _why_silent(self) -> str:
        if self.online:
            return "Done; nothing has changed that the protocol would report."
        return "Offline: the CSMS learns of it after the reconnect."

    def _kept_offset(self) -> float:
        """What a restart begins with. Each change is a write, and answers differ by fractions of a second."""
        kept: float = self.store.get("registration", {}).get("clock_offset", 0.0)
        return kept if abs(self.clock_offset - kept) < CLOCK_STEP else round(self.clock_offset, 3)

    def _save(self) -> None:
        self.store.put(
            "registration",
            {
                "status": self.registration,
                "accepted_ever": self.accepted_ever,
                "boot_reason": self.boot_reason,
                "clock_offset": self._kept_offset(),
            },
        )
        for connector in self.connectors:
            if connector.running is not None and not self.wire.dark:
                connector.running.seen_at = round(self.clock, 1)
            self.store.put(self.section(connector.outlet), connector.record())
        for block in self._saving:
            block.save()
