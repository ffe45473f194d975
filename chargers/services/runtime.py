"""Starting, stopping and restarting the simulated machines (gateway contract, section 9)."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chargers.models import Charger, ChargerCommand, CommandState, Runtime
from chargers.services.commands import PATIENCE, Fanout, Refusal, store
from chargers.services.lookup import not_here, of_location
from locations.models import Location
from ocpplab.api.errors import Conflict
from tenants import audit

START, STOP, RESET = "start_charger", "stop_charger", "reset_charger"
WANTED = {START: Runtime.RUNNING, STOP: Runtime.STOPPED}
NO_OPS = {START: "It was running already.", STOP: "It was stopped already."}
STOPPED = "is stopped: start it first."


def switch_one(charger: Charger, event_type: str) -> ChargerCommand:
    """Raises Conflict for a restart of a stopped charger; a start or stop that changes nothing is accepted at once."""
    if event_type == RESET and charger.runtime == Runtime.STOPPED:
        raise Conflict(f"{charger.identity} {STOPPED}")
    return switch([charger], event_type)[0]


def switch_fanout(location: Location, event_type: str, charger_ids: Sequence[str] | None) -> Fanout:
    chargers, foreign = of_location(location, charger_ids)
    fanout = Fanout(failed=[Refusal(None, not_here(one)) for one in foreign])
    if event_type == RESET:
        stopped = [charger for charger in chargers if charger.runtime == Runtime.STOPPED]
        fanout.failed += [Refusal(charger.identity, f"{charger.identity} {STOPPED}") for charger in stopped]
        chargers = [charger for charger in chargers if charger.runtime != Runtime.STOPPED]
    fanout.queued = switch(chargers, event_type)
    return fanout


@transaction.atomic
def switch(chargers: Sequence[Charger], event_type: str) -> list[ChargerCommand]:
    """Notes what the user wants of each machine, and writes a command row that its node finishes."""
    if not chargers:
        return []
    wanted = WANTED.get(event_type)
    idle = {charger.pk for charger in chargers if charger.runtime == wanted}
    if wanted is not None:
        changing = [charger.pk for charger in chargers if charger.pk not in idle]
        Charger.objects.filter(pk__in=changing).update(
            runtime=wanted, revision=F("revision") + 1, updated_at=timezone.now()
        )
    return store([_row(charger, event_type, done=charger.pk in idle) for charger in chargers])


def _row(charger: Charger, event_type: str, *, done: bool) -> ChargerCommand:
    now = timezone.now()
    return ChargerCommand(
        charger=charger,
        shard=charger.shard,
        event_type=event_type,
        ocpp_version=charger.subprotocol,
        actor=audit.current_actor().label[:150],
        state=CommandState.ACCEPTED if done else CommandState.QUEUED,
        reason=NO_OPS[event_type] if done else "",
        finished_at=now if done else None,
        deadline_at=now + timedelta(seconds=PATIENCE),
    )
