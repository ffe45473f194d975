"""OCPI 2.1.1, which knows no roles, no routing, no VAT and fewer words."""

from ocpi.protocol.types import (
    Boolean,
    Choice,
    CiString,
    DateTime,
    Integer,
    Number,
    Shape,
    String,
    Url,
    many,
    maybe,
    one,
    some,
)
from ocpi.protocol.vocabulary import places, v221, words

PLACE_ID, ID = String(39), String(36)
TOKEN_TYPE = Choice(words.TOKEN_TYPES_211)

CONNECTOR = Shape(
    "Connector",
    {
        "id": one(ID),
        "standard": one(Choice(words.CONNECTORS_211)),
        "format": one(words.CONNECTOR_FORMAT),
        "power_type": one(Choice(words.POWER_TYPES_211)),
        "voltage": one(Integer()),
        "amperage": one(Integer()),
        "tariff_id": maybe(ID),
        "terms_and_conditions": maybe(Url()),
        "last_updated": one(DateTime()),
    },
)
EVSE = v221.EVSE.but(
    uid=one(PLACE_ID),
    evse_id=maybe(String(48)),
    capabilities=many(Choice(words.CAPABILITIES_211)),
    connectors=some(CONNECTOR),
)
ENERGY_MIX = places.ENERGY_MIX.but(
    environ_impact=many(
        Shape("EnvironmentalImpact", {"source": one(Choice(words.ENVIRONMENTAL_IMPACTS)), "amount": one(Number())})
    )
)
# Either regular hours or twentyfourseven, never both.
HOURS = places.HOURS.but(twentyfourseven=maybe(Boolean()))
LOCATION = Shape(
    "Location",
    {
        "id": one(PLACE_ID),
        "type": one(Choice(("ON_STREET", "PARKING_GARAGE", "UNDERGROUND_GARAGE", "PARKING_LOT", "OTHER", "UNKNOWN"))),
        "name": maybe(String(255)),
        "address": one(String(45)),
        "city": one(String(45)),
        "postal_code": one(String(10)),
        "country": one(String(3)),
        "coordinates": one(places.GEO_LOCATION),
        "related_locations": many(places.RELATED_PLACE),
        "evses": many(EVSE),
        "directions": many(places.DISPLAY_TEXT),
        "operator": maybe(places.BUSINESS_DETAILS),
        "suboperator": maybe(places.BUSINESS_DETAILS),
        "owner": maybe(places.BUSINESS_DETAILS),
        "facilities": many(Choice(words.FACILITIES_211)),
        "time_zone": maybe(String(255)),
        "opening_times": maybe(HOURS),
        "charging_when_closed": maybe(Boolean()),
        "images": many(places.IMAGE),
        "energy_mix": maybe(ENERGY_MIX),
        "last_updated": one(DateTime()),
    },
)

RESTRICTIONS = v221.RESTRICTIONS.but(min_current=None, max_current=None, reservation=None)
TARIFF_ELEMENT = Shape(
    "TariffElement",
    {"price_components": some(v221.PRICE_COMPONENT.but(vat=None)), "restrictions": maybe(RESTRICTIONS)},
)
TARIFF = Shape(
    "Tariff",
    {
        "id": one(ID),
        "currency": one(String(3)),
        "tariff_alt_text": many(places.DISPLAY_TEXT),
        "tariff_alt_url": maybe(Url()),
        "elements": some(TARIFF_ELEMENT),
        "energy_mix": maybe(ENERGY_MIX),
        "last_updated": one(DateTime()),
    },
)

AUTH_METHOD = Choice(words.AUTH_METHODS_211)
PERIOD = Shape(
    "ChargingPeriod",
    {
        "start_date_time": one(DateTime()),
        "dimensions": some(Shape("CdrDimension", {"type": one(Choice(words.DIMENSIONS_211)), "volume": one(Number())})),
    },
)
SESSION = Shape(
    "Session",
    {
        "id": one(ID),
        "start_datetime": one(DateTime()),
        "end_datetime": maybe(DateTime()),
        "kwh": one(Number()),
        "auth_id": one(ID),
        "auth_method": one(AUTH_METHOD),
        "location": one(LOCATION),
        "meter_id": maybe(String(255)),
        "currency": one(String(3)),
        "charging_periods": many(PERIOD),
        "total_cost": maybe(Number()),
        "status": one(Choice(words.SESSION_STATUSES_211)),
        "last_updated": one(DateTime()),
    },
)
CDR = Shape(
    "CDR",
    {
        "id": one(CiString(36)),
        "start_date_time": one(DateTime()),
        "stop_date_time": one(DateTime()),
        "auth_id": one(ID),
        "auth_method": one(AUTH_METHOD),
        "location": one(LOCATION),
        "meter_id": maybe(String(255)),
        "currency": one(String(3)),
        "tariffs": many(TARIFF),
        "charging_periods": some(PERIOD),
        "total_cost": one(Number()),
        "total_energy": one(Number()),
        "total_time": one(Number()),
        "total_parking_time": maybe(Number()),
        "remark": maybe(String(255)),
        "last_updated": one(DateTime()),
    },
)

TOKEN = Shape(
    "Token",
    {
        "uid": one(ID),
        "type": one(TOKEN_TYPE),
        "auth_id": one(ID),
        "visual_number": maybe(String(64)),
        "issuer": one(String(64)),
        "valid": one(Boolean()),
        "whitelist": one(words.WHITELIST),
        "language": maybe(String(2)),
        "last_updated": one(DateTime()),
    },
)
CREDENTIALS = Shape(
    "Credentials",
    {
        "token": one(String(64, r"[\x21-\x7e]+")),
        "url": one(Url()),
        "business_details": one(places.BUSINESS_DETAILS),
        "party_id": one(CiString(3, "[A-Za-z0-9]{3}")),
        "country_code": one(CiString(2, "[A-Za-z]{2}")),
    },
)
AUTHORIZATION_INFO = Shape(
    "AuthorizationInfo",
    {
        "allowed": one(words.ALLOWED),
        "location": maybe(
            Shape(
                "LocationReferences",
                {"location_id": one(PLACE_ID), "evse_uids": many(PLACE_ID), "connector_ids": many(ID)},
            )
        ),
        "info": maybe(places.DISPLAY_TEXT),
    },
)
COMMANDS = {
    "START_SESSION": Shape(
        "StartSession",
        {
            "response_url": one(Url()),
            "token": one(TOKEN),
            "location_id": one(PLACE_ID),
            "evse_uid": maybe(PLACE_ID),
        },
    ),
    "STOP_SESSION": Shape("StopSession", {"response_url": one(Url()), "session_id": one(ID)}),
    "RESERVE_NOW": Shape(
        "ReserveNow",
        {
            "response_url": one(Url()),
            "token": one(TOKEN),
            "expiry_date": one(DateTime()),
            "reservation_id": one(Integer()),
            "location_id": one(PLACE_ID),
            "evse_uid": maybe(PLACE_ID),
        },
    ),
    "UNLOCK_CONNECTOR": Shape(
        "UnlockConnector",
        {
            "response_url": one(Url()),
            "location_id": one(PLACE_ID),
            "evse_uid": one(PLACE_ID),
            "connector_id": one(ID),
        },
    ),
}
COMMAND_RESPONSE = Shape("CommandResponse", {"result": one(Choice(words.COMMAND_RESPONSES_211))})
