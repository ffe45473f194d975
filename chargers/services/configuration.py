"""What a charger's saved state shows without asking the machine: settings, local list, picture."""

from collections.abc import Sequence
from typing import Any

from chargers.models import Charger, ConnectionStatus, ProvisioningStatus, Runtime, StationState
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
    """As the running station drew itself last; of one that does not run only what lasts."""
    saved = StationState.objects.filter(charger=charger).values_list("picture", flat=True).first() or {}
    if saved and (charger.runtime == Runtime.STOPPED or charger.status == ProvisioningStatus.FAILED):
        return _switched_off(saved)
    if saved.get("connection") == "connected" and charger.connection_status != ConnectionStatus.CONNECTED:
        return {**saved, "connection": charger.connection_status}  # its node has died since
    return saved


def _switched_off(picture: dict[str, Any]) -> dict[str, Any]:
    """Cables, cars, meters, faults and transactions stay as they are; nothing flows, and nobody is connected."""
    connectors = [
        {**connector, "status": "Unavailable", "power_w": 0, "offered_w": 0}
        for connector in picture.get("connectors", [])
    ]
    return {**picture, "registration": None, "connection": ConnectionStatus.STOPPED, "connectors": connectors}
