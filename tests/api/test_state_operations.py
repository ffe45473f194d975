"""Operations that wait for the station: configuration, cache, local list, faults (gateway contract, 10, 12, 17)."""

from typing import Any

import pytest

from chargers.models import Charger, ChargerCommand, CommandState, Runtime, StationState
from chargers.services import waiting
from tests.api.node import StandIn
from tests.conftest import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)
ENTRIES = [{"id_tag": "A", "expiry_date": "2030-01-01T00:00:00+02:00"}, {"id_tag": "B", "parent_id_tag": "P"}]


def accepted(**result: Any) -> Any:
    return lambda command: ("accepted", "", result)


CHANGED = {
    "status": "Accepted",
    "configured": ["HeartbeatInterval"],
    "results": {"HeartbeatInterval": "Accepted"},
    "msg": "1 key set.",
}


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("configuration", {"HeartbeatInterval": "60"}),
        ("update-configuration", {"HeartbeatInterval": "60"}),
        ("update-configuration", {"configuration": {"HeartbeatInterval": "60"}}),
    ],
)
def test_configuration_is_set_in_either_spelling(
    user_client: ApiClient, charger: Charger, route: str, body: dict[str, Any]
) -> None:
    with StandIn(accepted(**CHANGED)) as node:
        answer = user_client.post(f"/chargers/{charger.pk}/{route}", body)
    assert (answer.status_code, answer.json()) == (200, CHANGED)
    assert node.seen == [("update_configuration", {"configuration": {"HeartbeatInterval": "60"}})]


def test_a_rejected_change_still_has_its_shape(user_client: ApiClient, charger: Charger) -> None:
    refused = {"status": "Rejected", "configured": [], "results": {"X": "Unknown"}, "msg": "Nothing was set."}
    with StandIn(lambda command: ("rejected", "no such key", refused)):
        answer = user_client.post(f"/chargers/{charger.pk}/configuration", {"X": "1"})
    assert (answer.status_code, answer.json()) == (200, refused)


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ["body"]),
        ([], ["body"]),
        ({"configuration": {}}, ["body", "configuration"]),
        ({"A": 1}, ["body", "A"]),
        ({"A": None}, ["body", "A"]),
        ({"A": "nul\0"}, ["body", "A"]),
        ({"configuration": {"A": True}}, ["body", "configuration", "A"]),
        ({"configuration": "A=1"}, None),
        ({"x" * 121: "1"}, ["body", "x" * 121]),
    ],
)
def test_a_configuration_that_is_no_map_of_strings_is_422(
    user_client: ApiClient, charger: Charger, body: Any, loc: list[str] | None
) -> None:
    with StandIn(accepted(**CHANGED)):
        answer = user_client.post(f"/chargers/{charger.pk}/configuration", body)
    if loc is None:  # a key named `configuration` with a string is a flat map
        assert answer.status_code == 200
    else:
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == loc


@pytest.mark.parametrize("route", ["local-auth-list", "set-local-auth-list"])
def test_a_local_list_is_sent_as_it_was_given(user_client: ApiClient, charger: Charger, route: str) -> None:
    result = {"status": "Accepted", "list_version": 3, "entries_received": 2}
    with StandIn(accepted(**result)) as node:
        answer = user_client.post(f"/chargers/{charger.pk}/{route}", {"list_version": 3, "entries": ENTRIES})
    assert (answer.status_code, answer.json()) == (200, result)
    event_type, payload = node.seen[0]
    assert (event_type, payload["list_version"]) == ("set_local_auth_list", 3)
    assert payload["entries"] == [
        {"id_tag": "A", "expiry_date": "2029-12-31T22:00:00.000000Z"},
        {"id_tag": "B", "parent_id_tag": "P"},
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"entries": []},
        {"list_version": "2", "entries": []},
        {"list_version": 1},
        {"list_version": 1, "entries": [{}]},
        {"list_version": 1, "entries": [{"id_tag": "A", "expiry_date": "2030-01-01T00:00:00"}]},
        {"list_version": 1, "entries": [{"id_tag": "A"}] * 1001},
    ],
)
def test_a_local_list_out_of_bounds_is_422(user_client: ApiClient, charger: Charger, body: dict[str, Any]) -> None:
    assert user_client.post(f"/chargers/{charger.pk}/local-auth-list", body).status_code == 422


