"""The demo site of a first run: a car park with one charger of either OCPP version at the house CSMS."""

from chargers.services.provisioning import NewCharger, create_chargers
from locations import services
from locations.models import Location


def create_location() -> Location:
    return services.create_location(
        name="Demo car park",
        address="Lange Voorhout 8",
        city="The Hague",
        country="NL",
        latitude=52.0826,
        longitude=4.3127,
        timezone="Europe/Amsterdam",
    )


def create_site(house_csms_url: str) -> Location:
    """The location and its chargers, in the organization in scope. Needs the catalog."""
    location = create_location()
    create_chargers(
        location,
        [
            NewCharger(
                identity="DEMO-AC-1",
                name="Wall box by the door",
                brand_slug="wallbox",
                model_slug="wallbox-pulsar-plus",
                connector_type="Type2",
                ocpp_version="OCPP1.6",
                ws_url=house_csms_url,
            ),
            NewCharger(
                identity="DEMO-DC-1",
                name="Fast charger at the exit",
                brand_slug="abb",
                model_slug="terra-184",
                connector_type="CCS2",
                ocpp_version="OCPP2.0.1",
                ws_url=house_csms_url,
            ),
        ],
    )
    return location
