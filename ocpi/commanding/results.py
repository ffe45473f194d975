"""What became of commands: the charger's answer, put into OCPI's words and handed to the outbox."""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from chargers.back_office import CallOutcome, back_office
from chargers.models import ChargerCommand, CommandState, Connector
from chargers.services.configuration import configuration_of
from ocpi.charging import sessions
from ocpi.charging.holders import Holder, cdr_token
from ocpi.commanding import plugging, profiles, reserving
from ocpi.models import AuthMethod, Evse, PeerCommand, Session, SessionStatus
from ocpi.protocol.versions import binding
from ocpi.pushing import outbox
from tenants.scoping import scope

log = logging.getLogger(__name__)
PLUG_SECONDS = 60.0
SLACK_SECONDS = 10.0
CONNECTION_TIMEOUT = ("ConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut")  # OCPP 1.6, 2.0.1
UNABLE = ("NotImplemented", "NotSupported")

# What an answered call means, by its status (OCPI contract, section 10).
PLAIN = {"Accepted": "ACCEPTED", "Rejected": "REJECTED"}
UNLOCKED = {
    "Unlocked": "ACCEPTED",
    "UnlockFailed": "FAILED",
    "NotSupported": "NOT_SUPPORTED",
    "OngoingAuthorizedTransaction": "REJECTED",
    "UnknownConnector": "REJECTED",
}
RESERVED = PLAIN | {"Occupied": "EVSE_OCCUPIED", "Faulted": "EVSE_INOPERATIVE", "Unavailable": "EVSE_INOPERATIVE"}
WORDS: dict[str, Mapping[str, str]] = {
    "START_SESSION": PLAIN,
    "STOP_SESSION": PLAIN,
    "UNLOCK_CONNECTOR": UNLOCKED,
    "RESERVE_NOW": RESERVED,
    "CANCEL_RESERVATION": PLAIN | {"Rejected": "UNKNOWN_RESERVATION"},
    "SET_PROFILE": PLAIN,
    "GET_PROFILE": PLAIN,
    "CLEAR_PROFILE": PLAIN | {"Unknown": "UNKNOWN"},
    profiles.ACTIVE: PLAIN,
}
PROFILE_RESULTS = ("ACCEPTED", "REJECTED", "UNKNOWN")
LOCAL = {
    CommandState.ACCEPTED: "ACCEPTED",
    CommandState.REJECTED: "REJECTED",
    CommandState.FAILED: "FAILED",
    CommandState.TIMED_OUT: "TIMEOUT",
}
INOPERATIVE = ("Faulted", "Unavailable")


def settle(is_stopping: Callable[[], bool]) -> None:
    """Looks at every command under way; each is settled in a transaction of its own, once."""
    for row in PeerCommand.objects.unscoped().filter(finished_at=None).order_by("id"):
        if is_stopping():
            return
        try:
            with scope(row.tenant_id), transaction.atomic():  # type: ignore[arg-type]
                _settle_one(row.pk)
        except (InterfaceError, OperationalError):
            raise
        except Exception:
            log.exception("a command could not be settled", extra={"command": row.pk})


def _settle_one(pk: int) -> None:
    if (evse_id := PeerCommand.objects.filter(pk=pk).values_list("evse", flat=True).first()) is not None:
        # First the EVSE, as the follower does: a session opens either there or here.
        list(Evse.objects.filter(pk=evse_id).select_for_update(no_key=True).values_list("pk"))
    rows = PeerCommand.objects.filter(pk=pk, finished_at=None).select_for_update(of=("self",), no_key=True)
    command = rows.select_related("cpo", "peer", "session", "evse__charger", "evse__cpo", "evse__location__cpo").first()
    if command is None:
        return
    found = _result(command)
    if found is None:
        return
    result, response = found
    _follow_up(command, result)
    _tell(command, result, response)


def _result(command: PeerCommand) -> tuple[str, dict[str, Any]] | None:
    """OCPI's word for what happened, and the charger's answer; None while nothing has."""
    if "result" in command.context:
        return command.context["result"], {}
    found = _by_call(command) if command.call is not None else _by_command(command)
    if found is None and command.deadline <= timezone.now():
        if command.call is not None:
            back_office().withdraw(command.call)
        return "TIMEOUT", {}
    return found


def _by_call(command: PeerCommand) -> tuple[str, dict[str, Any]] | None:
    outcome = back_office().outcome(command.call or 0)
    if outcome is None:
        return "FAILED", {}
    if outcome.state == "failed":
        return _failure(outcome), {}
    if outcome.state == "timed_out":
        return "TIMEOUT", {}
    if outcome.state != "answered":
        return None
    result = WORDS[command.kind].get(str(outcome.response.get("status")), "REJECTED")
    if command.kind == "START_SESSION" and result == "REJECTED":
        result = _why_not(command)
    return result, outcome.response


