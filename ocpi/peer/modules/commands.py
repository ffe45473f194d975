"""Commands, for receiving (OCPI contract, 10). What they do is `ocpi.commanding`'s."""

from typing import Any

from ocpi import commanding
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol.bodies import check_url, checked
from ocpi.protocol.envelope import Answer, InvalidField, Missing
from ocpi.protocol.routing import Party, from_party


class Command(PeerView):
    module = "commands"

    def post(self, talk: Conversation, command: str) -> Answer:
        shape = talk.binding.shapes.COMMANDS.get(command)
        if shape is None:
            raise Missing(f"There is no command {command}.")
        body = checked(talk.body(), shape)
        check_url(body["response_url"], "response_url")
        if body.get("connector_id") and not body.get("evse_uid"):
            raise InvalidField("evse_uid: required with connector_id")
        party = from_party(talk.request, talk.peer)
        code, result, message = commanding.accept(
            talk.peer, command, told(talk, body, party), correlation_id=talk.ids.correlation_id, party=party
        )
        return Answer(talk.binding.command_response(result), code, message)


def told(talk: Conversation, body: dict[str, Any], party: Party) -> dict[str, Any]:
    """The command in 2.2.1's words. A token of 2.1.1 belongs to the party that calls."""
    if "token" in body:
        token = talk.binding.token_in(body["token"], {"country_code": party[0], "party_id": party[1]})
        body = {**body, "token": token}
    if "reservation_id" in body:
        body = {**body, "reservation_id": str(body["reservation_id"])}  # an integer in 2.1.1
    return body
