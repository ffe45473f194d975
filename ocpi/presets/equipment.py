"""The catalog as a plan asks it: the outlets of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.models import ChargerModel
from chargers.services.setups import outlets_of
from ocpi.presets.plan import OutletsOf
from simulator.core.setup import Outlet


def equipment(content: Mapping[str, Any]) -> OutletsOf:
    """Answers for the models of a preset, read in one query; LookupError for one that the catalog lacks."""
    pairs = {(group["brand_slug"], group["model_slug"]) for group in content["groups"]}
    return outlets_from(models_of(pairs))


def models_of(pairs: set[tuple[str, str]]) -> dict[tuple[str, str], ChargerModel]:
    rows = ChargerModel.objects.select_related("brand").filter(
        brand__slug__in={brand for brand, _ in pairs}, slug__in={model for _, model in pairs}
    )
    return {(row.brand.slug, row.slug): row for row in rows}


def outlets_from(models: Mapping[tuple[str, str], ChargerModel]) -> OutletsOf:
    def outlets(brand_slug: str, model_slug: str, ocpp_version: str) -> Sequence[Outlet]:
        model = models.get((brand_slug, model_slug))
        if model is None:
            raise LookupError(f"The catalog has no model {model_slug} of a brand {brand_slug}.")
        return outlets_of(model, ocpp_version)

    return outlets
