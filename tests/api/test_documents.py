"""The schema, its page, the landing page and the health report (gateway contract, section 4)."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from ocpplab import health
from ocpplab.api.document import document
from simulator.models import Node
from tests.conftest import ApiClient

pytestmark = pytest.mark.django_db


def test_the_schema_is_complete_and_valid(tmp_path: Any) -> None:
    written = tmp_path / "openapi.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(written))
    assert written.read_text().startswith("openapi: 3.")


def test_the_schema_is_open_and_names_every_command_once(anonymous: ApiClient) -> None:
    answer = anonymous.get("/openapi.json")
    assert answer.status_code == 200
    document = json.loads(answer.content)
    ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert {"start_session", "location_start_session", "inject_fault", "get_logs", "list_chargers"} <= set(ids)
    start = document["paths"]["/chargers/{charger_id}/start-session"]["post"]
    assert {"202", "401", "403", "404", "409", "422", "500"} <= set(start["responses"])


def test_every_parameter_and_every_answer_says_what_it_is() -> None:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            for one in operation.get("parameters", []):
                assert one.get("description"), (method, path, one["name"])
            for status, answer in operation["responses"].items():
                assert answer["description"], (method, path, status)


def test_what_the_query_may_say_needs_no_body() -> None:
    paths = document()["paths"]
    for path in ("/chargers/{charger_id}/inject-fault", "/chargers/{charger_id}/clear-fault"):
        assert "required" not in paths[path]["post"]["requestBody"]
    assert paths["/chargers/{charger_id}/start-session"]["post"]["requestBody"]["required"]


def test_every_operation_on_chargers_stands_below_ocpp_too() -> None:
    paths = document()["paths"]
    spelled = ("get", "create", "update", "delete")  # 0.1.1's other names of what stands there
    wanted = {
        path
        for path in paths
        if path.split("/")[1] in ("catalog", "locations", "chargers", "faults", "runs", "templates", "commands")
        and path.rsplit("/", 1)[-1] not in {f"{name}-chargers" for name in spelled}
    }
    assert {path for path in wanted if f"/ocpp{path}" not in paths} == set()


def test_the_page_to_try_the_api_needs_no_third_party(anonymous: ApiClient) -> None:
    answer = anonymous.get("/docs/api", HTTP_ACCEPT="text/html")
    assert answer.status_code == 200
    assert b"swagger-ui" in answer.content
    assert b"//cdn" not in answer.content
    assert anonymous.get("/docs/swagger").headers["Location"] == "/docs/api"


def test_the_landing_page_links_what_there_is(anonymous: ApiClient) -> None:
    answer = anonymous.get("/", HTTP_ACCEPT="text/html,*/*")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    for link in ("/openapi.json", "/docs", "/docs/api", "/health", "/admin/", "/llms.txt"):
        assert f'href="{link}"'.encode() in answer.content


def node(**fields: Any) -> None:
    now = timezone.now()
    Node.objects.create(**{"id": "n1", "host": "h", "pid": 1, "started_at": now, "seen_at": now, **fields})


def test_health_is_all_strings_and_counts_what_runs(anonymous: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "broker_answers", lambda: True)
    node(metrics={"chargers": 12})
    node(id="n2", seen_at=timezone.now() - health.FRESH, metrics={"chargers": 99})
    answer = anonymous.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
        "simulator": "ok",
        "simulator_nodes": "1",
        "chargers_running": "12",
    }


def test_health_says_what_is_missing(anonymous: ApiClient) -> None:
    shown = anonymous.get("/health").json()
    assert (shown["status"], shown["simulator"], shown["simulator_nodes"]) == ("degraded", "absent", "0")


def test_without_a_database_health_is_503(anonymous: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(Node.objects, "filter", gone)
    answer = anonymous.get("/health")
    assert answer.status_code == 503
    assert answer.json()["database"] == "down"
    assert all(isinstance(value, str) for value in answer.json().values())
