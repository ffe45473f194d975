"""The catalog as a plan asks it: the outlets of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.models import ChargerModel
from catalog.services import find_models
from chargers.services.setups import outlets_of
from ocpi.presets.plan import OutletsOf
from simulator.core.setup import Outlet


def equipment(content: Mapping[str, Any]) -> OutletsOf:
    """Answers for the models of a preset, read in one query; LookupError for one that the catalog lacks."""
    pairs = {(group["brand_slug"], group["model_slug"]) for group in content["groups"]}
    return outlets_from(find_models(pairs))


def outlets_from(models: Mapping[tuple[str, str], ChargerModel]) -> OutletsOf:
    def outlets(brand_slug: str, model_slug: str, ocpp_version: str) -> Sequence[Outlet]:
        model = models.get((brand_slug, model_slug))
        if model is None:
            raise LookupError(f"The catalog has no model {model_slug} of a brand {brand_slug}.")
        return outlets_of(model, ocpp_version)

    return outlets
