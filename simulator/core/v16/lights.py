"""The lamps of the station: how bright, and how often they have blinked (keys LightIntensity and BlinkRepeat)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block
from simulator.core.v16.availability import status_of

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint


class Lights(Block["ChargePoint"]):
    """Nothing of it goes over the wire; whoever stands before the station sees it, and readers of its state do."""

    actions: ClassVar = ()

    def __init__(self, station: "ChargePoint") -> None:
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
