"""The request bodies that the OpenAPI document shows. They run as they stand: only ids and addresses are other ones."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample

LOCATION_ID = "0d9f8a52-8f0c-4a4e-9c0e-6b1f3c7a2d11"
CHARGER_ID = "5b0e7c1e-2d7f-4a53-a0f5-0b8b9d1a6c42"
CSMS = "ws://127.0.0.1:9000/ocpp"
CONFIGURATION = {"HeartbeatInterval": "60", "MeterValueSampleInterval": "10"}
ENTRIES = [
    {"id_tag": "TAG-RFID-001", "expiry_date": "2031-12-31T23:59:59Z", "parent_id_tag": "FLEET-1"},
    {"id_tag": "TAG-RFID-002"},
]
CONNECTOR = {"connector_id": 1}
# By event type: the command's own fields.
EVENTS: dict[str, dict[str, Any]] = {
    "plug_connector": CONNECTOR,
    "unplug_connector": CONNECTOR,
    "unlock_connector": CONNECTOR,
    "start_transaction": {"id_tag": "TAG-RFID-001", "connector_id": 1},
    "stop_transaction": {"transaction_id": "42"},
    "start_session": {"id_tag": "TAG-RFID-001", "connector_id": 1, "duration_seconds": 600, "target_energy_kwh": 4.5},
    "stop_session": CONNECTOR,
    "authorize_id_tag": {"id_tag": "TAG-RFID-001"},
    "ev_requests_energy": CONNECTOR,
    "ev_stops_energy": CONNECTOR,
    "power_update": {"power_w": 11000, "connector_id": 1},
    "reset": {"type": "Soft"},
    "unplug_ev": CONNECTOR,
    "replug_ev": CONNECTOR,
    "present_tag": {"id_tag": "TAG-RFID-001", "connector_id": 1},
    "ev_state": {"state": "paused", "soc_percent": 62, "connector_id": 1},
    "set_charging_limit": {"limit": 16, "unit": "A", "charging_limit_source": "EMS"},
    "clear_charging_limit": {},
    "power_cycle": {"off_seconds": 2},
    "raw_frame": {"text": '[2,"raw-1","Heartbeat",{}]'},
    "update_configuration": {"configuration": CONFIGURATION},
    "set_local_auth_list": {"list_version": 1, "entries": ENTRIES},
    "inject_fault": {"fault_type": "OverCurrentFailure", "connector_id": 1},
    "clear_fault": CONNECTOR,
    "proxy_message": {
        "action": "data_transfer",
        "ocpp_version": "ocpp1.6",
        "payload": {"vendor_id": "com.example", "message_id": "hello", "data": "42"},
    },
}
ONE_CHARGER = {
    "identity": "CP-HARBOUR-001",
    "brand_slug": "wallbox",
    "model_slug": "wallbox-pulsar-plus",
    "connector_type": "Type2",
    "ocpp_version": "OCPP1.6",
    "ws_url": CSMS,
    "charge_point_name": "Bay 1",
}
TEMPLATE = {
    "brand_slug": "abb",
    "model_slug": "terra-184",
    "connector_type": "CCS2",
    "ocpp_version": "OCPP2.0.1",
    "ws_url": CSMS,
    "identity_prefix": "CS-HARBOUR-",
    "template_name": "Bay",
}


def example(name: str, body: Any) -> OpenApiExample:
    return OpenApiExample(name, body, request_only=True)


def of_event(event_type: str) -> Sequence[OpenApiExample]:
    return [example(event_type, EVENTS[event_type])] if EVENTS.get(event_type) else []


def of_targeted(event_type: str, *, one: bool) -> Sequence[OpenApiExample]:
    """With the target beside the event: one charger, else all of a location."""
    target = {"charger_id": CHARGER_ID} if one else {"location_id": LOCATION_ID}
    return [example(event_type, {"target": target, "event": EVENTS.get(event_type, {})})]


CREATE_CHARGER = [example("charger", {**ONE_CHARGER, "location_id": LOCATION_ID})]
UPDATE_CHARGER = [example("another CSMS", {"ws_url": CSMS, "charge_point_name": "Bay 1, left"})]
UPDATE_SECURITY = [example("Basic authentication", {"profile": 1, "password": "correct horse battery"})]
CREATE_CHARGERS = [
    example("named bays", [{"template": TEMPLATE, "charger_ids": ["001", "002"]}]),
    example("so many of them", [{"template": TEMPLATE, "chargers_number": 3}]),
    example("one by one", {"chargers": [{**ONE_CHARGER, "identity": "CP-HARBOUR-002"}]}),
]
UPDATE_CHARGERS = [example("names", {"chargers": [{"charger_id": CHARGER_ID, "name": "Bay 1, left"}]})]
DELETE_CHARGERS = [example("one", {"charger_ids": [CHARGER_ID]})]
