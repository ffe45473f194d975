"""Commands with their target in the body (gateway contract, sections 10 to 12), in both families that have them."""

from typing import Any

import pytest

from chargers.models import Charger, ChargerCommand, Runtime
from locations.models import Location
from tests.api.test_commands import BODIES
from tests.conftest import ApiClient

FAMILIES = ("/commands", "/ocpp/commands")


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", BODIES)
def test_one_charger_is_answered_with_a_fan_out_of_one(
    user_client: ApiClient, charger: Charger, family: str, name: str
) -> None:
    body = {"target": {"charger_id": str(charger.pk)}, "event": BODIES[name]}
    answer = user_client.post(f"{family}/{name}", body)
    assert answer.status_code == 202
    shown = answer.json()
    assert (shown["targeted_count"], shown["queued_count"], shown["failed_count"]) == (1, 1, 0)
    (result,) = shown["results"]
    assert (result["charger_id"], result["identity"]) == (str(charger.pk), "CP-1")
    assert result["command"]["event_type"] == name.replace("-", "_")
    assert result["command"]["payload"] == BODIES[name]
    assert ChargerCommand.objects.unscoped().get().pk == result["command"]["id"]


def test_a_location_and_some_of_its_chargers(
    user_client: ApiClient, charger: Charger, charger_201: Charger, location: Location, family: str
) -> None:
    everywhere = {"target": {"location_id": str(location.pk), "charger_ids": None}, "event": {"connector_id": 1}}
    shown = user_client.post(f"{family}/plug-connector", everywhere).json()
    assert [one["identity"] for one in shown["results"]] == ["CP-1", "CS-1"]
    target = {"location_id": str(location.pk), "charger_ids": [str(charger_201.pk), "nonsense"]}
    shown = user_client.post(f"{family}/plug-connector", {"target": target, "event": {}}).json()
    assert (shown["targeted_count"], shown["queued_count"], shown["failed_count"]) == (2, 1, 1)
    assert (shown["results"][0]["identity"], shown["failed"][0]["identity"]) == ("CS-1", None)


@pytest.mark.parametrize("event", [{}, {"event": None}, {"event": {}}])
def test_an_event_without_mandatory_fields_may_be_absent(
    user_client: ApiClient, charger: Charger, family: str, event: dict[str, Any]
) -> None:
    body = {"target": {"charger_id": str(charger.pk), "location_id": None}, **event}
    answer = user_client.post(f"{family}/stop-session", body)
    assert (answer.status_code, answer.json()["results"][0]["command"]["payload"]) == (202, {})


@pytest.mark.parametrize(
    ("target", "loc"),
    [
        (None, ["body", "target"]),
        ([], ["body", "target"]),
        ({}, ["body", "target"]),
        ({"charger_id": None}, ["body", "target"]),
        ({"charger_id": "a", "location_id": "b"}, ["body", "target"]),
        ({"charger_id": "a", "charger_ids": ["a"]}, ["body", "target", "charger_ids"]),
        ({"location_id": "a", "charger_ids": []}, ["body", "target", "charger_ids"]),
        ({"charger_id": 5}, ["body", "target", "charger_id"]),
    ],
)
def test_a_target_that_is_none_is_422(user_client: ApiClient, family: str, target: object, loc: list[str]) -> None:
    answer = user_client.post(f"{family}/stop-session", {"target": target, "event": {}})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == loc


def test_faults_in_the_event_are_422_and_say_where(user_client: ApiClient, charger: Charger, family: str) -> None:
    target = {"charger_id": str(charger.pk)}
    for event, loc in (
        ({}, ["body", "event", "id_tag"]),
        ({"id_tag": "x" * 21}, ["body", "event", "id_tag"]),  # longer than OCPP 1.6 allows
        ({"id_tag": "T", "connector_id": 0}, ["body", "event", "connector_id"]),
        ([], ["body", "event"]),
    ):
        answer = user_client.post(f"{family}/start-session", {"target": target, "event": event})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, loc)
    missing = user_client.post(f"{family}/start-session", {"target": target})
    assert missing.json()["detail"][0]["loc"] == ["body", "event"]
    assert not ChargerCommand.objects.unscoped().exists()


def test_what_one_charger_cannot_do_is_a_failed_item(user_client: ApiClient, charger: Charger, family: str) -> None:
    target = {"charger_id": str(charger.pk)}
    no_connector = user_client.post(f"{family}/plug-connector", {"target": target, "event": {"connector_id": 9}})
    Charger.objects.unscoped().update(runtime=Runtime.STOPPED)
    stopped = user_client.post(f"{family}/plug-connector", {"target": target})
    for answer in (no_connector, stopped):
        shown = answer.json()
        assert (answer.status_code, shown["queued_count"], shown["results"]) == (202, 0, [])
        assert shown["failed"][0]["identity"] == "CP-1"


@pytest.mark.parametrize("kind", ["charger_id", "location_id"])
def test_an_unknown_target_is_404(user_client: ApiClient, family: str, kind: str) -> None:
    answer = user_client.post(f"{family}/stop-session", {"target": {kind: "nowhere"}})
    assert (answer.status_code, answer.json()["detail"]) == (404, f"{kind.removesuffix('_id').capitalize()} not found.")


@pytest.mark.parametrize(
    "name", ["configuration", "cache/reset", "local-auth-list", "clear-local-auth-list", "inject-fault", "clear-fault"]
)
def test_operations_that_wait_take_one_charger_only(
    user_client: ApiClient, location: Location, family: str, name: str
) -> None:
    for target in ({"location_id": str(location.pk)}, {"location_id": str(location.pk), "charger_id": "a"}, {}):
        answer = user_client.post(f"{family}/{name}", {"target": target, "event": {"fault_type": "x"}})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][:2] == ["body", "target"]


@pytest.mark.parametrize("event", [None, {}, {"configuration": {}}, {"configuration": {"A": 1}}, {"A": "1"}])
def test_a_configuration_stands_under_its_own_name(
    user_client: ApiClient, charger: Charger, family: str, event: object
) -> None:
    answer = user_client.post(f"{family}/configuration", {"target": {"charger_id": str(charger.pk)}, "event": event})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:2] == ["body", "event"]
