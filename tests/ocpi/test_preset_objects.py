"""Every preset, in several countries, in every version: each object is what the specification says."""

import pytest
from django.core.management import call_command

from ocpi import bundles
from ocpi.building.steps import plan_of, steps
from ocpi.models import Cpo, CpoLocation, Tariff
from ocpi.presets.content import read_preset_files
from ocpi.presets.seeding import seed_presets
from ocpi.protocol import reading
from ocpi.protocol.versions import BINDINGS
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import schemas

SLUGS = sorted({document["slug"] for document in read_preset_files()})
COUNTRIES = ("NL", "GB", "JP")  # metric and euro, another currency, and one that is not in the table


@pytest.fixture
def catalog(db: None) -> None:
    call_command("seed_catalog", verbosity=0)
    seed_presets()


def built(slug: str, country: str) -> Cpo:
    """The bundle's rows, without any charger running."""
    wanted = bundles.NewBundle(
        template=slug,
        country_code=country,
        party_id="LAB",
        name_prefix="Lab",
        versions=",".join(schemas.VERSIONS),
        seed=5,
    )
    cpo, _ = bundles.create(wanted)
    for _, step in steps(cpo, plan_of(cpo)):
        step()
    return cpo


@pytest.mark.parametrize("slug", SLUGS)
def test_what_a_preset_yields(catalog: None, tenant: Organization, slug: str) -> None:
    with scope(tenant):
        for cpo in [built(slug, country) for country in COUNTRIES]:
            assert CpoLocation.objects.filter(cpo=cpo).exists()
            for version, binding in BINDINGS.items():
                for location in reading.locations(cpo):
                    assert schemas.problems(version, "Location", binding.location(location)) == []
                for tariff in Tariff.objects.filter(cpo=cpo):
                    assert schemas.problems(version, "Tariff", binding.tariff(tariff)) == []
