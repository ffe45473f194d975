"""Puts into the outbox what peers are to be told. Every function belongs inside the transaction of what it tells.

At most one row waits for an object and a peer. A change that finds one raises its revision, also while it is being
sent: the pusher then sends the newest state once more.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from ocpi.models import Cdr, Cpo, CpoLocation, Evse, Peer, PeerState, Push, PushState, Session, Tariff
from ocpi.pushing import bell

STATE, RESULT = "state", "result"
RECEIVER, SENDER = "RECEIVER", "SENDER"


def location_changed(location: CpoLocation) -> None:
    _tell_all(location.cpo, "locations", f"location:{location.pk}", "PUT")


def evse_changed(evse: Evse) -> None:
    _tell_all(evse.cpo, "locations", f"evse:{evse.pk}", "PUT")


def evse_status_changed(evse: Evse) -> None:
    _tell_all(evse.cpo, "locations", f"evse:{evse.pk}", "PATCH")


def tariff_changed(tariff: Tariff) -> None:
    _tell_all(tariff.cpo, "tariffs", f"tariff:{tariff.pk}", "PUT")


def tariff_removed(tariff: Tariff) -> None:
    _tell_all(tariff.cpo, "tariffs", f"tariff:{tariff.pk}", "DELETE")


def session_changed(session: Session, *, due_at: datetime | None = None) -> None:
    """PUT or PATCH: `Session.needs_put` decides when it is sent."""
    if session.peer is not None:
        method = "PUT" if session.needs_put else "PATCH"
        subject = f"session:{session.pk}"
        _tell([session.peer], "sessions", subject, method, due_at=due_at, correlation_id=session.correlation_id)


def cdr_made(cdr: Cdr, *, correlation_id: str = "") -> None:
    if cdr.peer is not None:
        _tell([cdr.peer], "cdrs", f"cdr:{cdr.pk}", "POST", plan=RESULT, correlation_id=correlation_id)


def profile_changed(session: Session, body: dict[str, Any]) -> None:
    """The active charging profile, to the peer that set one."""
    if session.peer is not None:
        url = session.peer.endpoint("chargingprofiles", SENDER)
        if url is not None:
            fixed = {"url": f"{url}/{session.session_id}", "body": body}
            _put_in(session.peer, f"profile:{session.pk}", "PUT", STATE, fixed)


def result_ready(peer: Peer, subject: str, url: str, body: dict[str, Any], correlation_id: str = "") -> None:
    """A command's or profile's result, to the URL that the request named."""
    if peer.state != PeerState.UNREGISTERED:
        _put_in(peer, subject, "POST", RESULT, {"url": url, "body": body, "correlation_id": correlation_id})


def _tell_all(cpo: Cpo, module: str, subject: str, method: str) -> None:
    _tell(Peer.objects.filter(cpo=cpo, state=PeerState.REGISTERED), module, subject, method)


def _tell(
    peers: Iterable[Peer],
    module: str,
    subject: str,
    method: str,
    *,
    plan: str = STATE,
    due_at: datetime | None = None,
    correlation_id: str = "",
) -> None:
    """State goes to peers that can be reached only: one that comes back synchronizes itself by GET."""
    for peer in peers:
        wanted = peer.state == PeerState.REGISTERED or (
            plan == RESULT and peer.state in (PeerState.OFFLINE, PeerState.REJECTED)
        )
        if wanted and peer.endpoint(module, RECEIVER) is not None:
            _put_in(peer, subject, method, plan, {"due_at": due_at, "correlation_id": correlation_id})


def _put_in(peer: Peer, subject: str, method: str, plan: str, values: dict[str, Any]) -> None:
    values = {name: value for name, value in values.items() if value is not None}
    if not _join_waiting(peer, subject, method, values):
        try:
            with transaction.atomic():
                Push.objects.create(
                    cpo_id=peer.cpo_id,
                    peer=peer,
                    subject=subject,
                    method=method,
                    plan=plan,
                    **{"due_at": timezone.now(), **values},
                )
        except IntegrityError:  # another process was first
            _join_waiting(peer, subject, method, values)
    bell.ring_on_commit()


def _join_waiting(peer: Peer, subject: str, method: str, values: dict[str, Any]) -> bool:
    """A whole object is more than a part of it; a row that waits to be tried again keeps its time."""
    waiting = Push.objects.filter(peer=peer, subject=subject, state=PushState.WAITING)
    due_at = values.get("due_at") or timezone.now()
    sooner = Case(When(attempts=0, due_at__gt=due_at, then=Value(due_at)), default=F("due_at"))
    changes: dict[str, Any] = {"revision": F("revision") + 1, "due_at": sooner}
    if method != "PATCH":
        changes["method"] = method
    if "body" in values:
        changes["body"] = values["body"]
    return bool(waiting.update(**changes))
