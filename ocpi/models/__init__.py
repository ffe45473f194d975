"""Rows of the OCPI side: bundles, what peers see of them, the peers, and what passed between."""

from ocpi.models.cpo import Cpo, Preset
from ocpi.models.following import Authorization, ChargerChange
from ocpi.models.location import CpoLocation, Evse, EvseStatus, LocationJob
from ocpi.models.peer import Credential, Exchange, Peer, PeerRole, PeerState, Push, PushState, Token
from ocpi.models.session import AuthMethod, Cdr, PeerCommand, Reservation, Session, SessionStatus
from ocpi.models.tariff import Tariff

__all__ = [
    "AuthMethod",
    "Authorization",
    "Cdr",
    "ChargerChange",
    "Cpo",
    "CpoLocation",
    "Credential",
    "Evse",
    "EvseStatus",
    "Exchange",
    "LocationJob",
    "Peer",
    "PeerCommand",
    "PeerRole",
    "PeerState",
    "Preset",
    "Push",
    "PushState",
    "Reservation",
    "Session",
    "SessionStatus",
    "Tariff",
    "Token",
]
