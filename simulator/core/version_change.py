"""A charger that is to speak another OCPP version: what belongs to the device stays, the old version's words go."""

from typing import Any

from simulator.core import certificate_store, credentials, firmware
from simulator.core.facts import AnyFact, Instant
from simulator.core.setup import Setup
from simulator.core.station import SUBPROTOCOL, Station

PERSONAL = (credentials.SECTION, certificate_store.SECTION, firmware.VERSION)


def written_for(memory: dict[str, Any], subprotocol: str) -> str:
    """The subprotocol of the station that has written the memory; `subprotocol` where it does not say."""
    found: str = memory.get(SUBPROTOCOL, subprotocol)
    return found


def carry_over(former: Station, setup: Setup, now: Instant) -> tuple[list[AnyFact], dict[str, Any]]:
    """Ends what ran in the former version; those facts, and the memory that a station of the new one starts from.

    Outlets keep their meters, cables, cars and faults by their order, as the versions number them differently; its
    credentials, certificates and firmware are the device's own. Settings, lists, registration and queued messages
    are worded in the former version: they are gone.
    """
    former.retire(now)
    facts = former.take().facts
    memory = {name: former.memory[name] for name in PERSONAL if name in former.memory}
    kept = zip(former.connectors, setup.outlets, strict=False)
    return facts, memory | {Station.section(outlet): connector.record() for connector, outlet in kept}
