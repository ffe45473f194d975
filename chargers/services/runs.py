"""Every write on runs: they are begun, finished (which keeps their frames), renamed, marked and deleted."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from chargers.models import Charger, Message, Run, RunCharger
from chargers.services import traffic
from chargers.services.lookup import as_id
from chargers.services.rewriting import rewrite
from chargers.services.run_frames import Normalizer
from chargers.services.traffic import Filters
from locations.models import Location
from ocpplab.api.errors import Conflict, InvalidRequest, NotFound
from tenants import audit

MOST_FRAMES, MOST_FRAMES_OF_CHARGER = 100_000, 10_000  # what a comparison can take
MOST_CHARGERS = 1_000
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
SETTLE_SECONDS = 1.0  # until the last frames of a moment stand in the log


def find_run(run_id: str) -> Run:
    """A run of the organization in scope; raises NotFound."""
    key = as_id(run_id)
    run = Run.objects.filter(pk=key).first() if key else None
    if run is None:
        raise NotFound("Run")
    return run


def named_run(reference: str) -> Run:
    """By id, else the newest of that name; raises NotFound."""
    key = as_id(reference)
    run = Run.objects.filter(pk=key).first() if key else None
    run = run or Run.objects.filter(name=reference).order_by("-created_at", "-id").first()
    if run is None:
        raise NotFound(f"Run {reference}")
    return run


def finished(run: Run) -> Run:
    """The run itself; raises Conflict while it is going on."""
    if not run.is_finished:
        raise Conflict(f"The run {run.name} is going on: finish it first.")
    return run


def default_baseline(run: Run) -> Run:
    """The run that was marked as baseline last; raises InvalidRequest when no other run is one."""
    marked = Run.objects.filter(baseline_at__isnull=False).exclude(pk=run.pk).order_by("-baseline_at", "-id").first()
    if marked is None:
        raise InvalidRequest("No other run is marked as baseline: name one.")
    return marked


def chargers_named(references: Sequence[str]) -> list[Charger]:
    """By id or identity, in the order given, each once; raises InvalidRequest for one that is not there."""
    ids = {reference: key for reference in references if (key := as_id(reference))}
    rows = Charger.objects.filter(Q(pk__in=ids.values()) | Q(identity__in=references))
    by_id = {row.pk: row for row in rows}
    by_identity = {row.identity: row for row in by_id.values()}
    found: dict[UUID, Charger] = {}
    for reference in references:
        charger = by_id.get(ids[reference]) if reference in ids else None
        charger = charger or by_identity.get(reference)
        if charger is None:
            raise InvalidRequest(f"No charger {reference}.")
        found[charger.pk] = charger
    return list(found.values())


def begin_run(
    *,
    name: str,
    chargers: Sequence[Charger] = (),
    location: Location | None = None,
    started_at: datetime | None = None,
    finished_at: datetime | None = None,
    is_baseline: bool = False,
) -> Run:
    """Of these chargers, or of those that the location has now. With an end it is finished at once.

    Raises InvalidRequest when there are no chargers or too many, or when the times make no sense.
    """
    if location is not None:
        chargers = list(Charger.objects.filter(location=location).order_by("created_at", "id")[: MOST_CHARGERS + 1])
    if not 0 < len(chargers) <= MOST_CHARGERS:
        raise InvalidRequest(f"A run has 1 to {MOST_CHARGERS} chargers; this one would have {len(chargers)}.")
    start = started_at or timezone.now()
    _check_times(start, finished_at)
    with transaction.atomic():
        run = Run.objects.create(
            name=name,
            location=location,
            started_at=start,
            baseline_at=timezone.now() if is_baseline else None,
            charger_count=len(chargers),
        )
        RunCharger.objects.bulk_create(
            RunCharger(run=run, charger_id=charger.pk, identity=charger.identity, position=position)
            for position, charger in enumerate(chargers)
        )
        _audit("begin_run", run)
    if finished_at is not None:
        try:
            return finish_run(run, finished_at)
        except InvalidRequest:
            delete_run(run)
            raise
    return run


def finish_run(run: Run, finished_at: datetime | None = None) -> Run:
    """Keeps the frames from its start to `finished_at` (default: now). May wait SETTLE_SECONDS for the last of them.

    Raises Conflict when it has ended already, InvalidRequest when there are more frames than can be compared.
    """
    if run.is_finished:
        raise Conflict("The run has ended already.")
    end = finished_at or timezone.now()
    _check_times(run.started_at, end)
    _settle(end)
    kept = list(run.chargers.all())
    _keep_frames(run, kept, end)
    with transaction.atomic():
        frames = sum(one.frame_count for one in kept)
        changes = {"finished_at": end, "frame_count": frames, "updated_at": timezone.now()}
        if not Run.objects.filter(pk=run.pk, finished_at__isnull=True).update(**changes):
            raise Conflict("The run has ended already.")
        rewrite(kept, ["packed", "frame_count"])
        _audit("finish_run", run, {"frames": frames})
    return find_run(str(run.pk))


def update_run(run: Run, *, name: str | None = None, is_baseline: bool | None = None) -> Run:
    changes: dict[str, Any] = {} if name is None else {"name": name}
    if is_baseline is not None and is_baseline != run.is_baseline:
        changes["baseline_at"] = timezone.now() if is_baseline else None
    if changes:
        with transaction.atomic():
            Run.objects.filter(pk=run.pk).update(**changes, updated_at=timezone.now())
            _audit("update_run", run, {"fields": sorted(changes)})
    return find_run(str(run.pk))


@transaction.atomic
def delete_run(run: Run) -> None:
    _audit("delete_run", run)
    run.delete()


def _check_times(start: datetime, end: datetime | None) -> None:
    if start < EARLIEST:
        raise InvalidRequest("A run cannot begin before 1970.")
    now = timezone.now() + timedelta(seconds=1)
    if start > now or (end is not None and end > now):
        raise InvalidRequest("A run cannot begin or end in the future.")
    if end is not None and end < start:
        raise InvalidRequest("A run cannot end before it begins.")


def _settle(end: datetime) -> None:
    """Frames reach the log a quarter of a second after the wire; so long are they nobody's."""
    left = SETTLE_SECONDS - (timezone.now() - end).total_seconds()
    if left > 0:
        time.sleep(left)


