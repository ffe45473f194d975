"""The official JSON schemas of each OCPP version, compiled once on first use and shared by all stations."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import jsonschema_rs

from simulator.core.errors import Kind

FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201"}
REQUEST_SUFFIX = {"ocpp1.6": "", "ocpp2.0.1": "Request"}

# What a failed schema keyword means in the terms of the behaviour contract, section 1.5.
KINDS = {
    "Required": Kind.MISSING,
    "AdditionalProperties": Kind.FORMAT,
    "Type": Kind.TYPE,
    "MinItems": Kind.COUNT,
    "MaxItems": Kind.COUNT,
}
ROUNDING = 1e-6


class Validator(Protocol):
    def iter_errors(self, instance: Any) -> Any: ...

    def is_valid(self, instance: Any) -> bool: ...


class Violation(Exception):
    """The first schema violation found: its kind and a sentence with the path."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@cache
def _names(subprotocol: str) -> frozenset[str]:
    """File names of a version's schemas. Looked up before anything is cached: a peer may send any action name."""
    return frozenset(entry.name for entry in (files("ocpp") / FOLDERS[subprotocol] / "schemas").iterdir())


def validator(subprotocol: str, action: str, direction: str) -> Validator | None:
    """The compiled schema of an action's `request` or `response`; None where the version has no such action."""
    if direction == "request" and action.endswith("Response"):
        return None  # 1.6 names a request's file after the action alone: no action ends like this
    suffix = "Response" if direction == "response" else REQUEST_SUFFIX[subprotocol]
    name = f"{action}{suffix}.json"
    return _compiled(subprotocol, name) if name in _names(subprotocol) else None


@cache
def _compiled(subprotocol: str, name: str) -> Validator:
    text = (files("ocpp") / FOLDERS[subprotocol] / "schemas" / name).read_text(encoding="utf-8-sig")
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def errors(subprotocol: str, action: str, direction: str, payload: Any) -> list[Any]:
    """What the official schema holds against the payload; unknown actions have no schema to break."""
    compiled = validator(subprotocol, action, direction)
    if compiled is None or compiled.is_valid(payload):
        return []
    return [one for one in compiled.iter_errors(payload) if not _is_rounding(one)]


def violation(subprotocol: str, action: str, direction: str, payload: Any) -> Violation | None:
    """The first violation of the official schema, or None; unknown actions have no violations."""
    return first(errors(subprotocol, action, direction, payload))


def first(found: Iterable[Any]) -> Violation | None:
    """The first of what `errors` gives, told in a sentence."""
    error = next(iter(found), None)
    if error is None:
        return None
    where = ".".join(str(part) for part in error.instance_path) or "payload"
    kind = KINDS.get(type(error.kind).__name__, Kind.PROPERTY)
    return Violation(kind, f"{where}: {error.message}"[:255])


def spelling(subprotocol: str, action: str) -> str:
    """How the version spells an action that differs in case only; empty when there is none."""
    suffix = REQUEST_SUFFIX[subprotocol]
    names = (name.removesuffix(".json") for name in _names(subprotocol) if not name.endswith("Response.json"))
    return next((name.removesuffix(suffix) for name in names if name.lower() == f"{action}{suffix}".lower()), "")


def _is_rounding(error: Any) -> bool:
    """1.6 wants limits in tenths (`multipleOf: 0.1`), which a CSMS's binary arithmetic may miss by a hair."""
    if type(error.kind).__name__ != "MultipleOf" or not isinstance(error.instance, float):
        return False
    tenths = error.instance * 10
    return abs(tenths - round(tenths)) < ROUNDING
