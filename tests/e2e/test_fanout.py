"""One request, many chargers."""

import pytest

from tests.e2e.client import Client, Json
from tests.e2e.story import booted, status
from tests.peers.scripted_csms import ScriptedCsms

pytestmark = pytest.mark.slow


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
