"""What an EVSE may promise: no more than the simulated machine behind it does (OCPI contract 5, capabilities)."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from chargers.models import OcppVersion
from simulator.core.stations import STATIONS

# The OCPP actions of which a station must answer one.
NEEDED = {
    "REMOTE_START_STOP_CAPABLE": ("RemoteStartTransaction", "RequestStartTransaction"),
    "UNLOCK_CAPABLE": ("UnlockConnector",),
    "RESERVABLE": ("ReserveNow",),
    "CHARGING_PROFILE_CAPABLE": ("SetChargingProfile",),
}


@cache
def answers(ocpp_version: str, action: str) -> bool:
    """Whether a station of that version knows what to do when a CSMS sends this."""
    blocks = STATIONS[OcppVersion(ocpp_version).subprotocol].block_classes
    return any(hasattr(block, f"on_{action}") for block in blocks)


def honest(attributes: Mapping[str, Any], ocpp_version: str) -> dict[str, Any]:
    """The EVSE's attributes without capabilities that a station of this version lacks."""
    capabilities = [
        one
        for one in attributes.get("capabilities", ())
        if one not in NEEDED or any(answers(ocpp_version, action) for action in NEEDED[one])
    ]
    return {**attributes, "capabilities": capabilities}
