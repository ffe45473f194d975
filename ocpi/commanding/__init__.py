"""What peers command (OCPI contract, sections 10 and 11): checked here, sent to the charger as OCPP calls of the CSMS.

A command that is accepted leaves a `PeerCommand`; its result is settled by the follower and pushed to the peer.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from ocpi.commanding import charging, preferences, profiles, reserving
from ocpi.commanding.answers import SUCCESS, Asked, Declined
from ocpi.models import Peer
from ocpi.protocol.routing import Party

Handler = Callable[[Asked], dict[str, Any]]
HANDLERS: dict[str, Handler] = {
    "START_SESSION": charging.start,
    "STOP_SESSION": charging.stop,
    "UNLOCK_CONNECTOR": charging.unlock,
    "RESERVE_NOW": reserving.reserve,
    "CANCEL_RESERVATION": reserving.cancel,
    "SET_PROFILE": profiles.put,
    "GET_PROFILE": profiles.get,
    "CLEAR_PROFILE": profiles.clear,
}

__all__ = ["accept", "prefer"]
prefer = preferences.prefer


def accept(
    peer: Peer, command: str, body: dict[str, Any], *, correlation_id: str, party: Party
) -> tuple[int, dict[str, Any], str]:
    """The synchronous answer: OCPI status code, {result, timeout, message?}, status message.

    `body` is valid and in the words of 2.2.1; `party` is the one of the peer's that asks. Needs the peer's
    organization in scope.
    """
    try:
        with transaction.atomic():
            answer = HANDLERS[command](Asked(peer, command, body, correlation_id, party))
    except Declined as declined:
        return declined.status_code, declined.answer, declined.text
    return SUCCESS, answer, "Success"
