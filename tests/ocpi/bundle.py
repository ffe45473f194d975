"""Rows of a CPO with sensible values, and the plainest client of the peer surface."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.test import Client

from ocpi.models import (
    AuthMethod,
    Cdr,
    Cpo,
    CpoLocation,
    Evse,
    EvseStatus,
    Peer,
    PeerRole,
    PeerState,
    Session,
    SessionStatus,
    Tariff,
)
from ocpplab.sealing import seal
from tests.factories import LocationFactory

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
CONNECTOR = {
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "max_electric_power": 22080,
}
TARIFF = {
    "currency": "EUR",
    "type": "REGULAR",
    "tariff_alt_text": [{"language": "en", "text": "0.39 per kWh"}],
    "min_price": {"excl_vat": 0.5, "incl_vat": 0.605},
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.39, "vat": 21.0, "step_size": 1}]},
        {
            "price_components": [{"type": "TIME", "price": 1.5, "vat": 21.0, "step_size": 60}],
            "restrictions": {"reservation": "RESERVATION"},
        },
    ],
}
PLACE = {
    "id": "LOC1",
    "name": "Depot",
    "address": "1 Quai de la Loire",
    "city": "Paris",
    "postal_code": "75019",
    "country": "FRA",
    "coordinates": {"latitude": "48.886000", "longitude": "2.374000"},
    "evse_uid": "E1",
    "evse_id": "NL*LAB*E1",
    "connector_id": "1",
    "connector_standard": "IEC_62196_T2",
    "connector_format": "SOCKET",
    "connector_power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "tariff_ids": ["T1"],
    "parking_type": "ON_STREET",
    "time_zone": "Europe/Paris",
}
PRICE = {"excl_vat": 3.9, "incl_vat": 4.719}
PERIOD = {
    "start_date_time": "2026-03-01T08:00:00Z",
    "dimensions": [{"type": "ENERGY", "volume": 10.0}, {"type": "TIME", "volume": 1.5}],
    "tariff_id": "T1",
}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def new_cpo(party: str = "LAB", **fields: Any) -> Cpo:
    """With one location of two EVSEs and one tariff. Needs a scope."""
    values: dict[str, Any] = {
        "country_code": "NL",
        "party_id": party,
        "name_prefix": "Lab",
        "template": "small-urban-ac",
        "template_version": 1,
        "seed": 7,
    }
    cpo = Cpo.objects.create(**{**values, **fields})
    tariff = new_tariff(cpo)
    location = new_location(cpo)
    for number in (1, 2):
        new_evse(location, f"E{number}").tariffs.add(tariff)
    return cpo


def new_tariff(cpo: Cpo, tariff_id: str = "T1", **content: Any) -> Tariff:
    return Tariff.objects.create(
        cpo=cpo, tariff_id=tariff_id, content={**TARIFF, **content}, created_at=START, last_updated=START
    )


def new_location(cpo: Cpo, ocpi_id: str = "LOC1", seconds: float = 0, **fields: Any) -> CpoLocation:
    attributes = {
        "postal_code": "75019",
        "parking_type": "ON_STREET",
        "opening_times": {"twentyfourseven": True},
        "facilities": ["CAFE", "BIKE_SHARING"],
        "help_phone": "+33123456789",
        "energy_mix": {
            "is_green_energy": True,
            "environ_impact": [{"category": "CARBON_DIOXIDE", "amount": 12.5}],
        },
    }
    values: dict[str, Any] = {
        "cpo": cpo,
        "ocpi_id": ocpi_id,
        "location": LocationFactory(timezone="Europe/Paris", owner_name="Ville", public=True),
        "country": "FRA",
        "attributes": attributes,
        "created_at": at(seconds),
        "last_updated": at(seconds),
    }
    return CpoLocation.objects.create(**{**values, **fields})


def new_evse(location: CpoLocation, uid: str, **fields: Any) -> Evse:
    values: dict[str, Any] = {
        "cpo": location.cpo,
        "location": location,
        "uid": uid,
        "evse_id": f"NL*LAB*{uid}",
        "outlet_evse": 1,
        "outlet_connector": 1,
        "attributes": {
            "capabilities": ["REMOTE_START_STOP_CAPABLE", "RFID_READER", "TOKEN_GROUP_CAPABLE"],
            "physical_reference": "A1",
            "parking_restrictions": ["CUSTOMERS", "EMPLOYEES"],
            "accepted_service_providers": ["Scripted eMSP"],
        },
        "connector": CONNECTOR,
        "status": EvseStatus.AVAILABLE,
        "created_at": location.created_at,
        "last_updated": location.last_updated,
        "connector_last_updated": location.last_updated,
    }
    return Evse.objects.create(**{**values, **fields})


def new_peer(cpo: Cpo, version: str = "2.2.1", country: str = "NL", party: str = "EMS") -> Peer:
    role = {"role": "EMSP", "country_code": country, "party_id": party, "business_details": {"name": "eMSP"}}
    peer = Peer.objects.create(
        cpo=cpo, state=PeerState.REGISTERED, version=version, sealed_token=seal("token-b"), roles=[role]
    )
    PeerRole.objects.create(cpo=cpo, peer=peer, role="EMSP", country_code=country, party_id=party)
    return peer


def new_session(cpo: Cpo, peer: Peer | None, session_id: str = "S1", **fields: Any) -> Session:
    values: dict[str, Any] = {
        "cpo": cpo,
        "peer": peer,
        "session_id": session_id,
        "status": SessionStatus.ACTIVE,
        "cdr_token": {
            "country_code": "NL",
            "party_id": "EMS",
            "uid": "CARD-1",
            "type": "RFID",
            "contract_id": "NL-EMS-CARD-1",
        },
        "id_tag": "CARD-1",
        "auth_method": AuthMethod.COMMAND,
        "authorization_reference": "REF-1",
        "started_at": START,
        "kwh": 10,
        "currency": "EUR",
        "cdr_location": PLACE,
        "periods": [PERIOD],
        "total_cost": PRICE,
        "created_at": START,
        "last_updated": START,
    }
    return Session.objects.create(**{**values, **fields})


def new_cdr(cpo: Cpo, peer: Peer | None, cdr_id: str = "C1") -> Cdr:
    tariff = {**TARIFF, "id": "T1", "country_code": "NL", "party_id": "LAB", "last_updated": "2026-03-01T08:00:00Z"}
    content = {
        "country_code": "NL",
        "party_id": "LAB",
        "id": cdr_id,
        "start_date_time": "2026-03-01T08:00:00Z",
        "end_date_time": "2026-03-01T09:30:00Z",
        "session_id": "S1",
        "cdr_token": {
            "country_code": "NL",
            "party_id": "EMS",
            "uid": "CARD-1",
            "type": "RFID",
            "contract_id": "NL-EMS-CARD-1",
        },
        "auth_method": "COMMAND",
        "cdr_location": PLACE,
        "currency": "EUR",
        "tariffs": [tariff],
        "charging_periods": [PERIOD],
        "total_cost": PRICE,
        "total_energy_cost": PRICE,
        "total_energy": 10.0,
        "total_time": 1.5,
        "last_updated": "2026-03-01T09:30:00Z",
    }
    return Cdr.objects.create(
        cpo=cpo, peer=peer, cdr_id=cdr_id, content=content, created_at=at(5400), last_updated=at(5400)
    )


@dataclass
class Envelope:
    """An answer of the peer surface."""

    http: int
    response: HttpResponse
    body: Any

    @property
    def code(self) -> int:
        return self.body["status_code"]

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def message(self) -> str:
        return self.body["status_message"]

    def header(self, name: str) -> str | None:
        return self.response.headers.get(name)


def encoded(token: str) -> str:
    return base64.b64encode(token.encode()).decode()


def call(
    client: Client, method: str, url: str, body: Any = None, *, token: str = "", version: str = "2.2.1", **headers: str
) -> Envelope:
    """One request; `headers` by name with `_` for `-`. The answer must be an OCPI envelope, whatever it says."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent.setdefault("Authorization", f"Token {token if version == '2.1.1' else encoded(token)}")
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    response = client.generic(method, url, content, "application/json", headers=sent)
    assert response.headers["Content-Type"] == "application/json", response.content
    answer = json.loads(response.content)
    assert {"status_code", "timestamp"} <= set(answer) <= {"data", "status_code", "status_message", "timestamp"}
    return Envelope(response.status_code, response, answer)
