"""The caller's sessions, for reading, and charging preferences (OCPI contract, 7)."""

from ocpi import commanding
from ocpi.peer import pagination
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol import reading
from ocpi.protocol.bodies import checked
from ocpi.protocol.envelope import Answer, Missing


class Sessions(PeerView):
    module = "sessions"

    def get(self, talk: Conversation) -> Answer:
        return pagination.page(talk.request, reading.sessions(talk.peer), talk.caller.cpo, talk.binding.session)


class ChargingPreferences(PeerView):
    module = "sessions"

    def put(self, talk: Conversation, session_id: str) -> Answer:
        if talk.binding.number == "2.1.1":
            raise Missing("2.1.1 has no charging preferences.")
        body = checked(talk.body(), talk.binding.shapes.CHARGING_PREFERENCES)
        code, result = commanding.prefer(talk.peer, session_id, body)
        return Answer(result, code)
