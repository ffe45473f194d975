"""Tariffs, for reading (OCPI contract, 6)."""

from ocpi.peer import pagination
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol import reading
from ocpi.protocol.envelope import Answer


class Tariffs(PeerView):
    module = "tariffs"

    def get(self, talk: Conversation) -> Answer:
        cpo = talk.caller.cpo
        return pagination.page(talk.request, reading.tariffs(cpo), cpo, talk.binding.tariff)
