"""OCPI 2.2.1."""

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
from ocpi.protocol.vocabulary import places, words

COUNTRY, PARTY, ID = CiString(2), CiString(3), CiString(36)
OWNER = {"country_code": one(COUNTRY), "party_id": one(PARTY)}
PRICE = Shape("Price", {"excl_vat": one(Number()), "incl_vat": maybe(Number())})
TOKEN_TYPE = Choice(words.TOKEN_TYPES_221)
RESPONSE_URL = one(Url())

# --- locations ------------------------------------------------------------------------------------------------------

CONNECTOR = Shape(
    "Connector",
    {
        "id": one(ID),
        "standard": one(Choice(words.CONNECTORS_221)),
        "format": one(words.CONNECTOR_FORMAT),
        "power_type": one(Choice(words.POWER_TYPES_221)),
        "max_voltage": one(Integer()),
        "max_amperage": one(Integer()),
        "max_electric_power": maybe(Integer()),
        "tariff_ids": many(ID),
        "terms_and_conditions": maybe(Url()),
        "last_updated": one(DateTime()),
    },
)
EVSE = Shape(
    "EVSE",
    {
        "uid": one(ID),
        "evse_id": maybe(CiString(48)),
        "status": one(words.STATUS),
        "status_schedule": many(places.STATUS_SCHEDULE),
        "capabilities": many(Choice(words.CAPABILITIES_221)),
        "connectors": some(CONNECTOR),
        "floor_level": maybe(String(4)),
        "coordinates": maybe(places.GEO_LOCATION),
        "physical_reference": maybe(String(16)),
        "directions": many(places.DISPLAY_TEXT),
        "parking_restrictions": many(Choice(words.RESTRICTIONS_221)),
        "images": many(places.IMAGE),
        "last_updated": one(DateTime()),
    },
)
PUBLISH_TOKEN = Shape(
    "PublishTokenType",
    {
        "uid": maybe(ID),
        "type": maybe(TOKEN_TYPE),
        "visual_number": maybe(String(64)),
        "issuer": maybe(String(64)),
        "group_id": maybe(ID),
    },
)
LOCATION = Shape(
    "Location",
    {
        **OWNER,
        "id": one(ID),
        "publish": one(Boolean()),
        "publish_allowed_to": many(PUBLISH_TOKEN),
        "name": maybe(String(255)),
        "address": one(String(255)),
        "city": one(String(45)),
        "postal_code": maybe(String(10)),
        "state": maybe(String(45)),
        "country": one(String(3)),
        "coordinates": one(places.GEO_LOCATION),
        "related_locations": many(places.RELATED_PLACE),
        "parking_type": maybe(Choice(words.PARKING_TYPES)),
        "evses": many(EVSE),
        "directions": many(places.DISPLAY_TEXT),
        "operator": maybe(places.BUSINESS_DETAILS),
        "suboperator": maybe(places.BUSINESS_DETAILS),
        "owner": maybe(places.BUSINESS_DETAILS),
        "facilities": many(Choice(words.FACILITIES_221)),
        "time_zone": one(String(255)),
        "opening_times": maybe(places.HOURS),
        "charging_when_closed": maybe(Boolean()),
        "images": many(places.IMAGE),
        "energy_mix": maybe(places.ENERGY_MIX),
        "last_updated": one(DateTime()),
    },
)

# --- tariffs --------------------------------------------------------------------------------------------------------

PRICE_COMPONENT = Shape(
    "PriceComponent",
    {
        "type": one(words.TARIFF_DIMENSION),
        "price": one(Number()),
        "vat": maybe(Number()),
        "step_size": one(Integer()),
    },
)
RESTRICTIONS = Shape(
    "TariffRestrictions",
    {
        "start_time": maybe(places.HOUR),
        "end_time": maybe(places.HOUR),
        "start_date": maybe(places.DAY),
        "end_date": maybe(places.DAY),
        "min_kwh": maybe(Number()),
        "max_kwh": maybe(Number()),
        "min_current": maybe(Number()),
        "max_current": maybe(Number()),
        "min_power": maybe(Number()),
        "max_power": maybe(Number()),
        "min_duration": maybe(Integer()),
        "max_duration": maybe(Integer()),
        "day_of_week": many(words.DAY_OF_WEEK),
        "reservation": maybe(words.RESERVATION_RESTRICTION),
    },
)
TARIFF_ELEMENT = Shape(
    "TariffElement", {"price_components": some(PRICE_COMPONENT), "restrictions": maybe(RESTRICTIONS)}
)
TARIFF = Shape(
    "Tariff",
    {
        **OWNER,
        "id": one(ID),
        "currency": one(String(3)),
        "type": maybe(words.TARIFF_TYPE),
        "tariff_alt_text": many(places.DISPLAY_TEXT),
        "tariff_alt_url": maybe(Url()),
        "min_price": maybe(PRICE),
        "max_price": maybe(PRICE),
        "elements": some(TARIFF_ELEMENT),
        "start_date_time": maybe(DateTime()),
        "end_date_time": maybe(DateTime()),
        "energy_mix": maybe(places.ENERGY_MIX),
        "last_updated": one(DateTime()),
    },
)

