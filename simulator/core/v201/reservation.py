"""Reservation: ReserveNow and CancelReservation (behaviour contract, 5.6)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.machine import Machine
from simulator.core.physical.connector import Connector
from simulator.core.reservation import ACCEPTED, ANYWHERE, REJECTED, Reservation
from simulator.core.reservation import Reservations as SharedReservations
from simulator.core.v201.availability import Availability
from simulator.core.v201.transactions import Transactions
from simulator.core.v201.variables import connector_type

UPDATE = "ReservationStatusUpdate"
UNTOLD = "untold_reservations"


class Reservations(SharedReservations):
    """What became of a reservation while the station was offline is told after the reconnect."""

    actions: ClassVar = ("ReserveNow", "CancelReservation")

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.untold: list[dict[str, Any]] = list(station.store.get(UNTOLD, []))

    def save(self) -> None:
        super().save()
        if self.untold or self.station.store.get(UNTOLD):
            self.station.store.put(UNTOLD, list(self.untold))

    def place_of(self, connector: Connector) -> int:
        return connector.outlet.evse_id

    def is_free(self, connector: Connector) -> bool:
        """Of an EVSE's connectors only one can be in use at a time."""
        return super().is_free(connector) and not self.station.block(Transactions).evse_is_taken(connector)

    def is_in_service(self, connector: Connector) -> bool:
        return self.station.block(Availability).is_in_service(connector)

    def fits(self, reservation: Reservation, connector: Connector) -> bool:
        is_of_type = reservation.outlet_type in ("", connector_type(connector.outlet))
        return is_of_type and super().fits(reservation, connector)

    def report(self, connector: Connector) -> None:
        self.station.block(Availability).report(connector)

    def released(self, connector: Connector) -> None:
        """A cable that a stranger has plugged in counts from now on."""
        self.report(connector)
        self.station.block(Transactions).progress(connector)

    # --- calls of the CSMS ------------------------------------------------------------------------------------------

    def on_ReserveNow(self, request: dict[str, Any]) -> dict[str, Any]:
        reservation = Reservation(
            reservation_id=request["id"],
            place=request.get("evseId", ANYWHERE),
            token=request["idToken"]["idToken"],
            expires_at=timestamps.read(request["expiryDateTime"]) or 0.0,
            parent=request.get("groupIdToken", {}).get("idToken", ""),
            outlet_type=request.get("connectorType", ""),
        )
        if reason := self._refusal(reservation, request):
            return {"status": REJECTED, "statusInfo": {"reasonCode": reason}}
        status = self.answer(reservation)
        if status == ACCEPTED:
            self.held[reservation.reservation_id] = reservation
        return {"status": status}

    def _refusal(self, reservation: Reservation, request: dict[str, Any]) -> str:
        """The reason code of a request that no state of the outlets could satisfy, or ""."""
        flag, outlets = self.station.configuration.flag, self.station.connectors
        if not flag("ReservationCtrlr.Enabled"):
            return "NotEnabled"
        if "evseId" not in request and not flag("ReservationCtrlr.NonEvseSpecific"):
            return "UnsupportedRequest"
        if "evseId" in request and all(self.place_of(one) != request["evseId"] for one in outlets):
            return "UnknownEvse"
        if not any(self.fits(reservation, one) for one in outlets):
            return "UnknownConnectorType"
        return "" if reservation.expires_at > self.station.clock else "InvalidValue"

    def on_CancelReservation(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": self.cancel(request["reservationId"])}

    # --- ReservationStatusUpdate ------------------------------------------------------------------------------------

    def ended(self, reservation: Reservation, why: str) -> None:
        update = {"reservationId": reservation.reservation_id, "reservationUpdateStatus": why}
        if self.station.online:
            self.station.call(Call(UPDATE, update))
        else:
            self.untold.append(update)

    def came_online(self, *, after_boot: bool) -> None:
        untold, self.untold = self.untold, []
        for update in untold:
            self.station.call(Call(UPDATE, update))

    def ReservationStatusUpdate_failed(self, call: Call, problem: str) -> None:
        if problem == "lost":
            self.untold.append(call.payload)
        self.station.commands.note(call.command_id, f"Done, but the CSMS did not take {UPDATE}.")

    def picture(self) -> dict[str, Any]:
        shown = super().picture()["reservations"]
        return {"reservations": [{"evse_id": one.pop("connector_id"), **one} for one in shown]}
