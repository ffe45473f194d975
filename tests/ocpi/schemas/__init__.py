"""OCPI's objects as strict JSON Schemas, independent of the product.

`<version>.txt` holds the classes and enumerations of a version's specification: each member with its type and
cardinality (1, ?, *, +), as the tables of that document have them. Nothing that is not named there may appear.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

HERE = Path(__file__).parent
VERSIONS = ("2.1.1", "2.2.1", "2.3.0")
MOMENT = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z$"
PLAIN: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"},
    "int": {"type": "integer"},
    "number": {"type": "number", "multipleOf": 0.0001},
    "DateTime": {"type": "string", "pattern": MOMENT},
    "URL": {"type": "string", "maxLength": 255, "pattern": r"^https?://[^\s]+$"},
    "latitude": {"type": "string", "pattern": r"^-?[0-9]{1,2}\.[0-9]{5,7}$"},
    "longitude": {"type": "string", "pattern": r"^-?[0-9]{1,3}\.[0-9]{5,7}$"},
    "clock": {"type": "string", "pattern": r"^([0-1][0-9]|2[0-3]):[0-5][0-9]$"},
    "date": {"type": "string", "pattern": r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
    "weekday": {"type": "integer", "minimum": 1, "maximum": 7},
}
TEXT = re.compile(r"(CiString|string|String)\((\d+)\)")


@cache
def definitions(version: str) -> dict[str, dict[str, Any]]:
    """Every class and enumeration of the version by name."""
    found: dict[str, dict[str, Any]] = {}
    for block in (HERE / f"{version}.txt").read_text().strip().split("\n\n"):
        head, *members = block.split("\n")
        if " = " in head:
            name, words = head.split(" = ")
            found[name] = {"enum": words.split()}
        else:
            found[head] = _class([member.split() for member in members])
    return found


def _class(members: list[list[str]]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, _, cardinality in members if cardinality in "1+"],
        "properties": {name: _member(kind, cardinality) for name, kind, cardinality in members},
    }


def _member(kind: str, cardinality: str) -> dict[str, Any]:
    if cardinality in "1?":
        return _type(kind)
    return {"type": "array", "items": _type(kind), "minItems": 1 if cardinality == "+" else 0}


def _type(kind: str) -> dict[str, Any]:
    if kind in PLAIN:
        return PLAIN[kind]
    if text := TEXT.fullmatch(kind):
        pattern = r"^[\x20-\x7e]+$" if text[1] == "CiString" else r"^[^\x00-\x1f\x7f]*$"
        return {"type": "string", "maxLength": int(text[2]), "pattern": pattern}
    return {"$ref": f"#/$defs/{kind}"}


@cache
def validator(version: str, name: str) -> Any:
    schema = {"$ref": f"#/$defs/{name}", "$defs": definitions(version)}
    return jsonschema_rs.validator_for(schema)


def problems(version: str, name: str, value: Any) -> list[str]:
    """What the specification objects to, with the path of each."""
    return list(_told(validator(version, name).iter_errors(value)))


def _told(errors: Any) -> Iterator[str]:
    for error in errors:
        yield f"{'/'.join(map(str, error.instance_path))}: {error.message}"
