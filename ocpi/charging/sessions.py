"""Sessions, from the charger's transactions (OCPI contract, section 7)."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from chargers.models import Charger, ConnectionStatus, Message, Transaction
from ocpi.charging import cdrs, metering, places
from ocpi.charging.holders import Holder, holder_of
from ocpi.cost import Restriction
from ocpi.cpo_settings import setting
from ocpi.models import Evse, PeerCommand, Session, SessionStatus
from ocpi.moments import now_ms, truncated
from ocpi.protocol.times import read, written
from ocpi.pushing import outbox

LOOK_BACK = timedelta(days=7)
UNTOLD = timedelta(minutes=2)  # so long a connected charger may take to tell the end of a transaction
NO_CURRENCY = "EUR"


def follow(charger: Charger, evses: Sequence[Evse]) -> None:
    """Opens, updates and completes sessions of the charger. The EVSEs are locked by the caller."""
    outlets = {(evse.outlet_evse, evse.outlet_connector): evse for evse in evses}
    for transaction in _without_session(charger, evses):
        evse = outlets.get((transaction.evse_id, transaction.connector_id))
        if evse is not None and evse.cpo.created_at <= transaction.started_at:
            _start(charger, evse, transaction)
    running = Session.objects.filter(evse__in=evses, status=SessionStatus.ACTIVE, transaction__isnull=False)
    for session in running.select_related("peer", "cpo", "evse").select_for_update(of=("self",), no_key=True):
        _update(charger, session)


def _without_session(charger: Charger, evses: Sequence[Evse]) -> Sequence[Transaction]:
    """Those that the CSMS knows of and that have a token: 1.6 has numbered them, 2.0.1 has authorized them."""
    rows = Transaction.objects.filter(charger=charger, ocpi_session=None, transaction_id__isnull=False)
    rows = rows.filter(started_at__gte=timezone.now() - LOOK_BACK).exclude(id_tag="").exclude(transaction_id="")
    return list(rows.order_by("started_at"))


def _start(charger: Charger, evse: Evse, transaction: Transaction) -> None:
    holder = holder_of(evse.cpo, evse, transaction, charger.identity)
    session = holder.session or new_session(evse, holder, transaction.id_tag, transaction.started_at)
    session.transaction, session.status, session.auth_method = transaction, SessionStatus.ACTIVE, holder.method
    session.started_at = truncated(transaction.started_at)
    session.meter["meter_id"] = charger.identity
    metering.begin(session, transaction)
    store(session)
    if holder.command is not None:
        PeerCommand.objects.filter(pk=holder.command.pk).update(session=session)


def new_session(evse: Evse, holder: Holder, id_tag: str, at: datetime) -> Session:
    """Not stored yet; place and tariff are those of this moment."""
    session = Session(
        cpo=evse.cpo,
        session_id=str(uuid.uuid4()),
        peer=holder.peer,
        cdr_token=holder.cdr_token,
        id_tag=id_tag,
        auth_method=holder.method,
        authorization_reference=holder.reference,
        started_at=truncated(at),
        correlation_id=holder.correlation_id or str(uuid.uuid4()),
        created_at=now_ms(),
    )
    _take_place(session, evse, at)
    return session


def _take_place(session: Session, evse: Evse, at: datetime) -> None:
    tariff = places.tariff_at(evse, at)
    session.evse, session.cdr_location = evse, places.cdr_location(evse)
    session.tariff, session.currency = tariff, tariff["currency"] if tariff else NO_CURRENCY


def store(session: Session, *, due_at: datetime | None = None, whole: bool = True) -> None:
    """Writes what has changed and tells the peer: the whole object, or only what is new once it is due."""
    session.last_updated = now_ms()
    session.needs_put = session.needs_put or whole
    if session._state.adding:
        session.save()
    else:
        kept = {"pushed_periods", "created_at", "cpo", "tenant", "id"}  # the first is the pusher's
        fields = [field.name for field in Session._meta.concrete_fields if field.name not in kept]
        session.save(update_fields=fields)
    outbox.session_changed(session, due_at=due_at)


def _update(charger: Charger, session: Session) -> None:
    transaction = session.transaction
    assert transaction is not None
    final = transaction.ended_at is not None and _end_is_told(charger, transaction)
    before = dict(session.meter)
    changed = metering.advance(session, transaction, final=final)
    if final:
        complete(session, truncated(transaction.ended_at or timezone.now()), transaction.stop_reason)
    elif changed:
        store(session, due_at=_progress_due(session), whole=False)
    elif session.meter != before:
        Session.objects.filter(pk=session.pk).update(meter=session.meter)


def _progress_due(session: Session) -> datetime:
    """Progress is told every `update_interval` seconds at most (OCPI contract, section 13)."""
    now = timezone.now()
    told_at = session.meter.get("told_at")
    interval = timedelta(seconds=float(setting(session.cpo, "update_interval")))
    due = max(now, read(told_at) + interval) if told_at else now
    session.meter["told_at"] = written(due)
    return due


def _end_is_told(charger: Charger, transaction: Transaction) -> bool:
    """A charger that is offline tells the end of a transaction when it is back: only then do we know of it."""
    told = Message.objects.filter(
        charger=charger, transaction=transaction.transaction_id, message_type="CALL", injected=False
    )
    if told.filter(action="StopTransaction").exists():
        return True
    if told.filter(action="TransactionEvent", text__contains='"Ended"').exists():
        return True
    assert transaction.ended_at is not None
    late = timezone.now() - transaction.ended_at > UNTOLD
    return late and charger.connection_status == ConnectionStatus.CONNECTED


def complete(session: Session, at: datetime, reason: str) -> None:
    """Ends a session; its CDR is made in the same transaction."""
    session.status, session.ended_at = SessionStatus.COMPLETED, max(at, session.started_at)
    session.meter["stop_reason"] = reason
    store(session)
    cdrs.make(session)


def invalidate(session: Session) -> None:
    """The start was never followed by a transaction: no CDR."""
    session.status = SessionStatus.INVALID
    store(session)


def end_reservation(session: Session, at: datetime, kind: Restriction) -> None:
    """A reservation that was not used; a CDR only where that costs something."""
    metering.end_reservation(session, at, kind)
    session.status, session.ended_at = SessionStatus.COMPLETED, truncated(max(at, session.started_at))
    store(session)
    if session.total_cost and session.total_cost["excl_vat"]:
        cdrs.make(session)


def open_pending(evse: Evse, holder: Holder, id_tag: str, *, lasts: float) -> Session:
    """A start that the charger has accepted; `lasts` seconds until it counts as never followed."""
    session = new_session(evse, holder, id_tag, timezone.now())
    session.status = SessionStatus.PENDING
    session.meter = {"expires": written(now_ms() + timedelta(seconds=lasts))}
    store(session)
    return session


def change_reservation(session: Session, evse: Evse, holder: Holder, id_tag: str) -> None:
    """It is replaced by one that may be for another token, or another EVSE of the location."""
    if session.evse_id != evse.pk:
        _take_place(session, evse, timezone.now())
    session.cdr_token, session.id_tag = holder.cdr_token, id_tag
    session.authorization_reference = holder.reference or session.authorization_reference
    store(session)


def open_reservation(evse: Evse, holder: Holder, id_tag: str) -> Session:
    session = new_session(evse, holder, id_tag, timezone.now())
    session.status = SessionStatus.RESERVATION
    session.meter = {"reserved_from": written(session.started_at)}
    store(session)
    return session
