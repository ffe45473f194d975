"""How OCPI 2.1.1 says it: flat credentials, embedded locations, prices as numbers without VAT."""

from collections.abc import Mapping
from typing import Any

from ocpi.models import Cpo, Token
from ocpi.protocol import rendering
from ocpi.protocol.rendering import Object
from ocpi.protocol.v221 import RECEIVER, SENDER, Version221, plain_standard
from ocpi.protocol.vocabulary import v211, words

LOCATION_TYPES = {
    "ON_STREET": "ON_STREET",
    "PARKING_GARAGE": "PARKING_GARAGE",
    "UNDERGROUND_GARAGE": "UNDERGROUND_GARAGE",
    "PARKING_LOT": "PARKING_LOT",
    "ALONG_MOTORWAY": "OTHER",
    "ON_DRIVEWAY": "OTHER",
}
NO_POSTAL_CODE = "-"  # 2.1.1 demands one, also where there is none
POWER_TYPES = {"AC_2_PHASE": "AC_1_PHASE", "AC_2_PHASE_SPLIT": "AC_1_PHASE"}
FREE = {"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}  # nothing that 2.1.1 can say costs a thing
RESULTS = {"ACCEPTED", "NOT_SUPPORTED", "TIMEOUT", "UNKNOWN_SESSION"}


class Version211(Version221):
    number = "2.1.1"
    encodes_tokens = False
    routes = False
    unknown_token = 2001
    types_in_addresses = False
    credits = False
    modules = {
        "credentials": SENDER,
        "locations": SENDER,
        "tariffs": SENDER,
        "sessions": SENDER,
        "cdrs": SENDER,
        "tokens": RECEIVER,
        "commands": RECEIVER,
    }
    shapes = v211
    token_types = words.TOKEN_TYPES_211

    def credentials(self, cpo: Cpo, token: str, url: str) -> Object:
        return {"token": token, "url": url, "business_details": rendering.business(cpo), **rendering.owner(cpo)}

    def endpoints(self, base: str) -> list[Object]:
        return [{"identifier": name, "url": f"{base}/{name}"} for name in self.modules]

    def roles(self, credentials: Mapping[str, Any]) -> list[Object]:
        names = ("party_id", "country_code", "business_details")
        return [{"role": "EMSP", **{name: credentials[name] for name in names}}]

    def token_in(self, token: Mapping[str, Any], party: Mapping[str, Any]) -> Object:
        owner = {"country_code": party["country_code"], "party_id": party["party_id"]}
        given = {name: value for name, value in token.items() if name != "auth_id"}
        return {**given, **owner, "contract_id": token["auth_id"]}

    def token(self, row: Token) -> Object:
        content: Object = row.content
        if row.version == "2.1.1":
            return content
        kind = row.type if row.type in words.TOKEN_TYPES_211 else "OTHER"
        return self.said(v211.TOKEN, {**content, "auth_id": content["contract_id"], "type": kind})

    def total_cost(self, price: Mapping[str, Any]) -> Any:
        return v211.SESSION.members["total_cost"].project(price["excl_vat"])

    def command_response(self, answer: Mapping[str, Any]) -> Object:
        return {"result": answer["result"]}

    def command_result(self, result: str, message: str = "") -> Object:
        return {"result": result if result in RESULTS else "REJECTED"}

    def place(self, location: Object) -> Object:
        hours = location.get("opening_times")
        mix = location.get("energy_mix")
        return {
            **super().place(location),
            "type": LOCATION_TYPES.get(location.get("parking_type", ""), "UNKNOWN"),
            "postal_code": location.get("postal_code") or NO_POSTAL_CODE,
            **({"opening_times": one_of_both(hours)} if hours else {}),
            **({"energy_mix": impacts_by_source(mix)} if mix else {}),
        }

    def plug(self, connector: Object) -> Object:
        tariffs = connector.get("tariff_ids") or [None]
        return {
            **connector,
            "standard": plain_standard(connector["standard"]),
            "power_type": POWER_TYPES.get(connector["power_type"], connector["power_type"]),
            "voltage": connector["max_voltage"],
            "amperage": connector["max_amperage"],
            "tariff_id": tariffs[0],
        }

    def prices(self, tariff: Object) -> Object:
        """Without elements whose restrictions 2.1.1 does not know: their prices would count for all charging."""
        known = v211.RESTRICTIONS.members.keys()
        elements = [one for one in tariff["elements"] if (one.get("restrictions") or {}).keys() <= known] or [FREE]
        mix = tariff.get("energy_mix")
        return {**tariff, "elements": elements, **({"energy_mix": impacts_by_source(mix)} if mix else {})}

    def use(self, session: Object, place: Object) -> Object:
        cost = session.get("total_cost")
        status = session["status"]
        return {
            **session,
            "start_datetime": session["start_date_time"],
            "end_datetime": session.get("end_date_time"),
            "auth_id": session["cdr_token"]["contract_id"],
            "auth_method": auth_method(session["auth_method"]),
            "location": self.embedded(place, session["last_updated"]),
            "charging_periods": known_periods(session.get("charging_periods", [])),
            "total_cost": cost["excl_vat"] if cost else None,
            "status": "PENDING" if status == "RESERVATION" else status,
        }

    def bill(self, cdr: Object) -> Object:
        return {
            **cdr,
            "stop_date_time": cdr["end_date_time"],
            "auth_id": cdr["cdr_token"]["contract_id"],
            "auth_method": auth_method(cdr["auth_method"]),
            "location": self.embedded(cdr["cdr_location"], cdr["last_updated"]),
            "tariffs": [self.prices(one) for one in cdr.get("tariffs", [])],
            "charging_periods": known_periods(cdr["charging_periods"]),
            "total_cost": cdr["total_cost"]["excl_vat"],
        }

    def periods(self, periods: list[Object]) -> list[Object]:
        return [self.said(v211.PERIOD, one) for one in known_periods(periods)]

    def embedded(self, place: Object, at: Any) -> Object:
        """The location with the one EVSE and connector of a session, as it was at the start (`place`: CdrLocation)."""
        plug = {
            "id": place["connector_id"],
            "standard": place["connector_standard"],
            "format": place["connector_format"],
            "power_type": place["connector_power_type"],
            "max_voltage": place.get("max_voltage", 0),
            "max_amperage": place.get("max_amperage", 0),
            "tariff_ids": place.get("tariff_ids"),
            "last_updated": at,
        }
        outlet = {
            "uid": place["evse_uid"],
            "evse_id": place.get("evse_id"),
            "status": "UNKNOWN",
            "connectors": [plug],
            "last_updated": at,
        }
        return self.place({**place, "evses": [outlet], "last_updated": at})


def auth_method(method: str) -> str:
    """2.1.1 has no COMMAND: a command is an authorization that the eMSP gave."""
    return "AUTH_REQUEST" if method == "COMMAND" else method


def known_periods(periods: list[Object]) -> list[Object]:
    """Those that have a dimension which 2.1.1 knows."""
    known = words.DIMENSIONS_211
    return [one for one in periods if any(dimension["type"] in known for dimension in one["dimensions"])]


def one_of_both(hours: Object) -> Object:
    if hours.get("twentyfourseven"):
        return {name: value for name, value in hours.items() if name != "regular_hours"}
    return {name: value for name, value in hours.items() if name != "twentyfourseven"}


def impacts_by_source(mix: Object) -> Object:
    impacts = [{"source": one["category"], "amount": one["amount"]} for one in mix.get("environ_impact", [])]
    return {**mix, "environ_impact": impacts}
