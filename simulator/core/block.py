"""A block: one functional subject of an OCPP version, plugged into a station.

The station finds a block's methods by name: `on_<Action>` answers a CALL of the CSMS with a payload or raises
Refusal; `<Action>_answered` and `<Action>_failed` take what became of an own CALL; `<what>_due` takes a timer;
`do_<name>` does a user's command. Names are unique over the blocks of a station.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from simulator.core.station import Station
    from simulator.core.transfers import Transferred

S = TypeVar("S", bound="Station")


class Block(Generic[S]):
    """Blocks hold no secrets of their own: what must outlive a restart goes to the station's memory."""

    actions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, station: S) -> None:
        self.station = station

    def save(self) -> None:
        """Called after every input: put what must survive into the station's memory."""

    def settle(self) -> None:
        """Called after every input, before messages go out: draw conclusions from the changed facts."""

    def came_online(self, *, after_boot: bool) -> None:
        """The CSMS accepts us: after a boot, or after a mere reconnect."""

    def power_lost(self) -> None:
        """The machine starts again after it lost its power without warning."""

    def retired(self) -> None:
        """The machine is to speak another OCPP version: what runs in this one ends."""

    def watchdog_bit(self) -> None:
        """The machine is about to reboot because it has caught itself failing."""

    def went_down(self) -> None:
        """The machine is off: it reboots, or has no power."""

    def went_offline(self) -> None:
        """The connection is gone."""

    def transferred(self, result: "Transferred") -> None:
        """A file that some block has ordered is there, or never will be."""

    def connection_refused(self, code: int | None, reason: str) -> None:
        """A connection could not be made; `code` as `Station.refused` has it."""

    def clock_moved(self, seconds: float) -> None:
        """The CSMS has set the station's clock."""

    def suspected(self, event: str, info: str) -> None:
        """The peer did what it should not: the name of a security event, and what it was about."""

    def next_event(self) -> float | None:
        """Mono time at which something of this block happens by itself, beside its timers."""
        return None

    def picture(self) -> dict[str, Any]:
        """What readers of the station's state see of this block."""
        return {}
