"""One message from the charger to its CSMS, as the caller words it (gateway contract, section 13)."""

from typing import Any

from chargers.models import Charger, ChargerCommand, OcppVersion
from chargers.services.commands import issue_one
from ocpplab.api.errors import InvalidRequest

PROXY_MESSAGE = "proxy_message"
V16, V201 = OcppVersion.V16.subprotocol, OcppVersion.V201.subprotocol
BOTH = (V16, V201)
# What a station may send in each version.
ACTIONS: dict[str, tuple[str, ...]] = {
    "authorize": BOTH,
    "boot_notification": BOTH,
    "data_transfer": BOTH,
    "firmware_status_notification": BOTH,
    "heartbeat": BOTH,
    "meter_values": BOTH,
    "security_event_notification": BOTH,
    "status_notification": BOTH,
    "diagnostics_status_notification": (V16,),
    "start_transaction": (V16,),
    "stop_transaction": (V16,),
    "notify_customer_information": (V201,),
    "notify_event": (V201,),
    "notify_report": (V201,),
    "publish_firmware_status_notification": (V201,),
    "report_charging_profiles": (V201,),
    "reservation_status_update": (V201,),
    "transaction_event": (V201,),
}


def send(charger: Charger, *, action: str, ocpp_version: str, payload: dict[str, Any]) -> ChargerCommand:
    """The queued row. Raises InvalidRequest for another version than the charger's, Conflict when it is stopped."""
    if ocpp_version not in ACTIONS[action]:
        raise InvalidRequest(f"{action} is no message of {ocpp_version}; it is one of {', '.join(ACTIONS[action])}.")
    if ocpp_version != charger.subprotocol:
        raise InvalidRequest(f"{charger.identity} speaks {charger.subprotocol}, not {ocpp_version}.")
    body = {"action": action, "ocpp_version": ocpp_version, "payload": payload}
    return issue_one(charger, PROXY_MESSAGE, body)