def test_a_version_that_is_not_greater_is_the_stations_to_refuse(user_client: ApiClient, charger: Charger) -> None:
    mismatch = {"status": "VersionMismatch", "list_version": 0, "entries_received": 0}
    with StandIn(accepted(**mismatch)) as node:
        answers = [
            user_client.post(f"/chargers/{charger.pk}/local-auth-list", {"list_version": version, "entries": []})
            for version in (0, -1)
        ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, mismatch)] * 2
    assert [payload["list_version"] for _, payload in node.seen] == [0, -1]


def test_a_tag_in_a_list_is_no_longer_than_the_version_allows(
    user_client: ApiClient, charger: Charger, charger_201: Charger
) -> None:
    event = {"list_version": 1, "entries": [{"id_tag": "A"}, {"id_tag": "x" * 21, "parent_id_tag": "y" * 21}]}
    wrong = [["entries", 1, "id_tag"], ["entries", 1, "parent_id_tag"]]
    refused = user_client.post(f"/chargers/{charger.pk}/local-auth-list", event)
    assert refused.status_code == 422
    assert [item["loc"] for item in refused.json()["detail"]] == [["body", *loc] for loc in wrong]
    body = {"target": {"charger_id": str(charger.pk)}, "event": event}
    targeted = user_client.post("/ocpp/commands/local-auth-list", body)
    assert [item["loc"] for item in targeted.json()["detail"]] == [["body", "event", *loc] for loc in wrong]
    with StandIn(accepted(status="Accepted", list_version=1, entries_received=2)):
        assert user_client.post(f"/chargers/{charger_201.pk}/local-auth-list", event).status_code == 200
        several = user_client.post(f"/locations/{charger.location_id}/chargers/set-local-auth-list", event).json()
    assert [one["identity"] for one in several["failed"]] == ["CP-1"]


def test_the_list_is_cleared_and_the_cache_reset(user_client: ApiClient, charger: Charger) -> None:
    with StandIn(accepted(entries_deleted=2)):
        cleared = user_client.delete(f"/chargers/{charger.pk}/local-auth-list")
    assert (cleared.status_code, cleared.json()["entries_deleted"]) == (200, 2)
    assert cleared.json()["msg"]
    with StandIn(accepted(cleared_entries=7)):
        reset = user_client.post(f"/chargers/{charger.pk}/cache/reset")
    assert (reset.status_code, reset.json()["cleared_entries"]) == (200, 7)
    assert reset.json()["msg"]


FAULTED = {"msg": "Done.", "fault_type": "OverCurrentFailure", "evse_id": 1, "connector_id": 1, "status": "Faulted"}


def test_a_fault_comes_by_query_or_by_body(user_client: ApiClient, charger: Charger) -> None:
    path = f"/chargers/{charger.pk}/inject-fault"
    with StandIn(accepted(**FAULTED)) as node:
        by_query = user_client.post(f"{path}?fault_type=OverCurrent&connector_id=1")
        by_body = user_client.post(path, {"fault_type": "OverCurrent", "connector_id": 1})
    assert by_query.status_code == 200
    assert by_query.json() == by_body.json() == {**FAULTED, "fault_type": "OverCurrent"}
    assert node.seen == [("inject_fault", {"fault_type": "OverCurrent", "connector_id": 1})] * 2


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        ("", ["body", "fault_type"]),
        ("?connector_id=1", ["body", "fault_type"]),
        ("?fault_type=", ["query", "fault_type"]),
        ("?fault_type=X&duration_seconds=0", ["query", "duration_seconds"]),
        ("?fault_type=X&severity=bad", ["query", "severity"]),
        ("?fault_type=X&connector_id=x", ["query", "connector_id"]),
        ('?fault_type=slow-responses&parameters={"delay_ms":-1}', ["query", "parameters", "delay_ms"]),
    ],
)
def test_a_fault_that_fails_validation_is_422_and_says_where(
    user_client: ApiClient, charger: Charger, query: str, loc: list[str]
) -> None:
    answer = user_client.post(f"/chargers/{charger.pk}/inject-fault{query}")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)


