from catalog.vocabulary import OcppVersion
from chargers.models.charger import (
    UNFINISHED,
    Charger,
    ConnectionStatus,
    Connector,
    ProvisioningStatus,
    Runtime,
    StationState,
    shard_of,
)
from chargers.models.command import FINAL_STATES, ChargerCommand, CommandState, short_id
from chargers.models.job import Job
from chargers.models.message import ConnectionEvent, Direction, Message, MessageCount
from chargers.models.queued import QueuedMessage
from chargers.models.run import Run, RunCharger, RunFrame
from chargers.models.security import ChargerSecurity
from chargers.models.timing import AnswerTime
from chargers.models.transaction import Transaction

__all__ = [
    "FINAL_STATES",
    "UNFINISHED",
    "AnswerTime",
    "Charger",
    "ChargerCommand",
    "ChargerSecurity",
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
    "QueuedMessage",
    "Run",
    "RunCharger",
    "RunFrame",
    "Runtime",
    "StationState",
    "Transaction",
    "shard_of",
    "short_id",
]
