"""Frames without what differs from one run to the next, so that two runs of the same test look alike.

Times become `<time>`. Ids that a peer invents become the ordinal of their first appearance (`<transaction 1>`), so
that it still shows when two frames mean the same transaction. Measured values stay, in a wrapper `{"~": 21.5}`: how
far they may differ is for the comparison to say. Energy registers count on from run to run, so they are told from
the first reading of that register in the run on, with the seconds since then: `{"~": 3, "s": 4.1}`.
"""

import json
import re
from datetime import datetime
from math import isfinite
from typing import Any

from chargers.models import Message, RunFrame

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
IDS = {
    "transactionId": "transaction",
    "reservationId": "reservation",
    "remoteStartId": "remote start",
    "requestId": "request",
}
BLANKED = {
    "nonce": "<nonce>",
    "csr": "<certificate>",
    "certificate": "<certificate>",
    "certificateChain": "<certificate>",
    "signedMeterData": "<signature>",
    "chargePointSerialNumber": "<serial number>",
    "chargeBoxSerialNumber": "<serial number>",
    "meterSerialNumber": "<serial number>",
    "serialNumber": "<serial number>",
}
COUNTED = {"seqNo": "<number>"}  # it counts periodic values too, so it says how long a session was
REGISTERS = {"meterStart", "meterStop"}
MEASURED = {"timeSpentCharging"}
REGISTER = "Energy.Active.Import.Register"  # what a sampled value is that names no measurand
KILO = {"kWh": 1000.0}
MEASURE, SPAN = "~", "s"
LARGEST = 2**63
Outlet = Any  # a connector's or EVSE's number, or what could not be found


def measured(value: float, span: float | None = None) -> dict[str, float]:
    """`span` for what grows with time: in how many seconds it came to that."""
    return {MEASURE: round(value, 6)} | ({} if span is None else {SPAN: round(span, 3)})


