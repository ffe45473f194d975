"""Reservations: an outlet, or any one of the station's, kept for a driver (behaviour contract, 3, 5.2, 5.6).

A version subclasses `Reservations` and words its messages.
"""

from abc import abstractmethod
from typing import Any

import msgspec

from simulator.core import timestamps
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector

SECTION = "reservations"
ANYWHERE = 0  # the place of a reservation that names none: one outlet is kept free for it
EXPIRED, REMOVED = "Expired", "Removed"
ACCEPTED, REJECTED = "Accepted", "Rejected"
FAULTED, UNAVAILABLE, OCCUPIED = "Faulted", "Unavailable", "Occupied"
LATE_S = 0.05


class Reservation(msgspec.Struct, frozen=True):
    """`place` is a connector or EVSE, or ANYWHERE; `parent` the group whose tokens may use it too, "" for none;
    `expires_at` in Unix seconds of the station's clock; `outlet_type` the only type of outlet it is for, as the
    version spells it, "" for any."""

    reservation_id: int
    place: int
    token: str
    expires_at: float
    parent: str = ""
    outlet_type: str = ""

    def admits(self, token: str, parent: str | None) -> bool:
        """`parent` None: not known yet, so that a group's reservation may turn out to admit the token."""
        if token.casefold() == self.token.casefold():
            return True
        return bool(self.parent) and (parent is None or parent.casefold() == self.parent.casefold())


