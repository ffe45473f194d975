"""Telling chargers what to do: checks, the command rows, and one wake-up for all of them.

The row is the truth; the simulator node that owns a charger claims its rows and reports what became of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from chargers import bus
from chargers.models import Charger, ChargerCommand, CommandState, Connector, OcppVersion, ProvisioningStatus, Runtime
from chargers.services import secrets
from chargers.services.lookup import not_here, of_location
from locations.models import Location
from ocpplab.api.errors import Conflict, GatewayError, Invalid, InvalidRequest
from ocpplab.api.errors import Location as ErrorPlace
from tenants import audit

# Seconds until a row that nobody finished is overdue. Sessions wait for a person's car and for the CSMS.
PATIENCE = 30.0
PATIENCE_BY_TYPE = {
    "start_session": 120.0,
    "stop_session": 120.0,
    "start_transaction": 120.0,
    "stop_transaction": 120.0,
}
# OCPP 1.6 CiString20Type; OCPP 2.0.1 identifierString[36].
LONGEST_ID_TAG = {OcppVersion.V16: 20, OcppVersion.V201: 36}

Outlets = Mapping[UUID, Collection[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A target that got no command. `identity` is None for an id that is no charger of the location."""

    identity: str | None
    error: str


@dataclass(slots=True)
class Fanout:
    """One command to several chargers: what was queued, and who was refused why."""

    queued: list[ChargerCommand] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)


def issue_one(
    charger: Charger, event_type: str, payload: dict[str, Any], *, patience: float | None = None
) -> ChargerCommand:
    """Raises what `refusal` gives: Conflict (stopped), InvalidRequest (no such connector), Invalid (long id tag)."""
    error = refusal(charger, payload, _outlets([charger], payload))
    if error is not None:
        raise error
    return issue([charger], event_type, payload, patience=patience)[0]


def issue_fanout(
    location: Location, event_type: str, payload: dict[str, Any], charger_ids: Sequence[str] | None
) -> Fanout:
    """To the named chargers of a location, or to all of them; who cannot take it is in `failed`."""
    targets, fanout = targets_of(location, payload, charger_ids)
    fanout.queued = issue(targets, event_type, payload)
    return fanout


def issue_as_fanout(charger: Charger, event_type: str, payload: dict[str, Any]) -> Fanout:
    """To one charger, answered as a fan-out: a charger that cannot take it is in `failed`. Raises Invalid."""
    error = refusal(charger, payload, _outlets([charger], payload))
    if isinstance(error, Invalid):
        raise error
    if error is not None:
        return Fanout(failed=[Refusal(charger.identity, error.message)])
    return Fanout(queued=issue([charger], event_type, payload))


def targets_of(
    location: Location, payload: Mapping[str, Any], charger_ids: Sequence[str] | None
) -> tuple[list[Charger], Fanout]:
    """The chargers that can take the command, and a fan-out that holds the refusals."""
    chargers, foreign = of_location(location, charger_ids)
    outlets = _outlets(chargers, payload)
    fanout = Fanout(failed=[Refusal(None, not_here(one)) for one in foreign])
    targets = []
    for charger in chargers:
        error = refusal(charger, payload, outlets)
        if error is None:
            targets.append(charger)
        else:
            fanout.failed.append(Refusal(charger.identity, error.message))
    return targets, fanout


def issue(
    chargers: Sequence[Charger], event_type: str, payload: dict[str, Any], *, patience: float | None = None
) -> list[ChargerCommand]:
    """A queued row for each charger, in one insert, and one wake-up. No checks: see `issue_one` and `issue_fanout`."""
    if not chargers:
        return []
    if patience is None:
        patience = PATIENCE_BY_TYPE.get(event_type, PATIENCE)
    now = timezone.now()
    actor, stored = audit.current_actor().label[:150], secrets.sealed(payload)
    return store(
        [
            ChargerCommand(
                charger=charger,
                shard=charger.shard,
                event_type=event_type,
                ocpp_version=charger.subprotocol,
                payload=stored,
                actor=actor,
                created_at=now,
                deadline_at=now + timedelta(seconds=patience),
            )
            for charger in chargers
        ]
    )


