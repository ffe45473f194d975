"""Kill -9 of every process during a session: the chargers come back, and no frame is lost."""

import asyncio
import signal
from collections.abc import Sequence

import pytest

from tests.e2e.client import Client, Json, until
from tests.e2e.lab import Lab
from tests.e2e.story import V201, ended, expect_whole_transaction, metered, start_charging
from tests.ops.processes import eventually, lives
from tests.peers.ledger import Seen
from tests.peers.scripted_csms import ScriptedCsms

pytestmark = pytest.mark.slow

BACK_SECONDS = 30.0


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
async def test_chargers_do_not_notice_that_another_process_dies(
    lab: Lab, client: Client, csms: ScriptedCsms, wall_box: Json, fast_charger: Json, name: str
) -> None:
    chargers = (wall_box, fast_charger)
    await start_charging(client, csms, *chargers)
    before = {one["identity"]: len(csms.frames(one["identity"])) for one in chargers}
    old = lab.kill(name)
    await until(lambda: now_runs(lab, name), lambda pid: pid not in (None, old), BACK_SECONDS)
    assert await now_runs(lab, name) not in (None, old)
    await healthy(client)
    for charger in chargers:
        me = charger["identity"]
        await csms.wait_for(me, metered(charger), after=before[me], what="meter sample after the crash")
        await client.command(charger, "stop-session", connector_id=1)
        await csms.wait_for(me, ended(charger))
        expect_whole_transaction(csms, charger)
        assert csms.station(me).connections == 1
        await client.expect_logged(charger, csms)


async def now_runs(lab: Lab, name: str) -> int | None:
    return lab.programs().get(name)


async def healthy(client: Client) -> None:
    async def ask() -> int:
        return (await client.http.get("/health")).status_code

    assert await until(ask, lambda status: status == 200, BACK_SECONDS) == 200


async def test_the_simulator_dies(
    lab: Lab, client: Client, csms: ScriptedCsms, wall_box: Json, fast_charger: Json
) -> None:
    chargers = (wall_box, fast_charger)
    await start_charging(client, csms, *chargers)
    lab.kill("simulator")
    await expect_recovered(client, csms, chargers)


@pytest.fixture
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("own-lab")
    return Lab(folder, {"DATABASE_URL": f"sqlite:///{folder}/ocpplab.sqlite3", "REDIS_URL": ""})


@pytest.mark.embedded
async def test_the_supervisor_dies(own_lab: Lab, csms: ScriptedCsms) -> None:
    with own_lab.up():
        client = Client(own_lab.facts)
        location = await client.create_location()
        chargers = [await client.create_charger(location, version, csms.url) for version in ("OCPP1.6", V201)]
        await start_charging(client, csms, *chargers)
        family = own_lab.children()
        own_lab.running.send(signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: not any(map(lives, family)), "its children end with it", 10)
        await client.http.aclose()
    with own_lab.up():
        client = Client(own_lab.facts)
        await expect_recovered(client, csms, chargers)
        await client.http.aclose()


async def expect_recovered(client: Client, csms: ScriptedCsms, chargers: Sequence[Json]) -> None:
    """OCPP contract Q7 and Q8: to each charger it was a power loss, and no frame is lost or sent twice."""
    for charger in chargers:
        me = charger["identity"]
        first = await csms.wait_for(me, on_second_connection, what="frame after the crash", deadline=BACK_SECONDS)
        assert first.action == "BootNotification"
        end = await csms.wait_for(me, ended(charger), what="end of the transaction", deadline=BACK_SECONDS)
        if charger["ocpp_version"] == V201:
            assert first.payload["reason"] == "PowerUp"
            assert end.payload["transactionInfo"]["stoppedReason"] == "PowerLoss"
        else:
            assert end.payload["reason"] == "PowerLoss"
        await client.command(charger, "unplug-connector", connector_id=1)
        expect_whole_transaction(csms, charger)
        assert csms.station(me).connections == 2
        await client.expect_nothing_lost(charger, csms)


def on_second_connection(seen: Seen) -> bool:
    return seen.is_call() and seen.connection == 2
