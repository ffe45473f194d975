"""Charging profiles of a session (OCPI contract, section 11)."""

from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from chargers.back_office import back_office
from ocpi.commanding import targets, wording
from ocpi.commanding.answers import Answer, Asked, Declined, accepted
from ocpi.models import PeerCommand, Session
from ocpi.peer.times import written

KINDS = ("SET_PROFILE", "GET_PROFILE", "CLEAR_PROFILE")
CAPABILITY = "CHARGING_PROFILE_CAPABLE"


def put(asked: Asked) -> Answer:
    session = _session(asked)
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
    session = Session.objects.select_for_update().get(pk=command.session.pk)
    session.profile = command.context.get("profile")
    session.meter["profile_number"] = command.context["number"] if session.profile else None
    session.save(update_fields=["profile", "meter"])


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