class Normalizer:
    """The frames of one charger in wire order; what a frame means may depend on those before it."""

    def __init__(self, identity: str, started_at: datetime) -> None:
        self.identity = identity
        self.started_at = started_at
        self._at = started_at  # of the frame being read
        self._injected = False
        self._ordinals: dict[str, dict[Any, str]] = {}
        self._first_readings: dict[tuple[Any, ...], tuple[float, datetime]] = {}
        self._starting: dict[str, Outlet] = {}  # by message id: 1.6 learns the transaction's id from the answer
        self._outlets: dict[str, Outlet] = {}  # by transaction id

    def frame(self, message: Message) -> RunFrame:
        offset = message.at - self.started_at
        try:
            payload = self.payload(message)
        except RecursionError:  # nested deeper than any OCPP message
            payload = {"text": _plain(message.text)}
        return RunFrame(
            message.entry_id,
            int(offset.total_seconds() * 1000),
            message.direction,
            message.message_type,
            message.action,
            payload,
        )

    def payload(self, message: Message) -> Any:
        """What cannot be read as a frame is `{"text": ...}`."""
        body = _body(message)
        if not isinstance(body, dict):
            return {"text": _plain(message.text)} if body is None else self._value("", body, None)
        outlet = self._outlet(message, body)
        self._at, self._injected = message.at, message.injected
        if message.action == "ReserveNow" and "id" in body:  # 2.0.1 has no other name for it there
            body = {**body, "id": self._ordinal("reservation", body["id"])}
        return self._object(body, outlet)

    def _outlet(self, message: Message, body: dict[str, Any]) -> Outlet:
        """Whose register a reading is; remembered by transaction, since later messages name only that."""
        evse = body.get("evse")
        outlet = body.get("connectorId", body.get("evseId", evse.get("id") if isinstance(evse, dict) else None))
        if message.action == "StartTransaction" and message.message_type == "CALL":
            self._starting[message.message_id] = outlet
        elif message.action == "StartTransaction":
            outlet = self._starting.pop(message.message_id, None)
        info = body.get("transactionInfo")
        transaction = str(info.get("transactionId") if isinstance(info, dict) else body.get("transactionId"))
        if outlet is None:
            return self._outlets.get(transaction)
        self._outlets[transaction] = outlet
        return outlet

    def _object(self, body: dict[str, Any], outlet: Outlet) -> dict[str, Any]:
        return {_plain(key): self._value(key, value, outlet) for key, value in body.items()}

    def _value(self, key: str, value: Any, outlet: Outlet) -> Any:
        if key in IDS and isinstance(value, int | str):
            return self._ordinal(IDS[key], value)
        if key in BLANKED:
            return BLANKED[key]
        if key in REGISTERS and _is_number(value):
            return measured(*self._since_first((outlet, None, None), value))
        if key in MEASURED and _is_number(value):
            return measured(value, value)
        if key in COUNTED:
            return COUNTED[key]
        if key == "sampledValue" and isinstance(value, list):
            return [self._sample(one, outlet) if isinstance(one, dict) else one for one in value]
        if isinstance(value, dict):
            return self._object(value, outlet)
        if isinstance(value, list):
            return [self._value("", one, outlet) for one in value]
        return self._text(value) if isinstance(value, str) else _storable(value)

    def _text(self, value: str) -> str:
        if TIME.fullmatch(value):
            return "<time>"
        return "<identity>" if value == self.identity else _plain(value)

    def _ordinal(self, kind: str, value: int | str) -> str:
        known = self._ordinals.setdefault(kind, {})
        return known.setdefault(str(value), f"<{kind} {len(known) + 1}>")

    def _sample(self, sample: dict[str, Any], outlet: Outlet) -> dict[str, Any]:
        """1.6 writes the value as text, 2.0.1 as a number with a multiplier."""
        shown = self._object({key: value for key, value in sample.items() if key != "value"}, outlet)
        try:
            value = float(sample.get("value", ""))
            if not abs(value) < LARGEST:
                raise ValueError(value)
        except (TypeError, ValueError, OverflowError):
            return {**shown, "value": self._value("", sample.get("value"), outlet)}
        if sample.get("measurand", REGISTER) == REGISTER:
            scale = _scale(sample)
            register = (
                outlet,
                sample.get("phase"),
                None if sample.get("location") == "Outlet" else sample.get("location"),
            )
            watt_hours, span = self._since_first(register, value * scale)
            return {**shown, "value": measured(watt_hours / scale, span)}
        return {**shown, "value": measured(value)}

    def _since_first(self, register: tuple[Any, ...], watt_hours: float) -> tuple[float, float | None]:
        """(Wh, seconds). What a user has worded did not grow with time."""
        first, at = self._first_readings.setdefault(register, (watt_hours, self._at))
        return watt_hours - first, None if self._injected else (self._at - at).total_seconds()


def _body(message: Message) -> Any:
    """The payload of a call or result, an error's parts under their names; None where there is none."""
    try:
        frame = json.loads(message.text)
        if message.message_type == "CALL":
            return frame[3]
        if message.message_type == "CALLRESULT":
            return frame[2]
        if message.message_type == "CALLERROR":
            return {"errorCode": frame[2], "errorDescription": frame[3], "errorDetails": frame[4]}
    except (ValueError, LookupError, TypeError):
        pass
    return None


def _scale(sample: dict[str, Any]) -> float:
    """Wh in one of the sample's units."""
    unit = sample.get("unitOfMeasure")
    if not isinstance(unit, dict):
        return KILO.get(str(sample.get("unit", "Wh")), 1.0)
    multiplier = unit.get("multiplier", 0)
    power = multiplier if isinstance(multiplier, int) and -12 <= multiplier <= 12 else 0
    return KILO.get(str(unit.get("unit", "Wh")), 1.0) * 10.0**power


def _plain(text: str) -> str:
    """Lone surrogates, which JSON may escape but nobody can store, are spelled out."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _storable(value: Any) -> Any:
    """Numbers out of this world as text."""
    if isinstance(value, int | float) and not (isfinite(value) and abs(value) < LARGEST):
        return str(value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
