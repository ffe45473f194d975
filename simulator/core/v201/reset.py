"""Reset (contract 5.4)."""

from typing import Any, ClassVar

from simulator.core import causes
from simulator.core.charging import Charging
from simulator.core.firmware import FirmwareManagement
from simulator.core.machine import Block, Machine


class Reset(Block):
    """A reset on idle waits for the last transaction; until the station is back, no new one starts."""

    actions: ClassVar = ("Reset",)

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        # A restart of the product is the reset that was waited for, unless a transaction outlived it.
        in_use = any(connector.running is not None for connector in station.connectors)
        self.waiting: bool = station.store.get("reset", {}).get("waiting", False) and in_use
        self.going_down = False

    def save(self) -> None:
        self.station.store.put("reset", {"waiting": self.waiting})

    @property
    def scheduled(self) -> bool:
        return self.waiting or self.going_down

    def on_Reset(self, request: dict[str, Any]) -> dict[str, Any]:
        if self.station.rebooting:
            return _rejected("ResetInProgress")
        if self.station.block(FirmwareManagement).is_installing:
            return _rejected("FwUpdateInProgress")
        if "evseId" in request:
            known = any(one.outlet.evse_id == request["evseId"] for one in self.station.connectors)
            return _rejected("UnsupportedParam" if known else "UnknownEvse")  # EVSE.AllowReset is false
        in_use = any(connector.running is not None for connector in self.station.connectors)
        if request["type"] == "OnIdle" and in_use:
            self.waiting = True
            return {"status": "Scheduled"}
        for connector in self.station.connectors:
            self.station.block(Charging).end(connector, causes.HARD_RESET)
        self._go_down("RemoteReset")
        return {"status": "Accepted"}

    def do_reset(self, params: dict[str, Any]) -> None:
        """The button at the machine."""
        for connector in self.station.connectors:
            self.station.block(Charging).end(connector, causes.LOCAL_RESET)
        self.station.reboot("LocalReset")

    def _go_down(self, reason: str) -> None:
        self.waiting, self.going_down = False, True
        self.station.reboot(reason)
        self.going_down = self.station.rebooting

    def settle(self) -> None:
        if self.waiting and not any(connector.running is not None for connector in self.station.connectors):
            self._go_down("ScheduledReset")

    def went_down(self) -> None:
        self.going_down = False


def _rejected(reason: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
