"""Proxy messages (gateway contract, section 13)."""

import json
from typing import Any

import pytest

from chargers.models import Charger, ChargerCommand
from tests.conftest import ApiClient

PAYLOAD = {"charge_point_vendor": "X", "nested": [{"a_b": None}]}


def test_the_three_forms_queue_the_same(user_client: ApiClient, charger: Charger) -> None:
    event = {"action": "boot_notification", "ocpp_version": "ocpp1.6", "payload": PAYLOAD}
    target = {"charger_id": str(charger.pk)}
    one = f"/chargers/{charger.pk}/proxy-message"
    answers = [
        user_client.post(f"{one}?action=boot_notification&ocpp_version=ocpp1.6", {"payload": PAYLOAD}),
        user_client.post(one, event),
        user_client.post(f"/ocpp{one}", event),
        user_client.post("/commands/proxy-message", {"target": target, "event": event}),
        user_client.post("/ocpp/commands/proxy-message", {"target": target, "event": event}),
    ]
    for answer in answers:
        shown = answer.json()
        assert (answer.status_code, shown.pop("id") != "") == (202, True)
        assert shown == {"event_type": "boot_notification", "ocpp_version": "ocpp1.6", "payload": PAYLOAD}
    rows = ChargerCommand.objects.unscoped()
    assert {row.event_type for row in rows} == {"proxy_message"}
    assert all(row.payload == event for row in rows)


@pytest.mark.parametrize(
    ("action", "version", "status"),
    [
        ("transaction_event", "ocpp1.6", 400),
        ("heartbeat", "ocpp2.0.1", 400),
        ("security_event_notification", "ocpp1.6", 202),
        ("make_coffee", "ocpp1.6", 422),
        ("heartbeat", "OCPP1.6", 422),
        ("Heartbeat", "ocpp1.6", 422),
        (None, "ocpp1.6", 422),
    ],
)
def test_an_action_of_another_version_is_400(
    user_client: ApiClient, charger: Charger, action: Any, version: str, status: int
) -> None:
    body = {"action": action, "ocpp_version": version, "payload": {}}
    assert user_client.post(f"/chargers/{charger.pk}/proxy-message", body).status_code == status
    targeted = {"target": {"charger_id": str(charger.pk)}, "event": body}
    assert user_client.post("/commands/proxy-message", targeted).status_code == status


def deep(levels: int) -> dict[str, Any]:
    return {"a": deep(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    "payload", [None, [], "x", 1, {"a": "\0"}, {"\0": 1}, {"a": 10**40}, {"a": [1e999]}, deep(200)]
)
def test_a_payload_that_no_database_takes_is_422(user_client: ApiClient, charger: Charger, payload: Any) -> None:
    body = {"action": "heartbeat", "ocpp_version": "ocpp1.6", "payload": payload}
    path = f"/chargers/{charger.pk}/proxy-message"
    answer = user_client.generic("POST", path, json.dumps(body).replace("Infinity", "1e999"), "application/json")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "payload"]
