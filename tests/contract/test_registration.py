"""Section 2 of the behaviour contract: boot, registration, heartbeat, clock (TC_001, TC_002)."""

import json
from typing import Any

import msgspec
import pytest

from simulator.core.setup import Options
from simulator.core.timestamps import read
from tests.contract.proving import proves
from tests.core.rig import NOW, Rig


def answer(status: str, interval: int = 300, time: str = NOW) -> dict[str, Any]:
    return {"status": status, "interval": interval, "currentTime": time}


def with_answer(status: str, interval: int = 300) -> Rig:
    rig = Rig()
    rig.answers["BootNotification"] = answer(status, interval)
    return rig.boot()


def boots(rig: Rig) -> int:
    return len(rig.calls("BootNotification"))


@proves("2.1/vendor and model", "2.1/serial", "2.1/firmware", "2.1/modem", "2.1/meter")
def test_a_boot_says_what_the_station_is() -> None:
    rig = Rig()
    rig.setup = msgspec.structs.replace(rig.setup, iccid="8931", imsi="20408", meter_type="MID-3P")
    rig.rebuild()
    rig.boot()
    [boot] = rig.calls("BootNotification")
    assert (boot["iccid"], boot["imsi"], boot["meterType"]) == ("8931", "20408", "MID-3P")


@proves("2.2/Accepted")
def test_an_accepted_station_tells_its_connectors_and_beats() -> None:
    rig = with_answer("Accepted", 77)
    assert rig.actions()[:4] == ["BootNotification", "0 Available", "1 Available", "2 Available"]
    rig.run(80)
    assert rig.actions()[-1] == "Heartbeat"
    assert rig.csms("GetConfiguration", key=["HeartbeatInterval"])["configurationKey"][0]["value"] == "77"


@proves("2.2/Accepted interval 0")
def test_interval_0_keeps_the_own_one() -> None:
    rig = with_answer("Accepted", 0)
    [key] = rig.csms("GetConfiguration", key=["HeartbeatInterval"])["configurationKey"]
    assert key["value"] == "300"


@proves("2.2/Pending")
def test_a_pending_station_answers_but_sends_nothing_unasked() -> None:
    rig = with_answer("Pending", 100)
    assert rig.csms("GetConfiguration", key=["HeartbeatInterval"])["configurationKey"]
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == {"status": "Rejected"}
    rig.run(99)
    assert rig.actions() == ["BootNotification"]
    rig.run(5)
    assert boots(rig) == 2
    assert rig.csms("TriggerMessage", requestedMessage="BootNotification") == {"status": "Accepted"}
    assert boots(rig) == 3
    assert rig.csms("TriggerMessage", requestedMessage="Heartbeat") == {"status": "Accepted"}
    assert rig.actions()[-1] == "Heartbeat", "what the CSMS asks for may be sent"
    rig.answers["BootNotification"] = answer("Accepted")
    rig.csms("TriggerMessage", requestedMessage="BootNotification")
    assert "1 Available" in rig.actions()


@proves("2.2/Rejected")
def test_a_rejected_station_is_silent_until_its_time() -> None:
    rig = with_answer("Rejected", 100)
    rig.receive(json.dumps([2, "a", "GetConfiguration", {}]))
    rig.run(99)
    assert [f.message_type for f in rig.frames if f.direction == "cp_to_csms"] == ["CALL"]
    rig.run(5)
    assert boots(rig) == 2
    assert not rig.closed


@proves("2.2/own wait")
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_without_an_interval_the_own_wait_doubles(status: str) -> None:
    rig = with_answer(status, 0)
    waits = []
    for count in range(2, 8):
        before = rig.mono
        rig.run_until(lambda count=count: boots(rig) == count)
        waits.append(rig.mono - before)
    assert all(base <= wait <= base * 1.11 for base, wait in zip((60, 120, 240, 480, 900, 900), waits, strict=True))


@proves("2.2/nothing before")
def test_before_the_first_acceptance_nothing_starts_and_nothing_queued_goes_out() -> None:
    rig = with_answer("Pending", 60)
    command = rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(50)
    assert rig.actions() == ["BootNotification"]
    rig.answers["BootNotification"] = answer("Accepted")
    rig.run(30)
    assert rig.outcome(command).state == "accepted", "it waited for the acceptance"
    rig.go_down()
    rig.command("stop_session", connector_id=1)
    rig.restart(killed=True)
    assert rig.actions().index("StartTransaction") > rig.actions().index("BootNotification")


@proves("2.2/rebooted")
def test_what_was_restored_goes_on_while_the_boot_is_pending() -> None:
    rig = Rig(options=Options(on_power_loss="resume")).boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    rig.answers["BootNotification"] = answer("Pending", 200)
    rig.restart(killed=True)
    rig.forget()
    rig.run(150)
    assert rig.actions() == []
    rig.answers["BootNotification"] = answer("Accepted")
    rig.run(100)
    assert len(rig.calls("MeterValues")) >= 2


@proves("2.3/H1")
def test_other_calls_put_the_heartbeat_off() -> None:
    rig = with_answer("Accepted", 60)
    rig.run(40)
    rig.forget()
    rig.command("plug_connector", connector_id=1)
    rig.run(55)
    assert rig.actions() == ["1 Preparing"]
    rig.run(10)
    assert "Heartbeat" in rig.actions()


@proves("2.3/H2")
def test_the_clock_is_the_csmss() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = answer("Accepted", 300, "2026-04-02T10:15:00Z")
    rig.boot()
    told = read(rig.calls("StatusNotification")[-1]["timestamp"])
    assert told is not None
    assert 0 <= told - 1_775_124_900 < 1
    rig.answers["Heartbeat"] = {"currentTime": "2026-04-02T10:15:00+00:00"}
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    rig.command("plug_connector", connector_id=1)


@proves("2.3/H3")
def test_a_jump_of_the_clock_skips_no_sample() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(30)
    rig.wall_shift = -86_400.0
    rig.run(35)
    assert len(rig.calls("MeterValues")) == 1
    rig.wall_shift = 86_400.0
    rig.run(60)
    assert len(rig.calls("MeterValues")) == 2


@proves("2.3/H4")
def test_a_clock_may_be_off() -> None:
    rig = Rig().boot()
    before = rig.wire_time()
    parameters = {"offset_seconds": 86_400, "ignore_time": True}
    rig.command("inject_fault", fault_type="clock-drift", parameters=parameters)
    rig.command("plug_connector", connector_id=1)
    assert rig.calls("StatusNotification")[-1]["timestamp"][:10] > before[:10]
