"""Meter readings of a transaction, from the frames in which the station reported them, whatever the OCPP version."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from chargers.models import Direction, Message, Transaction

Key = tuple[int, int]  # epoch and sequence of a frame
REPORTS = ("MeterValues", "StopTransaction", "TransactionEvent")
UNKNOWN = "-1"  # what a 1.6 station writes when the CSMS has given no id (contract Q5)
REGISTER = "Energy.Active.Import.Register"
LARGEST_MULTIPLIER = 12


@dataclass(frozen=True, slots=True)
class Reading:
    """One sampled value as the station told it at `at` (its own clock), in the frame with that key.

    Defaults are OCPP's: what names no measurand is the energy register, of the outlet, sampled periodically, in Wh.
    `phase` is "" where the value holds for all of them.
    """

    frame: Key
    at: datetime
    measurand: str
    phase: str
    value: float
    unit: str
    context: str
    location: str

    @property
    def sample(self) -> tuple[Any, ...]:
        """Equal for a value that another frame repeats."""
        return self.at, self.measurand, self.phase, self.value, self.unit, self.context, self.location


def readings(charger_id: UUID, transaction: Transaction, since: Key | None = None) -> list[Reading]:
    """In the order in which they were reported; `since` asks only for what came in frames after that one.

    What a message repeats (a retry, or the samples that come once more with the end of a transaction) is left out.
    """
    frames = reports_of(charger_id, transaction)
    found = _of(transaction, frames if since is None else frames.filter(_after(since)))
    earlier = _of(transaction, frames.exclude(_after(since))) if found and since is not None else []
    known = {one.sample for one in earlier}
    fresh: list[Reading] = []
    for one in found:
        if one.sample not in known:
            known.add(one.sample)
            fresh.append(one)
    return fresh


def reports_of(charger_id: UUID, transaction: Transaction) -> QuerySet[Message]:
    """The station's messages that carry the transaction's meter values, in wire order."""
    frames = Message.objects.filter(
        charger_id=charger_id,
        transaction=transaction.transaction_id or UNKNOWN,
        direction=Direction.CP_TO_CSMS,
        message_type="CALL",
        action__in=REPORTS,
    )
    span = _reign(charger_id, transaction) if transaction.transaction_id else Q()
    return frames.filter(span).order_by("epoch", "sequence")


def _reign(charger_id: UUID, transaction: Transaction) -> Q:
    """Between which frames the id means this transaction: a CSMS for OCPP 1.6 may give the same one again.

    Counted from the newest, since old frames are pruned and rows of transactions are not.
    """
    same = Transaction.objects.filter(charger_id=charger_id, transaction_id=transaction.transaction_id)
    later = Q(started_at__gt=transaction.started_at) | Q(started_at=transaction.started_at, pk__gt=transaction.pk)
    number = same.filter(later).count()
    if number == 0 and same.count() == 1:
        return Q()
    given = Message.objects.filter(
        charger_id=charger_id,
        transaction=transaction.transaction_id,
        direction=Direction.CSMS_TO_CP,
        action="StartTransaction",
        message_type="CALLRESULT",
    )
    keys = list(given.order_by("-epoch", "-sequence").values_list("epoch", "sequence")[: number + 1])
    span = _after(keys[number]) if number < len(keys) else Q()
    if number and number <= len(keys):
        span &= ~_after(keys[number - 1])
    return span


def _after(key: Key) -> Q:
    epoch, sequence = key
    return Q(epoch__gt=epoch) | Q(epoch=epoch, sequence__gt=sequence)


def _of(transaction: Transaction, frames: QuerySet[Message]) -> list[Reading]:
    """What the CSMS never gave an id is told apart by its time, which the same clock measured."""
    if transaction.transaction_id:
        return list(read(frames))
    first, last = transaction.started_at.replace(microsecond=0), transaction.ended_at
    return [one for one in read(frames) if one.at >= first and (last is None or one.at <= last)]


# --- frames ---------------------------------------------------------------------------------------------------------


def read(frames: QuerySet[Message]) -> Iterator[Reading]:
    """What cannot be read (a frame that a fault has garbled) holds no readings."""
    for epoch, sequence, text in frames.values_list("epoch", "sequence", "text").iterator():
        yield from in_frame(text, (epoch, sequence))


def in_frame(text: str, key: Key) -> Iterator[Reading]:
    """The readings of one CALL: of `meterValue`, or of a 1.6 StopTransaction's `transactionData`."""
    try:
        payload = json.loads(text)[3]
    except (ValueError, LookupError, TypeError):
        return
    if isinstance(payload, dict):
        for meter_value in _dicts(payload.get("meterValue")) + _dicts(payload.get("transactionData")):
            yield from _sampled(meter_value, key)


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _sampled(meter_value: dict[str, Any], key: Key) -> Iterator[Reading]:
    at = _moment(meter_value.get("timestamp"))
    if at is None:
        return
    for sample in _dicts(meter_value.get("sampledValue")):
        value = _value(sample)
        if value is not None:
            yield Reading(
                frame=key,
                at=at,
                measurand=str(sample.get("measurand") or REGISTER),
                phase=str(sample.get("phase") or ""),
                value=value,
                unit=_unit(sample),
                context=str(sample.get("context") or "Sample.Periodic"),
                location=str(sample.get("location") or "Outlet"),
            )


def _moment(text: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _unit(sample: dict[str, Any]) -> str:
    """2.0.1 has it in `unitOfMeasure`. Only for energy is there a default."""
    of = sample.get("unitOfMeasure")
    told = of.get("unit") if isinstance(of, dict) else sample.get("unit")
    is_energy = str(sample.get("measurand") or REGISTER).startswith("Energy.")
    return str(told or ("Wh" if is_energy else ""))


def _value(sample: dict[str, Any]) -> float | None:
    """None for signed data and for what is no finite number. 2.0.1's multiplier is a power of ten."""
    of = sample.get("unitOfMeasure")
    multiplier = of.get("multiplier", 0) if isinstance(of, dict) else 0
    if sample.get("format") == "SignedData" or not isinstance(multiplier, int) or abs(multiplier) > LARGEST_MULTIPLIER:
        return None
    try:
        value = float(sample["value"]) * 10.0**multiplier
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def of_register(found: Iterable[Reading]) -> list[Reading]:
    """The states of the outlet's energy register over all phases."""
    return [one for one in found if one.measurand == REGISTER and one.location == "Outlet" and not one.phase]
