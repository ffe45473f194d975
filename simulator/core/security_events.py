"""Security events: every one goes to the station's security log, the critical ones to the CSMS, whatever it takes.

The CSMS's answer ends a notification; without one it is sent again, also after a restart (behaviour contract, 1.4).
"""

from abc import abstractmethod
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.machine import Block, Machine

SECTION = "security_events"
# Security whitepaper for 1.6 (edition 3), 1.5, and OCPP 2.0.1, part 2, appendix 1; both spellings.
CRITICAL = frozenset(
    [
        "FirmwareUpdated",
        "InvalidCentralSystemCertificate",
        "InvalidChargePointCertificate",
        "InvalidChargingStationCertificate",
        "InvalidCsmsCertificate",
        "InvalidFirmwareSignature",
        "InvalidFirmwareSigningCertificate",
        "InvalidTLSCipherSuite",
        "InvalidTLSVersion",
        "MemoryExhaustion",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "TamperDetectionActivated",
    ]
)
STARTUP_REASONS = frozenset({"PowerUp", "Unknown", "Triggered"})
MOST_LOGGED, MOST_PENDING = 100, 100
MOST_ERRORS = 3  # answers with an error before a notification is given up
RETRY_S = 30.0
LONGEST_INFO = 255


class SecurityEvents(Block):
    """`log` holds {type, at, info, count}, a flood of one kind as one entry; `pending` what is yet to be confirmed."""

    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(SECTION, {})
        self.log: list[dict[str, Any]] = list(saved.get("log", []))
        self.pending: list[dict[str, Any]] = list(saved.get("pending", []))
        self.told_boot: str = saved.get("boot", "")
        self._kept: tuple[Any, ...] = ()

    def save(self) -> None:
        state = (self.log, self.pending, self.told_boot)
        if state == self._kept:
            return
        self._kept = state
        record = {"log": list(self.log), "pending": list(self.pending), "boot": self.told_boot}
        if any(record.values()) or self.station.store.get(SECTION):
            self.station.store.put(SECTION, record)

    @property
    @abstractmethod
    def pushes(self) -> bool:
        """Critical events are told the CSMS."""

    def clock_threshold(self) -> float:
        """Seconds that the clock may be set by without being an event (contract H2)."""
        return 20.0

    # --- what happens -----------------------------------------------------------------------------------------------

    def happened(self, kind: str, info: str = "") -> None:
        at = round(self.station.clock, 3)
        info = info[:LONGEST_INFO]
        repeated = self.log[-1]["count"] if self.log and self.log[-1]["type"] == kind and kind not in CRITICAL else 0
        kept = self.log[:-1] if repeated else self.log
        self.log = [*kept, {"type": kind, "at": at, "info": info, "count": repeated + 1}][-MOST_LOGGED:]
        if kind in CRITICAL and self.pushes:
            event = {"type": kind, "timestamp": timestamps.written(at)} | ({"techInfo": info} if info else {})
            self.pending = [*self.pending, {"event": event, "errors": 0}][-MOST_PENDING:]
            if self.station.online:
                self.station.set_timer("security_events", 0.0)

    def suspected(self, kind: str, info: str = "") -> None:
        self.happened(kind, info)

    def clock_moved(self, seconds: float) -> None:
        if abs(seconds) > self.clock_threshold():
            self.happened("SettingSystemTime", f"by {seconds:.1f} s")

    def settle(self) -> None:
        """A boot is told once, however often its BootNotification is sent."""
        reason = self.station.boot_reason
        if reason and not self.told_boot:
            startup = reason in STARTUP_REASONS
            self.happened("StartupOfTheDevice" if startup else "ResetOrReboot", "" if startup else reason)
        self.told_boot = reason

    # --- telling the CSMS -------------------------------------------------------------------------------------------

    def came_online(self, *, after_boot: bool) -> None:
        self._send_next()

    def security_events_due(self, _: str) -> None:
        self._send_next()

    def _send_next(self) -> None:
        if self.pending and self.station.online and not self._is_under_way:
            self.station.call(Call("SecurityEventNotification", dict(self.pending[0]["event"])))

    @property
    def _is_under_way(self) -> bool:
        return self.station.has_call("SecurityEventNotification")

    def SecurityEventNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self._forget(call)
        self._send_next()

    def SecurityEventNotification_failed(self, call: Call, problem: str) -> None:
        if problem in ("error", "invalid"):
            self._count_error(call)
        if self.station.online:
            self.station.set_timer("security_events", RETRY_S)
        self.station.commands.note(call.command_id, "Done, but the CSMS did not take SecurityEventNotification.")

    def _count_error(self, call: Call) -> None:
        """An error is an answer, too: after three of them the event counts as told."""
        first = self.pending[0] if self.pending else None
        if first is not None and first["event"] == call.payload:
            errors = first["errors"] + 1
            self.pending = ([{**first, "errors": errors}] if errors < MOST_ERRORS else []) + self.pending[1:]

    def _forget(self, call: Call) -> None:
        if self.pending and self.pending[0]["event"] == call.payload:
            self.pending = self.pending[1:]

    def went_offline(self) -> None:
        self.station.cancel_timer("security_events")
