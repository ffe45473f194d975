"""Rows of stations: arriving, leaving, and the picture that the journal writes. All of it runs in a thread."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from django.db import transaction
from django.utils import timezone

from simulator.csms import calls
from simulator.csms.models import CallState, CsmsCall, Endpoint, Station

MAX_IDENTITY = 100
MAX_CONNECTORS = 100
BATCH = 200


@dataclass(slots=True)
class Picture:
    """What a connected station said of itself, in memory; the journal writes it when it has changed."""

    station_id: int
    vendor: str = ""
    model: str = ""
    boot: dict[str, Any] = field(default_factory=dict)
    booted_at: datetime | None = None
    connectors: dict[str, dict[str, Any]] = field(default_factory=dict)
    identity: str = ""

    @classmethod
    def of(cls, row: Station) -> Self:
        return cls(row.pk, row.vendor, row.model, row.boot, row.booted_at, dict(row.connectors), row.identity)

    def report(self, place: str, status: dict[str, Any]) -> None:
        """The latest status of an outlet; a station that invents ever new ones keeps the first hundred."""
        if place in self.connectors or len(self.connectors) < MAX_CONNECTORS:
            self.connectors[place] = status

    def copy(self) -> "Picture":
        """A snapshot for the writing thread: the entries of `connectors` are replaced, never changed."""
        return replace(self, connectors=dict(self.connectors))


def endpoint_of(key: str) -> Endpoint | None:
    """The endpoint with this key, in whichever organization: the key is what opens the scope."""
    return Endpoint.objects.unscoped().filter(key=key).first()


@transaction.atomic
def arrive(endpoint: Endpoint, identity: str, subprotocol: str, channel: str) -> tuple[Station, str]:
    """The station's row, now held by this socket, and the channel of the socket that held it until now or "".

    Calls that the earlier socket never saw answered have failed.
    """
    row: Station = Station.objects.get_or_create(
        endpoint=endpoint, identity=identity, defaults={"subprotocol": subprotocol}
    )[0]
    earlier = row.channel
    row.subprotocol, row.connected, row.channel, row.last_seen_at = subprotocol, True, channel, timezone.now()
    row.save(update_fields=["subprotocol", "connected", "channel", "last_seen_at"])
    if earlier:
        _fail_open_calls(row.pk)
    return row, earlier


@transaction.atomic
def leave(station_id: int, channel: str) -> None:
    """Marks the station as gone, unless a newer socket holds it."""
    held = Station.objects.filter(pk=station_id, channel=channel)
    if held.update(connected=False, channel="", last_seen_at=timezone.now()):
        _fail_open_calls(station_id)


def _fail_open_calls(station_id: int) -> None:
    open_calls = CsmsCall.objects.filter(station_id=station_id, state=CallState.SENT)
    open_calls.update(state=CallState.FAILED, reason=calls.LOST, finished_at=timezone.now())


def write_pictures(pictures: Sequence[Picture]) -> None:
    """One UPDATE for every 200 stations, in any organization."""
    rows = [
        Station(
            pk=picture.station_id,
            tenant_id=None,  # neither read nor written; its default would ask for a scope
            vendor=picture.vendor,
            model=picture.model,
            boot=picture.boot,
            booted_at=picture.booted_at,
            connectors=picture.connectors,
        )
        for picture in pictures
    ]
    fields = ["vendor", "model", "boot", "booted_at", "connectors"]
    Station.objects.unscoped().bulk_update(rows, fields, batch_size=BATCH)


def write_seen(station_ids: Collection[int], at: datetime) -> None:
    """One UPDATE for every 500 stations that were heard of."""
    ids = list(station_ids)
    for start in range(0, len(ids), 500):
        Station.objects.unscoped().filter(pk__in=ids[start : start + 500]).update(last_seen_at=at)
