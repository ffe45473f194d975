"""Where OCPI and the house CSMS meet without knowing each other: the CSMS serves, OCPI asks.

The house CSMS registers itself when its app is ready; OCPI registers an authorizer. Both run in every web and worker
process.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call to a station stands: `state` is queued, sent, answered, failed, or timed_out without an answer.

    `response` is the answer's payload, or {errorCode, errorDescription} of a CALLERROR; `reason` says why it failed.
    """

    state: str
    response: Any = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """An entry of an endpoint's own card list; `status` is Accepted, Blocked, Expired or Invalid."""

    id_token: str
    status: str = "Accepted"
    type: str = ""
    group: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenPresented:
    """A driver's token that a station asks about; `place` is (evse, connector) where the station said it.

    `ends`: a transaction has ended with it, so nobody is let in.
    """

    endpoint: int
    tenant: UUID
    identity: str
    id_token: str
    token_type: str = ""
    place: tuple[int, int] | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the CSMS answers: `status` in the words of OCPP 2.0.1's AuthorizationStatusEnumType."""

    status: str
    group: str = ""
    expires_at: datetime | None = None


Authorizer = Callable[[TokenPresented], Verdict | None]  # None: not mine, ask the next or the card list


class BackOffice(Protocol):
    """What the house CSMS does for others. Every method needs the organization in scope."""

    def open_endpoint(self, label: str, *, accept_unknown_cards: bool) -> int:
        """The number of the endpoint with this label, made on the first call."""
        ...

    def url(self, endpoint: int) -> str: ...

    def close_endpoint(self, endpoint: int) -> None:
        """Drops it with its stations, cards and transactions; no error when it is gone."""
        ...

    def cards(self, endpoint: int) -> list[Card]: ...

    def put_card(self, endpoint: int, card: Card) -> None: ...

    def delete_card(self, endpoint: int, id_token: str) -> bool: ...

    def is_online(self, endpoint: int, identity: str) -> bool: ...

    def call(self, endpoint: int, identity: str, action: str, payload: dict[str, Any]) -> int | None:
        """Queues a call to a station and gives its number; None when no such station ever connected."""
        ...

    def outcome(self, call: int) -> CallOutcome | None: ...

    def withdraw(self, call: int) -> bool:
        """Takes back a call that was not sent yet; False when it was, or is gone."""
        ...

    def next_number(self, endpoint: int) -> int:
        """A number never given before at this endpoint: remote start ids, transactions, reservations."""
        ...


_served: list[BackOffice] = []
_authorizers: list[Authorizer] = []


def serve(office: BackOffice) -> None:
    _served[:] = [office]


def back_office() -> BackOffice:
    """Raises LookupError when no house CSMS is installed."""
    if not _served:
        raise LookupError("no back office is installed")
    return _served[0]


def add_authorizer(authorizer: Authorizer) -> None:
    if authorizer not in _authorizers:
        _authorizers.append(authorizer)


def judge(presented: TokenPresented) -> Verdict | None:
    """The first verdict of the authorizers. Called in a thread: an authorizer may take seconds."""
    for authorizer in _authorizers:
        verdict = authorizer(presented)
        if verdict is not None:
            return verdict
    return None
