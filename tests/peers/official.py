"""What the OCPP specifications say in a form that a program can check: the official schemas, actions and error codes.

Uses the schema files of the `ocpp` package with the `jsonschema` package, and nothing of the product: a mistake there
must not be repeated here. Numbers are decimals, since `multipleOf: 0.1` of OCPP 1.6 fails on binary floats.
"""

import json
import re
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import FormatChecker
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for

V16 = "ocpp1.6"
V201 = "ocpp2.0.1"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FROM_STATION = {
    V16: words(
        "Authorize BootNotification DataTransfer DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat "
        "LogStatusNotification MeterValues SecurityEventNotification SignCertificate SignedFirmwareStatusNotification "
        "StartTransaction StatusNotification StopTransaction"
    ),
    V201: words(
        "Authorize BootNotification ClearedChargingLimit DataTransfer FirmwareStatusNotification Get15118EVCertificate "
        "GetCertificateStatus Heartbeat LogStatusNotification MeterValues NotifyChargingLimit "
        "NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule NotifyEvent "
        "NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification ReportChargingProfiles "
        "ReservationStatusUpdate SecurityEventNotification SignCertificate StatusNotification TransactionEvent"
    ),
}

# OCPP-J 1.6 table 7 (with its own spelling of Occurence); OCPP-J 2.0.1 table 8.
ERROR_CODES = {
    V16: words(
        "NotImplemented NotSupported InternalError ProtocolError SecurityError FormationViolation "
        "PropertyConstraintViolation OccurenceConstraintViolation TypeConstraintViolation GenericError"
    ),
    V201: words(
        "FormatViolation GenericError InternalError MessageTypeNotSupported NotImplemented NotSupported "
        "OccurrenceConstraintViolation PropertyConstraintViolation ProtocolError RpcFrameworkError SecurityError "
        "TypeConstraintViolation"
    ),
}

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_timestamp(value: object) -> bool:
    """RFC 3339 in UTC, written with Z, to the millisecond at most."""
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", value))


@FORMATS.checks("uri")
def is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", value))


def parse(text: str) -> Any:
    """JSON with decimals for fractions; None where it is no JSON."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return None


@cache
def validator(subprotocol: str, action: str, *, response: bool) -> Validator | None:
    """None for an action that this version does not have."""
    folder = {V16: "v16", V201: "v201"}[subprotocol]
    suffix = "Response" if response else ("Request" if subprotocol == V201 else "")
    path = files("ocpp") / folder / "schemas" / f"{action}{suffix}.json"
    if not path.is_file():
        return None
    schema = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    return validator_for(schema)(schema, format_checker=FORMATS)


def faults(subprotocol: str, action: str, payload: object, *, response: bool) -> list[str]:
    """What the official schema has against this payload, one sentence each."""
    check = validator(subprotocol, action, response=response)
    if check is None:
        return [f"{subprotocol} has no action {action}"]
    return [f"{error.json_path}: {error.message}" for error in check.iter_errors(payload)]
