"""The Central System: OCPP 1.6, edition 2, with the security extension."""

from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.errors import OCPP16_ERROR_CODES
from simulator.csms import judging, transactions
from simulator.csms.database import in_database
from simulator.csms.desk import Desk, Handler, Payload, now
from simulator.csms.fields import INT53, moment, number
from simulator.csms.readings import register
from simulator.csms.services import Authorization

STATUSES = frozenset({"Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"})  # OCPP 1.6, 7.2


class CentralSystem(Desk):
    subprotocol = "ocpp1.6"
    answers_bad_frames = False
    error_codes: ClassVar = OCPP16_ERROR_CODES
    acknowledged = frozenset(
        {
            "DiagnosticsStatusNotification",
            "FirmwareStatusNotification",
            "LogStatusNotification",
            "SecurityEventNotification",
            "SignedFirmwareStatusNotification",
        }
    )

    async def on_boot_notification(self, request: Payload) -> Payload:
        return self.booted(request, vendor=request["chargePointVendor"], model=request["chargePointModel"])

    async def on_status_notification(self, request: Payload) -> Payload:
        connector_id = number(request, "connectorId")
        status = {
            "status": request["status"],
            "error_code": request["errorCode"],
            "at": request.get("timestamp") or now(),
        }
        self.picture.report(str(connector_id), status)
        self.journal.changed(self.picture)
        return {}

    async def on_authorize(self, request: Payload) -> Payload:
        return {"idTagInfo": await self._id_tag_info(request["idTag"])}

    async def on_start_transaction(self, request: Payload) -> Payload:
        reported = transactions.Start(
            connector_id=number(request, "connectorId"),
            id_token=request["idTag"],
            started_at=moment(request),
            meter_start=number(request, "meterStart", lowest=-INT53, highest=INT53),
        )
        info = await self._id_tag_info(request["idTag"], reported.connector_id)
        row = await in_database(transactions.start, self.endpoint.pk, self.picture.station_id, reported)
        self.opened(row.transaction_id, row.pk)
        return {"transactionId": int(row.transaction_id), "idTagInfo": info}

    async def on_meter_values(self, request: Payload) -> Payload:
        found = register(request["meterValue"])
        if found is not None and "transactionId" in request:
            pk = await self._row_of(str(request["transactionId"]))
            if pk is not None:
                self.journal.metered(pk, found)
        return {}

    async def on_stop_transaction(self, request: Payload) -> Payload:
        transaction_id = str(request["transactionId"])
        # An unknown id is accepted as well: the station has stopped, and refusing would only make it repeat itself.
        await in_database(
            transactions.stop,
            self.picture.station_id,
            transaction_id,
            ended_at=moment(request),
            meter_stop=number(request, "meterStop", lowest=-INT53, highest=INT53),
            reason=request.get("reason", "Local"),
        )
        self.ended(transaction_id)
        return {"idTagInfo": await self._id_tag_info(request["idTag"], ends=True)} if "idTag" in request else {}

    async def _row_of(self, transaction_id: str) -> int | None:
        """From memory; after a reconnect, once from the table."""
        pk = self.row_of(transaction_id)
        if pk is None:
            pk = await in_database(transactions.find, self.picture.station_id, transaction_id)
            if pk is not None:
                self.opened(transaction_id, pk)
        return pk

    async def _id_tag_info(self, id_tag: str, connector_id: int | None = None, *, ends: bool = False) -> Payload:
        place = None if connector_id is None else (connector_id, connector_id)
        said = self.endpoint, self.picture.identity, id_tag
        return id_tag_info(await judging.authorize(*said, place=place, ends=ends))

    handlers: ClassVar[Mapping[str, Handler]] = {
        "Authorize": on_authorize,
        "BootNotification": on_boot_notification,
        "DataTransfer": Desk.on_data_transfer,
        "Heartbeat": Desk.on_heartbeat,
        "MeterValues": on_meter_values,
        "SignCertificate": Desk.on_sign_certificate,
        "StartTransaction": on_start_transaction,
        "StatusNotification": on_status_notification,
        "StopTransaction": on_stop_transaction,
    }


def id_tag_info(authorization: Authorization) -> dict[str, Any]:
    """An IdTagInfo; a parent of more than 20 characters cannot be told in 1.6 and is left out."""
    status = str(authorization.status)
    info = {"status": status if status in STATUSES else "Invalid"}
    if authorization.expires_at is not None:
        info["expiryDate"] = timestamps.written(authorization.expires_at.timestamp())
    if 0 < len(authorization.group) <= 20:
        info["parentIdTag"] = authorization.group
    return info
