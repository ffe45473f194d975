"""From meter readings to what a session has drawn, its charging periods and its running cost.

`Session.meter` is the memory between two looks:
{since, states_since: positions in the log; at, wh: the last register reading; charging: whether energy flowed then;
states: changes of that told since; bill: the running bill; slice: the last charging period, exactly;
pieces: periods merged as the CDR wants them; meter_id, told_at and others belong to the session's keeper}.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from chargers.models import Transaction
from chargers.services.meter_values import REGISTER, Reading, reports_of
from chargers.services.meter_values import read as read_frames
from ocpi.charging import flow
from ocpi.charging.flow import Position, after
from ocpi.cost import Bill, Piece, Restriction, Segment, Terms
from ocpi.cost.bill import rounded, seconds
from ocpi.models import Session
from ocpi.moments import truncated
from ocpi.protocol.times import read, written

Memory = dict[str, Any]
STILL = timedelta(seconds=30)  # so long without a watt-hour is parking, whatever the status says
MOST_FRAMES = 5000
FREE: dict[str, Any] = {"elements": []}


@dataclass(frozen=True, slots=True)
class Point:
    """The register (Wh) at an instant, and what else was measured then: kW, A over all phases, percent."""

    at: datetime
    wh: Decimal
    power: Decimal | None = None
    current: Decimal | None = None
    charge: Decimal | None = None


def begin(session: Session, transaction: Transaction) -> None:
    """The transaction starts: time reserved before it is billed, the meter stands at its start."""
    bill = bill_of(session)
    start = truncated(transaction.started_at)
    reserved_from = session.meter.get("reserved_from")
    if reserved_from is not None:
        _reserve(session, bill, read(reserved_from), start, Restriction.RESERVATION)
    session.meter |= {"at": written(start), "wh": transaction.meter_start, "charging": True, "bill": bill.memory()}
    session.meter.setdefault("start_wh", transaction.meter_start)
    session.total_cost = bill.cost().total.content()


def end_reservation(session: Session, at: datetime, kind: Restriction) -> None:
    """A reservation that led to no charging: its time is what there is to pay for."""
    bill = bill_of(session)
    _reserve(session, bill, read(session.meter["reserved_from"]), max(at, session.started_at), kind)
    session.meter["bill"] = bill.memory()
    session.total_cost = bill.cost().total.content()


def _reserve(session: Session, bill: Bill, start: datetime, end: datetime, kind: Restriction) -> None:
    for piece in bill.add(Segment(start, max(start, end), Decimal(0), charging=False, reserved=kind)):
        _keep(session, piece, None)


def bill_of(session: Session) -> Bill:
    """The session's running bill, as remembered."""
    zone = ZoneInfo(session.cdr_location.get("time_zone") or "UTC")
    return Bill.recalled(Terms(session.tariff or FREE), zone, session.meter.get("bill"))


def advance(session: Session, transaction: Transaction, *, final: bool) -> bool:
    """Reads what was told since the last look; `final` adds the end of the transaction. Whether anything was new."""
    memory = session.meter
    frames = reports_of(transaction.charger_id, transaction).filter(after(_position(memory.get("since"))))
    known = list(read_frames(frames[:MOST_FRAMES]))
    states, states_since = flow.changes(transaction, _position(memory.get("states_since")))
    waiting = [(read(at), charging) for at, charging in memory.get("states", [])]
    points = _points(known)
    if final:
        points = _ended(points, transaction)
    last = Point(read(memory["at"]), Decimal(str(memory["wh"])))
    fresh = [point for point in points if point.at > last.at or (final and point is points[-1])]
    waiting += [(truncated(at), charging) for at, charging in states]
    bill = bill_of(session)
    for point in fresh:
        _charge(session, bill, last, point, waiting)
        last = Point(max(last.at, point.at), max(last.wh, point.wh))
    later = [(written(at), charging) for at, charging in waiting if at > last.at]
    memory |= {"states_since": list(states_since), "states": later}
    if known:
        memory["since"] = list(max(one.frame for one in known))
    if fresh:
        memory |= {"at": written(last.at), "wh": _number(last.wh), "bill": bill.memory()}
        session.kwh = rounded(Fraction(last.wh - Decimal(str(memory["start_wh"]))) / 1000)
        session.total_cost = bill.cost().total.content()
    return bool(fresh)


