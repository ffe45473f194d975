"""A CSMS that hesitates, refuses, or goes away for a while."""

import time

import pytest

from tests.e2e.client import Client, Json
from tests.e2e.story import booted
from tests.peers.scripted_csms import ScriptedCsms

pytestmark = pytest.mark.slow

VERSIONS = ["OCPP1.6", "OCPP2.0.1"]
RETRY = 2  # seconds that the CSMS asks a station to wait


@pytest.mark.parametrize("word", ["Pending", "Rejected"])
@pytest.mark.parametrize("version", VERSIONS)
async def test_until_it_is_accepted_a_charger_only_boots(
    client: Client, csms: ScriptedCsms, location: str, version: str, word: str
) -> None:
    csms.script.boot_status, csms.script.interval = word, RETRY
    charger = await client.create_charger(location, version, csms.url)
    me = charger["identity"]
    await csms.wait_for(me, lambda seen: seen.is_answered("BootNotification"))
    answered = time.monotonic()
    await csms.wait_for(me, lambda seen: seen.is_call("BootNotification"), after=2, what="second boot")
    assert time.monotonic() - answered >= RETRY - 0.1
    assert {seen.action for seen in csms.calls(me)} == {"BootNotification"}

    csms.script.boot_status, csms.script.interval = "Accepted", 300
    await booted(csms, charger)
    await client.expect_logged(charger, csms)


async def test_pending_chargers_answer_but_start_nothing(client: Client, csms: ScriptedCsms, location: str) -> None:
    csms.script.boot_status, csms.script.interval = "Pending", 600
    charger = await client.create_charger(location, "OCPP1.6", csms.url)
    me = charger["identity"]
    await csms.wait_for(me, lambda seen: seen.is_answered("BootNotification"))
    answer = await csms.call(me, "GetConfiguration", {"key": ["HeartbeatInterval"]})
    assert answer["configurationKey"][0]["key"] == "HeartbeatInterval"
    assert await csms.call(me, "RemoteStartTransaction", {"idTag": "T"}) == {"status": "Rejected"}
    csms.script.boot_status = "Accepted"
    before = len(csms.frames(me))
    answer = await csms.call(me, "TriggerMessage", {"requestedMessage": "BootNotification"})
    assert answer == {"status": "Accepted"}
    await csms.wait_for(me, lambda seen: seen.is_call("BootNotification"), after=before)
    await booted(csms, charger)


async def test_chargers_come_back_when_the_csms_does(
    client: Client, csms: ScriptedCsms, wall_box: Json, fast_charger: Json
) -> None:
    """Without a new BootNotification: the charger has not rebooted."""
    chargers = (wall_box, fast_charger)
    for charger in chargers:
        await booted(csms, charger)
    await csms.stop()
    for charger in chargers:
        await csms.disconnected(charger["identity"])
    await csms.start()
    await csms.connected(*(charger["identity"] for charger in chargers))
    for charger in chargers:
        me = charger["identity"]
        assert (await csms.call(me, "TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted"
        await csms.wait_for(me, lambda seen: seen.is_answered("Heartbeat") and seen.connection == 2)
        assert len(csms.calls(me, "BootNotification")) == 1
        await client.expect_nothing_lost(charger, csms)
    events = await client.get(f"/chargers/{wall_box['id']}/connections")
    assert [one["kind"] for one in events["data"] if one["kind"] in ("connected", "closed")] == [
        "connected",
        "closed",
        "connected",
    ]
