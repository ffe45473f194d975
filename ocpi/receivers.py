"""What happens here when rooms below send word."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver

from chargers.signals import chargers_changed, chargers_deleting
from locations.models import Location
from locations.signals import location_deleting, location_updated
from ocpi import removing
from ocpi.following import marks


@receiver(chargers_changed)
def mark_changed(sender: Any, charger_ids: set[UUID], **kwargs: Any) -> None:
    marks.mark(charger_ids)


@receiver(chargers_deleting)
def remove_evses(sender: Any, charger_ids: set[UUID], **kwargs: Any) -> None:
    removing.remove_evses(charger_ids)


@receiver(location_deleting)
def remove_location(sender: Any, location: Location, **kwargs: Any) -> None:
    removing.remove_location(location)


@receiver(location_updated)
def follow_location(sender: Any, location_id: UUID, fields: set[str], **kwargs: Any) -> None:
    removing.follow_location(location_id, fields)