def _position(saved: Sequence[int] | None) -> Position:
    return (saved[0], saved[1]) if saved else (0, 0)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _points(known: Iterable[Reading]) -> list[Point]:
    """One for each instant at which the register was read."""
    instants: dict[datetime, list[Reading]] = {}
    for reading in known:
        instants.setdefault(truncated(reading.at), []).append(reading)
    found = (_point(at, group) for at, group in sorted(instants.items()))
    return [point for point in found if point is not None]


def _point(at: datetime, group: Sequence[Reading]) -> Point | None:
    register = _single(group, REGISTER)
    if register is None:
        return None
    power, charge = _single(group, "Power.Active.Import"), _single(group, "SoC")
    currents = [_decimal(one.value) for one in group if one.measurand == "Current.Import" and one.phase != "N"]
    return Point(
        at,
        _decimal(register.value) * (1000 if register.unit == "kWh" else 1),
        None if power is None else _decimal(power.value) / (1 if power.unit == "kW" else 1000),
        sum(currents, Decimal(0)) if currents else None,
        None if charge is None else _decimal(charge.value),
    )


def _decimal(value: float) -> Decimal:
    """As it was written in the frame."""
    return Decimal(str(value))


def _single(group: Sequence[Reading], measurand: str) -> Reading | None:
    """Without a phase: the sum of all."""
    return next((one for one in group if one.measurand == measurand and not one.phase), None)


def _ended(points: Sequence[Point], transaction: Transaction) -> list[Point]:
    """The end as the transaction's own row has it: whatever frames were lost, total and time are right."""
    assert transaction.ended_at is not None
    end = truncated(transaction.ended_at)
    before = [point for point in points if point.at < end]
    stop = transaction.meter_stop
    if stop is None:
        stop = int(before[-1].wh) if before else transaction.meter_start
    same = next((point for point in points if point.at == end), None)
    last = Point(end, Decimal(stop), *((same.power, same.current, same.charge) if same else ()))
    return [*before, last]


def _charge(session: Session, bill: Bill, last: Point, point: Point, states: Sequence[tuple[datetime, bool]]) -> None:
    """Bills what was drawn between two readings."""
    memory = session.meter
    kwh = max(point.wh - last.wh, Decimal(0)) / 1000
    end = max(last.at, point.at)
    told = [(at, charging) for at, charging in states if last.at < at <= end]
    for at, charging in states:
        if at <= last.at:
            memory["charging"] = charging
    for segment in _segments(last.at, end, kwh, memory["charging"], told, point):
        for piece in bill.add(segment):
            _keep(session, piece, point)
    if told:
        memory["charging"] = told[-1][1]