def _keep_frames(run: Run, kept: Sequence[RunCharger], end: datetime) -> None:
    """Reads outside a transaction: SQLite has one writer, and this may take seconds."""
    filters = Filters(start=run.started_at, end=end)
    ids = [one.charger_id for one in kept]
    number = traffic.total(ids, filters)
    if number > MOST_FRAMES:
        raise InvalidRequest(
            f"The run holds {number} frames, more than the {MOST_FRAMES} that can be compared: end it earlier, or name "
            "fewer chargers."
        )
    by_id = {one.charger_id: one for one in kept}
    rows = traffic.messages(ids, filters).order_by("charger_id", "epoch", "sequence").iterator(chunk_size=2_000)
    for charger_id, messages in groupby(rows, key=lambda row: row.charger_id):
        _keep_charger(by_id[charger_id], messages, run.started_at)


def _keep_charger(kept: RunCharger, messages: Iterable[Message], started_at: datetime) -> None:
    normalizer = Normalizer(kept.identity, started_at)
    frames = [normalizer.frame(message) for message in messages]
    if len(frames) > MOST_FRAMES_OF_CHARGER:
        raise InvalidRequest(
            f"{kept.identity} has {len(frames)} frames in this run, more than the {MOST_FRAMES_OF_CHARGER} that can be "
            "compared: end it earlier."
        )
    kept.keep(frames)


def _audit(verb: str, run: Run, details: dict[str, Any] | None = None) -> None:
    audit.record(
        verb,
        object_type="run",
        object_id=run.pk,
        organization_id=run.tenant_id,
        summary=run.name,
        details=details,
    )