def test_a_fault_needs_a_connector_that_exists(user_client: ApiClient, charger: Charger) -> None:
    answer = user_client.post(f"/chargers/{charger.pk}/inject-fault?fault_type=X&connector_id=9")
    assert answer.status_code == 400


def test_a_fault_may_be_the_stations_and_one_of_several_may_be_cleared(
    user_client: ApiClient, charger: Charger
) -> None:
    path = f"/chargers/{charger.pk}"
    with StandIn(accepted(**FAULTED)) as node:
        injected = user_client.post(f"{path}/inject-fault", {"fault_type": "OverCurrent", "connector_id": 0})
        cleared = user_client.post(f"{path}/clear-fault", {"fault_type": "OverCurrent"})
    assert (injected.status_code, cleared.status_code) == (200, 200)
    assert node.seen == [
        ("inject_fault", {"fault_type": "OverCurrent", "connector_id": 0}),
        ("clear_fault", {"fault_type": "OverCurrent"}),
    ]
    odd = {"fault_type": "OverCurrent", "connector_id": 0, "evse_id": 1}
    assert user_client.post(f"{path}/inject-fault", odd).status_code == 400


def test_location_forms_answer_item_by_item(user_client: ApiClient, charger: Charger, charger_201: Charger) -> None:
    Charger.objects.unscoped().filter(pk=charger_201.pk).update(runtime=Runtime.STOPPED)
    fleet = f"/locations/{charger.location_id}/chargers"
    with StandIn(accepted(**FAULTED)):
        faults = user_client.post(f"{fleet}/inject-fault", {"fault_type": "OverCurrentFailure"}).json()
        cleared = user_client.post(f"{fleet}/clear-fault", {}).json()
    with StandIn(accepted(**CHANGED)) as node:
        changed = user_client.post(
            f"{fleet}/update-configuration", {"HeartbeatInterval": "60", "charger_ids": [str(charger.pk)]}
        ).json()
    assert (faults["targeted_count"], faults["succeeded_count"], faults["failed_count"]) == (2, 1, 1)
    assert faults["results"] == [{"charger_id": str(charger.pk), "identity": "CP-1", "fault": FAULTED}]
    assert faults["failed"][0]["identity"] == "CS-1"
    assert cleared["succeeded_count"] == 1
    assert changed["results"] == [{"charger_id": str(charger.pk), "identity": "CP-1", "result": CHANGED}]
    assert node.seen == [("update_configuration", {"configuration": {"HeartbeatInterval": "60"}})]


@pytest.mark.parametrize(
    ("method", "route", "body"),
    [
        ("post", "configuration", {"A": "1"}),
        ("post", "local-auth-list", {"list_version": 1, "entries": []}),
        ("delete", "local-auth-list", None),
        ("post", "cache/reset", None),
        ("post", "clear-fault", None),
    ],
)
def test_a_stopped_charger_is_409(
    user_client: ApiClient, charger: Charger, method: str, route: str, body: dict[str, Any] | None
) -> None:
    Charger.objects.unscoped().filter(pk=charger.pk).update(runtime=Runtime.STOPPED)
    assert getattr(user_client, method)(f"/chargers/{charger.pk}/{route}", body).status_code == 409


