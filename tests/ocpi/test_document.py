"""The peer surface's own OpenAPI document."""

import json
import re
from typing import Any

from django.test import Client
from django.urls import resolve

from ocpi.peer.urls import nowhere
from ocpi.peer.views import UnknownPath


def document(client: Client) -> Any:
    answer = client.get("/ocpi/peer/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    return json.loads(answer.content)


def test_every_reference_leads_somewhere_and_every_operation_has_a_name(client: Client) -> None:
    shown = document(client)
    text = json.dumps(shown)
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert references <= set(shown["components"]["schemas"])
    names = [one["operationId"] for item in shown["paths"].values() for key, one in item.items() if key != "parameters"]
    assert len(names) == len(set(names)) > 60


def test_every_path_is_served(client: Client) -> None:
    values = {"cpo_id": "1", "command": "START_SESSION"}
    for path in document(client)["paths"]:
        filled = re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "X1"), path)
        view = resolve(filled).func
        assert view is not nowhere, path
        assert getattr(view, "view_class", None) is not UnknownPath, path


def test_each_version_has_its_own_words(client: Client) -> None:
    schemas = document(client)["components"]["schemas"]
    assert "auth_id" in schemas["Token211"]["properties"]
    assert "auth_id" not in schemas["Token221"]["properties"]
    assert "help_phone" in schemas["Location230"]["properties"]
    assert "help_phone" not in schemas["Location221"]["properties"]
    assert schemas["CDR221"]["properties"]["total_cost"] == {"$ref": "#/components/schemas/Price221"}
