"""DataTransfer (contract 5.6)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block

if TYPE_CHECKING:
    from simulator.core.v201.charging_station import ChargingStation


class DataTransfer(Block["ChargingStation"]):
    actions: ClassVar = ("DataTransfer",)

    def on_DataTransfer(self, request: dict[str, Any]) -> dict[str, Any]:
        """No vendor extension is installed."""
        return {"status": "UnknownVendorId"}
