"""What generated requests may name: things that are there, and no CSMS but one on this machine.

Knows nothing of Django: the schemathesis program loads it too.
"""

import copy
from typing import Any

from schemathesis import HookContext

from tests.openapi.gateway import NOBODY

KNOWN: dict[str, str] = {}  # parameter -> the id of something that stands; filled before each operation


def spoken(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the organization's header: with it, a user token's every answer would be 403."""
    copied = copy.deepcopy(document)
    for methods in copied["paths"].values():
        for operation in methods.values():
            shown = operation.get("parameters", [])
            operation["parameters"] = [one for one in shown if one["name"] != "X-Organization-Id"]
    return copied


def named(name: str, value: Any) -> Any:
    """Two in three of the generated ids become one that stands: else nearly every answer would be 404."""
    return KNOWN[name] if name in KNOWN and len(str(value)) % 3 else value


def map_path_parameters(context: HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    return {name: named(name, value) for name, value in (path_parameters or {}).items()} or path_parameters


def map_query(context: HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """A follower goes away at once: else its answer would never end."""
    if context.operation is None or not context.operation.path.endswith("/follow"):
        return query
    return {**(query or {}), "seconds": 0}


def map_body(context: HookContext, body: Any) -> Any:
    return at_home(body)


def at_home(value: Any) -> Any:
    """The body with every `ws_url` that could be one on the loopback interface, and known ids in place of some."""
    if isinstance(value, list):
        return [at_home(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: NOBODY if leads_away(name, item) else at_home(named(name, item)) for name, item in value.items()}


def leads_away(name: str, item: Any) -> bool:
    is_address = name in ("ws_url", "versions_url") and isinstance(item, str)
    return is_address and (item.lower().startswith(("ws", "http")) or len(item) % 2 == 0)