# --- sessions and CDRs ----------------------------------------------------------------------------------------------

CDR_TOKEN = Shape("CdrToken", {**OWNER, "uid": one(ID), "type": one(TOKEN_TYPE), "contract_id": one(ID)})
DIMENSION = Shape("CdrDimension", {"type": one(Choice(words.DIMENSIONS_221)), "volume": one(Number())})
PERIOD = Shape(
    "ChargingPeriod", {"start_date_time": one(DateTime()), "dimensions": some(DIMENSION), "tariff_id": maybe(ID)}
)
SESSION = Shape(
    "Session",
    {
        **OWNER,
        "id": one(ID),
        "start_date_time": one(DateTime()),
        "end_date_time": maybe(DateTime()),
        "kwh": one(Number()),
        "cdr_token": one(CDR_TOKEN),
        "auth_method": one(Choice(words.AUTH_METHODS_221)),
        "authorization_reference": maybe(ID),
        "location_id": one(ID),
        "evse_uid": one(ID),
        "connector_id": one(ID),
        "meter_id": maybe(String(255)),
        "currency": one(String(3)),
        "charging_periods": many(PERIOD),
        "total_cost": maybe(PRICE),
        "status": one(Choice((*words.SESSION_STATUSES_211, "RESERVATION"))),
        "last_updated": one(DateTime()),
    },
)
CDR_LOCATION = Shape(
    "CdrLocation",
    {
        "id": one(ID),
        "name": maybe(String(255)),
        "address": one(String(45)),
        "city": one(String(45)),
        "postal_code": maybe(String(10)),
        "state": maybe(String(20)),
        "country": one(String(3)),
        "coordinates": one(places.GEO_LOCATION),
        "evse_uid": one(ID),
        "evse_id": one(CiString(48)),
        "connector_id": one(ID),
        "connector_standard": one(Choice(words.CONNECTORS_221)),
        "connector_format": one(words.CONNECTOR_FORMAT),
        "connector_power_type": one(Choice(words.POWER_TYPES_221)),
    },
)
SIGNED_DATA = Shape(
    "SignedData",
    {
        "encoding_method": one(ID),
        "encoding_method_version": maybe(Integer()),
        "public_key": maybe(String(512)),
        "signed_values": some(
            Shape(
                "SignedValue",
                {"nature": one(CiString(32)), "plain_data": one(String(5000)), "signed_data": one(String(5000))},
            )
        ),
        "url": maybe(String(512)),
    },
)
CDR = Shape(
    "CDR",
    {
        **OWNER,
        "id": one(CiString(39)),
        "start_date_time": one(DateTime()),
        "end_date_time": one(DateTime()),
        "session_id": maybe(ID),
        "cdr_token": one(CDR_TOKEN),
        "auth_method": one(Choice(words.AUTH_METHODS_221)),
        "authorization_reference": maybe(ID),
        "cdr_location": one(CDR_LOCATION),
        "meter_id": maybe(String(255)),
        "currency": one(String(3)),
        "tariffs": many(TARIFF),
        "charging_periods": some(PERIOD),
        "signed_data": maybe(SIGNED_DATA),
        "total_cost": one(PRICE),
        "total_fixed_cost": maybe(PRICE),
        "total_energy": one(Number()),
        "total_energy_cost": maybe(PRICE),
        "total_time": one(Number()),
        "total_time_cost": maybe(PRICE),
        "total_parking_time": maybe(Number()),
        "total_parking_cost": maybe(PRICE),
        "total_reservation_cost": maybe(PRICE),
        "remark": maybe(String(255)),
        "invoice_reference_id": maybe(CiString(39)),
        "credit": maybe(Boolean()),
        "credit_reference_id": maybe(CiString(39)),
        "home_charging_compensation": maybe(Boolean()),
        "last_updated": one(DateTime()),
    },
)

# --- what peers send ------------------------------------------------------------------------------------------------

