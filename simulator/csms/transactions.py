"""Rows of charging transactions. All of it runs in a thread, each function in one short database transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, FloatField, Value
from django.db.models.functions import Coalesce

from simulator.csms.models import CsmsTransaction, Endpoint
from simulator.csms.readings import Register


@dataclass(frozen=True, slots=True)
class Start:
    """A 1.6 StartTransaction. `meter_start` is in Wh."""

    connector_id: int
    id_token: str
    started_at: datetime
    meter_start: int


@dataclass(slots=True)
class Event:
    """A 2.0.1 TransactionEvent, as far as the row is concerned. `ended_with` is the reason of an Ended event."""

    transaction_id: str
    at: datetime
    evse_id: int | None = None
    connector_id: int | None = None
    id_token: str = ""
    register: Register | None = None
    ended_with: str = ""


def next_number(endpoint_id: int) -> int:
    """A number never given before at this endpoint. Call it inside a transaction: the UPDATE holds the row's lock."""
    endpoint = Endpoint.objects.unscoped().filter(pk=endpoint_id)
    endpoint.update(next_number=F("next_number") + 1)
    raised: int = endpoint.values_list("next_number", flat=True).get()
    return raised - 1


@transaction.atomic
def start(endpoint_id: int, station_id: int, reported: Start) -> CsmsTransaction:
    """Opens a transaction under a fresh number; a repeated StartTransaction finds the row of the first."""
    same = {
        "station_id": station_id,
        "connector_id": reported.connector_id,
        "id_token": reported.id_token,
        "started_at": reported.started_at,
        "meter_start": reported.meter_start,
    }
    known: CsmsTransaction | None = CsmsTransaction.objects.filter(**same).first()
    if known is not None:
        return known
    number = str(next_number(endpoint_id))
    row: CsmsTransaction = CsmsTransaction.objects.create(endpoint_id=endpoint_id, transaction_id=number, **same)
    return row


def find(station_id: int, transaction_id: str) -> int | None:
    """The row's id; None for a transaction that this station never started here."""
    rows = CsmsTransaction.objects.filter(station_id=station_id, transaction_id=transaction_id)
    return rows.values_list("pk", flat=True).first()


@transaction.atomic
def stop(station_id: int, transaction_id: str, *, ended_at: datetime, meter_stop: int, reason: str) -> bool:
    """Ends a 1.6 transaction. False where it is unknown; a repetition changes nothing."""
    row = CsmsTransaction.objects.filter(station_id=station_id, transaction_id=transaction_id).first()
    if row is None:
        return False
    if row.ended_at is None:
        row.ended_at, row.meter_stop, row.reason = ended_at, meter_stop, reason
        row.energy = meter_stop - (row.meter_start or 0)
        row.save(update_fields=["ended_at", "meter_stop", "reason", "energy"])
    return True


@transaction.atomic
def report(endpoint_id: int, station_id: int, event: Event) -> int:
    """Applies a 2.0.1 event and returns the row's id; an event whose Started never came opens the row as well."""
    row: CsmsTransaction = CsmsTransaction.objects.get_or_create(
        station_id=station_id,
        transaction_id=event.transaction_id,
        defaults={"endpoint_id": endpoint_id, "started_at": event.at},
    )[0]
    row.id_token = row.id_token or event.id_token
    if row.evse_id is None:
        row.evse_id, row.connector_id = event.evse_id, event.connector_id
    if event.register is not None:
        row.meter_start = event.register.first if row.meter_start is None else row.meter_start
        row.energy = event.register.last - row.meter_start
    if event.ended_with and row.ended_at is None:
        row.ended_at, row.reason = event.at, event.ended_with
        row.meter_stop = event.register.last if event.register else None
    row.save()
    return row.pk


def write_registers(registers: Iterable[tuple[int, Register]]) -> None:
    """What open transactions have drawn until now, one UPDATE each; one that ended meanwhile keeps its final value."""
    for pk, register in registers:
        first = Value(register.first, output_field=FloatField())
        CsmsTransaction.objects.unscoped().filter(pk=pk, ended_at=None).update(
            meter_start=Coalesce("meter_start", first),
            energy=Value(register.last, output_field=FloatField()) - Coalesce("meter_start", first),
        )
