"""What happens here when other rooms send word."""

from typing import Any

from django.dispatch import receiver

from chargers.models import Charger
from chargers.services.provisioning import delete_chargers
from locations.models import Location
from locations.signals import location_deleting


@receiver(location_deleting)
def delete_chargers_of(sender: type[Location], location: Location, **kwargs: Any) -> None:
    """A charger always belongs to one location: with the location go its chargers."""
    delete_chargers(list(Charger.objects.filter(location=location)))
