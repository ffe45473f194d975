"""Whether the chargers of a bundle are up: they connected, booted and told a status for every outlet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from chargers.models import Charger, ConnectionStatus, ProvisioningStatus
from chargers.services.claims import advance
from ocpi.building.failures import BuildFailure
from ocpi.building.touching import touch_evses
from ocpi.models import Cpo, Evse, EvseStatus
from ocpi.presets.plan import Plan

PATIENCE = 180.0  # seconds without any change before the build gives up
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Readiness:
    """So many chargers shall be online, so many of those are."""

    wanted: int
    ready: int


def look(cpo: Cpo, planned: Plan) -> Readiness:
    """Three queries. A charger that is held in a status has been ready before, whatever it is now.

    One that its owner deleted while others still booted is not waited for.
    """
    held = set(cpo.progress.get("held", []))
    wanted = wanted_online(planned) & (held | set(_chargers(cpo).values_list("identity", flat=True)))
    return Readiness(len(wanted), len(wanted & (held | _ready(cpo))))


def wanted_online(planned: Plan) -> set[str]:
    """Identities of the chargers that the bundle waits for."""
    return {one.identity for one in planned.chargers() if one.online}


def _ready(cpo: Cpo) -> set[str]:
    """Identities of its chargers that are up; at a foreign CSMS it counts that the machine runs and tries."""
    rows = _chargers(cpo)
    if cpo.ws_url:
        return set(rows.filter(status=ProvisioningStatus.READY).values_list("identity", flat=True))
    silent = Evse.objects.filter(cpo=cpo, charger__isnull=False, reported=False).values("charger")
    connected = rows.filter(connection_status=ConnectionStatus.CONNECTED).exclude(pk__in=silent)
    return set(connected.values_list("identity", flat=True))


def _chargers(cpo: Cpo) -> QuerySet[Charger]:
    return Charger.objects.filter(location__cpo_location__cpo=cpo)


def note_progress(cpo: Cpo, progress: dict[str, Any]) -> None:
    """Keeps what is shown, and since when it is so; raises BuildFailure when nothing has moved for too long.

    The claim ends with the next look, which anybody may take.
    """
    former = {name: value for name, value in cpo.progress.items() if name != "since"}
    now = timezone.now()
    since = cpo.progress.get("since") if former == progress else None
    if since is not None and (now - datetime.fromisoformat(since)).total_seconds() > PATIENCE:
        raise BuildFailure(
            "chargers_not_ready",
            f"{progress['chargers_ready']} of {progress['chargers_total']} chargers have booted, and no more since "
            f"{since}. Is a simulator running? See /health.",
            step=progress["current_step"],
            retryable=True,
        )
    advance(cpo, progress={**progress, "since": since or now.isoformat()}, attempts=0)


def settle(cpo: Cpo) -> None:
    """What has not told a status by the end of the build never does by itself: UNKNOWN instead of PLANNED."""
    planned = Evse.objects.filter(cpo=cpo, status=EvseStatus.PLANNED)
    touch_evses(planned, status=EvseStatus.UNKNOWN)
