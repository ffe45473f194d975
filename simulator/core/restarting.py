"""How a station goes down and comes up again: reboots, resets that fail, and the loss of power."""

from simulator.core.facts import Close, Drop
from simulator.core.machine import Block, Machine

GOING_AWAY = 1001
REBOOT_FLUSH_S = 10.0  # how long a reset waits for its last messages
RESET_RETRY_S = 10.0


class Restarts(Block):
    """`reason` is that of the reboot under way, "" for none; `command` the user's command that waits for the boot."""

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.reason = ""
        self.command = ""
        self._failed: list[str] = []  # the reason of a failed reset, once for every try that is left

    def begin(self, reason: str) -> None:
        """Once the last messages are out (or 10 s have passed): close, stay down, boot again with this reason."""
        station = self.station
        if any(connector.has_fault("ResetFailure") for connector in station.connectors):
            station.note("The reset fails: ResetFailure is active.")
            self._failed = [reason] * station.reset_retries()
            station.set_timer("reset_retry", RESET_RETRY_S)
            return
        self._await_boot()
        self.retire(reason)

    def retire(self, reason: str) -> None:
        """As `begin`, whatever is faulty, and with no command that waits."""
        self.reason = reason
        self.station.set_timer("reboot_forced", REBOOT_FLUSH_S)

    def reset_retry_due(self, _: str) -> None:
        """A reset that failed is tried again, as often as the settings say; it succeeds once the fault is gone."""
        if self._failed and not self.reason:
            reason, *left = self._failed
            self.begin(reason)
            self._failed = left

    def _await_boot(self) -> None:
        commands = self.station.commands
        self.command = commands.cause or self.command
        commands.hold(self.command)

    def accepted(self) -> None:
        """The CSMS has accepted the boot: whoever asked for it is told."""
        self.station.commands.release(self.command)
        self.command = ""

    def reboot_forced_due(self, _: str) -> None:
        self.go_down()

    def go_down(self) -> None:
        station = self.station
        station.timers.clear()
        if station.link.connected:
            station.order(Close(GOING_AWAY, "rebooting"))
            station.lose_connection()
        station.link.off()
        station.registration, station.boot_reason, self.reason = "", self.reason, ""
        self._went_down()
        station.set_timer("boot_done", station.setup.options.boot_seconds)

    def lose_power(self) -> None:
        """Silence. What counts a transaction's time goes on counting, all else is forgotten."""
        station = self.station
        self._await_boot()
        if station.link.connected:
            station.order(Drop("silence"))
            station.lose_connection()
        station.link.off()
        station.timers = {name: at for name, at in station.timers.items() if ":" in name}
        self.reason = ""
        self._went_down()

    def regain_power(self) -> None:
        self.station.registration, self.station.boot_reason = "", "PowerUp"
        self.station.set_timer("boot_done", self.station.setup.options.boot_seconds)

    def _went_down(self) -> None:
        for connector in self.station.connectors:
            connector.open_contactor()
        for block in self.station.blocks:
            block.went_down()

    def boot_done_due(self, _: str) -> None:
        self.station.link.failures = 0
        self.station.link.wait(self.station.now.mono)
