"""How OCPI 2.2.1 says what the rows hold."""

from collections.abc import Mapping
from typing import Any

from ocpi.models import Cdr, Cpo, CpoLocation, Evse, Session, Tariff, Token
from ocpi.protocol import rendering
from ocpi.protocol.rendering import Object
from ocpi.protocol.types import Shape, Unfit
from ocpi.protocol.vocabulary import v221, words

SENDER, RECEIVER = "SENDER", "RECEIVER"


class Version221:
    """Objects of this version, given rows; shapes of what peers send. 2.3.0 and 2.1.1 differ by overriding."""

    number = "2.2.1"
    encodes_tokens = True  # Authorization carries Base64
    routes = True  # OCPI-from and OCPI-to headers, X-Request-ID and X-Correlation-ID
    unknown_token = 2004
    types_in_addresses = True  # tokens are found by uid and type, `?type=`
    credits = True  # a CDR may be credited by another
    modules = {
        "credentials": SENDER,
        "locations": SENDER,
        "tariffs": SENDER,
        "sessions": SENDER,
        "cdrs": SENDER,
        "tokens": RECEIVER,
        "commands": RECEIVER,
        "chargingprofiles": RECEIVER,
    }
    shapes: Any = v221  # the module of its shapes
    token_types: tuple[str, ...] = words.TOKEN_TYPES_221
    # Whom a bay is for, where this version lacks the word: the nearest that it has.
    nearest_restriction: Mapping[str, str] = {"EMPLOYEES": "CUSTOMERS"}

    # --- what we send -----------------------------------------------------------------------------------------------

    def location(self, row: CpoLocation) -> Object:
        return self.said(self.shapes.LOCATION, self.place(rendering.location(row)))

    def evse(self, row: Evse) -> Object:
        """Raises Unfit where this version has no word for the outlet; ask `shows` first."""
        return self.said(self.shapes.EVSE, self.outlet(rendering.evse(row)))

    def connector(self, row: Evse) -> Object:
        return self.said(self.shapes.CONNECTOR, self.plug(rendering.connector(row)))

    def shows(self, row: Evse) -> bool:
        """Whether this version has words for the outlet; it is left out of the location otherwise."""
        try:
            self.evse(row)
        except Unfit:
            return False
        return True

    def tariff(self, row: Tariff) -> Object:
        return self.said(self.shapes.TARIFF, self.prices(rendering.tariff(row)))

    def session(self, row: Session) -> Object:
        return self.said(self.shapes.SESSION, self.use(rendering.session(row), row.cdr_location))

    def cdr(self, row: Cdr) -> Object:
        return self.said(self.shapes.CDR, self.bill(rendering.cdr(row)))

    def periods(self, periods: list[Object]) -> list[Object]:
        """Charging periods in this version's words, such as the new ones of a session's PATCH."""
        return [self.said(self.shapes.PERIOD, one) for one in periods]

    def total_cost(self, price: Mapping[str, Any]) -> Any:
        """A Price of 2.2.1 in this version's form."""
        return self.said(self.shapes.PRICE, price)

    def command_response(self, answer: Mapping[str, Any]) -> Object:
        return self.said(self.shapes.COMMAND_RESPONSE, answer)

    def profile_response(self, answer: Mapping[str, Any]) -> Object:
        return self.said(self.shapes.PROFILE_RESPONSE, answer)

    def command_result(self, result: str, message: str = "") -> Object:
        """What is posted to the response_url of a command."""
        return self.said(self.shapes.COMMAND_RESULT, {"result": result, "message": display_texts(message)})

    def profile_result(self, result: str, profile: Mapping[str, Any] | None = None) -> Object:
        """What is posted to the response_url of a charging profile request."""
        return self.said(self.shapes.PROFILE_RESULT, {"result": result, "profile": profile})

    def credentials(self, cpo: Cpo, token: str, url: str) -> Object:
        role = {"role": "CPO", "business_details": rendering.business(cpo), **rendering.owner(cpo)}
        return {"token": token, "url": url, "roles": [role]}

    def endpoints(self, base: str) -> list[Object]:
        """`base` is the URL of the version's details."""
        return [{"identifier": name, "role": role, "url": f"{base}/{name}"} for name, role in self.modules.items()]

    # --- what we are sent -------------------------------------------------------------------------------------------

    def roles(self, credentials: Mapping[str, Any]) -> list[Object]:
        """The parties of a credentials object: {role, party_id, country_code, business_details}."""
        return [dict(role) for role in credentials["roles"]]

    def token_in(self, token: Mapping[str, Any], party: Mapping[str, Any]) -> Object:
        """A token object that came in, in 2.2.1's words; `party` is whose it is where the object does not say."""
        return dict(token)

    def token(self, row: Token) -> Object:
        """A stored token as this version says it; exactly as it was stored unless it came in another version."""
        content: Object = row.content
        if row.version != "2.1.1":
            return content
        party = {"country_code": row.key_country, "party_id": row.key_party}
        return {**content, **party, "contract_id": content["auth_id"]}

    def authorization(self, info: Mapping[str, Any]) -> Object:
        """An AuthorizationInfo that came in, in 2.2.1's words."""
        return dict(info)

    # --- from 2.2.1's words to this version's: nothing to do in 2.2.1 -----------------------------------------------

    def said(self, shape: Shape, value: Mapping[str, Any]) -> Object:
        shown: Object = shape.project(value)
        return shown

    def place(self, location: Object) -> Object:
        return {**location, "evses": [self.outlet(one) for one in location.get("evses", [])]}

    def outlet(self, evse: Object) -> Object:
        restrictions = [self.nearest_restriction.get(one, one) for one in evse.get("parking_restrictions", ())]
        return {
            **evse,
            "connectors": [self.plug(one) for one in evse["connectors"]],
            "parking_restrictions": list(dict.fromkeys(restrictions)),
        }

    def plug(self, connector: Object) -> Object:
        """NACS has a word of its own only since 2.3.0."""
        return {**connector, "standard": plain_standard(connector["standard"])}

    def prices(self, tariff: Object) -> Object:
        return tariff

    def use(self, session: Object, place: Object) -> Object:
        return session

    def bill(self, cdr: Object) -> Object:
        site = cdr["cdr_location"]
        return {
            **cdr,
            "cdr_location": {**site, "connector_standard": plain_standard(site["connector_standard"])},
            "tariffs": [self.prices(one) for one in cdr.get("tariffs", [])],
        }


def plain_standard(standard: str) -> str:
    return "TESLA_S" if standard == "SAE_J3400" else standard


def display_texts(message: str) -> list[Object]:
    return [{"language": "en", "text": message}] if message else []
