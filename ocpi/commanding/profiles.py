"""Charging profiles of a session (OCPI contract, section 11)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from chargers.back_office import back_office
from ocpi.commanding import targets, wording
from ocpi.commanding.answers import ANSWER_SECONDS, Answer, Asked, Declined, accepted
from ocpi.models import PeerCommand, Session
from ocpi.protocol.times import written
from ocpi.pushing import outbox

KINDS = ("SET_PROFILE", "GET_PROFILE", "CLEAR_PROFILE")
ACTIVE = "ACTIVE_PROFILE"  # our own question, which has no response_url
ACTIVE_SECONDS = 24 * 3600
CAPABILITY = "CHARGING_PROFILE_CAPABLE"


def put(asked: Asked) -> Answer:
    session = _session(asked)
    if not asked.body["charging_profile"].get("charging_profile_period"):
        raise Declined("REJECTED", "A profile without periods limits nothing.")
    number = session.meter.get("profile_number") or back_office().next_number(session.cpo.csms_endpoint or 0)
    profile = _plain(asked.body["charging_profile"])
    transaction_id = _transaction_id(session)
    way = targets.call(session.evse, *wording.set_profile(session.evse, transaction_id, number, profile))  # type: ignore[arg-type]
    return accepted(asked, evse=session.evse, session=session, profile=profile, number=number, **way)


def _plain(profile: dict[str, Any]) -> dict[str, Any]:
    """As JSON stores it."""
    start = profile.get("start_date_time")
    return profile | ({"start_date_time": written(start)} if isinstance(start, datetime) else {})


def get(asked: Asked) -> Answer:
    session = _session(asked)
    assert session.evse is not None
    way = targets.call(session.evse, *wording.composite_schedule(session.evse, asked.body["duration"]))
    return accepted(asked, evse=session.evse, session=session, **way)


def clear(asked: Asked) -> Answer:
    session = _session(asked)
    assert session.evse is not None
    number = session.meter.get("profile_number")
    if number is None:
        return accepted(asked, evse=session.evse, session=session, result="UNKNOWN")
    way = targets.call(session.evse, *wording.clear_profile(session.evse, number))
    return accepted(asked, evse=session.evse, session=session, number=number, **way)


def _session(asked: Asked) -> Session:
    """Raises Declined; one request at a time for a session."""
    session = targets.session_of(asked)
    evse = session.evse
    assert evse is not None
    targets.require(evse, CAPABILITY)
    if targets.is_external(evse.cpo):
        raise Declined("NOT_SUPPORTED", "The CSMS of this charger is not ours to send profiles from.")
    if PeerCommand.objects.filter(session=session, kind__in=KINDS, finished_at=None).exists():
        raise Declined("TOO_OFTEN", "The last request for this session is still under way.")
    return session


def _transaction_id(session: Session) -> str:
    assert session.transaction is not None
    transaction_id = session.transaction.transaction_id or ""
    if not transaction_id:
        raise Declined("REJECTED", "The charger has no number for this session yet.")
    return transaction_id


# --- once the charger has answered ------------------------------------------------------------------------------------


def remember(command: PeerCommand) -> None:
    """The profile now at work, or that there is none."""
    assert command.session is not None
    session = Session.objects.select_for_update(no_key=True).get(pk=command.session.pk)
    session.profile = command.context.get("profile")
    session.meter["profile_number"] = command.context["number"] if session.profile else None
    session.save(update_fields=["profile", "meter"])


def ask_what_is_active(command: PeerCommand) -> None:
    """A peer that has set a profile, and wants to hear of it, is told what the charger makes of every change."""
    session, evse = command.session, command.evse
    assert session is not None
    assert evse is not None
    if command.peer.endpoint("chargingprofiles", "SENDER") is None or evse.charger is None:
        return
    action, payload = wording.composite_schedule(evse, ACTIVE_SECONDS)
    call = back_office().call(command.cpo.csms_endpoint or 0, evse.charger.identity, action, payload)
    if call is not None:
        PeerCommand.objects.create(
            cpo=command.cpo,
            peer=command.peer,
            kind=ACTIVE,
            evse=evse,
            session=session,
            call=call,
            deadline=timezone.now() + timedelta(seconds=ANSWER_SECONDS),
        )


def tell_what_is_active(command: PeerCommand, result: str, response: dict[str, Any]) -> None:
    profile = active_profile(response) if result == "ACCEPTED" else None
    if profile is not None and command.session is not None:
        outbox.profile_changed(command.session, profile)


def active_profile(response: dict[str, Any]) -> dict[str, Any] | None:
    """The ActiveChargingProfile of an answer to GetCompositeSchedule; both versions name its parts alike."""
    schedule = response.get("chargingSchedule") or response.get("schedule")
    if not schedule:
        return None
    start = response.get("scheduleStart") or schedule.get("scheduleStart") or schedule.get("startSchedule")
    profile = {
        "charging_rate_unit": schedule["chargingRateUnit"],
        "duration": schedule.get("duration"),
        "min_charging_rate": schedule.get("minChargingRate"),
        "charging_profile_period": [
            {"start_period": one["startPeriod"], "limit": round(one["limit"], 1)}
            for one in schedule["chargingSchedulePeriod"]
        ],
    }
    shown = {name: value for name, value in profile.items() if value is not None}
    return {"start_date_time": _moment(start), "charging_profile": shown}


def _moment(text: str | None) -> str:
    if text is None:
        return written(timezone.now())
    return written(datetime.fromisoformat(text).astimezone(UTC))
