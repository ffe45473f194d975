"""What a session keeps of its EVSE and tariff as they were at its start (OCPI contract, section 8)."""

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from ocpi.models import Evse, Tariff
from ocpi.protocol import rendering
from ocpi.protocol.times import written

SITE = ("name", "address", "city", "postal_code", "state", "country", "coordinates", "time_zone", "parking_type")
CONNECTOR = {"standard": "connector_standard", "format": "connector_format", "power_type": "connector_power_type"}
REGULAR = "REGULAR"
BESIDE = ("max_voltage", "max_amperage", "tariff_ids")  # only 2.1.1's sessions and CDRs show these


def cdr_location(evse: Evse) -> dict[str, Any]:
    """The CdrLocation, and what older versions tell beside it."""
    location, connector = rendering.location(evse.location), rendering.connector(evse)
    place = {name: location[name] for name in SITE if location.get(name) not in (None, "")}
    words = {ours: connector[theirs] for theirs, ours in CONNECTOR.items() if theirs in connector}
    beside = {name: connector[name] for name in BESIDE if name in connector}
    names = {"evse_uid": evse.uid, "evse_id": evse.evse_id, "connector_id": rendering.CONNECTOR_ID}
    return {"id": evse.location.ocpi_id, **place, **names, **words, **beside}


def tariff_at(evse: Evse, at: datetime) -> dict[str, Any] | None:
    """The tariff object that holds for a session that starts now; None where the EVSE has none.

    Those for ad hoc payment or a charging preference hold for drivers' tokens only where there is no other.
    """
    rows = evse.tariffs.filter(removed_at=None).select_related("cpo").order_by("created_at", "id")
    tariffs = [tariff for tariff in rows if _in_force(tariff, at)]
    tariff = min(tariffs, key=lambda one: one.content.get("type", REGULAR) != REGULAR, default=None)
    return None if tariff is None else rendering.tariff(tariff) | {"last_updated": written(tariff.last_updated)}


def _in_force(tariff: Tariff, at: datetime) -> bool:
    """start_date_time inclusive, end_date_time exclusive; without a designator they mean UTC."""
    start, end = (_moment(tariff.content.get(name)) for name in ("start_date_time", "end_date_time"))
    return (start is None or start <= at) and (end is None or at < end)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    return parse_datetime(text if text.endswith("Z") else f"{text}Z")
