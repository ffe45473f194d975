"""What a person at the CSMS asks of a station, in the words of its version."""

from django.db import transaction

from simulator.csms import services, transactions
from simulator.csms.models import Card, CardStatus, CsmsCall, CsmsTransaction, Station

LAB_CARD = "OCPPLAB"


def usual_card(station: Station) -> str:
    """The first accepted card of the endpoint; a card that nobody knows where there is none."""
    cards = Card.objects.unscoped().filter(endpoint_id=station.endpoint_id, status=CardStatus.ACCEPTED)
    return cards.values_list("id_token", flat=True).first() or LAB_CARD


@transaction.atomic
def remote_start(station: Station, *, id_token: str, connector_id: int = 1) -> CsmsCall:
    """Raises Invalid for a card that the station's version cannot carry."""
    if station.subprotocol == "ocpp1.6":
        start = {"connectorId": connector_id, "idTag": id_token}
        return services.call(station, "RemoteStartTransaction", start)
    request = {
        "evseId": connector_id,
        "idToken": {"idToken": id_token, "type": "Central"},
        "remoteStartId": transactions.next_number(station.endpoint_id),
    }
    return services.call(station, "RequestStartTransaction", request)


def remote_stop(row: CsmsTransaction) -> CsmsCall:
    if row.station.subprotocol == "ocpp1.6":
        return services.call(row.station, "RemoteStopTransaction", {"transactionId": int(row.transaction_id)})
    return services.call(row.station, "RequestStopTransaction", {"transactionId": row.transaction_id})


def open_transactions(station: Station) -> list[CsmsTransaction]:
    rows = CsmsTransaction.objects.unscoped().filter(station=station, ended_at=None)
    return list(rows.select_related("station"))


def trigger_status(station: Station) -> CsmsCall:
    return services.call(station, "TriggerMessage", {"requestedMessage": "StatusNotification"})


def reset(station: Station) -> CsmsCall:
    """The gentle kind: a running transaction is ended (1.6) or waited for (2.0.1)."""
    return services.call(station, "Reset", {"type": "Soft" if station.subprotocol == "ocpp1.6" else "OnIdle"})
