"""The frames of the bench, as every party sends them; written by hand so that nobody pays for building them."""

from websockets.typing import Subprotocol

SUBPROTOCOL = Subprotocol("ocpp1.6")
TIMESTAMP = "2026-01-01T00:00:00.000Z"
BOOT = (
    '[2,"{id}","BootNotification",{"chargePointVendor":"Wallbox","chargePointModel":"Pulsar Plus",'
    '"chargePointSerialNumber":"WB000000000001","firmwareVersion":"5.17.9"}]'
)
STATUS = (
    '[2,"{id}","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"'
    + TIMESTAMP
    + '"}]'
)
HEARTBEAT = '[2,"{id}","Heartbeat",{}]'
AUTHORIZE = '[2,"{id}","Authorize",{"idTag":"BENCH"}]'
TRIGGER = '[2,"{id}","TriggerMessage",{"requestedMessage":"Heartbeat"}]'
ACCEPTED = '[3,"{id}",{"status":"Accepted"}]'


def id_of(text: str) -> str:
    """The message id of any frame."""
    return text.split('"', 2)[1]


def action_of(call: str) -> str:
    return call.split('"', 4)[3]
