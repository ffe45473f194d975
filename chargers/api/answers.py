"""Commands as answers show them: plain dictionaries, since one may hold a thousand (gateway contract, 3.3, 3.4)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.serializers import Serializer

from chargers.api.command_serializers import CommandFanoutSerializer, QueuedCommandSerializer
from chargers.models import ChargerCommand
from chargers.services import secrets
from chargers.services.commands import Fanout, Refusal
from chargers.services.operations import Results
from chargers.services.proxying import PROXY_MESSAGE


@dataclass(frozen=True, slots=True)
class Answer:
    """How a route family shows a command to one charger."""

    serializer: type[Serializer[Any]]
    render: Callable[[ChargerCommand], dict[str, Any]]


def queued(command: ChargerCommand) -> dict[str, Any]:
    """A proxy message is named after the action that it carries."""
    event_type, payload = command.event_type, secrets.masked(command.payload)
    if event_type == PROXY_MESSAGE:
        event_type, payload = payload["action"], payload["payload"]
    return {"id": command.pk, "event_type": event_type, "ocpp_version": command.ocpp_version, "payload": payload}


def fanout(result: Fanout) -> dict[str, Any]:
    return {
        "targeted_count": len(result.queued) + len(result.failed),
        "queued_count": len(result.queued),
        "failed_count": len(result.failed),
        "results": [
            {"charger_id": str(one.charger_id), "identity": one.charger.identity, "command": queued(one)}
            for one in result.queued
        ],
        "failed": [refused(one) for one in result.failed],
    }


def results(result: Results, key: str, shown: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """A synchronous operation on several chargers; `key` names each answer."""
    return {
        "targeted_count": len(result.done) + len(result.failed),
        "succeeded_count": len(result.done),
        "failed_count": len(result.failed),
        "results": [
            {"charger_id": str(charger.pk), "identity": charger.identity, key: shown(answer)}
            for charger, answer in result.done
        ],
        "failed": [refused(one) for one in result.failed],
    }


def refused(one: Refusal) -> dict[str, Any]:
    return {"identity": one.identity, "error": one.error}


QUEUED = Answer(QueuedCommandSerializer, queued)
FANOUT_OF_ONE = Answer(CommandFanoutSerializer, lambda command: fanout(Fanout(queued=[command])))
