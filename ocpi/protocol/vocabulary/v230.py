"""OCPI 2.3.0, the core: 2.2.1 with prices by tax, parking places and open enumerations."""

from ocpi.protocol.types import Boolean, Choice, CiString, Number, Shape, String, many, maybe, one, some
from ocpi.protocol.vocabulary import places, v221, words

ID = v221.ID
PRICE = Shape(
    "Price",
    {
        "before_taxes": one(Number()),
        "taxes": many(
            Shape(
                "TaxAmount",
                {
                    "name": one(String(255)),
                    "account_number": maybe(String(255)),
                    "percentage": maybe(Number()),
                    "amount": one(Number()),
                },
            )
        ),
    },
)
PRICE_LIMIT = Shape("PriceLimit", {"before_taxes": one(Number()), "after_taxes": maybe(Number())})
TOKEN_TYPE = Choice(words.TOKEN_TYPES_230, is_open=True)

# --- locations ------------------------------------------------------------------------------------------------------

STANDARD = Choice(words.CONNECTORS_230, is_open=True)
CONNECTOR = v221.CONNECTOR.but(
    standard=one(STANDARD), capabilities=many(Choice(words.CONNECTOR_CAPABILITIES, is_open=True))
)
EVSE_PARKING = Shape(
    "EVSEParking", {"parking_id": one(ID), "evse_position": maybe(Choice(("LEFT", "RIGHT", "CENTER")))}
)
EVSE = v221.EVSE.but(
    capabilities=many(Choice(words.CAPABILITIES_221, is_open=True)),
    connectors=some(CONNECTOR),
    parking_restrictions=many(Choice(words.RESTRICTIONS_230, is_open=True)),
    parking=many(EVSE_PARKING),
    accepted_service_providers=many(String(50)),
)
PARKING = Shape(
    "Parking",
    {
        "id": one(ID),
        "physical_reference": maybe(String(12)),
        "vehicle_types": some(Choice(words.VEHICLE_TYPES, is_open=True)),
        "max_vehicle_weight": maybe(Number()),
        "max_vehicle_height": maybe(Number()),
        "max_vehicle_length": maybe(Number()),
        "max_vehicle_width": maybe(Number()),
        "parking_space_length": maybe(Number()),
        "parking_space_width": maybe(Number()),
        "dangerous_goods_allowed": maybe(Boolean()),
        "direction": maybe(Choice(("PARALLEL", "PERPENDICULAR", "ANGLE"))),
        "drive_through": maybe(Boolean()),
        "restricted_to_type": one(Boolean()),
        "reservation_required": one(Boolean()),
        "time_limit": maybe(Number()),
        "roofed": maybe(Boolean()),
        "images": many(places.IMAGE),
        "lighting": maybe(Boolean()),
        "refrigeration_outlet": maybe(Boolean()),
        "standards": many(CiString(36)),
        "apds_reference": maybe(CiString(255)),
    },
)
LOCATION = v221.LOCATION.but(
    publish_allowed_to=many(v221.PUBLISH_TOKEN.but(type=maybe(TOKEN_TYPE))),
    evses=many(EVSE),
    parking_places=many(PARKING),
    help_phone=maybe(CiString(25)),
)

# --- tariffs, sessions, CDRs ----------------------------------------------------------------------------------------

TARIFF = v221.TARIFF.but(
    min_price=maybe(PRICE_LIMIT),
    max_price=maybe(PRICE_LIMIT),
    preauthorize_amount=maybe(Number()),
    tax_included=one(Choice(("YES", "NO", "N/A"))),
)
CDR_TOKEN = v221.CDR_TOKEN.but(type=one(TOKEN_TYPE))
SESSION = v221.SESSION.but(cdr_token=one(CDR_TOKEN), total_cost=maybe(PRICE))
CDR_LOCATION = v221.CDR_LOCATION.but(connector_standard=one(STANDARD))
PRICES = (
    "total_cost", "total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost",
    "total_reservation_cost",
)  # fmt: skip
CDR = v221.CDR.but(
    cdr_token=one(CDR_TOKEN),
    cdr_location=one(CDR_LOCATION),
    tariffs=many(TARIFF),
    **{name: (one if name == "total_cost" else maybe)(PRICE) for name in PRICES},
)

# --- what peers send ------------------------------------------------------------------------------------------------

TOKEN = v221.TOKEN.but(type=one(TOKEN_TYPE))
CREDENTIALS_ROLE = v221.CREDENTIALS_ROLE.but(role=one(Choice(words.ROLES_230)))
CREDENTIALS = v221.CREDENTIALS.but(roles=some(CREDENTIALS_ROLE), hub_party_id=maybe(CiString(5)))
COMMANDS = {
    **v221.COMMANDS,
    "START_SESSION": v221.START_SESSION.but(token=one(TOKEN)),
    "RESERVE_NOW": v221.RESERVE_NOW.but(token=one(TOKEN)),
}

PERIOD = v221.PERIOD
AUTHORIZATION_INFO = v221.AUTHORIZATION_INFO.but(token=maybe(TOKEN))
CHARGING_PREFERENCES = v221.CHARGING_PREFERENCES
COMMAND_RESPONSE = v221.COMMAND_RESPONSE
COMMAND_RESULT = v221.COMMAND_RESULT
SET_CHARGING_PROFILE = v221.SET_CHARGING_PROFILE
PROFILE_RESPONSE = v221.PROFILE_RESPONSE
PROFILE_RESULT = v221.PROFILE_RESULT
