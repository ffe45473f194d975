"""The synchronous answers to commands, and the row that an accepted one leaves."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from ocpi.models import Evse, Peer, PeerCommand, Session
from ocpi.protocol.routing import Party

SUCCESS, INVALID, NOT_ENOUGH, UNKNOWN_LOCATION = 1000, 2001, 2002, 2003
TIMEOUT_SECONDS = 30  # within which every result is posted
ANSWER_SECONDS = 25  # for the charger: the result has a way to go as well

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One command of a peer, or of its `party`; `body` in the words of 2.2.1."""

    peer: Peer
    kind: str
    body: dict[str, Any]
    correlation_id: str
    party: Party


class Declined(Exception):
    """The command goes no further; nothing will be posted to its response_url."""

    def __init__(self, result: str, text: str, status_code: int = SUCCESS) -> None:
        super().__init__(text)
        self.status_code = status_code
        self.text = text if status_code != SUCCESS else "Success"
        self.answer = answer(result, text)


def answer(result: str, text: str = "") -> Answer:
    message = {"message": [{"language": "en", "text": text}]} if text else {}
    return {"result": result, "timeout": TIMEOUT_SECONDS, **message}


def accepted(
    asked: Asked,
    *,
    evse: Evse | None = None,
    session: Session | None = None,
    call: int | None = None,
    command: str = "",
    **context: Any,
) -> Answer:
    """Keeps the command until its result is known."""
    PeerCommand.objects.create(
        cpo=asked.peer.cpo,
        peer=asked.peer,
        kind=asked.kind,
        response_url=asked.body["response_url"],
        evse=evse,
        session=session,
        call=call,
        command=command,
        context={**context, "party": asked.party},
        correlation_id=asked.correlation_id[:64],
        deadline=timezone.now() + timedelta(seconds=ANSWER_SECONDS),
    )
    return answer("ACCEPTED")
