"""Operations on a charger's own state that answer at once: configuration, lists, cache, faults.

They act as an installer at the device would; the CSMS sees the same values over OCPP (gateway contract, 10 and 12).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chargers.models import Charger, ChargerCommand, CommandState
from chargers.services.commands import Refusal, issue, issue_one, targets_of
from chargers.services.waiting import Place, longest_wait
from locations.models import Location
from ocpplab.api.errors import Conflict, GatewayError, InvalidRequest, Unavailable


@dataclass(slots=True)
class Results:
    """One operation on several chargers: (charger, its answer), and who failed why."""

    done: list[tuple[Charger, dict[str, Any]]] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)


def perform(charger: Charger, event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The station's answer. Raises Conflict (stopped), InvalidRequest (refused), Unavailable (no answer in time)."""
    with Place() as place:
        command = issue_one(charger, event_type, payload, patience=longest_wait(1))
        finished = place.until_answered([command])
    if not finished:
        raise Conflict(f"{charger.identity} was deleted meanwhile.")
    return answer_of(finished[0])


def perform_fanout(
    location: Location, event_type: str, payload: dict[str, Any], charger_ids: Sequence[str] | None
) -> Results:
    """The same on several chargers at once; waits for all of them together."""
    with Place() as place:
        targets, fanout = targets_of(location, payload, charger_ids)
        commands = issue(targets, event_type, payload, patience=longest_wait(len(targets)))
        finished = place.until_answered(commands)
    results = Results(failed=fanout.failed)
    for command in finished:
        try:
            results.done.append((command.charger, answer_of(command)))
        except GatewayError as error:
            results.failed.append(Refusal(command.charger.identity, error.message))
    return results


def answer_of(command: ChargerCommand) -> dict[str, Any]:
    """What the station answered, yes or no; raises when it gave no answer that has a shape of its own."""
    if command.result is not None and command.state not in (CommandState.FAILED, CommandState.TIMED_OUT):
        result: dict[str, Any] = command.result
        return result
    if command.state == CommandState.ACCEPTED:
        return {}
    reason = command.reason or "The charger gave no reason."
    if command.state == CommandState.TIMED_OUT:
        raise Unavailable(reason)
    raise InvalidRequest(reason) if command.state == CommandState.REJECTED else Conflict(reason)
