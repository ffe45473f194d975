"""Rows with sensible defaults. Tenant rows need an organization in scope: fixtures open one."""

import factory

from catalog.models import Brand, ChargerModel
from chargers.models import Charger
from chargers.services.provisioning import NewCharger, create_charger
from locations.models import Location
from tenants.models import Organization


class OrganizationFactory(factory.django.DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    slug = factory.Sequence(lambda n: f"organization-{n}")
    name = factory.Sequence(lambda n: f"Organization {n}")


class BrandFactory(factory.django.DjangoModelFactory[Brand]):
    class Meta:
        model = Brand
        django_get_or_create = ("slug",)

    slug = "wallbox"
    name = "Wallbox"


def outlet(kind: str = "Type2", **traits: object) -> dict[str, object]:
    """One entry of `ChargerModel.connectors`; an AC socket of 22 kW unless told."""
    ac = {"format": "socket", "phases": 3, "max_current_a": 32, "max_voltage_v": 400, "max_power_kw": 22}
    return {"type": kind, **ac, **traits}


def dc_outlet(kind: str = "CCS2", **traits: object) -> dict[str, object]:
    dc = {"format": "cable", "phases": 1, "max_current_a": 200, "max_voltage_v": 920, "max_power_kw": 90}
    return outlet(kind, **{**dc, **traits})


class ChargerModelFactory(factory.django.DjangoModelFactory[ChargerModel]):
    class Meta:
        model = ChargerModel
        django_get_or_create = ("brand", "slug")

    brand = factory.SubFactory(BrandFactory)
    slug = "wallbox-pulsar-plus"
    name = "Pulsar Plus"
    current_type = "ac"
    power_levels_kw = [7.4, 22]
    connectors = factory.LazyFunction(lambda: [outlet()])
    ocpp_versions = ["OCPP1.6"]
    firmware_version = "6.4.2"


class LocationFactory(factory.django.DjangoModelFactory[Location]):
    class Meta:
        model = Location

    slug = factory.Sequence(lambda n: f"depot-{n}")
    name = "Depot"
    address = "1 Quai de la Loire"
    city = "Paris"
    country = "FR"
    latitude = 48.886
    longitude = 2.374


def new_charger(location: Location, identity: str, model: ChargerModel, **fields: str) -> Charger:
    """A charger made the way the API makes one."""
    wanted = NewCharger(
        identity=identity,
        brand_slug=model.brand.slug,
        model_slug=model.slug,
        connector_type=fields.pop("connector_type", model.connectors[0]["type"]),
        ws_url=fields.pop("ws_url", "ws://127.0.0.1:9/ocpp"),
        **fields,
    )
    return create_charger(location, wanted)
