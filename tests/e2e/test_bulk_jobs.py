"""Durable creation of many chargers, with everything else going on beside it."""

import time
from typing import Any

from tests.e2e.client import WALL_BOX, Client, Json, until
from tests.e2e.lab import Lab
from tests.peers.scripted_csms import ScriptedCsms

FINAL = ("READY", "FAILED")


async def accepted(client: Client, location: str, csms: ScriptedCsms, number: int) -> str:
    """The job's URL; the answer must come in under a second."""
    template = {**WALL_BOX, "ws_url": csms.url, "ocpp_version": "OCPP1.6", "identity_prefix": f"{location[:8]}-"}
    began = time.monotonic()
    answer = await client.post(
        f"/ocpp/locations/{location}/chargers", [{"template": template, "chargers_number": number}]
    )
    assert time.monotonic() - began < 1.0
    assert answer["status"] == "PENDING"
    return str(answer["status_url"])


async def ended(client: Client, url: str, deadline: float) -> Json:
    job: Json = await until(lambda: client.get(url), lambda job: job["status"] in FINAL, deadline)
    return job


async def test_a_thousand_chargers_are_made_and_boot(client: Client, csms: ScriptedCsms, location: str) -> None:
    url = await accepted(client, location, csms, 1000)
    job = await ended(client, url, 20)
    assert (job["status"], job["results"]["created_count"], job["results"]["failed"]) == ("READY", 1000, [])
    identities = [charger["identity"] for charger in job["results"]["created"]]
    await csms.connected(*identities, deadline=60)
    for identity in identities[::100]:
        await csms.wait_for(identity, lambda seen: seen.is_call("BootNotification"))
    fanout = await client.post(f"/locations/{location}/chargers/authorize-id-tag", {"id_tag": "TAG"})
    assert (fanout["queued_count"], fanout["failed_count"]) == (1000, 0)
    for identity in identities[::100]:
        await csms.wait_for(identity, lambda seen: seen.is_call("Authorize"), deadline=60)
    await client.ask("DELETE", f"/locations/{location}", 204)
    client.locations.remove(location)
    for identity in identities:
        await csms.disconnected(identity, deadline=60)


async def test_it_goes_on_while_worker_and_node_are_killed_and_chargers_change(
    lab: Lab, client: Client, csms: ScriptedCsms, location: str
) -> None:
    url = await accepted(client, location, csms, 1000)
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
    listed = await everyone(client, fleet)
    assert job["results"]["created_count"] == len(listed) == 999
    assert len({one["identity"] for one in listed}) == 999
    await csms.connected(*(one["identity"] for one in listed), deadline=90)
    state = await until(lambda: client.get(f"/ocpp/chargers/{second['id']}/status"), lambda it: it["status"] in FINAL)
    assert (state["status"], state["error"]) == ("READY", None)
    await client.ask("DELETE", f"/locations/{location}", 204)
    client.locations.remove(location)


async def everyone(client: Client, fleet: str) -> list[Any]:
    found: list[Any] = []
    for number in range(1, 100):
        page = await client.get(fleet, limit=100, page=number)
        found += page["data"]
        if not page["data"]:
            break
    return found
