"""The house CSMS as chargers meet it: a daphne process, real sockets, an independent WebSocket client."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync import client

from simulator.csms.models import CsmsTransaction, Station

PROJECT = Path(__file__).resolve().parents[2]
WHEN = "2026-01-02T03:04:05Z"
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 0, "timestamp": WHEN}
connect = partial(client.connect, open_timeout=60)
pytestmark = pytest.mark.slow


def database_url():
    """The database that the tests see, for a process that shall see the same."""
    of = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{of['NAME']}"
    return f"postgres://{quote(of['USER'])}:{quote(of['PASSWORD'])}@{of['HOST']}:{of['PORT']}/{of['NAME']}"


@contextmanager
def daphne(log):
    """A web process on a free port: its address, and the process. It reads no other settings than production's."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        env = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "ocpplab.settings"}
        command = [sys.executable, "-m", "daphne", "--fd", str(listener.fileno()), "ocpplab.asgi:application"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, cwd=PROJECT, env=env, pass_fds=[listener.fileno()], stdout=output, stderr=output
            )
        try:
            yield f"ws://127.0.0.1:{listener.getsockname()[1]}", process
        finally:
            process.kill()
            process.wait()


def call(ws, action, payload, message_id="1"):
    """The payload of the answer; anything else than a CALLRESULT fails."""
    ws.send(json.dumps([2, message_id, action, payload]))
    message_type, answered, result = json.loads(ws.recv(timeout=30))
    assert (message_type, answered) == (3, message_id)
    return result


def test_both_versions_are_served_and_strangers_are_not(endpoint, tmp_path):
    log = tmp_path / "daphne.log"
    with daphne(log) as (address, _):
        house = f"{address}/csms/{endpoint.key}"
        with (
            connect(f"{house}/OLD%201", subprotocols=["ocpp1.6"]) as old,
            connect(f"{house}/NEW", subprotocols=["ocpp2.0.1", "ocpp1.6"]) as new,
        ):
            assert (old.subprotocol, new.subprotocol) == ("ocpp1.6", "ocpp2.0.1")
            boot = {"chargePointVendor": "A", "chargePointModel": "B"}
            assert call(old, "BootNotification", boot)["status"] == "Accepted"
            boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "A", "model": "B"}}
            assert call(new, "BootNotification", boot)["status"] == "Accepted"
        for path in (f"{address}/csms/no-such-key/X", f"{address}/elsewhere", address):
            with pytest.raises(InvalidStatus) as refused, connect(path, subprotocols=["ocpp1.6"]):
                pass
            assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus), connect(f"{house}/X", subprotocols=["ocpp1.5"]):
            pass
    assert "Traceback" not in log.read_text()
    assert set(Station.objects.unscoped().values_list("identity", flat=True)) == {"OLD 1", "NEW"}


def stored(condition, deadline=30):
    """The only station's row, once it fulfils the condition: what stations repeat is written every few seconds."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        row = Station.objects.unscoped().get()
        if condition(row):
            return row
        time.sleep(0.1)
    raise AssertionError("the row never came to be as expected")


def test_statuses_are_written_while_connected_and_when_the_process_ends(endpoint, tmp_path):
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    path, log = f"/csms/{endpoint.key}/CP", tmp_path / "daphne.log"
    with daphne(log) as (address, process), connect(address + path, subprotocols=["ocpp1.6"]) as ws:
        call(ws, "StatusNotification", status, "1")
        assert stored(lambda row: row.connectors).connectors["1"]["status"] == "Available"
        number = call(ws, "StartTransaction", START, "2")["transactionId"]
        sample = [{"timestamp": WHEN, "sampledValue": [{"value": "250"}]}]
        call(ws, "MeterValues", {"connectorId": 1, "transactionId": number, "meterValue": sample}, "3")
        call(ws, "StatusNotification", status | {"status": "Charging"}, "4")
        process.terminate()
        process.wait(timeout=30)
    assert "Traceback" not in log.read_text()
    assert Station.objects.unscoped().get().connectors["1"]["status"] == "Charging"
    assert CsmsTransaction.objects.unscoped().get().energy == 250


def test_a_transaction_outlives_the_process(endpoint, tmp_path):
    path, log = f"/csms/{endpoint.key}/CP", tmp_path / "daphne.log"
    with daphne(log) as (address, process), connect(address + path, subprotocols=["ocpp1.6"]) as ws:
        number = call(ws, "StartTransaction", START)["transactionId"]
        process.kill()
        with pytest.raises(ConnectionClosed):
            ws.recv(timeout=30)
    with daphne(log) as (address, _), connect(address + path, subprotocols=["ocpp1.6"]) as ws:
        assert call(ws, "StopTransaction", {"transactionId": number, "meterStop": 700, "timestamp": WHEN}) == {}
        assert Station.objects.unscoped().get().connected
    row = CsmsTransaction.objects.unscoped().get()
    assert (row.transaction_id, row.energy) == (str(number), 700)
