"""Reservation: ReserveNow and CancelReservation (behaviour contract, 5.2)."""

from typing import Any

from simulator.core import timestamps
from simulator.core.charging import Charging
from simulator.core.physical.connector import Connector
from simulator.core.reservation import ACCEPTED, ANYWHERE, FAULTED, REJECTED, UNAVAILABLE, Reservation
from simulator.core.reservation import Reservations as SharedReservations
from simulator.core.v16.availability import Availability


class Reservations(SharedReservations):
    def place_of(self, connector: Connector) -> int:
        return connector.number

    def report(self, connector: Connector) -> None:
        self.station.block(Availability).report(connector.number)

    def released(self, connector: Connector) -> None:
        # From Reserved a cable leads to Preparing, and the time for a tag begins (contract 3.3).
        if connector.plugged:
            connector.tag_too_late = False
            self.station.set_timer(f"tag_timeout:{connector.number}", self.station.block(Charging).connection_timeout())

    def on_ReserveNow(self, request: dict[str, Any]) -> dict[str, Any]:
        reservation = Reservation(
            reservation_id=request["reservationId"],
            place=request["connectorId"],
            token=request["idTag"],
            expires_at=timestamps.read(request["expiryDate"]) or 0.0,
            parent=request.get("parentIdTag", ""),
        )
        status = self._answer(reservation)
        if status == ACCEPTED:
            self.held[reservation.reservation_id] = reservation
        return {"status": status}

    def _answer(self, reservation: Reservation) -> str:
        configuration, place = self.station.configuration, reservation.place
        anywhere = configuration.flag("ReserveConnectorZeroSupported") or place != ANYWHERE
        supported = "Reservation" in configuration.members("SupportedFeatureProfiles")
        if not supported or not anywhere or reservation.expires_at <= self.station.clock:
            return REJECTED
        status = self.answer(reservation)
        is_shut = place == ANYWHERE and not self.station.block(Availability).operative
        return UNAVAILABLE if is_shut and status != FAULTED else status

    def on_CancelReservation(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": self.cancel(request["reservationId"])}
