"""Registering, renewing and ending a connection (OCPI contract, 3). The work is `ocpi.peer.handshake`'s."""

from ocpi.peer import handshake, links
from ocpi.peer.handshake import Offer
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol.bodies import check_url, checked
from ocpi.protocol.envelope import Answer, NotAllowed

REGISTERED, UNREGISTERED = ["GET", "PUT", "DELETE"], ["GET", "POST"]


class Credentials(PeerView):
    module = "credentials"
    opens_with_token_a = True

    def get(self, talk: Conversation) -> Answer:
        return self.ours(talk, talk.caller.token)

    def post(self, talk: Conversation) -> Answer:
        if talk.caller.is_registered:
            raise NotAllowed(REGISTERED, "Already registered: use PUT.")
        return self.ours(talk, handshake.accept(talk.caller.credential, self.offer(talk)))

    def put(self, talk: Conversation) -> Answer:
        self.only_registered(talk)
        return self.ours(talk, handshake.renew(talk.caller.credential, self.offer(talk)))

    def delete(self, talk: Conversation) -> Answer:
        self.only_registered(talk)
        handshake.forget(talk.peer)
        return Answer()

    def only_registered(self, talk: Conversation) -> None:
        if not talk.caller.is_registered:
            raise NotAllowed(UNREGISTERED, "Not registered yet: use POST.")

    def offer(self, talk: Conversation) -> Offer:
        """What the peer says of itself. Raises Malformed or InvalidField."""
        body = checked(talk.body(), talk.binding.shapes.CREDENTIALS)
        check_url(body["url"], "url")
        return Offer(talk.binding, body["token"], body["url"], talk.binding.roles(body), talk.ids.correlation_id)

    def ours(self, talk: Conversation, token: str) -> Answer:
        cpo = talk.caller.cpo
        return Answer(talk.binding.credentials(cpo, token, links.versions_url(cpo)))
