"""Versions and version details (OCPI contract, 2)."""

from ocpi.peer import links
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol.envelope import Answer


class Versions(PeerView):
    opens_with_token_a = True

    def get(self, talk: Conversation) -> Answer:
        cpo = talk.caller.cpo
        return Answer([{"version": one, "url": links.details_url(cpo, one)} for one in cpo.offered])


class Details(PeerView):
    opens_with_token_a = True

    def get(self, talk: Conversation) -> Answer:
        version = talk.binding
        base = links.details_url(talk.caller.cpo, version.number)
        return Answer({"version": version.number, "endpoints": version.endpoints(base)})
