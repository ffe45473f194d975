"""Rows as objects: 2.2.1's words, with whatever newer versions add. A version's binding says it in its own words.

Rows are to be loaded by `ocpi.protocol.reading`, so that a page costs the same few queries however long it is. Members
without a value are left out, points in time stay `datetime`, numbers stay what they are: projection writes them.
"""

from typing import Any

from ocpi.models import Cdr, Cpo, CpoLocation, Evse, Session, Tariff

Object = dict[str, Any]
CONNECTOR_ID = "1"
NO_ZONE = "Etc/UTC"


def owner(cpo: Cpo) -> Object:
    return {"country_code": cpo.country_code, "party_id": cpo.party_id}


def business(cpo: Cpo) -> Object:
    return {"name": cpo.name_prefix}


def degrees(value: float) -> str:
    """With six decimals: about 10 cm, within the five to seven that the standard allows."""
    return f"{value:.6f}"


def location(row: CpoLocation) -> Object:
    """The site with its EVSEs; once it is deleted, as it was last, with the EVSEs as they are now (REMOVED)."""
    place = row.location
    if place is None:
        shown: Object = dict(row.snapshot or {})
    else:
        shown = {
            "publish": place.public,
            "name": place.name,
            "address": place.address,
            "city": place.city,
            "coordinates": {"latitude": degrees(place.latitude), "longitude": degrees(place.longitude)},
            "time_zone": place.timezone or NO_ZONE,
            **({"owner": {"name": place.owner_name}} if place.owner_name else {}),
            **row.attributes,
        }
    if shown.get("publish"):
        shown.pop("publish_allowed_to", None)  # 2.2.1, 8.3.1: only where publish is false
    evses = [evse(one) for one in row.evses.all()]
    return {
        **shown,
        **owner(row.cpo),
        "id": row.ocpi_id,
        "country": row.country,
        **({"evses": evses} if evses else {}),
        "last_updated": row.last_updated,
    }


def evse(row: Evse) -> Object:
    return {
        **row.attributes,
        "uid": row.uid,
        "evse_id": row.evse_id,
        "status": row.status,
        "connectors": [connector(row)],
        "last_updated": row.last_updated,
    }


def connector(row: Evse) -> Object:
    """The one connector of the EVSE."""
    tariffs = [one.tariff_id for one in row.tariffs.all() if one.removed_at is None]
    return {
        **row.connector,
        "id": CONNECTOR_ID,
        **({"tariff_ids": tariffs} if tariffs else {}),
        "last_updated": row.connector_last_updated,
    }


def tariff(row: Tariff) -> Object:
    return {**row.content, **owner(row.cpo), "id": row.tariff_id, "last_updated": row.last_updated}


def session(row: Session) -> Object:
    place = row.cdr_location
    shown = {
        **owner(row.cpo),
        "id": row.session_id,
        "start_date_time": row.started_at,
        "end_date_time": row.ended_at,
        "kwh": row.kwh,
        "cdr_token": row.cdr_token,
        "auth_method": row.auth_method,
        "authorization_reference": row.authorization_reference,
        "location_id": place.get("id"),
        "evse_uid": place.get("evse_uid"),
        "connector_id": place.get("connector_id"),
        "meter_id": row.meter.get("meter_id"),
        "currency": row.currency,
        "charging_periods": row.periods,
        "total_cost": row.total_cost,
        "status": row.status,
        "last_updated": row.last_updated,
    }
    return {name: value for name, value in shown.items() if value not in (None, "", [])}


def cdr(row: Cdr) -> Object:
    return {**row.content, "last_updated": row.content.get("last_updated") or row.last_updated}