TOKEN = Shape(
    "Token",
    {
        **OWNER,
        "uid": one(ID),
        "type": one(TOKEN_TYPE),
        "contract_id": one(ID),
        "visual_number": maybe(String(64)),
        "issuer": one(String(64)),
        "group_id": maybe(ID),
        "valid": one(Boolean()),
        "whitelist": one(words.WHITELIST),
        "language": maybe(String(2)),
        "default_profile_type": maybe(words.PROFILE_TYPE),
        "energy_contract": maybe(
            Shape("EnergyContract", {"supplier_name": one(String(64)), "contract_id": maybe(String(64))})
        ),
        "last_updated": one(DateTime()),
    },
)
CREDENTIALS_ROLE = Shape(
    "CredentialsRole",
    {
        "role": one(Choice(words.ROLES_221)),
        "business_details": one(places.BUSINESS_DETAILS),
        "party_id": one(CiString(3, "[A-Za-z0-9]{3}")),
        "country_code": one(CiString(2, "[A-Za-z]{2}")),
    },
)
CREDENTIALS = Shape(
    "Credentials",
    {"token": one(CiString(64, r"[\x21-\x7e]+")), "url": one(Url()), "roles": some(CREDENTIALS_ROLE)},
)
AUTHORIZATION_INFO = Shape(
    "AuthorizationInfo",
    {
        "allowed": one(words.ALLOWED),
        "token": maybe(TOKEN),
        "location": maybe(Shape("LocationReferences", {"location_id": one(ID), "evse_uids": many(ID)})),
        "authorization_reference": maybe(ID),
        "info": maybe(places.DISPLAY_TEXT),
    },
)
CHARGING_PREFERENCES = Shape(
    "ChargingPreferences",
    {
        "profile_type": one(words.PROFILE_TYPE),
        "departure_time": maybe(DateTime()),
        "energy_need": maybe(Number()),
        "discharge_allowed": maybe(Boolean()),
    },
)

START_SESSION = Shape(
    "StartSession",
    {
        "response_url": RESPONSE_URL,
        "token": one(TOKEN),
        "location_id": one(ID),
        "evse_uid": maybe(ID),
        "connector_id": maybe(ID),
        "authorization_reference": maybe(ID),
    },
)
STOP_SESSION = Shape("StopSession", {"response_url": RESPONSE_URL, "session_id": one(ID)})
RESERVE_NOW = Shape(
    "ReserveNow",
    {
        "response_url": RESPONSE_URL,
        "token": one(TOKEN),
        "expiry_date": one(DateTime()),
        "reservation_id": one(ID),
        "location_id": one(ID),
        "evse_uid": maybe(ID),
        "authorization_reference": maybe(ID),
    },
)
CANCEL_RESERVATION = Shape("CancelReservation", {"response_url": RESPONSE_URL, "reservation_id": one(ID)})
UNLOCK_CONNECTOR = Shape(
    "UnlockConnector",
    {"response_url": RESPONSE_URL, "location_id": one(ID), "evse_uid": one(ID), "connector_id": one(ID)},
)
COMMANDS = {
    "START_SESSION": START_SESSION,
    "STOP_SESSION": STOP_SESSION,
    "RESERVE_NOW": RESERVE_NOW,
    "CANCEL_RESERVATION": CANCEL_RESERVATION,
    "UNLOCK_CONNECTOR": UNLOCK_CONNECTOR,
}
COMMAND_RESPONSE = Shape(
    "CommandResponse",
    {
        "result": one(Choice(words.COMMAND_RESPONSES_221)),
        "timeout": one(Integer(0)),
        "message": many(places.DISPLAY_TEXT),
    },
)
COMMAND_RESULT = Shape(
    "CommandResult",
    {"result": one(Choice(words.COMMAND_RESULTS_221)), "message": many(places.DISPLAY_TEXT)},
)

RATE = Number(decimals=1)
CHARGING_PROFILE = Shape(
    "ChargingProfile",
    {
        "start_date_time": maybe(DateTime()),
        "duration": maybe(Integer(0)),
        "charging_rate_unit": one(Choice(("W", "A"))),
        "min_charging_rate": maybe(RATE),
        "charging_profile_period": many(
            Shape("ChargingProfilePeriod", {"start_period": one(Integer(0)), "limit": one(RATE)})
        ),
    },
)
SET_CHARGING_PROFILE = Shape(
    "SetChargingProfile", {"charging_profile": one(CHARGING_PROFILE), "response_url": RESPONSE_URL}
)
PROFILE_RESPONSE = Shape(
    "ChargingProfileResponse",
    {
        "result": one(Choice(("ACCEPTED", "NOT_SUPPORTED", "REJECTED", "TOO_OFTEN", "UNKNOWN_SESSION"))),
        "timeout": one(Integer(0)),
    },
)
ACTIVE_PROFILE = Shape(
    "ActiveChargingProfile", {"start_date_time": one(DateTime()), "charging_profile": one(CHARGING_PROFILE)}
)
PROFILE_RESULT = Shape(
    "ActiveChargingProfileResult",
    {"result": one(Choice(("ACCEPTED", "REJECTED", "UNKNOWN"))), "profile": maybe(ACTIVE_PROFILE)},
)
