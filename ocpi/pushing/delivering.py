"""Rows of the outbox: claimed for an attempt, and settled by what the peer answered (OCPI contract, section 13)."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ocpi.models import Cdr, Peer, PeerState, Push, PushState, Session
from ocpi.protocol import client
from ocpi.protocol.client import Call, Reply
from ocpi.protocol.masking import storable
from ocpi.pushing import rendering
from ocpplab.sealing import Unsealable
from tenants.scoping import scope

log = logging.getLogger(__name__)
PLANS = {"state": (2, 8, 30), "result": (2, 10, 60, 300, 900)}  # seconds before each further attempt
CLAIM = timedelta(seconds=30)  # longer than an attempt lasts
MOST_FAILURES, MOST_REJECTIONS = 10, 3
PROBE_SECONDS = 60
LONGEST_WAIT = 3600
LONGEST_PROBLEM = 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed row and the request made of it; `revision` tells whether the object has changed since."""

    push: Push
    call: Call
    revision: int


def peers_with_work(busy: Collection[int]) -> list[int]:
    """Peers for which something is due, without those that are `busy`; one query over an index of open rows."""
    due = _due().exclude(peer__in=busy).order_by()
    return list(due.values_list("peer", flat=True).distinct())


def _due() -> QuerySet[Push]:
    now = timezone.now()
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    open_to = [PeerState.REGISTERED, PeerState.OFFLINE]
    return Push.objects.unscoped().filter(free, state=PushState.WAITING, due_at__lte=now, peer__state__in=open_to)


def claim(peer_id: int, most: int) -> list[Attempt]:
    """The oldest due rows of a peer, each ready to be sent. What cannot be said any more is given up on the way."""
    attempts = []
    for push in _due().filter(peer=peer_id).order_by("due_at", "id")[:most]:
        with scope(push.tenant_id), transaction.atomic():  # type: ignore[arg-type]
            attempt = None if _comes_after_another(push) else _claim_one(push)
        if attempt is not None:
            attempts.append(attempt)
    return attempts


def _comes_after_another(push: Push) -> bool:
    """A CDR waits until its session's end was told, or could not be: peers look for the session that it names. A credit
    CDR waits, as long as it takes, for the CDR that it is about."""
    kind, _, pk = push.subject.partition(":")
    cdr = Cdr.objects.filter(pk=int(pk)).first() if kind == "cdr" else None
    if cdr is None:
        return False
    now = timezone.now()
    waiting = Push.objects.filter(peer=push.peer_id, state=PushState.WAITING)
    if cdr.credit:
        original = Cdr.objects.filter(cpo=cdr.cpo_id, cdr_id=cdr.content["credit_reference_id"]).first()
        return original is not None and waiting.filter(subject=f"cdr:{original.pk}").exists()
    untold = waiting.filter(subject=f"session:{cdr.session_id}")
    return untold.filter(Q(attempts=0, due_at__lte=now) | Q(claimed_until__gt=now)).exists()


def _claim_one(push: Push) -> Attempt | None:
    """Counted before it is sent: a process that is killed meanwhile has made the attempt."""
    _lock_session(push)
    taken = Push.objects.filter(pk=push.pk, state=PushState.WAITING, claimed_until=push.claimed_until)
    if not taken.update(claimed_until=timezone.now() + CLAIM, attempts=F("attempts") + 1):
        return None
    row = Push.objects.select_related("peer__cpo", "cpo").get(pk=push.pk)
    try:
        request = rendering.request(row)
        call = client.to_peer(
            row.peer,
            request.method,
            request.url,
            request.body,
            module=request.module,
            correlation_id=row.correlation_id,
            attempt=row.attempts,
            party=request.party,
        )
    except (rendering.Nothing, Unsealable) as reason:
        _finish(row, PushState.GIVEN_UP, str(reason))
        return None
    except Exception as error:
        log.exception("a push could not be put into words", extra={"push": row.pk, "subject": row.subject})
        _finish(row, PushState.GIVEN_UP, f"{type(error).__name__}: see the log")
        return None
    return Attempt(row, call, row.revision)


def _lock_session(push: Push) -> None:
    """The session before its push, as those who write sessions lock them."""
    kind, _, pk = push.subject.partition(":")
    if kind == "session":
        list(Session.objects.filter(pk=int(pk)).select_for_update(no_key=True).values_list("pk"))


def release(attempt: Attempt) -> None:
    """Not sent after all: the process stops."""
    Push.objects.unscoped().filter(pk=attempt.push.pk, state=PushState.WAITING).update(
        claimed_until=None, attempts=F("attempts") - 1
    )


def settle(attempt: Attempt, reply: Reply) -> None:
    """Records the attempt and decides what becomes of the row and of the peer."""
    push = attempt.push
    with scope(push.tenant_id), transaction.atomic():  # type: ignore[arg-type]
        _lock_session(push)
        client.record(push.cpo, attempt.call, reply)
        row = Push.objects.select_for_update(no_key=True).filter(pk=push.pk, state=PushState.WAITING).first()
        if row is not None:
            _judge(row, attempt, reply)
        _judge_peer(push.peer, reply)


def _judge(row: Push, attempt: Attempt, reply: Reply) -> None:
    if reply.ok or _is_bare_success(reply):
        _delivered(row, attempt, reply)
    elif reply.retryable:
        _try_again(row, reply)
    elif attempt.call.method == "PATCH" and (reply.http == 404 or _is_client_error(reply)):
        _put_instead(row, reply)
    elif row.revision != attempt.revision:
        _again_at_once(row)
    else:
        _finish(row, PushState.REFUSED, reply.problem)


