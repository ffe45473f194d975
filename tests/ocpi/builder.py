"""A worker's part and a simulator's part of building bundles, played on the test's own database."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command

from chargers.models import Charger, ConnectionStatus, ProvisioningStatus, Runtime
from ocpi import bundles
from ocpi.building import running
from ocpi.bundles import NewBundle
from ocpi.models import Cpo, Evse, EvseStatus, LocationJob
from tenants.models import Organization
from tenants.scoping import scope

MINUTES = 3600


def seed() -> None:
    """The catalog, the templates, and the folder that is the embedded broker."""
    if not settings.REDIS_URL:
        Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]).mkdir(parents=True, exist_ok=True)
        Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["control_folder"]).mkdir(parents=True, exist_ok=True)
    call_command("seed_catalog", verbosity=0)
    call_command("seed_presets", verbosity=0)


def wanted(template: str = "small-urban-ac", **changes: Any) -> NewBundle:
    usual = {"country_code": "NL", "party_id": "LAB", "name_prefix": "City", "seed": 42, "ttl_seconds": MINUTES}
    return NewBundle(template=template, **{**usual, **changes})


def order(tenant: Organization, template: str = "small-urban-ac", **changes: Any) -> Cpo:
    with scope(tenant):
        return bundles.create(wanted(template, **changes))[0]


def work(times: int = 1) -> None:
    """What a worker does when it looks; a claim that is to be taken up again later is as good as over."""
    for _ in range(times):
        Cpo.objects.unscoped().update(claimed_until=None)
        LocationJob.objects.unscoped().update(claimed_until=None)
        running.run_due()


def boot(*cpos: Cpo) -> None:
    """Every machine that shall run connects, and tells the status of each outlet."""
    for cpo in cpos:
        chargers = Charger.objects.unscoped().filter(location__cpo_location__cpo=cpo, runtime=Runtime.RUNNING)
        evses = Evse.objects.unscoped().filter(charger__in=chargers, status=EvseStatus.PLANNED)
        evses.update(status=EvseStatus.AVAILABLE, reported=True)
        chargers.update(connection_status=ConnectionStatus.CONNECTED, status=ProvisioningStatus.READY)


def built(tenant: Organization, template: str = "small-urban-ac", **changes: Any) -> Cpo:
    cpo = order(tenant, template, **changes)
    work()
    boot(cpo)
    work()
    return fresh(cpo)


def fresh(cpo: Cpo) -> Cpo:
    return Cpo.objects.unscoped().get(pk=cpo.pk)
