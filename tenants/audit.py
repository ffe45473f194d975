"""Who is acting, and the row that says what they did."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tenants.models import AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person in the console, a token, or a command line."""

    label: str
    user_id: int | None = None
    token_id: UUID | None = None


SYSTEM = Actor("system")
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def current_actor() -> Actor:
    return _actor.get()


def act_as(actor: Actor) -> None:
    """Sets the actor for the rest of this request or command."""
    _actor.set(actor)


def as_json(actor: Actor) -> dict[str, Any]:
    """For a row that keeps on whose behalf its work is done."""
    return {
        "label": actor.label,
        "user_id": actor.user_id,
        "token_id": str(actor.token_id) if actor.token_id else None,
    }


@contextmanager
def acting(kept: Mapping[str, Any]) -> Iterator[None]:
    """Within the block the actor is the one that `as_json` described."""
    token_id = kept.get("token_id")
    actor = Actor(kept.get("label", SYSTEM.label), kept.get("user_id"), UUID(token_id) if token_id else None)
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def record(
    verb: str,
    *,
    object_type: str,
    object_id: object,
    organization_id: UUID | None,
    summary: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Writes one audit row for the acting person, in the caller's transaction. Callers pass no secrets."""
    actor = current_actor()
    AuditEntry.objects.create(
        organization_id=organization_id,
        user_id=actor.user_id,
        token_id=actor.token_id,
        actor=actor.label[:150],
        verb=verb,
        object_type=object_type,
        object_id=str(object_id),
        summary=summary[:255],
        details=details or {},
    )
