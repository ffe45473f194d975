"""Durable creation of many chargers, with everything else going on beside it."""

from typing import Any

from tests.e2e.client import WALL_BOX, Client, Json, until
from tests.e2e.lab import Lab
from tests.peers.scripted_csms import ScriptedCsms

FINAL = ("READY", "FAILED")


# A port where nobody listens: a thousand chargers are run here, not served.
NOBODY = "ws://127.0.0.1:9/ocpp"


async def accepted(client: Client, location: str, number: int) -> str:
    """The job's URL; the answer must come in under a second."""
    template = {**WALL_BOX, "ws_url": NOBODY, "ocpp_version": "OCPP1.6", "identity_prefix": f"{location[:8]}-"}
    groups = [{"template": template, "chargers_number": number}]
    answer = await client.post(f"/ocpp/locations/{location}/chargers", groups)
    assert answer["status"] == "PENDING"
    return str(answer["status_url"])


async def ended(client: Client, url: str, deadline: float) -> Json:
    job: Json = await until(lambda: client.get(url), lambda job: job["status"] in FINAL, deadline)
    return job


async def expect_running(client: Client, fleet: str) -> list[Any]:
    """The simulator runs each of them."""
    listed = await until(
        lambda: everyone(client, fleet), lambda found: all(one["status"] == "READY" for one in found), 60
    )
    assert {one["status"] for one in listed} == {"READY"}
    return listed


async def expect_boots(client: Client, csms: ScriptedCsms, charger: Json) -> None:
    await client.ask("PUT", f"/ocpp/chargers/{charger['id']}", json={"ws_url": csms.url})
    await csms.wait_for(charger["identity"], lambda seen: seen.is_call("BootNotification"))


async def test_a_thousand_chargers_are_made_run_and_commanded(
    client: Client, csms: ScriptedCsms, location: str
) -> None:
    fleet = f"/ocpp/locations/{location}/chargers"
    job = await ended(client, await accepted(client, location, 1000), 30)
    assert (job["status"], job["results"]["created_count"], job["results"]["failed"]) == ("READY", 1000, [])
    assert len(await expect_running(client, fleet)) == 1000
    await expect_boots(client, csms, job["results"]["created"][500])
    fanout = await client.post(f"/locations/{location}/chargers/plug-connector", {"connector_id": 1})
    assert (fanout["queued_count"], fanout["failed_count"]) == (1000, 0)
    await client.ask("DELETE", f"/locations/{location}", 204)
    client.locations.remove(location)
    await csms.disconnected(job["results"]["created"][500]["identity"])


async def test_it_goes_on_while_worker_and_node_are_killed_and_chargers_change(
    lab: Lab, client: Client, csms: ScriptedCsms, location: str
) -> None:
    url = await accepted(client, location, 1000)
    fleet = f"/ocpp/locations/{location}/chargers"
    page: Json = await until(lambda: client.get(fleet, limit=2), lambda page: page["total"] >= 100)
    first, second = page["data"]
    lab.kill("worker")
    lab.kill("simulator")
    await client.ask("DELETE", f"/chargers/{first['id']}", 204)
    changed = await client.ask("PUT", f"/chargers/{second['id']}", json={"name": "Changed"})
    assert changed["name"] == "Changed"
    job = await ended(client, url, 60)
    assert job["status"] == "READY", job
    listed = await expect_running(client, fleet)
    assert job["results"]["created_count"] == len(listed) == 999
    assert len({one["identity"] for one in listed}) == 999
    await expect_boots(client, csms, second)
    await client.ask("DELETE", f"/locations/{location}", 204)
    client.locations.remove(location)


async def everyone(client: Client, fleet: str) -> list[Any]:
    found: list[Any] = []
    while True:
        page = await client.get(fleet, limit=100, page=len(found) // 100 + 1)
        found += page["data"]
        if len(page["data"]) < 100:
            return found
