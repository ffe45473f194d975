"""A running charger whose settings change: where it connects, what it speaks, and what becomes of its orders."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from chargers.models import Charger, ChargerCommand, Transaction
from chargers.services import provisioning
from simulator.shell import inbox
from simulator.shell.node import Node
from tenants.scoping import scope
from tests.factories import ChargerModelFactory, LocationFactory, OrganizationFactory, new_charger
from tests.shell.conftest import command, eventually, in_step, outcome, query
from tests.shell.csms import Csms

pytestmark = pytest.mark.django_db(transaction=True)
Fleet = Callable[..., list[Charger]]
PENDING = {"status": "Pending", "currentTime": "2026-01-01T00:00:00Z", "interval": 0}


@pytest.fixture
async def elsewhere() -> AsyncIterator[Csms]:
    """Another CSMS, that nobody knows at first."""
    server = Csms()
    server.answers["TransactionEvent"] = lambda _: {}
    await server.start()
    yield server
    await server.stop()


def change(charger: Charger, **changes: str) -> None:
    with scope(charger.tenant_id):
        charger.refresh_from_db()
        provisioning.update_charger(Charger.objects.select_related("model__brand").get(pk=charger.pk), changes)


def bilingual(ws_url: str, version: str) -> Charger:
    """A charger of a model that speaks both versions."""
    tenant, model = OrganizationFactory(), ChargerModelFactory(ocpp_versions=["OCPP1.6", "OCPP2.0.1"])
    with scope(tenant):
        return new_charger(LocationFactory(), "CP-0", model, ws_url=ws_url, ocpp_version=version)


async def charging(charger: Charger, csms: Csms, says: str) -> None:
    session = await query(lambda: command(charger, "start_session", connector_id=1, id_tag="TAG1"))
    await csms.until(lambda: bool(csms.received("CP-0", says)))
    await eventually(lambda: outcome(session).state == "accepted")


async def test_another_csms_is_told_of_the_charger_and_the_transaction_goes_on(
    fleet_of: Fleet, csms: Csms, elsewhere: Csms, node: Node
):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await charging(charger, csms, "StartTransaction")
    await query(lambda: change(charger, ws_url=elsewhere.url))
    await elsewhere.until(lambda: len(elsewhere.received("CP-0", "StatusNotification")) == 2)
    assert csms.closes == [("CP-0", 1000, "configuration changed")]
    stop = await query(lambda: command(charger, "stop_session", connector_id=1))
    await eventually(lambda: outcome(stop).state == "accepted")
    assert len(elsewhere.received("CP-0", "BootNotification")) == 1, "it has not accepted the charger yet"
    [told] = elsewhere.received("CP-0", "StopTransaction")
    assert (told["transactionId"], told["reason"]) == (7, "Local")


async def test_another_version_ends_the_transaction_in_the_old_words_and_starts_afresh(
    csms: Csms, transactional_db: None, node: Node
):
    charger = await query(lambda: bilingual(csms.url, "OCPP1.6"))
    await charging(charger, csms, "StartTransaction")
    old = csms.sockets["CP-0"]
    await query(lambda: change(charger, ocpp_version="OCPP2.0.1"))
    await csms.until(lambda: csms.sockets.get("CP-0", old) is not old)
    await csms.until(lambda: len(csms.received("CP-0", "BootNotification")) == 2)
    [stop] = csms.received("CP-0", "StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (7, "Other")
    assert csms.sockets["CP-0"].subprotocol == "ocpp2.0.1"
    assert "chargingStation" in csms.received("CP-0", "BootNotification")[1]
    await in_step(charger, csms)
    calls = [json.loads(text) for _, text in csms.frames["CP-0"] if text.startswith("[2")]
    after_boot = calls[[index for index, call in enumerate(calls) if call[2] == "BootNotification"][1] :]
    assert not {call[2] for call in after_boot} & {"StartTransaction", "StopTransaction", "MeterValues"}
    row = await query(lambda: Transaction.objects.unscoped().get())
    assert (row.transaction_id, row.stop_reason) == ("7", "Other")
    assert row.ended_at is not None


async def test_what_the_old_version_could_not_deliver_is_never_sent_in_the_new_one(
    csms: Csms, elsewhere: Csms, transactional_db: None, node: Node
):
    elsewhere.answers["BootNotification"] = csms.answers["BootNotification"]
    charger = await query(lambda: bilingual(csms.url, "OCPP1.6"))
    await charging(charger, csms, "StartTransaction")
    await csms.stop()
    await csms.until(lambda: not csms.sockets)
    await query(lambda: change(charger, ocpp_version="OCPP2.0.1", ws_url=elsewhere.url))
    await elsewhere.until(lambda: len(elsewhere.received("CP-0", "StatusNotification")) >= 1)
    row: Transaction = await eventually(
        lambda: Transaction.objects.unscoped().filter(ended_at__isnull=False).first()  # type: ignore[arg-type,return-value]
    )
    assert (row.transaction_id, row.stop_reason) == ("7", "Other")
    said = {json.loads(text)[2] for way, text in elsewhere.frames["CP-0"] if way == "cp_to_csms" and text[1] == "2"}
    assert not said & {"StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent"}
    [status] = elsewhere.received("CP-0", "StatusNotification")
    assert status["connectorStatus"] == "Occupied", "the cable is still plugged in"


async def test_an_order_that_waits_for_the_boot_outlives_a_change_of_the_url(
    fleet_of: Fleet, csms: Csms, elsewhere: Csms, node: Node
):
    """The first CSMS never accepts the charger, so nothing can begin there."""
    csms.answers["BootNotification"] = lambda _: PENDING
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: bool(csms.received("CP-0", "BootNotification")))
    plug = await query(lambda: command(charger, "plug_connector", connector_id=1))
    await eventually(lambda: outcome(plug).state == "claimed")
    await query(lambda: change(charger, ws_url=elsewhere.url))
    row: ChargerCommand = await eventually(lambda: (r := outcome(plug)).state == "accepted" and r)
    assert row.frames
    preparing = [one for one in elsewhere.received("CP-0", "StatusNotification") if one["status"] == "Preparing"]
    assert len(preparing) == 1, "once"


async def test_an_order_that_nobody_carries_out_any_more_ends_soon_after_its_deadline(
    fleet_of: Fleet, csms: Csms, node: Node
):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    past = timezone.now() - timedelta(seconds=1)

    def lose() -> str:
        with scope(charger.tenant_id):
            fields = {"charger": charger, "shard": charger.shard, "event_type": "plug_connector", "deadline_at": past}
            return ChargerCommand.objects.create(**fields, state="claimed", claimed_epoch=node.held[charger.shard]).pk

    lost = await query(lose)
    row: ChargerCommand = await eventually(lambda: (r := outcome(lost)).state == "timed_out" and r)
    assert row.reason == inbox.SILENT
    assert len(csms.received("CP-0", "StatusNotification")) == 2


async def test_an_order_under_way_fails_when_the_charger_is_reloaded(
    fleet_of: Fleet, csms: Csms, elsewhere: Csms, node: Node
):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    reset = await query(lambda: command(charger, "reset", type="Soft"))  # lasts until the next boot is accepted
    await csms.until(lambda: bool(csms.closes))
    await query(lambda: change(charger, ws_url=elsewhere.url))
    row: ChargerCommand = await eventually(lambda: (r := outcome(reset)).state == "failed" and r)
    assert "before the command was finished" in row.reason
