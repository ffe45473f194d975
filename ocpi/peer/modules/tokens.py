"""Tokens, for receiving (OCPI contract, 9)."""

from ocpi.models import Token
from ocpi.peer.views import Conversation, PeerView
from ocpi.protocol import tokens
from ocpi.protocol.bodies import checked
from ocpi.protocol.envelope import Answer, InvalidField, Missing
from ocpi.protocol.routing import emsp_parties
from ocpi.protocol.vocabulary.words import TOKEN_TYPES_230


class OneToken(PeerView):
    module = "tokens"

    def get(self, talk: Conversation, country: str, party: str, uid: str) -> Answer:
        return Answer(talk.binding.token(self.stored(talk, country, party, uid)))

    def put(self, talk: Conversation, country: str, party: str, uid: str) -> Answer:
        self.check_party(talk, country, party)
        body = checked(talk.body(), talk.binding.shapes.TOKEN)
        self.check_same(talk, body, country, party, uid)
        is_new = tokens.store(talk.peer, talk.binding, body, (country, party))
        return Answer(http=201 if is_new else 200)

    def patch(self, talk: Conversation, country: str, party: str, uid: str) -> Answer:
        body = talk.body()
        if not isinstance(body, dict):
            raise InvalidField("body: must be an object")
        row = self.stored(talk, country, party, uid)
        self.check_same(talk, body, country, party, uid)
        tokens.store(talk.peer, talk.binding, tokens.merged(row, talk.binding, body), (country, party))
        return Answer()

    def stored(self, talk: Conversation, country: str, party: str, uid: str) -> Token:
        self.check_party(talk, country, party)
        row = tokens.find(talk.peer, country, party, uid, self.type_asked(talk))
        if row is None:
            code = talk.binding.unknown_token
            raise Missing(f"There is no token {uid} of {country}*{party}.", status_code=code)
        return row

    def check_party(self, talk: Conversation, country: str, party: str) -> None:
        if (country.upper(), party.upper()) not in emsp_parties(talk.peer):
            raise Missing(f"{country}*{party} is no eMSP of yours.")

    def check_same(self, talk: Conversation, body: dict[str, object], country: str, party: str, uid: str) -> None:
        """The URL says whose token it is; a body that says otherwise is refused."""
        named = {"country_code": country, "party_id": party, "uid": uid, "type": self.type_asked(talk)}
        for name, asked in named.items():
            if name in body and name in talk.binding.shapes.TOKEN.members and not same(body[name], asked):
                raise InvalidField(f"{name}: the URL says {asked}")

    def type_asked(self, talk: Conversation) -> str | None:
        """None in 2.1.1, whose addresses name a token by its uid alone."""
        if not talk.binding.types_in_addresses:
            return None
        kind = talk.request.GET.get("type") or tokens.DEFAULT_TYPE
        if kind not in TOKEN_TYPES_230:
            raise InvalidField(f"type: must be one of {', '.join(talk.binding.token_types)}")
        return kind


def same(given: object, asked: str | None) -> bool:
    """As CiStrings; an address that does not say is the same as any."""
    return asked is None or (isinstance(given, str) and given.upper() == asked.upper())
