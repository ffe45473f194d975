"""The first run shows traffic with nothing else installed: the demo chargers talk to the house CSMS."""

import pytest

from tests.e2e.client import Client, until
from tests.e2e.lab import Lab

pytestmark = pytest.mark.slow


async def test_demo_chargers_boot_at_the_house_csms(client: Client, lab: Lab) -> None:
    chargers = (await client.get("/chargers"))["data"]
    demo = [charger for charger in chargers if charger["identity"].startswith("DEMO-")]
    assert {charger["ocpp_version"] for charger in demo} == {"OCPP1.6", "OCPP2.0.1"}
    for charger in demo:
        assert charger["ws_url"].startswith(lab.facts["house_csms_url"])
        logs = await until(lambda one=charger: client.logs(one), lambda rows: len(rows) >= 4)
        assert [entry["action"] for entry in logs[:2]] == ["BootNotification"] * 2
        assert '"Accepted"' in logs[1]["message"]


async def test_a_session_at_the_house_csms(client: Client, lab: Lab) -> None:
    location = await client.create_location()
    charger = await client.create_charger(location, "OCPP1.6", lab.facts["house_csms_url"])
    await until(lambda: client.logs(charger), lambda rows: len(rows) >= 6)
    await client.command(charger, "start-session", id_tag="TAG-RFID-001", connector_id=1)
    await client.command(charger, "stop-session", connector_id=1)
    actions = [entry["action"] for entry in await client.logs(charger) if entry["message_type"] == "CALL"]
    assert [one for one in actions if one != "StatusNotification"] == [
        "BootNotification",
        "Authorize",
        "StartTransaction",
        "StopTransaction",
    ]
