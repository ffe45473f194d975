"""BootNotification, Heartbeat and the station's clock, as every version does them (behaviour contract, section 2)."""

from abc import abstractmethod
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import BOOT, HEARTBEAT, Call
from simulator.core.machine import Block, Machine
from simulator.core.restarting import Restarts

OWN_WAIT_S, LONGEST_WAIT_S = 60.0, 900.0
LONGEST_HEARTBEAT_S = 24 * 3600
JITTER = 0.1
PERIODIC = "periodic"


class Registration(Block):
    actions: ClassVar = ()
    heartbeat_setting: ClassVar[str]

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.own_wait = OWN_WAIT_S

    @abstractmethod
    def boot_payload(self) -> dict[str, Any]:
        """The BootNotification's content as this version words it."""

    def takes_csms_time(self) -> bool:
        """The clock follows currentTime of the CSMS's answers (contract H2)."""
        return True

    def boot(self, *, reason: str = "") -> None:
        """Queues a BootNotification; `reason` overrides why the station booted."""
        self.station.cancel_timer("boot")
        self.station.outbox.waiting = [one for one in self.station.outbox.waiting if one.priority != BOOT]
        payload = self.boot_payload()
        if reason:
            payload["reason"] = reason
        self.station.call(Call("BootNotification", payload, BOOT, command_id=self.station.block(Restarts).command))

    def boot_due(self, _: str) -> None:
        if self.station.link.connected:
            self.boot()

    def BootNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        status, interval = answer["status"], answer["interval"]
        csms_time = timestamps.read(answer["currentTime"]) if self.takes_csms_time() else None
        if status == "Accepted":
            self.own_wait = OWN_WAIT_S
            if interval > 0:
                self.station.configuration.put(self.heartbeat_setting, str(interval))
                self.station.save_configuration()
            self.station.accept_registration(csms_time)
            return
        self.station.registration = status
        self.station.set_clock(csms_time)
        self.station.set_timer("boot", float(interval) if interval > 0 else self._own_wait())

    def BootNotification_failed(self, call: Call, problem: str) -> None:
        if problem != "lost":
            spread = self.station.random.uniform(1 - JITTER, 1 + JITTER)
            self.station.set_timer("boot", OWN_WAIT_S * spread)

    def _own_wait(self) -> float:
        wait = self.own_wait * self.station.random.uniform(1.0, 1 + JITTER)
        self.own_wait = min(self.own_wait * 2, LONGEST_WAIT_S)
        return wait

    # --- heartbeat --------------------------------------------------------------------------------------------------

    def came_online(self, *, after_boot: bool) -> None:
        self.rearm()
        if not after_boot:
            self.heartbeat()  # the clock, soon after a reconnect (contract R4)

    def spoke(self) -> None:
        """An own CALL was made: unless heartbeats are strictly periodic, it starts the interval anew (contract H1)."""
        if self.station.setup.options.heartbeat_mode != PERIODIC:
            self.rearm()

    def rearm(self) -> None:
        interval = min(self.station.configuration.number(self.heartbeat_setting), LONGEST_HEARTBEAT_S)
        self.station.cancel_timer("heartbeat")
        if self.station.online and interval > 0:
            self.station.set_timer("heartbeat", float(interval))

    def heartbeat_due(self, _: str) -> None:
        if self.station.online:
            self.heartbeat()
            self.rearm()

    def heartbeat(self, *, unasked: bool = True) -> None:
        self.station.call(Call("Heartbeat", {}, HEARTBEAT, unasked=unasked))

    def Heartbeat_answered(self, call: Call, answer: dict[str, Any]) -> None:
        if self.takes_csms_time():
            self.station.set_clock(timestamps.read(answer["currentTime"]))

    def went_offline(self) -> None:
        self.station.cancel_timer("heartbeat")