class Reservations(Block):
    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = (msgspec.convert(one, Reservation) for one in station.store.get(SECTION, []))
        self.held: dict[int, Reservation] = {one.reservation_id: one for one in saved}
        for connector in station.connectors:
            # Who stood plugged at a reserved outlet before a restart still does.
            connector.reserved = self.own(connector) is not None and connector.grant is None

    def save(self) -> None:
        record = [msgspec.to_builtins(one) for one in self.held.values()]
        if record or self.station.store.get(SECTION):
            self.station.store.put(SECTION, record)

    @abstractmethod
    def place_of(self, connector: Connector) -> int:
        """The number that reservations name this outlet by."""

    @abstractmethod
    def report(self, connector: Connector) -> None:
        """Tells the CSMS the outlet's status if it has changed."""

    def is_in_service(self, connector: Connector) -> bool:
        """Nobody has taken the outlet out of use, so that a reservation of it stands."""
        return connector.operative

    def released(self, connector: Connector) -> None:
        """The outlet is no longer kept; a stranger may stand here with a cable in."""

    def ended(self, reservation: Reservation, why: str) -> None:
        """It is over without having been used or cancelled: EXPIRED or REMOVED."""

    # --- ReserveNow -------------------------------------------------------------------------------------------------

    def fits(self, reservation: Reservation, connector: Connector) -> bool:
        """Whether this outlet is (one of) what was reserved."""
        return reservation.place in (ANYWHERE, self.place_of(connector))

    def answer(self, reservation: Reservation) -> str:
        """The status that a well-formed request gets from the state of its outlets (contract 5.2, 5.6)."""
        targets = [one for one in self.station.connectors if self.fits(reservation, one)]
        if not targets:
            return REJECTED
        if all(one.blocking_fault for one in targets):
            return FAULTED
        if all(one.blocking_fault or not one.operative for one in targets):
            return UNAVAILABLE
        return ACCEPTED if self._has_room(reservation, targets) else OCCUPIED

    def _has_room(self, reservation: Reservation, targets: list[Connector]) -> bool:
        """Whether an outlet is left for one more. One of the same id is replaced: it counts no longer."""
        known = self.held.pop(reservation.reservation_id, None)
        free = [one for one in targets if self.is_free(one)]
        if reservation.place == ANYWHERE:
            room = len({self.place_of(one) for one in free}) > len(self.unclaimed())
        else:
            room = any(not self.kept_for(one) for one in free)
        if known is not None:
            self.held[known.reservation_id] = known
            room = room or known.place == reservation.place
        return room

    def cancel(self, reservation_id: int) -> str:
        return REJECTED if self.held.pop(reservation_id, None) is None else ACCEPTED

    # --- who may ----------------------------------------------------------------------------------------------------

    def own(self, connector: Connector) -> Reservation | None:
        """The reservation of this very outlet."""
        place = self.place_of(connector)
        return next((one for one in self.held.values() if one.place == place), None)

    def is_free(self, connector: Connector) -> bool:
        """Anybody who comes could use it now."""
        taken = connector.grant is not None or connector.plugged or self.own(connector) is not None
        return connector.usable and not taken

    def unclaimed(self) -> list[Reservation]:
        """Those for any outlet whose holder has not shown up yet."""
        waiting = [one for one in self.held.values() if one.place == ANYWHERE]
        for grant in (one.grant for one in self.station.connectors if one.grant is not None):
            claimed = next((one for one in waiting if one.admits(grant.token, grant.parent)), None)
            if claimed is not None:
                waiting.remove(claimed)
        return waiting

    def kept_for(self, connector: Connector) -> list[Reservation]:
        """The reservations of which one must be the user's. For those that name no place an outlet is kept once
        without it there would be fewer free ones than reservations."""
        if own := self.own(connector):
            return [own]
        waiting = [one for one in self.unclaimed() if self.fits(one, connector)]
        others = {
            self.place_of(other)
            for other in self.station.connectors
            if self.is_free(other) and any(self.fits(one, other) for one in waiting)
        }
        return waiting if len(others - {self.place_of(connector)}) < len(waiting) else []

    def keeps_out(self, connector: Connector, token: str, parent: str | None) -> Reservation | None:
        """The reservation that keeps the outlet from this token, or None."""
        kept = self.kept_for(connector)
        return None if any(one.admits(token, parent) for one in kept) else next(iter(kept), None)

    def use(self, connector: Connector, token: str, parent: str) -> Reservation | None:
        """A transaction starts here: its reservation, which is over by that."""
        mine = [one for one in self.held.values() if self.fits(one, connector) and one.admits(token, parent)]
        used = max(mine, key=lambda one: one.place, default=None)
        if used is not None:
            del self.held[used.reservation_id]
            connector.reserved = False
        return used

    # --- every input ------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        for reservation in list(self.held.values()):
            if reservation.expires_at <= self.station.clock:
                self._end(reservation, EXPIRED)
            elif not self._has_a_place(reservation):
                self._end(reservation, REMOVED)
        for connector in self.station.connectors:
            if self.held or connector.reserved:
                self._mark(connector)

    def _end(self, reservation: Reservation, why: str) -> None:
        del self.held[reservation.reservation_id]
        self.ended(reservation, why)

    def _has_a_place(self, reservation: Reservation) -> bool:
        """An outlet that is faulted or out of service is reserved for nobody."""
        return any(
            self.is_in_service(one) and one.blocking_fault is None
            for one in self.station.connectors
            if self.fits(reservation, one)
        )

    def _mark(self, connector: Connector) -> None:
        """Shows the outlet as reserved. One that a stranger has plugged in at before stays as it is: no status leads
        from there to Reserved (contract 3.3)."""
        kept = connector.usable and connector.grant is None and bool(self.kept_for(connector))
        reserved = kept and (connector.reserved or not connector.plugged)
        if reserved != connector.reserved:
            connector.reserved = reserved
            if not reserved and connector.grant is None and connector.running is None:
                self.released(connector)
            self.report(connector)

    def next_event(self) -> float | None:
        if not self.held:
            return None
        first = min(one.expires_at for one in self.held.values())
        return self.station.now.mono + first - self.station.clock + LATE_S

    # --- for readers ------------------------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        return {"reservations": [_shown(one) for one in self.held.values()]}


def _shown(reservation: Reservation) -> dict[str, Any]:
    return {
        "reservation_id": reservation.reservation_id,
        "connector_id": reservation.place,
        "id_tag": reservation.token,
        "parent_id_tag": reservation.parent or None,
        "expiry_date": timestamps.written(reservation.expires_at),
    }
