"""DataTransfer as 1.6 words it (contract 5.1)."""

import msgspec

from simulator.core.data_transfer import DataTransfer as SharedDataTransfer
from simulator.core.setup import DataHandler


class DataTransfer(SharedDataTransfer):
    def is_same(self, asked: str, known: str) -> bool:
        """Both ids are CiStrings."""
        return asked.casefold() == known.casefold()

    def data_of(self, handler: DataHandler) -> str:
        """1.6 carries text; whatever else is wanted travels as the JSON of it."""
        return handler.data if isinstance(handler.data, str) else msgspec.json.encode(handler.data).decode()
