"""A row of the outbox as a request: the newest state of its object, in the words of the peer's version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from ocpi.models import Cdr, Evse, Peer, PeerCommand, Push, Session, Tariff
from ocpi.protocol import reading
from ocpi.protocol.routing import Party
from ocpi.protocol.times import written
from ocpi.protocol.versions import Binding, binding
from ocpi.pushing.outbox import RECEIVER


@dataclass(frozen=True, slots=True)
class Request:
    """`party`: whom of the peer it concerns, None where that is all of them."""

    method: str
    url: str
    body: Any
    module: str
    party: Party | None


class Nothing(Exception):
    """There is nothing to send any more; the text says why."""


MODULES = {
    "location": "locations",
    "evse": "locations",
    "tariff": "tariffs",
    "session": "sessions",
    "cdr": "cdrs",
    "profile": "chargingprofiles",
    "command": "commands",
    "reservation": "commands",
}


def request(push: Push) -> Request:
    """Call it inside a transaction: what it gives of a session counts as given from then on. Raises Nothing."""
    kind, _, pk = push.subject.partition(":")
    module = MODULES[kind]
    party = _concerned(kind, int(pk))
    if push.url:
        return Request(push.method, push.url, push.body, module, party)
    url = push.peer.address(module, RECEIVER)
    if url is None:
        raise Nothing(f"the peer receives no {module}")
    words = binding(push.peer.version)
    method, path, body = BUILDERS[kind](push, words, int(pk))
    return Request(method, url.rstrip("/") + path if path else url, body, module, party)


def _concerned(kind: str, pk: int) -> Party | None:
    """A platform may speak for several parties: a driver's is the one whose token it is, a command's the one that
    gave it (OCPI 2.2.1, "Message Routing")."""
    if kind == "command":
        context = PeerCommand.objects.filter(pk=pk).values_list("context", flat=True).first() or {}
        given = context.get("party")
        return (given[0], given[1]) if given else None
    rows: Mapping[str, QuerySet[Any]] = {
        "session": Session.objects.filter(pk=pk).values_list("cdr_token", flat=True),
        "profile": Session.objects.filter(pk=pk).values_list("cdr_token", flat=True),
        "reservation": Session.objects.filter(reservation=pk).values_list("cdr_token", flat=True),
        "cdr": Cdr.objects.filter(pk=pk).values_list("content__cdr_token", flat=True),
    }
    token = rows[kind].first() if kind in rows else None
    return (token["country_code"], token["party_id"]) if token else None


Built = tuple[str, str, Any]


def _party(peer: Peer) -> str:
    return f"/{peer.cpo.country_code}/{peer.cpo.party_id}"


def _location(push: Push, words: Binding, pk: int) -> Built:
    row = reading.locations(push.cpo).filter(pk=pk).first()
    if row is None:
        raise Nothing("the location is gone")
    return "PUT", f"{_party(push.peer)}/{row.ocpi_id}", words.location(row)


def _evse(push: Push, words: Binding, pk: int) -> Built:
    row: Evse | None = reading.evses(push.cpo).filter(pk=pk).first()
    if row is None or not words.shows(row):
        raise Nothing("the EVSE is gone, or this version has no word for it")
    path = f"{_party(push.peer)}/{row.location.ocpi_id}/{row.uid}"
    if push.method == "PATCH":
        return "PATCH", path, {"status": row.status, "last_updated": written(row.last_updated)}
    return "PUT", path, words.evse(row)


def _tariff(push: Push, words: Binding, pk: int) -> Built:
    row = Tariff.objects.select_related("cpo").filter(pk=pk).first()
    if row is None:
        raise Nothing("the tariff is gone")
    path = f"{_party(push.peer)}/{row.tariff_id}"
    return ("DELETE", path, None) if row.removed_at is not None else ("PUT", path, words.tariff(row))


def _session(push: Push, words: Binding, pk: int) -> Built:
    """Whole when it is new to the peer, when its state changed, and whenever an earlier attempt may have arrived: a
    PATCH appends periods, so the same one must not arrive twice."""
    row = Session.objects.select_for_update(of=("self",), no_key=True).select_related("cpo").filter(pk=pk).first()
    if row is None:
        raise Nothing("the session is gone")
    path = f"{_party(push.peer)}/{row.session_id}"
    given, whole = row.pushed_periods, row.needs_put or push.attempts > 1 or push.method == "PUT"
    Session.objects.filter(pk=pk).update(pushed_periods=len(row.periods), needs_put=whole)
    if whole:
        return "PUT", path, words.session(row)
    body = {
        "kwh": float(row.kwh),
        "last_updated": written(row.last_updated),
        **({"total_cost": words.total_cost(row.total_cost)} if row.total_cost else {}),
    }
    fresh = words.periods(row.periods[given:])
    return "PATCH", path, body | ({"charging_periods": fresh} if fresh else {})


def _cdr(push: Push, words: Binding, pk: int) -> Built:
    row = Cdr.objects.select_related("cpo").filter(pk=pk).first()
    if row is None:
        raise Nothing("the CDR is gone")
    return "POST", "", words.cdr(row)


BUILDERS = {"location": _location, "evse": _evse, "tariff": _tariff, "session": _session, "cdr": _cdr}
