"""Charging profiles, for receiving (OCPI contract, 11). What they do is `ocpi.commanding`'s."""

from typing import Any

from ocpi import commanding
from ocpi.peer.pagination import INTEGER
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol.bodies import check_url, checked
from ocpi.protocol.envelope import Answer, InvalidField
from ocpi.protocol.routing import from_party
from ocpi.protocol.types import Shape, Url, one

QUERY = Shape("ChargingProfileQuery", {"response_url": one(Url())})
LONGEST_DURATION = 2**31 - 1  # seconds


class ChargingProfile(PeerView):
    module = "chargingprofiles"
    offered = ("GET", "PUT", "DELETE")

    def put(self, talk: Conversation, session_id: str) -> Answer:
        body = checked(talk.body(), talk.binding.shapes.SET_CHARGING_PROFILE)
        return self.handed_on(talk, "SET_PROFILE", session_id, body)

    def get(self, talk: Conversation, session_id: str) -> Answer:
        return self.handed_on(talk, "GET_PROFILE", session_id, {**self.query(talk), "duration": self.duration(talk)})

    def delete(self, talk: Conversation, session_id: str) -> Answer:
        return self.handed_on(talk, "CLEAR_PROFILE", session_id, self.query(talk))

    def query(self, talk: Conversation) -> dict[str, Any]:
        return checked({"response_url": talk.request.GET.get("response_url")}, QUERY)

    def duration(self, talk: Conversation) -> int:
        """Seconds. Raises InvalidField."""
        text = talk.request.GET.get("duration", "")
        if not INTEGER.fullmatch(text) or not 0 <= int(text) <= LONGEST_DURATION:
            raise InvalidField("duration: must be a number of seconds")
        return int(text)

    def handed_on(self, talk: Conversation, request: str, session_id: str, body: dict[str, Any]) -> Answer:
        check_url(body["response_url"], "response_url")
        wanted = {**body, "session_id": session_id}
        party = from_party(talk.request, talk.peer)
        code, result, message = commanding.accept(
            talk.peer, request, wanted, correlation_id=talk.ids.correlation_id, party=party
        )
        return Answer(talk.binding.profile_response(result), code, message)
