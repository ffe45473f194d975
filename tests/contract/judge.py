"""The official schemas, read by the tests themselves: what a CSMS holds every frame of a station against."""

import json
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

FOLDERS = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request")}


def judge(subprotocol: str, text: str, answered: str = "") -> None:
    """Raises jsonschema's ValidationError for a CALL or a RESULT that its schema forbids.

    `answered`: the action of the call that a RESULT belongs to; without it nothing is known of its payload.
    """
    body = _exact(text)
    if body[0] == 2:
        _validator(subprotocol, body[2], is_response=False).validate(body[3])
    elif body[0] == 3 and answered:
        _validator(subprotocol, answered, is_response=True).validate(body[2])


@cache
def _validator(subprotocol: str, action: str, *, is_response: bool) -> Validator:
    version, suffix = FOLDERS[subprotocol]
    name = f"{action}{'Response' if is_response else suffix}.json"
    schema = _exact((files("ocpp") / version / "schemas" / name).read_text(encoding="utf-8-sig"))
    kind = jsonschema.validators.validator_for(schema)
    return kind(schema)


def _exact(text: str) -> Any:
    """JSON with decimals: 1.6's `multipleOf: 0.1` is meant of the digits on the wire, not of binary fractions."""
    return json.loads(text, parse_float=Decimal)
