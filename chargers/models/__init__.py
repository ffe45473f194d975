from chargers.models.charger import (
    Charger,
    ConnectionStatus,
    Connector,
    OcppVersion,
    ProvisioningStatus,
    Runtime,
    StationState,
    shard_of,
)
from chargers.models.command import FINAL_STATES, ChargerCommand, CommandState, short_id
from chargers.models.job import Job
from chargers.models.message import ConnectionEvent, Direction, Message, MessageCount
from chargers.models.transaction import Transaction

__all__ = [
    "FINAL_STATES",
    "Charger",
    "ChargerCommand",
    "CommandState",
    "ConnectionEvent",
    "ConnectionStatus",
    "Connector",
    "Direction",
    "Job",
    "Message",
    "MessageCount",
    "OcppVersion",
    "ProvisioningStatus",
    "Runtime",
    "StationState",
    "Transaction",
    "shard_of",
    "short_id",
]
