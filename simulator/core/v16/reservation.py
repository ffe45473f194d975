"""Reservation: ReserveNow and CancelReservation (behaviour contract, 5.2)."""

from typing import TYPE_CHECKING, Any

from simulator.core import timestamps
from simulator.core.physical.connector import Connector
from simulator.core.reservation import ANYWHERE, Reservation
from simulator.core.reservation import Reservations as SharedReservations

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint


class Reservations(SharedReservations["ChargePoint"]):
    def place_of(self, connector: Connector) -> int:
        return connector.number

    def report(self, connector: Connector) -> None:
        self.station.availability.report(connector.number)

    def released(self, connector: Connector) -> None:
        # From Reserved a cable leads to Preparing, and the time for a tag begins (contract 3.3).
        if connector.plugged:
            connector.tag_too_late = False
            self.station.set_timer(f"tag_timeout:{connector.number}", self.station.charging.connection_timeout())

    def on_ReserveNow(self, request: dict[str, Any]) -> dict[str, Any]:
        reservation = Reservation(
            reservation_id=request["reservationId"],
            place=request["connectorId"],
            token=request["idTag"],
            expires_at=timestamps.read(request["expiryDate"]) or 0.0,
            parent=request.get("parentIdTag", ""),
        )
        status = self._answer(reservation)
        if status == "Accepted":
            self.held[reservation.reservation_id] = reservation
        return {"status": status}

    def _answer(self, reservation: Reservation) -> str:
        configuration, place = self.station.configuration, reservation.place
        targets = [one for one in self.station.connectors if place in (ANYWHERE, one.number)]
        anywhere = configuration.flag("ReserveConnectorZeroSupported") or place != ANYWHERE
        supported = "Reservation" in configuration.members("SupportedFeatureProfiles")
        if not supported or not anywhere or not targets or reservation.expires_at <= self.station.clock:
            return "Rejected"
        if all(one.blocking_fault for one in targets):
            return "Faulted"
        if all(one.blocking_fault or not one.operative for one in targets) or self._is_shut(place):
            return "Unavailable"
        return "Accepted" if self._has_room(reservation, targets) else "Occupied"

    def _is_shut(self, place: int) -> bool:
        return place == ANYWHERE and not self.station.availability.operative

    def _has_room(self, reservation: Reservation, targets: list[Connector]) -> bool:
        """Whether an outlet is left for one more. One of the same id is replaced: it counts no longer."""
        known = self.held.pop(reservation.reservation_id, None)
        free = [one for one in targets if self.is_free(one)]
        if reservation.place == ANYWHERE:
            room = len(free) > len(self.unclaimed())
        else:
            room = any(not self.kept_for(one) for one in free)
        if known is not None:
            self.held[known.reservation_id] = known
            room = room or known.place == reservation.place
        return room

    def on_CancelReservation(self, request: dict[str, Any]) -> dict[str, Any]:
        cancelled = self.held.pop(request["reservationId"], None)
        return {"status": "Rejected" if cancelled is None else "Accepted"}
