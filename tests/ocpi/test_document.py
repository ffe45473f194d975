"""The peer surface's own OpenAPI document."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client
from django.urls import resolve

from ocpi.peer.urls import nowhere
from ocpi.peer.views import UnknownPath
from tenants.models import Organization
from tenants.scoping import scope
from tests.ocpi import bundle
from tests.ocpi.conftest import Visitor
from tests.ocpi.emsp import Emsp
from tests.ocpi.schemas import VERSIONS


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


@pytest.mark.parametrize("version", VERSIONS)
def test_real_answers_are_what_the_document_says(
    tenant: Organization, register: Callable[..., Visitor], client: Client, version: str
) -> None:
    shown = document(client)
    with scope(tenant):
        cpo = bundle.new_cpo(versions=version)
        visitor = register(cpo, version)
        bundle.new_session(cpo, visitor.peer)
        bundle.new_cdr(cpo, visitor.peer)
    with Emsp(version) as emsp:
        visitor.call("PUT", "/tokens/NL/EMS/CARD", emsp.new_token("CARD"))
    paths = ("", "/credentials", "/locations", "/locations/LOC1/E1/1", "/tariffs", "/sessions", "/cdrs")
    for path in (*paths, "/tokens/NL/EMS/CARD", "/nothing"):
        answer = visitor.get(path)
        template = next((one for one in shown["paths"] if fits(one, f"/ocpi/peer/1/{version}{path}")), None)
        responses = shown["paths"][template or "/ocpi/peer/{cpo_id}/versions"]["get"]["responses"]
        schema = responses[str(answer.http)]["content"]["application/json"]["schema"]
        judge = jsonschema_rs.validator_for({**schema, "components": shown["components"]})
        assert [one.message for one in judge.iter_errors(answer.body)] == [], path


def fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


def test_each_version_has_its_own_words(client: Client) -> None:
    schemas = document(client)["components"]["schemas"]
    assert "auth_id" in schemas["Token211"]["properties"]
    assert "auth_id" not in schemas["Token221"]["properties"]
    assert "help_phone" in schemas["Location230"]["properties"]
    assert "help_phone" not in schemas["Location221"]["properties"]
    assert schemas["CDR221"]["properties"]["total_cost"] == {"$ref": "#/components/schemas/Price221"}
