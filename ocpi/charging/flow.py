"""When the vehicle took energy and when it did not, as the station told it in its frames."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from chargers.models import Direction, Message, Transaction

MOST = 2000
MARGIN = timedelta(minutes=1)  # between a station's own clock and the time at which its frame was logged


# Why a 2.0.1 station says EVConnected or Idle of a vehicle that is only about to charge.
BEGINNINGS = frozenset({"Authorized", "CablePluggedIn", "EVDetected", "RemoteStart"})
Position = tuple[int, int]  # epoch and sequence of a frame in a charger's log


def after(position: Position) -> Q:
    epoch, sequence = position
    return Q(epoch__gt=epoch) | Q(epoch=epoch, sequence__gt=sequence)


def changes(transaction: Transaction, since: Position) -> tuple[list[tuple[datetime, bool]], Position]:
    """(time, whether energy flows from then on) of frames after that position, and where reading stopped."""
    rows = Message.objects.filter(
        after(since),
        charger_id=transaction.charger_id,
        at__gte=transaction.started_at - MARGIN,
        action__in=("StatusNotification", "TransactionEvent"),
        direction=Direction.CP_TO_CSMS,
        message_type="CALL",
        injected=False,
    )
    rows = rows.filter(Q(action="StatusNotification") | Q(transaction=transaction.transaction_id))
    rows = rows.only("epoch", "sequence", "action", "text", "at").order_by("epoch", "sequence")
    found: list[tuple[datetime, bool]] = []
    for frame in rows[:MOST]:
        since = (frame.epoch, frame.sequence)
        state = _state(frame, transaction)
        if state is not None and state[0] >= transaction.started_at:
            found.append(state)
    return found, since


def _state(frame: Message, transaction: Transaction) -> tuple[datetime, bool] | None:
    """OCPP 1.6 tells it by the connector's status, 2.0.1 by the transaction's charging state.

    A vehicle that waits for its first energy does not park: until then its time counts as charging.
    """
    payload = _payload(frame.text)
    if frame.action == "StatusNotification":
        if payload.get("connectorId") != transaction.connector_id or "status" not in payload:
            return None  # another outlet's, or 2.0.1's, whose status says Occupied only
        state = payload["status"]
        if state == "Preparing":
            return None
    else:
        state = (payload.get("transactionInfo") or {}).get("chargingState")
        if state is None or (state in ("EVConnected", "Idle") and payload.get("triggerReason") in BEGINNINGS):
            return None
    at = parse_datetime(str(payload.get("timestamp", ""))) or frame.at
    return at, state == "Charging"


def _payload(text: str) -> dict[str, Any]:
    """Of a CALL; empty where a fault has garbled it."""
    try:
        payload = json.loads(text)[3]
    except (ValueError, LookupError, TypeError):
        return {}
    return payload if isinstance(payload, dict) else {}
