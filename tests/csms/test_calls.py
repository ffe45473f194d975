"""Calls of the CSMS to a station: queued as rows, sent one at a time, answered into the row."""

import asyncio
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.utils import timezone

from ocpplab.api.errors import Invalid, InvalidRequest
from simulator.csms import calls, orders, services
from simulator.csms.models import CallState, CsmsCall, CsmsTransaction
from simulator.csms.models import Station as StationRow
from tests.csms.station import WHEN, Station


@database_sync_to_async
def queue(action, payload, times=1):
    row = StationRow.objects.unscoped().get()
    return [services.call(row, action, payload).pk for _ in range(times)][-1]


@database_sync_to_async
def ordered(order):
    return order(StationRow.objects.unscoped().select_related("endpoint").get()).pk


async def settled(pk):
    """The row, once it has reached its end."""
    async with asyncio.timeout(30):
        while True:
            row = await CsmsCall.objects.unscoped().aget(pk=pk)
            if row.state in (CallState.ANSWERED, CallState.FAILED):
                return row
            await asyncio.sleep(0.02)


async def test_a_call_reaches_the_station_and_its_answer_the_row(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
        pk = await queue("Reset", {"type": "Soft"})
        message_id, action, payload = await station.called()
        assert (action, payload) == ("Reset", {"type": "Soft"})
        assert (await CsmsCall.objects.unscoped().aget(pk=pk)).state == "sent"
        await station.send([3, message_id, {"status": "Accepted"}])
        row = await settled(pk)
    assert (row.state, row.response, row.reason) == ("answered", {"status": "Accepted"}, "")


async def test_one_call_is_out_at_a_time(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
        last = await queue("ClearCache", {}, times=3)
        for _ in range(3):
            message_id, *_ = await station.called()
            assert await station.socket.receive_nothing(timeout=0.1)
            await station.send([3, message_id, {"status": "Accepted"}])
        assert (await settled(last)).state == "answered"


async def test_a_station_that_was_away_is_called_once_it_has_been_greeted(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
    pk = await queue("ClearCache", {})
    async with Station(endpoint) as station:
        assert (await station.boot())["status"] == "Accepted"
        message_id, *_ = await station.called()
        await station.send([3, message_id, {"status": "Rejected"}])
        assert (await settled(pk)).response == {"status": "Rejected"}


async def test_a_call_that_waited_too_long_is_not_sent(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
    pk = await queue("ClearCache", {})
    await CsmsCall.objects.unscoped().aupdate(created_at=timezone.now() - timedelta(hours=1))
    async with Station(endpoint) as station:
        await station.boot()
        row = await settled(pk)
    assert (row.state, row.reason) == ("failed", calls.STALE)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ([4, "NotSupported", "no cache here", {}], "NotSupported: no cache here"),
        ([3, {"status": "Perhaps"}], "breaks its schema"),
        ([3, None], "breaks its schema"),
    ],
)
async def test_a_refused_or_broken_answer_fails_the_call(endpoint, answer, reason):
    async with Station(endpoint) as station:
        await station.boot()
        pk = await queue("ClearCache", {})
        message_id, *_ = await station.called()
        await station.send([answer[0], message_id, *answer[1:]])
        row = await settled(pk)
    assert row.state == "failed"
    assert reason in row.reason


async def test_a_silent_station_fails_the_call_and_gets_the_next(endpoint, monkeypatch):
    monkeypatch.setattr(calls, "ANSWER_SECONDS", 0.05)
    async with Station(endpoint) as station:
        await station.boot()
        first = await queue("ClearCache", {})
        await station.called()
        assert (await settled(first)).reason == calls.NO_ANSWER
        await queue("ClearCache", {})
        await station.called()


async def test_a_connection_lost_on_the_way_fails_the_call(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
        pk = await queue("ClearCache", {})
        await station.called()
    row = await settled(pk)
    assert (row.state, row.reason) == ("failed", calls.LOST)


async def test_a_row_written_elsewhere_is_found_without_a_wake_up(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
        row = await StationRow.objects.unscoped().aget()
        await CsmsCall.objects.unscoped().acreate(tenant_id=row.tenant_id, station=row, action="ClearCache")
        _, action, _ = await station.called()
    assert action == "ClearCache"


@pytest.mark.parametrize("subprotocol", ["ocpp1.6", "ocpp2.0.1"])
async def test_what_a_person_orders_is_said_in_the_words_of_the_version(endpoint, subprotocol):
    async with Station(endpoint, subprotocol=subprotocol) as station:
        await station.boot()
        told = []
        for order in (
            orders.trigger_status,
            orders.reset,
            lambda row: orders.remote_start(row, id_token=orders.usual_card(row)),
        ):
            await ordered(order)
            message_id, action, _ = await station.called()
            told.append(action)
            await station.send([3, message_id, {"status": "Accepted"}])
    start = "RemoteStartTransaction" if subprotocol == "ocpp1.6" else "RequestStartTransaction"
    assert told == ["TriggerMessage", "Reset", start]


async def test_remote_stop_names_the_running_transaction(endpoint):
    start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": WHEN}
    async with Station(endpoint) as station:
        number = (await station.call("StartTransaction", start))["transactionId"]
        await ordered(lambda row: orders.remote_stop(orders.open_transactions(row)[0]))
        _, action, payload = await station.called()
    assert (action, payload) == ("RemoteStopTransaction", {"transactionId": number})
    assert await CsmsTransaction.objects.unscoped().filter(ended_at=None).acount() == 1


async def test_a_call_that_makes_no_sense_is_not_queued(endpoint):
    async with Station(endpoint) as station:
        await station.boot()
    with pytest.raises(InvalidRequest):
        await queue("Heartbeat", {})
    with pytest.raises(Invalid):
        await queue("Reset", {"type": "OnIdle"})
    assert await CsmsCall.objects.unscoped().acount() == 0
