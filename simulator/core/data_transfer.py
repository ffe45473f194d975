"""DataTransfer: what vendors agreed on among themselves, as far as handlers are set up (contract 5.1 and 5.6)."""

from abc import abstractmethod
from typing import Any, ClassVar

from simulator.core.machine import Block
from simulator.core.setup import DataHandler


class DataTransfer(Block):
    actions: ClassVar = ("DataTransfer",)

    @abstractmethod
    def is_same(self, asked: str, known: str) -> bool:
        """Whether two vendor or message ids mean the same in this version."""

    @abstractmethod
    def data_of(self, handler: DataHandler) -> Any:
        """A handler's data, which is not None, in this version's type."""

    def on_DataTransfer(self, request: dict[str, Any]) -> dict[str, Any]:
        handlers = self.station.setup.options.vendor_data_handlers
        of_vendor = [one for one in handlers if self.is_same(request["vendorId"], one.vendor_id)]
        if not of_vendor:
            return {"status": "UnknownVendorId"}
        asked = request.get("messageId", "")
        named = [one for one in of_vendor if one.message_id and self.is_same(asked, one.message_id)]
        handler = next(iter(named + [one for one in of_vendor if not one.message_id]), None)
        if handler is None:
            return {"status": "UnknownMessageId"}
        answer = {"status": handler.status}
        return answer if handler.data is None else answer | {"data": self.data_of(handler)}
