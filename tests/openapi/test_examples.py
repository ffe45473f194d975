"""Every request body that the document shows runs as it stands: only ids and addresses are filled in."""

from typing import Any

import pytest

from chargers.api.examples import CHARGER_ID, CSMS, LOCATION_ID
from ocpplab.api.document import document
from tests.openapi.gateway import Gateway

SHOWN = [
    (method, path, one["value"])
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    for one in operation.get("requestBody", {})
    .get("content", {})
    .get("application/json", {})
    .get("examples", {})
    .values()
    if not path.endswith("/register")  # needs an eMSP
]


def filled(body: Any, gateway: Gateway) -> Any:
    """Identities are made unique, since every example creates its chargers."""
    known = {LOCATION_ID: gateway.ids["location_id"], CHARGER_ID: gateway.ids["charger_id"], CSMS: gateway.house_csms}
    if isinstance(body, dict):
        return {name: unique(name, filled(value, gateway), gateway) for name, value in body.items()}
    if isinstance(body, list):
        return [filled(value, gateway) for value in body]
    return known.get(body, body) if isinstance(body, str) else body


def unique(name: str, value: Any, gateway: Gateway) -> Any:
    return f"{gateway.made}-{value}" if name in ("identity", "identity_prefix") else value


@pytest.mark.parametrize(("method", "path", "body"), SHOWN, ids=lambda word: word if isinstance(word, str) else "")
def test_the_example_runs(method: str, path: str, body: Any, gateway: Gateway) -> None:
    answer = gateway.http.request(method, path.format(**gateway.ids), json=filled(body, gateway))
    assert answer.is_success, answer.text
    failed = answer.json().get("failed", []) if answer.content else []
    assert failed == [], answer.text


def test_every_operation_with_required_fields_has_an_example() -> None:
    """What takes nothing, or nothing that must be there, explains itself."""
    schemas = document()["components"]["schemas"]
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rsplit("/", 1)[-1]
            if schemas.get(name, {}).get("required"):
                assert content.get("examples"), f"{method} {path}"
