"""Reset of the station or of one EVSE (behaviour contract, 5.4; OCPP 2.0.1, B11 and B12)."""

from typing import Any, ClassVar

from simulator.core import causes
from simulator.core.charging import Charging
from simulator.core.firmware import FirmwareManagement
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector

STATION = 0  # where EVSEs are numbered from 1
EVSE_RESET_S = 3.0


class Reset(Block):
    """A reset on idle waits for the last transaction; until what is reset is back, no new one starts there.

    `due` are the EVSEs, or STATION, that wait for that; `down` are those that have gone.
    """

    actions: ClassVar = ("Reset",)

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        # A restart of the product is the reset that was waited for, unless a transaction outlived it.
        self.due: set[int] = {evse for evse in station.store.get("reset", {}).get("due", []) if self._is_in_use(evse)}
        self.down: set[int] = set()

    def save(self) -> None:
        self.station.store.put("reset", {"due": sorted(self.due)})

    def keeps_out(self, connector: Connector) -> bool:
        """No new transaction may start at this outlet."""
        return not {STATION, connector.outlet.evse_id}.isdisjoint(self.due | self.down)

    def _within(self, evse: int) -> list[Connector]:
        return [one for one in self.station.connectors if evse in (STATION, one.outlet.evse_id)]

    def _is_in_use(self, evse: int) -> bool:
        return any(connector.running is not None for connector in self._within(evse))

    def on_Reset(self, request: dict[str, Any]) -> dict[str, Any]:
        evse = request.get("evseId", STATION)
        if self.station.rebooting or evse in self.down:
            return _rejected("ResetInProgress")
        if self.station.block(FirmwareManagement).is_installing:
            return _rejected("FwUpdateInProgress")
        if not self._within(evse):
            return _rejected("UnknownEvse")
        if request["type"] == "OnIdle" and self._is_in_use(evse):
            self.due.add(evse)
            return {"status": "Scheduled"}
        for connector in self._within(evse):
            self.station.block(Charging).end(connector, causes.HARD_RESET)
        self._go_down(evse, "RemoteReset")
        return {"status": "Accepted"}

    def do_reset(self, params: dict[str, Any]) -> None:
        """The button at the machine."""
        for connector in self.station.connectors:
            self.station.block(Charging).end(connector, causes.LOCAL_RESET)
        self.station.reboot("LocalReset")

    def _go_down(self, evse: int, reason: str) -> None:
        self.due.discard(evse)
        if evse != STATION:
            self._restart(evse)
            return
        self.station.reboot(reason)
        if self.station.rebooting:
            self.down.add(STATION)

    def _restart(self, evse: int) -> None:
        """An EVSE starts anew by itself: the station stays online, and nothing is booted (B11.FR.08)."""
        self.down.add(evse)
        for connector in self._within(evse):
            connector.open_contactor()
            self.station.block(Charging).restarted(connector)
        self.station.set_timer(f"evse_back:{evse}", EVSE_RESET_S)

    def evse_back_due(self, evse: str) -> None:
        self.down.discard(int(evse))

    def settle(self) -> None:
        for evse in sorted(self.due):
            if not self._is_in_use(evse):
                self._go_down(evse, "ScheduledReset")

    def went_down(self) -> None:
        self.down.clear()


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
