"""Bundles in a running lab: built by its worker, booted by its simulator, and not harmed by the death of either."""

import asyncio
import json
import subprocess
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.lab import Lab, own_database, own_redis
from tests.ops.processes import python

PATIENCE = 120.0
POLL_SECONDS = 0.25


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    import os

    with own_database(os.environ.get("DATABASE_URL", "")) as database:
        services = {"DATABASE_URL": database, "REDIS_URL": own_redis(os.environ.get("REDIS_URL", ""))}
        lab = Lab(tmp_path_factory.mktemp("lab"), services if database else {})
        with lab.up():
            yield lab


@pytest.fixture(autouse=True)
def said(lab: Lab) -> Iterator[None]:
    yield
    print(lab.said())


def statuses_of(page: Any) -> list[str]:
    """Of every EVSE on a page of locations."""
    return [evse["status"] for site in page["data"] for charger in site["chargers"] for evse in charger["evses"]]


class Tenant:
    """The API of the lab as its owner uses it."""

    def __init__(self, lab: Lab) -> None:
        headers = {"Authorization": f"Bearer {lab.facts['user_token']}"}
        self.http = httpx.AsyncClient(base_url=lab.facts["base_url"], headers=headers, timeout=60)

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def build(self, template: str, **changes: Any) -> Any:
        prefix = f"B{zlib.crc32(repr((template, changes)).encode())}"
        order = {"template": template, "country_code": "NL", "party_id": "LIV", "name_prefix": prefix, **changes}
        answer = await self.http.post("/ocpi/cpos", json=order)
        assert answer.status_code == 202, answer.text
        return answer.json()

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not holds(answer := await self.get(path)):
            assert answer.get("status") != "FAILED", answer
            assert asyncio.get_running_loop().time() < deadline, f"{path}: {answer}"
            await asyncio.sleep(POLL_SECONDS)
        return answer

    async def ready(self, cpo: Any) -> Any:
        return await self.until(cpo["status_url"], lambda answer: answer["status"] == "READY")

    async def statuses(self, cpo: Any) -> list[str]:
        return statuses_of(await self.get(f"/ocpi/cpos/{cpo['cpo_id']}/locations?limit=100"))


@pytest.fixture
async def tenant(lab: Lab) -> AsyncIterator[Tenant]:
    tenant = Tenant(lab)
    yield tenant
    for cpo in (await tenant.get("/ocpi/cpos?limit=100"))["data"]:
        await tenant.http.delete(cpo["destroy_url"])
    await tenant.http.aclose()


async def test_a_mixed_bundle_boots_at_its_own_csms(tenant: Tenant) -> None:
    cpo = await tenant.build("mixed-depot")
    await tenant.ready(cpo)
    assert await tenant.statuses(cpo) == ["AVAILABLE"] * 8
    chargers = (await tenant.get("/chargers?limit=100"))["data"]
    mine = [one for one in chargers if one["identity"].startswith(cpo["name_prefix"])]
    assert {one["connection_status"] for one in mine} == {"connected"}
    logs = await tenant.get(f"/chargers/{mine[0]['id']}/logs?limit=100")
    actions = [json.loads(entry["message"])[2] for entry in logs["data"] if entry["message_type"] == "CALL"]
    assert {"BootNotification", "StatusNotification"} <= set(actions)


