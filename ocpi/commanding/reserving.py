"""RESERVE_NOW and CANCEL_RESERVATION, and how reservations end."""

from datetime import datetime

from django.utils import timezone

from chargers.back_office import back_office
from ocpi.charging import sessions
from ocpi.charging.holders import Holder, cdr_token
from ocpi.commanding import targets, wording
from ocpi.commanding.answers import Answer, Asked, Declined, accepted
from ocpi.cost import Restriction
from ocpi.models import AuthMethod, Evse, EvseStatus, PeerCommand, Reservation, Session, SessionStatus
from ocpi.protocol.times import read
from ocpi.protocol.versions import binding
from ocpi.pushing import outbox

BROKEN = (EvseStatus.OUTOFORDER, EvseStatus.INOPERATIVE, EvseStatus.REMOVED)


def reserve(asked: Asked) -> Answer:
    """The charger is told a number of ours; the same id at the same location replaces (OCPI 2.2.1, 13.3.4)."""
    targets.check_token(asked)
    expires_at = _moment(asked.body["expiry_date"])
    if expires_at <= timezone.now():
        raise Declined("REJECTED", "expiry_date: it has passed")
    before = _open_one(asked)
    evse = _same_evse(asked, before) or targets.evse_of(asked, "RESERVABLE")
    if targets.is_external(evse.cpo):
        raise Declined("NOT_SUPPORTED", "The CSMS of this charger is not ours to reserve at.")
    number = before.number if before else back_office().next_number(evse.cpo.csms_endpoint or 0)
    token = asked.body["token"]
    way = targets.call(evse, *wording.reserve(evse, token, number, expires_at))
    return accepted(
        asked,
        evse=evse,
        token=token,
        id_tag=wording.id_tag(evse, token["uid"]),
        authorization_reference=asked.body.get("authorization_reference") or "",
        reservation_id=asked.body["reservation_id"],
        number=number,
        expires_at=asked.body["expiry_date"],
        **way,
    )


def _moment(value: str | datetime) -> datetime:
    return read(value) if isinstance(value, str) else value


def _open_one(asked: Asked) -> Reservation | None:
    rows = Reservation.objects.filter(
        cpo=asked.peer.cpo, peer=asked.peer, reservation_id__iexact=asked.body["reservation_id"], ended_at=None
    )
    if "location_id" in asked.body:
        rows = rows.filter(evse__location__ocpi_id__iexact=asked.body["location_id"])
    found: Reservation | None = rows.select_related("evse__cpo", "evse__charger", "session").order_by("-id").first()
    return found


def _same_evse(asked: Asked, before: Reservation | None) -> Evse | None:
    """A reservation that names no EVSE and replaces one stays where it is."""
    if before is None or asked.body.get("evse_uid") is not None:
        return None
    if before.evse is not None:
        targets.require(before.evse, "RESERVABLE")
    return before.evse


def cancel(asked: Asked) -> Answer:
    reservation = _open_one(asked)
    if reservation is None or reservation.evse is None:
        return accepted(asked, result="UNKNOWN_RESERVATION")
    if not targets.is_online(reservation.evse):
        raise Declined("REJECTED", targets.GONE)
    way = targets.call(reservation.evse, *wording.cancel_reservation(reservation.number))
    return accepted(asked, evse=reservation.evse, reservation=reservation.pk, **way)


# --- once the charger has answered ------------------------------------------------------------------------------------


def made(command: PeerCommand) -> None:
    """The charger holds the EVSE: the reservation and its session begin, or become what replaces them."""
    context, evse = command.context, command.evse
    assert evse is not None
    values = {"evse": evse, "response_url": command.response_url, "expires_at": _moment(context["expires_at"])}
    reference = context["authorization_reference"]
    holder = Holder(command.peer, cdr_token(context["token"]), AuthMethod.COMMAND, reference, command.correlation_id)
    known = Reservation.objects.filter(cpo=command.cpo, number=context["number"]).first()
    if known is not None:
        _replace(known, evse, holder, context["id_tag"])
        Reservation.objects.filter(pk=known.pk).update(**values, ended_at=None)
        return
    session = sessions.open_reservation(evse, holder, context["id_tag"])
    Reservation.objects.create(
        cpo=command.cpo,
        peer=command.peer,
        session=session,
        reservation_id=context["reservation_id"],
        number=context["number"],
        **values,
    )


def _replace(known: Reservation, evse: Evse, holder: Holder, id_tag: str) -> None:
    """The session goes on with what is reserved now; another charger lets go of what it held."""
    before = known.evse
    if before is not None and before.charger is not None and before.charger != evse.charger:
        action, payload = wording.cancel_reservation(known.number)
        back_office().call(evse.cpo.csms_endpoint or 0, before.charger.identity, action, payload)
    held = Session.objects.filter(reservation=known, status=SessionStatus.RESERVATION)
    session = held.select_related("cpo", "peer").select_for_update(of=("self",), no_key=True).first()
    if session is not None:
        sessions.change_reservation(session, evse, holder, id_tag)


def cancelled(reservation_pk: int) -> None:
    reservation = Reservation.objects.select_related("session").get(pk=reservation_pk)
    _close(reservation, Restriction.RESERVATION)


def is_over(reservation: Reservation) -> bool:
    """Whether it has run out, was used, or its EVSE has broken or gone."""
    session, evse = reservation.session, reservation.evse
    if session is None or session.status != SessionStatus.RESERVATION or evse is None:
        return True
    return evse.status in BROKEN or reservation.expires_at <= timezone.now()


def end(reservation: Reservation) -> None:
    """The peer is told of one that its charger could not keep."""
    evse, peer = reservation.evse, reservation.peer
    held = reservation.session is not None and reservation.session.status == SessionStatus.RESERVATION
    if held and reservation.expires_at > timezone.now() and (evse is None or evse.status in BROKEN):
        if peer is not None:
            body = binding(peer.version).command_result("CANCELED_RESERVATION")
            flow = "" if reservation.session is None else reservation.session.correlation_id
            outbox.result_ready(peer, f"reservation:{reservation.pk}", reservation.response_url, body, flow)
        _close(reservation, Restriction.RESERVATION)
    else:
        _close(reservation, Restriction.RESERVATION_EXPIRES)


def _close(reservation: Reservation, kind: Restriction) -> None:
    session = reservation.session
    if session is not None and session.status == SessionStatus.RESERVATION:
        at = min(timezone.now(), reservation.expires_at)
        sessions.end_reservation(session, at, kind)
    Reservation.objects.filter(pk=reservation.pk, ended_at=None).update(ended_at=timezone.now())
