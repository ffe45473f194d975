"""OCPP calls in the words of a charger's version."""

from datetime import datetime
from hashlib import blake2b
from typing import Any

from chargers.models import OcppVersion
from ocpi.models import Cpo, Evse
from ocpi.protocol.times import written

Call = tuple[str, dict[str, Any]]  # action and payload
LONGEST_ID_TAG = 20  # OCPP 1.6, CiString20Type


def is_v16(evse: Evse) -> bool:
    return evse.charger is not None and evse.charger.ocpp_version == OcppVersion.V16


def id_tag(evse: Evse, uid: str) -> str:
    """The token as the charger can carry it: a uid too long for 1.6 is always the same 20 characters."""
    return alias(evse.cpo, uid) if is_v16(evse) and len(uid) > LONGEST_ID_TAG else uid


def alias(cpo: Cpo, uid: str) -> str:
    return blake2b(uid.upper().encode(), key=f"cpo {cpo.pk}".encode(), digest_size=10).hexdigest().upper()


def _id_token(token: dict[str, Any]) -> dict[str, Any]:
    """2.0.1: whoever holds an RFID card shows it, other tokens are known to the back office only."""
    return {"idToken": token["uid"], "type": "ISO14443" if token["type"] == "RFID" else "Central"}


def _group(token: dict[str, Any]) -> dict[str, Any]:
    group = token.get("group_id")
    return {"groupIdToken": {"idToken": group, "type": "Central"}} if group else {}


def start(evse: Evse, token: dict[str, Any], number: int) -> Call:
    if is_v16(evse):
        return "RemoteStartTransaction", {"connectorId": evse.outlet_connector, "idTag": id_tag(evse, token["uid"])}
    return "RequestStartTransaction", {
        "evseId": evse.outlet_evse,
        "remoteStartId": number,
        "idToken": _id_token(token),
        **_group(token),
    }


def stop(evse: Evse, transaction_id: str) -> Call:
    if is_v16(evse):
        return "RemoteStopTransaction", {"transactionId": int(transaction_id)}
    return "RequestStopTransaction", {"transactionId": transaction_id}


def unlock(evse: Evse) -> Call:
    if is_v16(evse):
        return "UnlockConnector", {"connectorId": evse.outlet_connector}
    return "UnlockConnector", {"evseId": evse.outlet_evse, "connectorId": evse.outlet_connector}


def reserve(evse: Evse, token: dict[str, Any], number: int, expires_at: datetime) -> Call:
    if not is_v16(evse):
        ids = {"id": number, "evseId": evse.outlet_evse, "idToken": _id_token(token), **_group(token)}
        return "ReserveNow", {"expiryDateTime": written(expires_at), **ids}
    request = {
        "connectorId": evse.outlet_connector,
        "expiryDate": written(expires_at),
        "idTag": id_tag(evse, token["uid"]),
        "reservationId": number,
    }
    parent = token.get("group_id") or ""
    return "ReserveNow", request | ({"parentIdTag": parent} if 0 < len(parent) <= LONGEST_ID_TAG else {})


def cancel_reservation(number: int) -> Call:
    return "CancelReservation", {"reservationId": number}


def set_profile(evse: Evse, transaction_id: str, number: int, profile: dict[str, Any]) -> Call:
    """A TxProfile; without a start it is relative to the start of the transaction."""
    schedule: dict[str, Any] = {
        "chargingRateUnit": profile["charging_rate_unit"],
        "chargingSchedulePeriod": [
            {"startPeriod": one["start_period"], "limit": one["limit"]} for one in profile["charging_profile_period"]
        ],
    }
    start_at = profile.get("start_date_time")
    named = {"duration": profile.get("duration"), "startSchedule": start_at}
    named["minChargingRate"] = profile.get("min_charging_rate")
    schedule |= {name: value for name, value in named.items() if value is not None}
    common = {
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute" if start_at else "Relative",
    }
    if is_v16(evse):
        whole = {"chargingProfileId": number, "transactionId": int(transaction_id), "chargingSchedule": schedule}
        request = {"connectorId": evse.outlet_connector, "csChargingProfiles": common | whole}
        return "SetChargingProfile", request
    whole = {"id": number, "transactionId": transaction_id, "chargingSchedule": [{"id": number, **schedule}]}
    return "SetChargingProfile", {"evseId": evse.outlet_evse, "chargingProfile": common | whole}


def composite_schedule(evse: Evse, duration: int) -> Call:
    place = {"connectorId": evse.outlet_connector} if is_v16(evse) else {"evseId": evse.outlet_evse}
    return "GetCompositeSchedule", {"duration": duration, **place}


def clear_profile(evse: Evse, number: int) -> Call:
    return "ClearChargingProfile", {"id" if is_v16(evse) else "chargingProfileId": number}
