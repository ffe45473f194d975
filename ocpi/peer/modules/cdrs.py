"""The caller's CDRs, for reading (OCPI contract, 8)."""

from ocpi.peer import pagination
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol import reading
from ocpi.protocol.envelope import Answer


class Cdrs(PeerView):
    module = "cdrs"

    def get(self, talk: Conversation) -> Answer:
        rows = reading.cdrs(talk.peer, with_credits=talk.binding.credits)
        return pagination.page(talk.request, rows, talk.caller.cpo, talk.binding.cdr)
