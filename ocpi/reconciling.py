"""Whether what peers are billed agrees with what the chargers' own meters told over OCPP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chargers.models import Direction, Message, Transaction
from chargers.services.meter_values import of_register, read, reports_of
from ocpi.models import Cdr, Cpo, Session
from ocpi.protocol import times

CLOSE = timedelta(seconds=1)  # OCPP tells whole seconds in places where OCPI has milliseconds
MOST = 50


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One CDR beside its transaction. Energies in Wh; `problems` is empty where everything agrees."""

    session_id: str
    transaction_id: str
    identity: str
    started_at: datetime
    ended_at: datetime
    ocpp_wh: Decimal | None
    ocpi_wh: Decimal
    problems: tuple[str, ...]


def of_cpo(cpo: Cpo, most: int = MOST) -> list[Reconciliation]:
    """Of the newest CDRs, oldest first. A few queries for each."""
    rows = Cdr.objects.filter(cpo=cpo, credit=False).select_related("session__transaction__charger")
    newest = list(rows.order_by("-created_at", "-id")[:most])
    return [of_cdr(cdr) for cdr in reversed(newest)]


def of_cdr(cdr: Cdr) -> Reconciliation:
    session, content = cdr.session, cdr.content
    transaction = session.transaction if session is not None else None
    ocpp_wh = None if transaction is None else _metered(transaction)
    return Reconciliation(
        session_id=content.get("session_id", ""),
        transaction_id=(transaction.transaction_id or "") if transaction is not None else "",
        identity=transaction.charger.identity if transaction is not None else "",
        started_at=times.read(content["start_date_time"]),
        ended_at=times.read(content["end_date_time"]),
        ocpp_wh=ocpp_wh,
        ocpi_wh=Decimal(str(content["total_energy"])) * 1000,
        problems=tuple(_problems(cdr, session, transaction, ocpp_wh)),
    )


def _metered(transaction: Transaction) -> Decimal | None:
    """What the frames of the transaction say was drawn, its own row left aside; None where they do not say."""
    found = sorted(of_register(read(reports_of(transaction.charger_id, transaction))), key=lambda one: one.at)
    registers = [Decimal(str(one.value)) * (1000 if one.unit == "kWh" else 1) for one in found]
    start, stop = (
        _told(transaction, "StartTransaction", "meterStart"),
        _told(transaction, "StopTransaction", "meterStop"),
    )
    first = start if start is not None else registers[0] if registers else None
    last = stop if stop is not None else registers[-1] if registers else None
    return None if first is None or last is None else last - first


def _told(transaction: Transaction, action: str, member: str) -> Decimal | None:
    """OCPP 1.6 tells the register at both ends. A StartTransaction does not know its number: its answer does."""
    rows = Message.objects.filter(charger_id=transaction.charger_id, action=action)
    if action == "StartTransaction":
        answer = rows.filter(direction=Direction.CSMS_TO_CP, transaction=transaction.transaction_id).first()
        rows = rows.filter(message_id=answer.message_id) if answer is not None else rows.none()
    else:
        rows = rows.filter(transaction=transaction.transaction_id)
    frame = rows.filter(direction=Direction.CP_TO_CSMS, message_type="CALL").order_by("epoch", "sequence").first()
    try:
        return None if frame is None else Decimal(str(json.loads(frame.text)[3][member]))
    except (ValueError, LookupError, TypeError, ArithmeticError):
        return None


def _problems(
    cdr: Cdr, session: Session | None, transaction: Transaction | None, ocpp_wh: Decimal | None
) -> Iterator[str]:
    content = cdr.content
    if session is None:
        yield "its session is gone"
        return
    energy = Decimal(str(content["total_energy"]))
    if energy != session.kwh:
        yield f"the session says {session.kwh} kWh"
    if content.get("session_id") != session.session_id:
        yield "it names another session"
    yield from _sums(content)
    if transaction is None:
        if session.meter.get("at"):
            yield "its transaction is gone"
        return
    if ocpp_wh is not None and ocpp_wh != energy * 1000:
        yield f"the meter values say {ocpp_wh} Wh"
    for name, at in (("start_date_time", transaction.started_at), ("end_date_time", transaction.ended_at)):
        if at is not None and abs(times.read(content[name]) - at) > CLOSE:
            yield f"{name}: the transaction says {times.written(at)}"
    if session.id_tag.casefold() != transaction.id_tag.casefold():
        yield f"the transaction names the token {transaction.id_tag}"


def _sums(content: dict[str, Any]) -> Iterator[str]:
    dimensions = [one for period in content["charging_periods"] for one in period["dimensions"]]

    def total(*kinds: str) -> Decimal:
        return sum((Decimal(str(one["volume"])) for one in dimensions if one["type"] in kinds), Decimal(0))

    if total("ENERGY") != Decimal(str(content["total_energy"])):
        yield "its periods do not add up to its energy"
    if abs(total("TIME", "PARKING_TIME") - Decimal(str(content["total_time"]))) > Decimal("0.0001"):
        yield "its periods do not add up to its time"


def markdown(cpo: Cpo) -> str:
    """The report's section, heading included."""
    lines = ["## Reconciliation", ""]
    found = of_cpo(cpo)
    if not found:
        return "\n".join([*lines, "No session has been billed yet."])
    lines += [
        "Energy as the OCPP meter values tell it, beside what the CDR bills.",
        "",
        "| Session | Charger | Transaction | Start | End | OCPP Wh | CDR Wh | Agrees |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *map(_row, found)])


def _row(one: Reconciliation) -> str:
    cells = [
        one.session_id,
        one.identity or "-",
        one.transaction_id or "-",
        times.written(one.started_at),
        times.written(one.ended_at),
        "-" if one.ocpp_wh is None else f"{one.ocpp_wh.normalize():f}",
        f"{one.ocpi_wh.normalize():f}",
        "; ".join(one.problems) or "yes",
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
