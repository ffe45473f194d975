"""What a charger's saved state shows without asking the machine: settings, local list, picture."""

from collections.abc import Sequence
from typing import Any

from chargers.models import Charger, StationState
from chargers.services.setups import setup_of
from simulator.core import readings


def configuration_of(charger: Charger, keys: Sequence[str] | None) -> list[dict[str, Any]]:
    """Entries {key, value?, readonly}; keys nobody knows are left out, None asks for a default subset."""
    return readings.configuration(setup_of(charger), memory_of(charger), None if keys is None else list(keys))


def local_list_of(charger: Charger) -> tuple[int, list[dict[str, Any]]]:
    """(list version, entries {id_tag, expiry_date, parent_id_tag})."""
    return readings.local_list(memory_of(charger))


def memory_of(charger: Charger) -> dict[str, Any]:
    """The station's sections as last saved; empty before its first start."""
    saved = StationState.objects.filter(charger=charger).values_list("memory", flat=True).first()
    return saved or {}


def picture_of(charger: Charger) -> dict[str, Any]:
    saved = StationState.objects.filter(charger=charger).values_list("picture", flat=True).first()
    return saved or {}
