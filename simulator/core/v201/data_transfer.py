"""DataTransfer (contract 5.6)."""

from typing import Any, ClassVar

from simulator.core.block import Block


class DataTransfer(Block["ChargingStation"]):
    actions: ClassVar = ("DataTransfer",)

    def on_DataTransfer(self, request: dict[str, Any]) -> dict[str, Any]:
        """No vendor extension is installed."""
        return {"status": "UnknownVendorId"}