@transaction.atomic
def store(commands: list[ChargerCommand]) -> list[ChargerCommand]:
    """Writes the rows with one audit row; wakes the nodes if any of the rows waits for them."""
    ChargerCommand.objects.bulk_create(commands)
    single = len(commands) == 1
    audit.record(
        f"command {commands[0].event_type}",
        object_type="charger",
        object_id=commands[0].charger_id if single else f"{len(commands)} chargers",
        organization_id=commands[0].charger.tenant_id,
        summary=", ".join(command.charger.identity for command in commands[:10]),
        details={"command_ids": [command.pk for command in commands]},
    )
    if any(command.state == CommandState.QUEUED for command in commands):
        bus.wake_on_commit()
    return commands


def refusal(charger: Charger, payload: Mapping[str, Any], outlets: Outlets) -> GatewayError | None:
    """Why this charger cannot take the command now; None when it can. A charger still provisioning can."""
    if charger.runtime == Runtime.STOPPED:
        return Conflict(f"{charger.identity} is stopped: start it first.")
    if charger.status == ProvisioningStatus.FAILED:
        return Conflict(f"{charger.identity} could not be provisioned: see its status.")
    if too_long := _too_long(charger, payload):
        return Invalid(*too_long)
    return _connector_refusal(charger, payload, outlets)


def _too_long(charger: Charger, payload: Mapping[str, Any]) -> list[tuple[ErrorPlace, str, str]]:
    """The id tags, of the command or of a local list's entries, that are too long for the charger's version."""
    longest = LONGEST_ID_TAG[OcppVersion(charger.ocpp_version)]
    places: list[ErrorPlace] = [("body",), *(("body", "entries", at) for at in range(len(payload.get("entries", ()))))]
    said: list[Mapping[str, Any]] = [payload, *payload.get("entries", ())]
    return [
        ((*place, name), f"{charger.ocpp_version} allows {longest} characters at most.", "string_too_long")
        for place, one in zip(places, said, strict=True)
        for name in ("id_tag", "parent_id_tag")
        if len(one.get(name, "")) > longest
    ]


def _connector_refusal(charger: Charger, payload: Mapping[str, Any], outlets: Outlets) -> GatewayError | None:
    evse_id, connector_id = payload.get("evse_id"), payload.get("connector_id")
    if evse_id is None and connector_id is None:
        return None
    if {evse_id, connector_id} <= {None, 0}:
        return None  # the whole station, where the command's own fields let one name it
    if 0 in (evse_id, connector_id):
        return InvalidRequest("0 is the whole station: give it alone, or an outlet.")
    known = outlets.get(charger.pk, ())
    if charger.ocpp_version == OcppVersion.V16:
        number = evse_id if connector_id is None else connector_id
        if any(number == outlet for _, outlet in known):
            return None
        return InvalidRequest(f"{charger.identity} has no connector {number}.")
    # OCPP 2.0.1: a lone connector_id is taken as the EVSE's number (gateway contract, 11.2).
    evse = connector_id if evse_id is None else evse_id
    wanted = (evse, connector_id or 1) if evse_id is not None else (evse, 1)
    if wanted in known:
        return None
    return InvalidRequest(f"{charger.identity} has no EVSE {wanted[0]} with a connector {wanted[1]}.")


def _outlets(chargers: Sequence[Charger], payload: Mapping[str, Any]) -> Outlets:
    """(evse_id, connector_id) of each charger's outlets; no query when the command names no connector."""
    found: dict[UUID, set[tuple[int, int]]] = {}
    if "evse_id" in payload or "connector_id" in payload:
        rows = Connector.objects.filter(charger__in=chargers).values_list("charger_id", "evse_id", "connector_id")
        for charger_id, evse_id, connector_id in rows:
            found.setdefault(charger_id, set()).add((evse_id, connector_id))
    return found
