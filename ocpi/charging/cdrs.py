"""Charge detail records: written once, when a session has ended (OCPI contract, section 8)."""

import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction

from ocpi.charging import metering
from ocpi.cost.bill import Cost, rounded
from ocpi.models import Cdr, Session
from ocpi.moments import now_ms
from ocpi.protocol.times import written
from ocpi.protocol.versions import binding
from ocpi.pushing import outbox
from ocpplab.api.errors import Conflict
from tenants import audit

Content = dict[str, Any]
PARTS = {
    "fixed": "total_fixed_cost",
    "energy": "total_energy_cost",
    "time": "total_time_cost",
    "parking": "total_parking_cost",
    "reservation": "total_reservation_cost",
}
LONGEST_REMARK = 255


def make(session: Session) -> Cdr:
    """The session's CDR, which the peer is told; the one that stands if it was made before."""
    made = Cdr.objects.filter(session=session, credit=False).first()
    if made is not None:
        return made
    now = now_ms()
    cdr_id = str(uuid.uuid4())
    content = contents(session) | {"id": cdr_id, "last_updated": written(now)}
    cdr: Cdr = Cdr.objects.create(
        cpo=session.cpo,
        peer=session.peer,
        session=session,
        cdr_id=cdr_id,
        content=content,
        created_at=now,
        last_updated=now,
    )
    outbox.cdr_made(cdr, correlation_id=session.correlation_id)
    return cdr


@transaction.atomic
def credit(cdr: Cdr) -> Cdr:
    """The credit CDR of one, which the peer is told; the one that stands if it was made before. Raises Conflict."""
    if cdr.credit:
        raise Conflict("It is a credit CDR itself.")
    if cdr.peer is not None and not binding(cdr.peer.version).credits:
        raise Conflict(f"OCPI {cdr.peer.version}, which its eMSP speaks, has no credit CDRs.")
    now = now_ms()
    content = credited(cdr) | {"last_updated": written(now)}
    values = {"peer": cdr.peer, "session": cdr.session, "credit": True, "content": content}
    row: Cdr
    row, is_new = Cdr.objects.get_or_create(
        cpo=cdr.cpo, cdr_id=content["id"], defaults={**values, "created_at": now, "last_updated": now}
    )
    if is_new:
        outbox.cdr_made(row, correlation_id="" if cdr.session is None else cdr.session.correlation_id)
        summary = f"{cdr.cpo} {cdr.cdr_id}"
        audit.record("credit_cdr", object_type="cdr", object_id=cdr.pk, organization_id=cdr.tenant_id, summary=summary)
    return row


def credited(cdr: Cdr) -> Content:
    """All the data of the original; only `total_cost` is negative (OCPI 2.2.1, 10.1.1)."""
    cost = {name: -value for name, value in cdr.content["total_cost"].items()}
    reference = {"id": f"{cdr.cdr_id}-C", "credit": True, "credit_reference_id": cdr.cdr_id}
    return dict(cdr.content) | reference | {"total_cost": cost}


def contents(session: Session) -> Content:
    """All but id and last_updated, in the words of 2.2.1. Volumes are as measured, rounding is in the cost only."""
    cost = metering.bill_of(session).cost()
    periods, energy, hours, parking = _periods(session)
    assert session.ended_at is not None
    content: Content = {
        "country_code": session.cpo.country_code,
        "party_id": session.cpo.party_id,
        "start_date_time": written(session.started_at),
        "end_date_time": written(session.ended_at),
        "session_id": session.session_id,
        "cdr_token": session.cdr_token,
        "auth_method": session.auth_method,
        "cdr_location": session.cdr_location,
        "currency": session.currency,
        "charging_periods": periods,
        "total_energy": float(energy),
        "total_time": float(hours),
        "total_parking_time": float(parking),
        **_costs(cost),
    }
    optional = {
        "authorization_reference": session.authorization_reference,
        "meter_id": session.meter.get("meter_id"),
        "remark": str(session.meter.get("stop_reason") or "")[:LONGEST_REMARK],
        "tariffs": [session.tariff] if session.tariff else None,
    }
    return content | {name: value for name, value in optional.items() if value}


def _costs(cost: Cost) -> Content:
    parts = {PARTS[name]: price.content() for name, price in cost.parts.items()}
    return {"total_cost": cost.total.content(), **parts}


def _periods(session: Session) -> tuple[list[Content], Decimal, Decimal, Decimal]:
    """The merged periods, total kWh, total hours, hours of parking. Rounded so that the periods add up to the totals:
    each volume is the difference between two rounded running totals."""
    kwh = seconds = parked = Fraction(0)
    parking = Decimal(0)
    told: list[Content] = []
    for piece in session.meter.get("pieces", []):
        energy_before, hours_before = rounded(kwh), rounded(seconds / 3600)
        if piece["kind"] != "reserved":
            kwh += Fraction(piece["kwh"])
            seconds += Fraction(piece["s"])
            hours = rounded(seconds / 3600) - hours_before
        else:
            hours = rounded(Fraction(piece["s"]) / 3600)
        if piece["kind"] == "parking":
            parked += Fraction(piece["s"])
            parking += hours
        dimensions = metering.closed_dimensions(piece, rounded(kwh) - energy_before, hours)
        told.append(metering.worded(session, piece, dimensions))
    if not told:
        told.append(_empty_period(session))
    return told, rounded(kwh), rounded(seconds / 3600), parking


def _empty_period(session: Session) -> Content:
    """A session that ended as it began: a CDR has one period at least."""
    nothing = {"start": written(session.started_at), "kind": "charging", "max_current": None}
    return metering.worded(session, nothing, metering.closed_dimensions(nothing, Decimal(0), Decimal(0)))
