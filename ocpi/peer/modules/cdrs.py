"""The caller's CDRs, for reading (OCPI contract, 8)."""

from ocpi.peer import pagination, reading
from ocpi.peer.envelope import Answer
from ocpi.peer.views import Conversation, PeerView


class Cdrs(PeerView):
    module = "cdrs"

    def get(self, talk: Conversation) -> Answer:
        return pagination.page(talk.request, reading.cdrs(talk.peer), talk.caller.cpo, talk.binding.cdr)