def _segments(
    start: datetime, end: datetime, kwh: Decimal, charging: bool, told: Sequence[tuple[datetime, bool]], point: Point
) -> list[Segment]:
    """Cut where the vehicle began or ceased to take energy; the energy belongs to the time in which it did."""
    marks = [(start, charging), *told, (end, charging)]
    stretches = [(since, until, flows) for (since, flows), (until, _) in pairwise(marks) if until > since]
    if not stretches or (kwh and not any(flows for _, _, flows in stretches)):
        return [Segment(start, end, kwh, charging=bool(kwh) or charging, power=point.power, current=point.current)]
    if not kwh and end - start >= STILL and not told:
        return [Segment(start, end, kwh, charging=False, power=Decimal(0), current=Decimal(0))]
    taking = sum(((until - since) for since, until, flows in stretches if flows), timedelta(0))
    segments, left = [], kwh
    last_taking = max((since for since, _, flows in stretches if flows), default=None)
    for since, until, flows in stretches:
        share = Decimal(0)
        if flows:
            portion = Decimal((until - since) // timedelta(milliseconds=1)) / (taking // timedelta(milliseconds=1))
            share = left if since == last_taking else round(kwh * portion, 6)
            left -= share
        power, current = (point.power, point.current) if flows else (Decimal(0), Decimal(0))
        segments.append(Segment(since, until, share, flows, power=power, current=current))
    return segments


# --- periods ----------------------------------------------------------------------------------------------------------


def _keep(session: Session, piece: Piece, point: Point | None) -> None:
    """Adds a piece to the session's periods; one that was given to the peer is closed for good."""
    memory = session.meter
    fresh = _exact(piece, point)
    if not Fraction(fresh["s"]) and not Fraction(fresh["kwh"]):
        return
    pieces = memory.setdefault("pieces", [])
    if pieces and pieces[-1]["key"] == fresh["key"]:
        pieces[-1] = _joined(pieces[-1], fresh)
    else:
        pieces.append(fresh)
    open_slice = memory.get("slice")
    if open_slice and open_slice["key"] == fresh["key"] and len(session.periods) > session.pushed_periods:
        memory["slice"] = _joined(open_slice, fresh)
        session.periods[-1] = period(session, memory["slice"])
    else:
        memory["slice"] = fresh
        session.periods.append(period(session, fresh))


def _exact(piece: Piece, point: Point | None) -> Memory:
    kind = "reserved" if piece.reserved else "charging" if piece.charging else "parking"
    active = sorted((str(dimension), number) for dimension, number in piece.active.items() if dimension != "FLAT")
    current, charge = (None, None) if point is None else (point.current, point.charge)
    return {
        "start": written(piece.start),
        "kwh": str(piece.kwh),
        "s": str(seconds(piece.end - piece.start)),
        "kind": kind,
        "key": [kind, *(f"{dimension}:{number}" for dimension, number in active)],
        "max_current": float(current) if current is not None and kind == "charging" else None,
        "charge": None if charge is None else float(charge),
    }


def _joined(one: Memory, other: Memory) -> Memory:
    currents = [value for value in (one["max_current"], other["max_current"]) if value is not None]
    return one | {
        "kwh": str(Fraction(one["kwh"]) + Fraction(other["kwh"])),
        "s": str(Fraction(one["s"]) + Fraction(other["s"])),
        "max_current": max(currents, default=None),
        "charge": other["charge"] if other["charge"] is not None else one["charge"],
    }


TIME_DIMENSION = {"charging": "TIME", "parking": "PARKING_TIME", "reserved": "RESERVATION_TIME"}


def period(session: Session, exact: Memory) -> dict[str, Any]:
    """A ChargingPeriod of a session: with the dimensions that only sessions may have (OCPI 2.2.1, 16.4.5)."""
    kwh, hours = Fraction(exact["kwh"]), Fraction(exact["s"]) / 3600
    dimensions = closed_dimensions(exact, rounded(kwh), rounded(hours))
    if exact["kind"] == "charging" and hours:
        dimensions.append({"type": "POWER", "volume": float(rounded(kwh / hours))})
        if exact["max_current"] is not None:
            dimensions.append({"type": "CURRENT", "volume": exact["max_current"]})
    if exact["charge"] is not None:
        dimensions.append({"type": "STATE_OF_CHARGE", "volume": exact["charge"]})
    return worded(session, exact, dimensions)


def closed_dimensions(exact: Memory, kwh: Decimal, hours: Decimal) -> list[dict[str, Any]]:
    """Those that a CDR may have too."""
    dimensions = [{"type": TIME_DIMENSION[exact["kind"]], "volume": float(hours)}]
    if exact["kind"] != "reserved":
        dimensions.insert(0, {"type": "ENERGY", "volume": float(kwh)})
    if exact["max_current"] is not None:
        dimensions.append({"type": "MAX_CURRENT", "volume": exact["max_current"]})
    return dimensions


def worded(session: Session, exact: Memory, dimensions: list[dict[str, Any]]) -> dict[str, Any]:
    tariff = {"tariff_id": session.tariff["id"]} if session.tariff else {}
    return {"start_date_time": exact["start"], "dimensions": dimensions, **tariff}