def _is_bare_success(reply: Reply) -> bool:
    """Some receivers answer 201 or 204 without a body."""
    return reply.http is not None and 200 <= reply.http < 300 and not reply.text.strip()


def _is_client_error(reply: Reply) -> bool:
    return reply.status_code is not None and 2000 <= reply.status_code < 3000


def _delivered(row: Push, attempt: Attempt, reply: Reply) -> None:
    kind, _, pk = row.subject.partition(":")
    if row.revision != attempt.revision:
        _again_at_once(row)
    else:
        _finish(row, PushState.DELIVERED)
        if kind == "session":
            Session.objects.filter(pk=int(pk)).update(needs_put=False)
    if kind == "cdr" and (location := reply.headers.get("location", "")):
        Cdr.objects.filter(pk=int(pk)).update(peer_url=location[:1000])


def _again_at_once(row: Push) -> None:
    """The object has changed while it was being sent: the newest state follows, with a plan of its own."""
    Push.objects.filter(pk=row.pk).update(claimed_until=None, attempts=0, due_at=timezone.now())


def _try_again(row: Push, reply: Reply) -> None:
    plan = PLANS[row.plan]
    if row.attempts > len(plan):
        _finish(row, PushState.GIVEN_UP, reply.problem)
        return
    seconds = max(plan[row.attempts - 1], _asked_to_wait(reply))
    due_at = timezone.now() + timedelta(seconds=seconds)
    Push.objects.filter(pk=row.pk).update(claimed_until=None, due_at=due_at, problem=storable_problem(reply.problem))


def _asked_to_wait(reply: Reply) -> float:
    """Retry-After in seconds, however it is told; 0 where it is not."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(int(text), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0
    return min(max(until - timezone.now().timestamp(), 0), LONGEST_WAIT)


def _put_instead(row: Push, reply: Reply) -> None:
    """The peer does not know the object, or not well enough: once, it gets the whole of it."""
    now = timezone.now()
    Push.objects.filter(pk=row.pk).update(
        method="PUT", claimed_until=None, due_at=now, problem=storable_problem(reply.problem)
    )


def _finish(row: Push, state: PushState, problem: str = "") -> None:
    Push.objects.filter(pk=row.pk).update(
        state=state, problem=storable_problem(problem), finished_at=timezone.now(), claimed_until=None
    )
    kind, _, pk = row.subject.partition(":")
    if kind == "session" and state != PushState.DELIVERED:  # what it lacks comes with the next change
        Session.objects.filter(pk=int(pk)).update(needs_put=True)


def storable_problem(problem: str) -> str:
    """A peer's own words are in it, and a database takes not every character that JSON can hold."""
    return storable(problem)[:LONGEST_PROBLEM]


# --- the peer ---------------------------------------------------------------------------------------------------------


def _judge_peer(peer: Peer, reply: Reply) -> None:
    """Counts what goes wrong in a row. Only what changes is written: one that works costs nothing."""
    rows = Peer.objects.filter(pk=peer.pk)
    if reply.http in (401, 403):
        rows.update(rejections=F("rejections") + 1, failures=0)
        unwanted = rows.filter(rejections__gte=MOST_REJECTIONS, state__in=[PeerState.REGISTERED, PeerState.OFFLINE])
        if unwanted.update(state=PeerState.REJECTED):
            _drop_state(peer)
    elif reply.retryable:
        rows.update(failures=F("failures") + 1)
        silent = rows.filter(failures__gte=MOST_FAILURES, state=PeerState.REGISTERED)
        if silent.update(state=PeerState.OFFLINE, probe_at=timezone.now() + timedelta(seconds=PROBE_SECONDS)):
            _drop_state(peer)
    else:
        revive(peer)


def revive(peer: Peer) -> None:
    """It has answered."""
    troubled = Q(failures__gt=0) | Q(rejections__gt=0) | Q(state=PeerState.OFFLINE)
    rows = Peer.objects.filter(troubled, pk=peer.pk, state__in=[PeerState.REGISTERED, PeerState.OFFLINE])
    rows.update(failures=0, rejections=0, state=PeerState.REGISTERED, probe_at=None)


def _drop_state(peer: Peer) -> None:
    """Objects are not replayed to a peer that was away: it synchronizes itself by GET. CDRs and results wait on."""
    waiting = Push.objects.filter(peer=peer, state=PushState.WAITING, plan="state", claimed_until=None)
    waiting.update(state=PushState.GIVEN_UP, problem="the peer is away", finished_at=timezone.now())
    Session.objects.filter(peer=peer, ended_at=None).update(needs_put=True)


def due_probes() -> list[Peer]:
    rows = Peer.objects.unscoped().filter(state=PeerState.OFFLINE, probe_at__lte=timezone.now())
    return list(rows.select_related("cpo"))


def probe_call(peer: Peer) -> Call | None:
    """GET versions; the next probe is due in a minute, whatever becomes of this one."""
    due = Peer.objects.unscoped().filter(pk=peer.pk, state=PeerState.OFFLINE, probe_at=peer.probe_at)
    if not due.update(probe_at=timezone.now() + timedelta(seconds=PROBE_SECONDS)):
        return None
    with scope(peer.tenant_id):  # type: ignore[arg-type]
        return client.to_peer(peer, "GET", peer.versions_url, module="versions")


def probed(peer: Peer, call: Call, reply: Reply) -> None:
    with scope(peer.tenant_id), transaction.atomic():  # type: ignore[arg-type]
        client.record(peer.cpo, call, reply)
        if reply.ok:
            revive(peer)
