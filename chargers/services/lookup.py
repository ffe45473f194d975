"""Finding chargers of the organization in scope."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from chargers.models import Charger
from locations.models import Location
from ocpplab.api.errors import NotFound


def listed() -> QuerySet[Charger]:
    """Chargers with their model and brand, in the contract's stable order."""
    return Charger.objects.select_related("model__brand").order_by("created_at", "id")


def find_charger(reference: str) -> Charger:
    """By id, else by exact identity (gateway contract, 18.3); raises NotFound."""
    charger_id = as_id(reference)
    found = listed().filter(pk=charger_id).first() if charger_id else None
    if found is None and "\0" not in reference:
        found = listed().filter(identity=reference).first()
    if found is None:
        raise NotFound("Charger")
    return found


def as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def not_here(charger_id: str) -> str:
    """Why an id that `of_location` did not find was refused."""
    return f"{charger_id} is no charger of this location."


def of_location(location: Location, charger_ids: Sequence[str] | None) -> tuple[list[Charger], list[str]]:
    """(chargers, ids that are none of this location's). None asks for every charger; the order is the list's."""
    chargers = listed().filter(location=location)
    if charger_ids is None:
        return list(chargers), []
    asked = {text: as_id(text) for text in dict.fromkeys(charger_ids)}
    found = list(chargers.filter(pk__in=[one for one in asked.values() if one]))
    known = {charger.pk for charger in found}
    return found, [text for text, charger_id in asked.items() if charger_id not in known]