async def test_the_curl_line_runs_as_it_is(tenant: Tenant) -> None:
    cpo = await tenant.build("smoke-single")
    line = cpo["roam_helper"]["curl_snippet"]
    done = await asyncio.to_thread(subprocess.run, ["sh", "-c", line], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["status_code"] == 3001


async def test_the_zoo_holds_one_evse_in_each_status(tenant: Tenant) -> None:
    cpo = await tenant.build("status-zoo")
    await tenant.ready(cpo)
    shown = set(await tenant.statuses(cpo))
    assert shown == {"AVAILABLE", "CHARGING", "RESERVED", "INOPERATIVE", "OUTOFORDER", "UNKNOWN", "BLOCKED"}
    report = await tenant.get(f"/ocpi/cpos/{cpo['cpo_id']}/report")
    assert "| REMOVED |" in report["markdown"]


async def test_a_worker_that_dies_in_the_middle_leaves_no_doubles(tenant: Tenant, lab: Lab) -> None:
    cpo = await tenant.build("wide-area")
    path = f"/ocpi/cpos/{cpo['cpo_id']}"
    await tenant.until(path, lambda answer: answer["topology"]["locations"] > 0)
    lab.kill("worker")
    await tenant.ready(cpo)
    topology = (await tenant.get(path))["topology"]
    assert topology == {"locations": 60, "chargers": 60, "evses": 60, "connectors": 60}
    statuses = await tenant.statuses(cpo)
    assert (statuses.count("AVAILABLE"), statuses.count("UNKNOWN")) == (3, 57)


async def test_a_destroyed_bundle_leaves_nothing(tenant: Tenant) -> None:
    cpo = await tenant.build("highway-dc")
    await tenant.ready(cpo)
    assert (await tenant.http.delete(cpo["destroy_url"])).status_code == 204
    assert (await tenant.http.get(cpo["destroy_url"])).status_code == 404
    peer = await tenant.http.get(cpo["ocpi_peer_url"], headers={"Authorization": f"Token {cpo['token_a']}"})
    assert peer.status_code == 401
    chargers = (await tenant.get("/chargers?limit=100"))["data"]
    assert not [one for one in chargers if one["identity"].startswith(cpo["name_prefix"])]


async def test_a_bundle_whose_time_is_over_goes_by_itself(tenant: Tenant, lab: Lab) -> None:
    cpo = await tenant.build("smoke-single", ttl_seconds=None)
    await tenant.ready(cpo)
    ends = (
        "from ocpi.models import Cpo; from django.utils import timezone; "
        f"Cpo.objects.unscoped().filter(pk={cpo['cpo_id']}).update(expires_at=timezone.now())"
    )
    with python("manage.py", "shell", "-c", ends, **lab.environment) as shell:
        assert await asyncio.to_thread(shell.ended, PATIENCE) == 0, shell.output
    headers = {"Authorization": f"Token {b64encode(cpo['token_a'].encode()).decode()}"}
    assert (await tenant.http.get(cpo["ocpi_peer_url"], headers=headers)).status_code == 401
    await tenant.until(
        "/ocpi/cpos?limit=100", lambda page: cpo["cpo_id"] not in [one["cpo_id"] for one in page["data"]]
    )
    await tenant.until("/chargers?limit=100", lambda page: not owned(page, cpo))


def owned(page: Any, cpo: Any) -> list[str]:
    """Identities of the bundle's chargers on a page."""
    return [one["identity"] for one in page["data"] if one["identity"].startswith(cpo["name_prefix"])]


async def test_added_sites_boot_as_well(tenant: Tenant) -> None:
    cpo = await tenant.build("smoke-single")
    await tenant.ready(cpo)
    item = {"template": "residential-ac-single"}
    accepted = await tenant.http.post(f"/ocpi/cpos/{cpo['cpo_id']}/locations", json={"locations": [item, item]})
    await tenant.until(accepted.json()["status_url"], lambda answer: answer["status"] == "READY")

    path = f"/ocpi/cpos/{cpo['cpo_id']}/locations"
    page = await tenant.until(path, lambda answer: statuses_of(answer) == ["AVAILABLE"] * 3)
    assert page["total"] == 3


def test_the_lab_keeps_its_presets_over_a_restart(lab: Lab, tmp_path: Path) -> None:
    """Seeding again publishes nothing anew, so that `manage.py up` may do it at every start."""
    with python("manage.py", "seed_presets", **lab.environment) as running:
        assert running.until(r"0 presets published", PATIENCE)
