"""Building a bundle, step by step: tariffs, the CSMS endpoint, site after site, then waiting for its chargers.

Every step is one transaction under the worker's claim and finds out by itself whether it was done: a worker that dies
leaves whole steps, and the next one goes on with what is missing.
"""

from collections.abc import Callable, Iterator

from django.db import transaction

from chargers.back_office import back_office
from chargers.services.claims import advance
from ocpi.building import holding, readiness
from ocpi.building.failures import BuildFailure
from ocpi.building.sites import create_site
from ocpi.models import Cpo, CpoLocation, Preset, Tariff
from ocpi.moments import now_ms
from ocpi.presets.equipment import equipment
from ocpi.presets.plan import Order, Plan, PlannedLocation, plan
from ocpi.pushing import outbox

TARIFFS, CSMS, SITE, CHARGERS, STATUSES = (
    "create-tariffs", "open-csms-endpoint", "create-location-{number}", "wait-for-chargers", "hold-statuses",
)  # fmt: skip
Step = Callable[[], None]


def plan_of(cpo: Cpo) -> Plan:
    """What it was ordered to be; the same whenever it is asked. Raises BuildFailure when the catalog has changed."""
    preset = Preset.objects.filter(slug=cpo.template, version=cpo.template_version).first()
    if preset is None:
        raise BuildFailure("unknown_template", f"{cpo.template} v{cpo.template_version} is gone.", step="plan")
    order = Order(
        content=preset.content,
        seed=cpo.seed,
        country_code=cpo.country_code,
        party_id=cpo.party_id,
        name_prefix=cpo.name_prefix,
        ocpi_version=cpo.versions,
        **cpo.overrides,
    )
    try:
        return plan(order, equipment(preset.content))
    except LookupError as error:
        raise BuildFailure("unknown_model", str(error), step="plan") from error


def steps(cpo: Cpo, planned: Plan) -> Iterator[tuple[str, Step]]:
    """(name, what does it) of the steps that make rows and were not done yet, in order."""
    tariffs = Tariff.objects.filter(cpo=cpo, tariff_id__in=[one.tariff_id for one in planned.tariffs])
    if tariffs.count() < len(planned.tariffs):
        yield TARIFFS, lambda: create_tariffs(cpo, planned)
    if not cpo.ws_url and cpo.csms_endpoint is None:
        yield CSMS, lambda: open_endpoint(cpo)
    done = set(CpoLocation.objects.filter(cpo=cpo).values_list("ocpi_id", flat=True))
    for number, site in enumerate(planned.locations, start=1):
        if site.ocpi_id not in done:
            yield SITE.format(number=number), lambda site=site: create_location(cpo, site)  # type: ignore[misc]


def take(cpo: Cpo, planned: Plan, name: str, step: Step) -> None:
    """One step. Its name is shown while it runs, and stays when it fails."""
    progress = {**cpo.progress, "current_step": name, "chargers_total": len(readiness.wanted_online(planned))}
    progress.setdefault("chargers_ready", 0)
    with transaction.atomic():
        advance(cpo, progress=progress)
        step()
    advance(cpo, attempts=0)


def create_tariffs(cpo: Cpo, planned: Plan) -> None:
    known = set(Tariff.objects.filter(cpo=cpo).values_list("tariff_id", flat=True))
    now = now_ms()
    for one in planned.tariffs:
        if one.tariff_id not in known:
            row = Tariff.objects.create(
                cpo=cpo, tariff_id=one.tariff_id, content=one.content, created_at=now, last_updated=now
            )
            outbox.tariff_changed(row)


def open_endpoint(cpo: Cpo) -> None:
    """Its own address at the house CSMS. Cards that are neither its own nor a peer's are refused there."""
    number = back_office().open_endpoint(endpoint_label(cpo), accept_unknown_cards=False)
    advance(cpo, csms_endpoint=number)


def endpoint_label(cpo: Cpo) -> str:
    return f"CPO {cpo.pk} {cpo.country_code}*{cpo.party_id}"


def csms_url(cpo: Cpo) -> str:
    """Where its chargers connect; empty until the endpoint stands."""
    if cpo.ws_url or cpo.csms_endpoint is None:
        return cpo.ws_url
    return back_office().url(cpo.csms_endpoint)


def has_foundations(cpo: Cpo) -> bool:
    """Whether it has what every site needs, those of its plan and others: tariffs, and a CSMS to connect to."""
    return bool(csms_url(cpo)) and Tariff.objects.filter(cpo=cpo).exists()


def create_location(cpo: Cpo, planned: PlannedLocation) -> None:
    _, outcome = create_site(cpo, planned, csms_url(cpo))
    if outcome.failed:
        first = outcome.failed[0]
        # A CPO of the same party that was just given up may still be on its way out: hence another try.
        raise BuildFailure(
            "charger_not_created", first.error, step=f"create-{first.subject}", param="name_prefix", tries_again=True
        )


def wait(cpo: Cpo, planned: Plan) -> bool:
    """True once every charger that shall be online has booted and told its statuses, and every held status is there."""
    state = readiness.look(cpo, planned)
    progress = {
        "current_step": CHARGERS if state.ready < state.wanted else STATUSES,
        "chargers_ready": state.ready,
        "chargers_total": state.wanted,
        "held": cpo.progress.get("held", []),
    }
    if state.ready == state.wanted and holding.hold(cpo, planned, progress):
        cpo.progress = progress
        return True
    readiness.note_progress(cpo, progress)
    return False
