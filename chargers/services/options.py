"""Station options: the lab's switches of one charger (gateway contract, section 19)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chargers import bus
from chargers.models import Charger
from simulator.core.physical.vehicle import PROFILES
from simulator.core.registration import PERIODIC
from simulator.core.setup import ANY_CAR, Options
from tenants import audit

ON_POWER_LOSS = ("stop-before", "stop-after", "resume")
HEARTBEAT_MODES = ("idle", PERIODIC)
EV_PROFILES = (ANY_CAR, *(profile.name for profile in PROFILES))
DEFAULTS: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(Options()))


def options_of(charger: Charger) -> dict[str, Any]:
    """All of them by name, with the defaults where nothing was set."""
    return {"seed": charger.seed, **DEFAULTS, **charger.options}


@transaction.atomic
def change_options(chargers: Sequence[Charger], changes: Mapping[str, Any]) -> list[Charger]:
    """Sets what `changes` names, in the order given. A charger whose options stay as they were goes on undisturbed."""
    ids = [charger.pk for charger in chargers]
    locked = Charger.objects.filter(pk__in=ids).select_for_update(no_key=True).order_by("pk").in_bulk()
    alive = [locked[key] for key in ids if key in locked]
    changed = [charger for charger in alive if _apply(charger, changes)]
    if changed:
        Charger.objects.bulk_update(changed, ["seed", "options", "updated_at"])
        Charger.objects.filter(pk__in=[one.pk for one in changed]).update(revision=F("revision") + 1)
        audit.record(
            "update_options",
            object_type="charger",
            object_id=changed[0].pk if len(changed) == 1 else "",
            organization_id=changed[0].tenant_id,
            summary=changed[0].identity if len(changed) == 1 else f"{len(changed)} chargers",
            details={"fields": sorted(changes)},
        )
        bus.wake_on_commit()
    return alive


def _apply(charger: Charger, changes: Mapping[str, Any]) -> bool:
    """Only what differs from the default is stored, so that a better default reaches old chargers."""
    before = options_of(charger)
    after = {**before, **changes}
    if after == before:
        return False
    charger.seed = after.pop("seed")
    charger.options = {name: value for name, value in after.items() if value != DEFAULTS.get(name)}
    charger.updated_at = timezone.now()
    return True
