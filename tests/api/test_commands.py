"""Commands to one charger and to a location (gateway contract, sections 9, 11, 17, 19)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import ChargerModel
from chargers.models import Charger, ChargerCommand, CommandState, ProvisioningStatus, Runtime
from locations.models import Location
from tenants.models import AuditEntry, Organization
from tenants.scoping import scope
from tests.conftest import ApiClient
from tests.factories import LocationFactory, new_charger

BODIES: dict[str, dict[str, Any]] = {
    "plug-connector": {"connector_id": 1},
    "unplug-connector": {},
    "unlock-connector": {"evse_id": 1},
    "start-transaction": {"id_tag": "TAG"},
    "stop-transaction": {"transaction_id": "42"},
    "start-session": {"id_tag": "TAG", "connector_id": 1, "duration_seconds": 60, "target_energy_kwh": 1.5},
    "stop-session": {},
    "authorize-id-tag": {"id_tag": "TAG"},
    "ev-requests-energy": {},
    "ev-stops-energy": {},
    "power-update": {"power_w": 11000},
    "set-charging-limit": {"limit": 16, "unit": "A", "charging_limit_source": "SO"},
    "clear-charging-limit": {},
    "reset": {"type": "Hard"},
}


@pytest.fixture
def fleet(location: Location) -> str:
    return f"/locations/{location.pk}/chargers"


@pytest.mark.parametrize("name", BODIES)
def test_one_charger_gets_a_queued_row(user_client: ApiClient, charger: Charger, name: str) -> None:
    answer = user_client.post(f"/chargers/{charger.pk}/{name}", BODIES[name])
    assert answer.status_code == 202
    shown = answer.json()
    event_type = name.replace("-", "_")
    assert shown == {
        "id": shown["id"],
        "event_type": event_type,
        "ocpp_version": "ocpp1.6",
        "payload": BODIES[name],
    }
    row = ChargerCommand.objects.unscoped().get(pk=shown["id"])
    assert (row.state, row.shard, row.charger_id) == (CommandState.QUEUED, charger.shard, charger.pk)
    assert row.deadline_at > row.created_at
    assert AuditEntry.objects.filter(verb=f"command {event_type}", object_id=str(charger.pk)).exists()


@pytest.mark.parametrize("name", BODIES)
def test_a_location_fans_out(
    user_client: ApiClient, charger: Charger, charger_201: Charger, fleet: str, name: str
) -> None:
    answer = user_client.post(f"{fleet}/{name}", {**BODIES[name], "charger_ids": None})
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["targeted_count"], shown["queued_count"], shown["failed_count"]) == (2, 2, 0)
    assert shown["failed"] == []
    first, second = shown["results"]
    assert (first["charger_id"], first["identity"]) == (str(charger.pk), "CP-1")
    assert first["command"]["payload"] == BODIES[name]
    assert second["command"]["ocpp_version"] == "ocpp2.0.1"


@pytest.mark.parametrize("name", ["start-session", "stop-session"])
def test_a_session_may_name_its_evse(user_client: ApiClient, charger_201: Charger, name: str) -> None:
    body = {"id_tag": "TAG", "evse_id": 2} if name == "start-session" else {"evse_id": 2}
    assert user_client.post(f"/chargers/{charger_201.pk}/{name}", body).json()["payload"] == body


def test_null_means_absent_and_unknown_fields_are_ignored(user_client: ApiClient, charger: Charger) -> None:
    body = {"evse_id": None, "connector_id": 1, "colour": "red"}
    shown = user_client.post(f"/chargers/{charger.pk}/plug-connector", body).json()
    assert shown["payload"] == {"connector_id": 1}
    assert user_client.post(f"/chargers/{charger.pk}/stop-session").json()["payload"] == {}


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("start-session", {}, "id_tag"),
        ("start-session", {"id_tag": None}, "id_tag"),
        ("start-session", {"id_tag": ""}, "id_tag"),
        ("start-session", {"id_tag": "x" * 37}, "id_tag"),
        ("start-session", {"id_tag": "x" * 21}, "id_tag"),
        ("start-session", {"id_tag": 5}, "id_tag"),
        ("start-session", {"id_tag": "T", "duration_seconds": 0}, "duration_seconds"),
        ("start-session", {"id_tag": "T", "target_energy_kwh": 0}, "target_energy_kwh"),
        ("start-session", {"id_tag": "T", "target_energy_kwh": "1"}, "target_energy_kwh"),
        ("plug-connector", {"connector_id": 0}, "connector_id"),
        ("plug-connector", {"connector_id": "1"}, "connector_id"),
        ("plug-connector", {"connector_id": True}, "connector_id"),
        ("plug-connector", {"connector_id": 1.0}, "connector_id"),
        ("plug-connector", {"evse_id": 10**30}, "evse_id"),
        ("power-update", {}, "power_w"),
        ("power-update", {"power_w": -1}, "power_w"),
        ("set-charging-limit", {"unit": "A"}, "limit"),
        ("set-charging-limit", {"limit": -1, "unit": "A"}, "limit"),
        ("set-charging-limit", {"limit": 16, "unit": "kW"}, "unit"),
        ("set-charging-limit", {"limit": 16, "unit": "A", "charging_limit_source": "CSO"}, "charging_limit_source"),
        ("stop-transaction", {"transaction_id": 42}, "transaction_id"),
        ("reset", {"type": "Medium"}, "type"),
        ("raw-frame", {"base64": "###"}, "base64"),
    ],
)
def test_fields_out_of_bounds_are_422(
    user_client: ApiClient, charger: Charger, name: str, body: dict[str, Any], field: str
) -> None:
    answer = user_client.post(f"/chargers/{charger.pk}/{name}", body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert not ChargerCommand.objects.unscoped().exists()


def test_a_long_tag_is_fine_for_2_0_1_and_fails_1_6_alone(
    user_client: ApiClient, charger: Charger, charger_201: Charger, fleet: str
) -> None:
    body = {"id_tag": "x" * 36}
    assert user_client.post(f"/chargers/{charger_201.pk}/authorize-id-tag", body).status_code == 202
    shown = user_client.post(f"{fleet}/authorize-id-tag", body).json()
    assert (shown["queued_count"], shown["failed_count"]) == (1, 1)
    assert shown["failed"][0]["identity"] == "CP-1"


@pytest.mark.parametrize(
    ("body", "status_16", "status_201"),
    [
        ({"connector_id": 1}, 202, 202),
        ({"connector_id": 2}, 400, 202),  # 2.0.1: a lone connector_id is the EVSE's number
        ({"evse_id": 2}, 400, 202),
        ({"evse_id": 2, "connector_id": 1}, 202, 202),  # 1.6: connector_id decides
        ({"evse_id": 1, "connector_id": 2}, 400, 400),
        ({"evse_id": 3}, 400, 400),
    ],
)
def test_a_connector_the_charger_does_not_have_is_400(
    user_client: ApiClient,
    charger: Charger,
    charger_201: Charger,
    fleet: str,
    body: dict[str, int],
    status_16: int,
    status_201: int,
) -> None:
    assert user_client.post(f"/chargers/{charger.pk}/plug-connector", body).status_code == status_16
    assert user_client.post(f"/chargers/{charger_201.pk}/plug-connector", body).status_code == status_201
    shown = user_client.post(f"{fleet}/plug-connector", body).json()
    assert shown["queued_count"] == [status_16, status_201].count(202)


def test_charger_ids_pick_and_foreign_ones_fail_alone(
    user_client: ApiClient, charger: Charger, charger_201: Charger, fleet: str, tenant: Organization
) -> None:
    with scope(tenant):
        elsewhere = new_charger(LocationFactory(), "ELSEWHERE", charger.model)
    ids = [str(charger_201.pk), str(elsewhere.pk), "nonsense", str(charger_201.pk)]
    shown = user_client.post(f"{fleet}/power-update", {"power_w": 0, "charger_ids": ids}).json()
    assert (shown["targeted_count"], shown["queued_count"], shown["failed_count"]) == (3, 1, 2)
    assert [one["identity"] for one in shown["failed"]] == [None, None]
    assert shown["results"][0]["command"]["payload"] == {"power_w": 0}


@pytest.mark.parametrize("ids", [[], "all", [1], {}])
def test_charger_ids_that_are_no_list_of_ids_are_422(
    user_client: ApiClient, charger: Charger, fleet: str, ids: object
) -> None:
    answer = user_client.post(f"{fleet}/stop-session", {"charger_ids": ids})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", "charger_ids"]


def test_an_empty_location_answers_with_zeros(user_client: ApiClient, fleet: str) -> None:
    answer = user_client.post(f"{fleet}/stop-session", {})
    assert answer.status_code == 202
    expected = {"targeted_count": 0, "queued_count": 0, "failed_count": 0, "results": [], "failed": []}
    assert answer.json() == expected


@pytest.mark.parametrize("state", [{"runtime": Runtime.STOPPED}, {"status": ProvisioningStatus.FAILED}])
def test_a_stopped_charger_is_409_and_fails_alone(
    user_client: ApiClient, charger: Charger, charger_201: Charger, fleet: str, state: dict[str, str]
) -> None:
    Charger.objects.unscoped().filter(pk=charger.pk).update(**state)
    answer = user_client.post(f"/chargers/{charger.pk}/stop-session", {})
    assert answer.status_code == 409
    assert "CP-1" in answer.json()["detail"]
    shown = user_client.post(f"{fleet}/stop-session", {}).json()
    assert (shown["queued_count"], [one["identity"] for one in shown["failed"]]) == (1, ["CP-1"])


def test_an_unknown_command_is_404_json(user_client: ApiClient, charger: Charger) -> None:
    answer = user_client.post(f"/chargers/{charger.pk}/make-coffee", {})
    assert answer.status_code == 404
    assert isinstance(answer.json()["detail"], str)


def queries_of(call: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert call().status_code == 202
    return len(queries)


def test_a_fan_out_costs_the_same_number_of_queries_for_many_as_for_two(
    user_client: ApiClient,
    charger: Charger,
    charger_201: Charger,
    fleet: str,
    model: ChargerModel,
    tenant: Organization,
) -> None:
    def call() -> Any:
        return user_client.post(f"{fleet}/plug-connector", {"connector_id": 1})

    few = queries_of(call)
    with scope(tenant):
        for number in range(20):
            new_charger(charger.location, f"MORE-{number}", model)
    assert queries_of(call) == few


# --- start, stop, restart ---------------------------------------------------------------------------------------------


def test_stop_and_start_note_what_is_wanted(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}"
    stopped = user_client.post(f"{path}/stop-charger", {"key": "value"})
    assert (stopped.status_code, stopped.json()["event_type"]) == (202, "stop_charger")
    assert user_client.get(path).json()["runtime"] == "stopped"
    again = user_client.post(f"{path}/stop-charger")
    row = user_client.get(f"{path}/commands/{again.json()['id']}").json()
    assert (row["state"], row["reason"]) == ("accepted", "It was stopped already.")
    assert user_client.post(f"{path}/reset-charger").status_code == 409
    started = user_client.post(f"{path}/start-charger", {})
    assert user_client.get(path).json()["runtime"] == "running"
    assert user_client.get(f"{path}/commands/{started.json()['id']}").json()["state"] == "queued"
    assert user_client.post(f"{path}/reset-charger", {}).json()["event_type"] == "reset_charger"


def test_a_location_is_stopped_and_started_together(
    user_client: ApiClient, charger: Charger, charger_201: Charger, fleet: str
) -> None:
    user_client.post(f"/chargers/{charger.pk}/stop-charger")
    reset = user_client.post(f"{fleet}/reset-chargers", {}).json()
    assert (reset["queued_count"], [one["identity"] for one in reset["failed"]]) == (1, ["CP-1"])
    assert user_client.post(f"{fleet}/stop-chargers", {}).json()["queued_count"] == 2
    one = user_client.post(f"{fleet}/start-chargers", {"charger_ids": [str(charger.pk)]}).json()
    assert (one["targeted_count"], one["results"][0]["command"]["event_type"]) == (1, "start_charger")
    runtimes = [row["runtime"] for row in user_client.get(fleet).json()["data"]]
    assert runtimes == ["running", "stopped"]


# --- the rows ---------------------------------------------------------------------------------------------------------


def test_commands_are_listed_oldest_first_with_their_fate(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}"
    ids = [user_client.post(f"{path}/{name}", {}).json()["id"] for name in ("plug-connector", "unplug-connector")]
    ChargerCommand.objects.unscoped().filter(pk=ids[0]).update(
        state=CommandState.ACCEPTED, frames=["1-4"], reason="Done."
    )
    page = user_client.get(f"{path}/commands", {"limit": 1}).json()
    assert (page["total"], [row["id"] for row in page["data"]]) == (2, ids[:1])
    row = page["data"][0]
    assert (row["state"], row["frames"], row["reason"]) == ("accepted", ["1-4"], "Done.")
    assert user_client.get(f"{path}/commands/{ids[0]}").json() == row


def test_a_command_is_found_under_its_own_charger_only(
    user_client: ApiClient, stranger_client: ApiClient, charger: Charger, charger_201: Charger
) -> None:
    command_id = user_client.post(f"/chargers/{charger.pk}/plug-connector", {}).json()["id"]
    other = user_client.get(f"/chargers/{charger_201.pk}/commands/{command_id}")
    assert (other.status_code, other.json()) == (404, {"detail": "Command not found."})
    assert stranger_client.get(f"/chargers/{charger.pk}/commands/{command_id}").status_code == 404