def _failure(outcome: CallOutcome) -> str:
    code = (outcome.response or {}).get("errorCode") if isinstance(outcome.response, dict) else None
    return "NOT_SUPPORTED" if code in UNABLE else "FAILED"


def _why_not(command: PeerCommand) -> str:
    """A charger says no more than Rejected: its outlet's status tells whether it is busy or out of order."""
    evse = command.evse
    if evse is None:
        return "REJECTED"
    outlet = Connector.objects.filter(
        charger=evse.charger, evse_id=evse.outlet_evse, connector_id=evse.outlet_connector
    ).first()
    if outlet is None or outlet.status == "Available":
        return "REJECTED"
    return "EVSE_INOPERATIVE" if outlet.status in INOPERATIVE else "EVSE_OCCUPIED"


def _by_command(command: PeerCommand) -> tuple[str, dict[str, Any]] | None:
    row = ChargerCommand.objects.filter(pk=command.command).first()
    if row is None:
        return "FAILED", {}
    word = LOCAL.get(CommandState(row.state))
    return None if word is None else (word, {})


# --- what follows from it ---------------------------------------------------------------------------------------------


def _follow_up(command: PeerCommand, result: str) -> None:
    if result != "ACCEPTED":
        return
    match command.kind:
        case "START_SESSION":
            _begin(command)
        case "RESERVE_NOW":
            reserving.made(command)
        case "CANCEL_RESERVATION":
            reserving.cancelled(command.context["reservation"])
        case "SET_PROFILE" | "CLEAR_PROFILE":
            profiles.remember(command)
            profiles.ask_what_is_active(command)


def _begin(command: PeerCommand) -> None:
    """A session waits for the transaction, unless the charger was quicker; the virtual car comes."""
    evse = command.evse
    assert evse is not None
    session = command.session or _reserved_or_begun(command, evse) or _waiting(command, evse)
    plugged = command.call is not None and plugging.plug_for(command)
    if plugged and session.pk is not None:
        Session.objects.filter(pk=session.pk).update(meter={**session.meter, "plugged": True})


def _reserved_or_begun(command: PeerCommand, evse: Evse) -> Session | None:
    """A reservation that this start makes use of, or the session if the charger has begun it already."""
    rows = Session.objects.filter(evse=evse, peer=command.peer, id_tag__iexact=command.context["id_tag"])
    begun = Q(status=SessionStatus.ACTIVE, started_at__gte=command.created_at - timedelta(seconds=SLACK_SECONDS))
    session = rows.filter(begun | Q(status=SessionStatus.RESERVATION)).order_by("-id").first()
    if session is not None:
        command.session = session
        reference = command.context["authorization_reference"]
        if reference:  # the last one given counts (OCPI contract, section 7)
            Session.objects.filter(pk=session.pk).update(authorization_reference=reference)
    return session


def _waiting(command: PeerCommand, evse: Evse) -> Session:
    context = command.context
    reference = context["authorization_reference"]
    holder = Holder(command.peer, cdr_token(context["token"]), AuthMethod.COMMAND, reference, command.correlation_id)
    command.session = sessions.open_pending(evse, holder, context["id_tag"], lasts=_patience(evse))
    return command.session


def _patience(evse: Evse) -> float:
    """Seconds for a cable to come, as the charger is configured, and some more for the message to arrive."""
    if evse.charger is None:
        return PLUG_SECONDS + SLACK_SECONDS
    entries = configuration_of(evse.charger, list(CONNECTION_TIMEOUT))
    values = [float(entry["value"]) for entry in entries if str(entry.get("value", "")).isdigit()]
    return (values[0] if values else PLUG_SECONDS) + SLACK_SECONDS


def _tell(command: PeerCommand, result: str, response: dict[str, Any]) -> None:
    PeerCommand.objects.filter(pk=command.pk).update(
        result=result, finished_at=timezone.now(), session=command.session, context={**command.context, "over": True}
    )
    words = binding(command.peer.version)
    if command.kind == profiles.ACTIVE:
        profiles.tell_what_is_active(command, result, response)
        return
    if command.kind in profiles.KINDS:
        # The profile results have three words only (OCPI 2.2.1, 14.4.3).
        shown = result if result in PROFILE_RESULTS else "REJECTED"
        profile = profiles.active_profile(response) if command.kind == "GET_PROFILE" else None
        body = words.profile_result(shown, profile)
    else:
        body = words.command_result(result)
    outbox.result_ready(command.peer, f"command:{command.pk}", command.response_url, body, command.correlation_id)
