"""The lamps of the station: how bright, and how often they have blinked (keys LightIntensity and BlinkRepeat)."""

from typing import Any, ClassVar

from simulator.core.machine import Block, Machine
from simulator.core.v16.availability import status_of


class Lights(Block):
    """Nothing of it goes over the wire; whoever stands before the station sees it, and readers of its state do."""

    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.blinks = 0
        self._shown: dict[int, str] = {}

    def settle(self) -> None:
        """A connector's new status is signalled by blinking."""
        for connector in self.station.connectors:
            status = status_of(connector)
            if self._shown.setdefault(connector.number, status) != status:
                self._shown[connector.number] = status
                self.blinks += self.station.configuration.number("BlinkRepeat")

    def picture(self) -> dict[str, Any]:
        intensity = self.station.configuration.number("LightIntensity")
        return {"lights": {"intensity_percent": intensity, "blinks": self.blinks}}