def test_without_an_answer_in_time_it_is_503_and_nothing_is_done_later(
    user_client: ApiClient, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LONGEST_WAIT", 0.1)
    answer = user_client.post(f"/chargers/{charger.pk}/cache/reset")
    assert answer.status_code == 503
    assert isinstance(answer.json()["detail"], str)
    row = ChargerCommand.objects.unscoped().get()
    assert (row.state, bool(row.reason)) == (CommandState.TIMED_OUT, True)


def test_an_answer_counts_although_the_csms_has_not_replied_yet(user_client: ApiClient, charger: Charger) -> None:
    with StandIn(lambda command: ("sent", "", FAULTED)):
        answer = user_client.post(f"/chargers/{charger.pk}/inject-fault", {"fault_type": "OverCurrentFailure"})
    assert (answer.status_code, answer.json()) == (200, FAULTED)
    assert ChargerCommand.objects.unscoped().get().state == CommandState.SENT


def test_too_many_waiters_are_503_and_leave_no_row(
    user_client: ApiClient, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [waiting.Place() for _ in range(waiting.MOST_WAITERS)]
    for place in places:
        place.__enter__()
    try:
        answer = user_client.post(f"/chargers/{charger.pk}/cache/reset")
    finally:
        for place in places:
            place.__exit__()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert not ChargerCommand.objects.unscoped().exists()


@pytest.mark.parametrize(("state", "status"), [("rejected", 400), ("failed", 409), ("timed_out", 503)])
def test_what_the_station_could_not_do_is_said_with_its_reason(
    user_client: ApiClient, charger: Charger, state: str, status: int
) -> None:
    with StandIn(lambda command: (state, "The reason.", None)):
        answer = user_client.post(f"/chargers/{charger.pk}/cache/reset")
    assert (answer.status_code, answer.json()) == (status, {"detail": "The reason."})


# --- reading, without asking the machine ------------------------------------------------------------------------------


def test_configuration_is_read_from_the_saved_state(user_client: ApiClient, charger: Charger) -> None:
    StationState.objects.filter(charger=charger).update(memory={"configuration": {"HeartbeatInterval": "77"}})
    path = f"/chargers/{charger.pk}/configuration"
    asked = user_client.get(path, {"keys": "HeartbeatInterval, NumberOfConnectors,Nonsense"}).json()
    assert asked["configuration"] == [
        {"key": "HeartbeatInterval", "value": "77", "readonly": False},
        {"key": "NumberOfConnectors", "value": "1", "readonly": True},
    ]
    assert len(user_client.get(path).json()["configuration"]) > 20


def test_the_local_list_is_read_page_by_page(user_client: ApiClient, charger: Charger) -> None:
    entries = {
        f"T{n}": {"token": f"T{n}", "info": {"expires_at": None, "parent": "P" if n else None}} for n in range(3)
    }
    StationState.objects.filter(charger=charger).update(memory={"local_list": {"version": 4, "entries": entries}})
    page = user_client.get(f"/chargers/{charger.pk}/local-auth-list", {"page": 2, "limit": 2}).json()
    assert (page["total"], page["page"], page["limit"], page["list_version"]) == (3, 2, 2, 4)
    assert page["data"] == [{"id_tag": "T2", "expiry_date": None, "parent_id_tag": "P"}]


def test_the_state_shows_outlets_before_the_first_start_and_the_picture_after(
    user_client: ApiClient, charger: Charger
) -> None:
    path = f"/chargers/{charger.pk}/state"
    before = user_client.get(path).json()
    assert before["connectors"][0]["status"] == "Available"
    assert before["connection_status"] == "connecting"
    picture = {"connectors": [{"evse_id": 1, "cable": "plugged"}], "queue_length": 2}
    StationState.objects.filter(charger=charger).update(picture=picture)
    after = user_client.get(path).json()
    assert picture.items() <= after.items()
    assert after["identity"] == "CP-1"


def test_a_stopped_charger_shows_no_power_and_no_connection_but_its_cable_and_transaction(
    user_client: ApiClient, charger: Charger
) -> None:
    lasting = {"evse_id": 1, "cable": "plugged", "energy_wh": 1200, "transaction": {"transaction_id": "7"}}
    charging = {**lasting, "status": "Charging", "power_w": 7400, "offered_w": 7400}
    picture = {"connection": "connected", "registration": "Accepted", "connectors": [charging]}
    StationState.objects.filter(charger=charger).update(picture=picture)
    Charger.objects.unscoped().update(runtime=Runtime.STOPPED, connection_status="stopped")
    state = user_client.get(f"/chargers/{charger.pk}/state").json()
    assert (state["connection"], state["registration"]) == ("stopped", None)
    assert state["connectors"] == [{**lasting, "status": "Unavailable", "power_w": 0, "offered_w": 0}]


def test_a_charger_whose_node_has_died_is_not_shown_as_connected(user_client: ApiClient, charger: Charger) -> None:
    StationState.objects.filter(charger=charger).update(picture={"connection": "connected"})
    Charger.objects.unscoped().update(connection_status="offline")
    assert user_client.get(f"/chargers/{charger.pk}/state").json()["connection"] == "offline"
