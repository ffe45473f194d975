"""The CSMS of OCPP 2.0.1, edition 3."""

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.errors import OCPP201_ERROR_CODES
from simulator.csms import judging, transactions
from simulator.csms.database import in_database
from simulator.csms.desk import Desk, Handler, Payload
from simulator.csms.fields import moment, number
from simulator.csms.models import CardStatus
from simulator.csms.readings import merged, register
from simulator.csms.services import Authorization
from simulator.csms.transactions import Event


class ChargingStationManagement(Desk):
    subprotocol = "ocpp2.0.1"
    answers_bad_frames = True
    error_codes: ClassVar = OCPP201_ERROR_CODES
    # Certificates of vehicles (Get15118EVCertificate, GetCertificateStatus) are not offered: NotSupported.
    acknowledged = frozenset(
        {
            "ClearedChargingLimit",
            "FirmwareStatusNotification",
            "LogStatusNotification",
            "MeterValues",
            "NotifyChargingLimit",
            "NotifyCustomerInformation",
            "NotifyDisplayMessages",
            "NotifyEvent",
            "NotifyMonitoringReport",
            "NotifyReport",
            "PublishFirmwareStatusNotification",
            "ReportChargingProfiles",
            "ReservationStatusUpdate",
            "SecurityEventNotification",
        }
    )

    async def on_boot_notification(self, request: Payload) -> Payload:
        station = request["chargingStation"]
        return self.booted(request, vendor=station["vendorName"], model=station["model"])

    async def on_status_notification(self, request: Payload) -> Payload:
        place = f"{number(request, 'evseId')}/{number(request, 'connectorId')}"
        self.picture.report(place, {"status": request["connectorStatus"], "at": request["timestamp"]})
        self.journal.changed(self.picture)
        return {}

    async def on_authorize(self, request: Payload) -> Payload:
        return {"idTokenInfo": await self._id_token_info(request["idToken"])}

    async def on_transaction_event(self, request: Payload) -> Payload:
        event = read_event(request)
        pk = self.row_of(event.transaction_id)
        if pk is None or event.ended_with or "idToken" in request or request["eventType"] == "Started":
            await self._record(event, pk)
        elif event.register is not None:
            self.journal.metered(pk, event.register)
        if "idToken" not in request:
            return {}
        place = None if event.evse_id is None else (event.evse_id, event.connector_id or 1)
        ends = request["eventType"] == "Ended" or request["triggerReason"] == "StopAuthorized"
        return {"idTokenInfo": await self._id_token_info(request["idToken"], place, ends=ends)}

    async def _record(self, event: Event, pk: int | None) -> None:
        """Writes the event at once, together with what was metered since the last write."""
        metered = self.journal.take_register(pk) if pk is not None else None
        event.register = merged(metered, event.register)
        row = await in_database(transactions.report, self.endpoint.pk, self.picture.station_id, event)
        if event.ended_with:
            self.ended(event.transaction_id)
        elif pk is None:
            self.opened(event.transaction_id, row)

    async def on_notify_ev_charging_needs(self, request: Payload) -> Payload:
        return {"status": "Rejected"}  # no schedules are made here: the station charges by its own limits

    async def on_notify_ev_charging_schedule(self, request: Payload) -> Payload:
        return {"status": "Accepted"}

    async def _id_token_info(
        self, id_token: Payload, place: tuple[int, int] | None = None, *, ends: bool = False
    ) -> Payload:
        said = id_token["idToken"], id_token["type"]
        return id_token_info(await judging.authorize(self.endpoint, self.picture.identity, *said, place, ends=ends))

    handlers: ClassVar[Mapping[str, Handler]] = {
        "Authorize": on_authorize,
        "BootNotification": on_boot_notification,
        "DataTransfer": Desk.on_data_transfer,
        "Heartbeat": Desk.on_heartbeat,
        "NotifyEVChargingNeeds": on_notify_ev_charging_needs,
        "NotifyEVChargingSchedule": on_notify_ev_charging_schedule,
        "SignCertificate": Desk.on_sign_certificate,
        "StatusNotification": on_status_notification,
        "TransactionEvent": on_transaction_event,
    }


def read_event(request: Payload) -> Event:
    """What the row needs of a TransactionEvent. Raises Refusal for numbers and dates out of range."""
    evse = request.get("evse", {})
    info = request["transactionInfo"]
    ended = request["eventType"] == "Ended"
    return Event(
        transaction_id=info["transactionId"],
        at=moment(request),
        evse_id=number(evse, "id") if evse else None,
        connector_id=number(evse, "connectorId") if "connectorId" in evse else None,
        id_token=request.get("idToken", {}).get("idToken", ""),
        register=register(request.get("meterValue", [])),
        ended_with=info.get("stoppedReason", "Local") if ended else "",
    )


def id_token_info(authorization: Authorization) -> dict[str, Any]:
    """An IdTokenInfoType; a card that nobody knows is Unknown here, where 1.6 has only Invalid."""
    refused_unseen = authorization.status == CardStatus.INVALID and not authorization.known
    info: dict[str, Any] = {"status": "Unknown" if refused_unseen else str(authorization.status)}
    if authorization.expires_at is not None:
        info["cacheExpiryDateTime"] = timestamps.written(authorization.expires_at.timestamp())
    if authorization.group:
        info["groupIdToken"] = {"idToken": authorization.group, "type": "Central"}
    return info
