"""One request, many chargers."""

import pytest

from tests.e2e.client import WALL_BOX, Client, Json
from tests.e2e.story import booted, status
from tests.peers.scripted_csms import ScriptedCsms

pytestmark = pytest.mark.slow
FLEET = 80


async def test_a_command_for_a_location(
    client: Client, csms: ScriptedCsms, location: str, wall_box: Json, fast_charger: Json
) -> None:
    for charger in (wall_box, fast_charger):
        await booted(csms, charger)
    fanout = await client.post(f"/locations/{location}/chargers/plug-connector", {"connector_id": 1})
    assert (fanout["targeted_count"], fanout["queued_count"], fanout["failed_count"]) == (2, 2, 0)
    for result in fanout["results"]:
        row = await client.outcome(result["charger_id"], result["command"]["id"])
        assert row["state"] == "accepted", row
    await csms.wait_for(wall_box["identity"], status("Preparing"))
    await csms.wait_for(fast_charger["identity"], status("Occupied"))

    body = {"connector_id": 1, "charger_ids": [wall_box["id"]]}
    fanout = await client.post(f"/locations/{location}/chargers/unplug-connector", body)
    assert [result["identity"] for result in fanout["results"]] == [wall_box["identity"]]
    row = await client.outcome(wall_box["id"], fanout["results"][0]["command"]["id"])
    assert row["state"] == "accepted", row
    for charger in (wall_box, fast_charger):
        await client.expect_logged(charger, csms)


async def test_a_fleet_that_is_being_built_still_answers_at_once(
    client: Client, csms: ScriptedCsms, location: str
) -> None:
    """Faults and settings are an installer's work: they wait neither for the connection nor for the boot."""
    path = f"/locations/{location}/chargers"
    template = WALL_BOX | {"ws_url": csms.url, "ocpp_version": "OCPP1.6"}
    made = await client.post(path, [{"template": template, "chargers_number": FLEET}], 201)
    assert made["created_count"] == FLEET
    fault = {"fault_type": "GroundFailure", "connector_id": 1}
    await everybody_answers(client, f"{path}/inject-fault", fault)
    await everybody_answers(client, f"{path}/update-configuration", {"HeartbeatInterval": "600"})
    for switch in ("stop-chargers", "start-chargers"):
        fanout = await client.post(f"{path}/{switch}", {})
        assert fanout["queued_count"] == FLEET
    await everybody_answers(client, f"{path}/clear-fault", {"connector_id": 1})
    for charger in made["created"]:
        await csms.wait_for(charger["identity"], status("Available"))


async def everybody_answers(client: Client, path: str, body: Json) -> None:
    answer = await client.post(path, body, 200)
    assert (answer["succeeded_count"], answer["failed"]) == (FLEET, [])
