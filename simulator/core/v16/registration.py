"""BootNotification, Heartbeat and the station's clock (behaviour contract, section 2)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core import timestamps
from simulator.core.block import Block
from simulator.core.calls import BOOT, HEARTBEAT, Call

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint

OWN_WAIT_S, LONGEST_WAIT_S = 60.0, 900.0
JITTER = 0.1


class Registration(Block["ChargePoint"]):
    actions: ClassVar = ()

    def __init__(self, station: "ChargePoint") -> None:
        super().__init__(station)
        self.own_wait = OWN_WAIT_S

    def boot(self) -> None:
        setup = self.station.setup
        payload = {
            "chargePointVendor": setup.vendor[:20],
            "chargePointModel": setup.model[:20],
            "chargePointSerialNumber": setup.serial_number[:25],
            "firmwareVersion": setup.firmware_version[:50],
            "iccid": setup.iccid[:20],
            "imsi": setup.imsi[:20],
            "meterType": setup.meter_type[:25],
        }
        present = {key: value for key, value in payload.items() if value}
        self.station.cancel_timer("boot")
        self.station.outbox.waiting = [one for one in self.station.outbox.waiting if one.priority != BOOT]
        self.station.call(Call("BootNotification", present, BOOT, command_id=self.station.reset_command))

    def boot_due(self, _: str) -> None:
        if self.station.link.connected:
            self.boot()

    def BootNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        status, interval = answer["status"], answer["interval"]
        if status == "Accepted":
            self.own_wait = OWN_WAIT_S
            if interval > 0:
                self.station.configuration.put("HeartbeatInterval", str(interval))
                self.station.save_configuration()
            self.station.accept_registration(timestamps.read(answer["currentTime"]))
            return
        self.station.registration = status
        self.station.set_clock(timestamps.read(answer["currentTime"]))
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

    def rearm(self) -> None:
        """Idle based: every own CALL starts the interval anew (contract H1)."""
        interval = min(self.station.configuration.number("HeartbeatInterval"), 24 * 3600)
        if self.station.online and interval > 0:
            self.station.set_timer("heartbeat", float(interval))

    def heartbeat_due(self, _: str) -> None:
        if self.station.online:
            self.heartbeat()
            self.rearm()

    def heartbeat(self) -> None:
        self.station.call(Call("Heartbeat", {}, HEARTBEAT))

    def Heartbeat_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.station.set_clock(timestamps.read(answer["currentTime"]))

    def went_offline(self) -> None:
        self.station.cancel_timer("heartbeat")
        self.station.cancel_timer("boot")
