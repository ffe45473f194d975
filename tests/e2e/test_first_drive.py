"""The first drive: two chargers created over HTTP charge a car each, and every frame can be read back."""

import asyncio

import pytest

from tests.e2e.client import Client
from tests.e2e.story import V201, booted, ended, expect_whole_transaction, start_charging, started, status
from tests.peers.ledger import Ledger
from tests.peers.scripted_csms import ScriptedCsms
from tests.peers.strict_csms import StrictCsms

pytestmark = pytest.mark.slow


async def test_at_the_scripted_csms(client: Client, csms: ScriptedCsms) -> None:
    await drive(client, csms, csms.url)


async def test_at_ocpp_rpc_in_strict_mode(client: Client, strict: StrictCsms) -> None:
    await drive(client, strict, strict.url)


async def drive(client: Client, csms: Ledger, url: str) -> None:
    brands = await client.get("/catalog/brands")
    assert {"wallbox", "abb"} <= {brand["slug"] for brand in brands["data"]}
    model = await client.get("/catalog/brands/wallbox/models/wallbox-pulsar-plus")
    assert "Type2" in model["connector_types"]
    location = await client.create_location()
    chargers = [await client.create_charger(location, version, url) for version in ("OCPP1.6", V201)]
    for charger in chargers:
        await booted(csms, charger)
        assert csms.frames(charger["identity"])[0].is_call("BootNotification")

    await start_charging(client, csms, *chargers)
    stops = await asyncio.gather(*(client.command(one, "stop-session", connector_id=1) for one in chargers))

    for charger, stop in zip(chargers, stops, strict=True):
        assert stop["frames"], "stop-session is proved by frames"
        await csms.wait_for(charger["identity"], started(charger))
        await csms.wait_for(charger["identity"], ended(charger))
        stopped = len(csms.frames(charger["identity"])) - 1
        await csms.wait_for(charger["identity"], status("Available"), after=stopped - 5, what="Available at the end")
        expect_whole_transaction(csms, charger)
        await client.expect_logged(charger, csms)
