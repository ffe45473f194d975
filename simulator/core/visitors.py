"""Cars that come by themselves where a session was started remotely, and leave after it (option `auto_plug`)."""

from simulator.core.charging import Charging
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector

ARRIVES_S = 2.0
LINGERS_S = 5.0
SECTION = "visitors"


class Visitors(Block):
    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self._here: list[int] = list(station.store.get(SECTION, []))  # outlets with such a car

    def save(self) -> None:
        if self._here:
            self.station.store.put(SECTION, list(self._here))
        else:
            self.station.store.delete(SECTION)

    def settle(self) -> None:
        comes = self.station.setup.options.auto_plug
        if not comes and not self._here:
            return
        for connector in self.station.connectors:
            if connector.number in self._here and not connector.plugged:
                self._here.remove(connector.number)  # somebody else has taken it away
            if comes and is_awaited(connector):
                self._soon("car_arrives", connector, ARRIVES_S)
            elif connector.number in self._here and is_done(connector):
                self._soon("car_leaves", connector, LINGERS_S)

    def _soon(self, what: str, connector: Connector, seconds: float) -> None:
        name = f"{what}:{connector.number}"
        if name not in self.station.timers:
            self.station.set_timer(name, seconds)

    def car_arrives_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is not None and is_awaited(connector) and self.station.block(Charging).plug_in(connector):
            self._here.append(connector.number)

    def car_leaves_due(self, number: str) -> None:
        """It stays where the station keeps the cable locked, until somebody unlocks it."""
        connector = self.station.connector(int(number))
        if connector is not None and connector.number in self._here and is_done(connector):
            self._here.remove(connector.number)
            self.station.block(Charging).pull_cable(connector)


def is_awaited(connector: Connector) -> bool:
    """A remote start waits for a cable. In 2.0.1 its transaction may run already, with an empty `cable` until then."""
    if connector.plugged:
        return False
    running = connector.running
    if running is None:
        return connector.grant is not None and connector.grant.source == "remote"
    return running.authorized and running.remote_start_id is not None and not running.cable


def is_done(connector: Connector) -> bool:
    return connector.grant is None and (connector.running is None or not connector.running.authorized)
