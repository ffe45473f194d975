"""OCPP 2.0.1: what monitors notice is told by NotifyEvent, as faults are (behaviour contract, 3.4, 5.8 and 8.1)."""

from itertools import pairwise

import pytest

from simulator.core import faults, timestamps
from tests.core.monitoring import (
    ALIGNED,
    CONNECTOR,
    DELTA,
    EVSE,
    LOWER,
    NUMERIC,
    PERIODIC,
    POWER,
    SENSOR,
    STATE,
    UPPER,
    base,
    clear,
    factory,
    level,
    monitor,
    of,
    placed,
    refusal,
    report,
    set_variable,
    story,
    told,
)
from tests.core.v201 import configure, entry, got, station

# --- thresholds -------------------------------------------------------------------------------------------------------


def test_power_above_a_threshold_is_told_and_its_end_too() -> None:
    rig = station()
    number = placed(rig, monitor(EVSE, POWER, UPPER, 5000))
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    [event] = told(rig)
    assert float(event["actualValue"]) > 5000
    assert (event["trigger"], event["cleared"]) == ("Alerting", False)
    assert (event["variableMonitoringId"], event["eventNotificationType"]) == (number, "CustomMonitor")
    assert (event["component"], event["variable"]) == (EVSE, {"name": POWER})
    assert event["transactionId"] == rig.calls("TransactionEvent")[0]["transactionInfo"]["transactionId"]
    assert rig.calls("NotifyEvent")[0]["seqNo"] == 0
    rig.run(60)
    assert len(told(rig)) == 1
    placed(rig, monitor(EVSE, POWER, LOWER, 10))
    rig.command("stop_session", evse_id=1)
    assert story(rig)[1:] == ["Alerting 0 cleared", "Alerting 0"]
    numbers = [one["eventId"] for one in told(rig)]
    assert numbers == sorted(set(numbers))


def test_nothing_is_told_on_the_threshold_itself() -> None:
    rig = station()
    placed(rig, of(NUMERIC, UPPER, 100))
    placed(rig, of(NUMERIC, LOWER, 50))
    for value in (100, 101, 100, 50, 49, 50):
        set_variable(rig, NUMERIC, str(value))
    assert story(rig) == ["Alerting 101", "Alerting 100 cleared", "Alerting 49", "Alerting 50 cleared"]


def test_a_threshold_that_is_exceeded_already_is_told_after_the_answer() -> None:
    rig = station()
    placed(rig, of(NUMERIC, UPPER, 10))
    assert story(rig) == ["Alerting 60"]
    sent = [frame.action for frame in rig.frames if frame.direction == "cp_to_csms"]
    assert sent == ["SetVariableMonitoring", "NotifyEvent"]


def test_a_threshold_that_moves_clears_or_alerts() -> None:
    rig = station()
    number = placed(rig, of(NUMERIC, UPPER, 100))
    assert story(rig) == []
    for value in (50, 40, 70):
        placed(rig, of(NUMERIC, UPPER, value, id=number))
    assert story(rig) == ["Alerting 60", "Alerting 60 cleared"]
    placed(rig, of(NUMERIC, UPPER, 10, id=number))
    rig.forget()
    clear(rig, number)
    set_variable(rig, NUMERIC, "5")
    assert told(rig) == []


def test_the_temperature_of_a_hot_station() -> None:
    rig = station()
    placed(rig, monitor(SENSOR, "Temperature", UPPER, 60))
    rig.command("inject_fault", fault_type="HighTemperature", evse_id=1)
    rig.command("clear_fault", evse_id=1)
    events = [one for one in told(rig) if one["eventNotificationType"] == "CustomMonitor"]
    assert [(one["actualValue"], one["cleared"]) for one in events] == [("73.0", False), ("28.0", True)]


def test_a_preconfigured_monitor_that_was_changed_is_a_custom_one() -> None:
    rig = station()
    preset = factory(rig)["preset"]
    placed(rig, monitor(SENSOR, "Temperature", UPPER, 20, id=preset))
    assert [one["eventNotificationType"] for one in told(rig)] == ["CustomMonitor"]


# --- Delta ------------------------------------------------------------------------------------------------------------


def test_every_change_of_a_state_is_a_delta() -> None:
    rig = station()
    placed(rig, monitor(CONNECTOR, STATE))
    placed(rig, of(f"ChargingStation.{STATE}"))
    rig.command("plug_connector", evse_id=1)
    rig.command("unplug_connector", evse_id=1)
    events = [(one["component"]["name"], one["actualValue"]) for one in told(rig)]
    assert events == [
        ("Connector", "Occupied"), ("ChargingStation", "Occupied"),
        ("Connector", "Available"), ("ChargingStation", "Available"),
    ]  # fmt: skip
    assert {one["trigger"] for one in told(rig)} == {DELTA}
    assert not any("cleared" in one for one in told(rig))


def test_a_number_must_change_by_more_than_the_difference_since_it_was_told() -> None:
    rig = station()
    placed(rig, of(NUMERIC, DELTA, 10))
    for value in (70, 71, 80, 60, 59):
        set_variable(rig, NUMERIC, str(value))
    assert story(rig) == ["Delta 71", "Delta 60"]


def test_energy_is_told_by_the_kilowatt_hour() -> None:
    rig = station()
    placed(rig, monitor({"name": "FiscalMetering", "evse": {"id": 1}}, "EnergyImportRegister", DELTA, 1000))
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(1200)
    registers = [int(one["actualValue"]) for one in told(rig)]
    assert len(registers) > 2
    assert all(1000 < after - before < 1050 for before, after in pairwise(registers))


# --- Periodic ---------------------------------------------------------------------------------------------------------


def test_a_period_counts_from_the_moment_it_is_set() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, PERIODIC, 100))
    rig.run(350)
    assert story(rig) == ["Periodic Available"] * 3
    [number] = {one["variableMonitoringId"] for one in told(rig)}
    rig.forget()
    placed(rig, monitor(EVSE, STATE, PERIODIC, 40, id=number))
    rig.run(45)
    assert len(told(rig)) == 1
    clear(rig, number)
    rig.run(300)
    assert len(told(rig)) == 1


def test_an_aligned_period_ends_at_the_marks_of_the_clock() -> None:
    rig = station()
    rig.run(520 - rig.station.clock % 900 + 900)
    rig.forget()
    placed(rig, monitor(EVSE, STATE, ALIGNED, 900))
    rig.run(2000)
    first, second = (timestamps.read(one["timestamp"]) for one in told(rig))
    assert first is not None
    assert second is not None
    assert first % 900 < 1
    assert round(second - first) == 900


def test_a_clock_that_is_set_back_a_little_makes_no_second_event_of_a_mark() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, ALIGNED, 900))
    rig.answers["Heartbeat"] = lambda _: {"currentTime": timestamps.written(rig.now.wall - 2)}
    rig.run(1000)
    assert len(told(rig)) == 1


# --- level, switch, connection ----------------------------------------------------------------------------------------


def test_only_what_the_level_lets_through_is_told() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, severity=4))
    placed(rig, monitor(EVSE, STATE, severity=5))
    placed(rig, monitor(EVSE, STATE, PERIODIC, 10, severity=5))
    assert level(rig, 4) == "Accepted"
    assert got(rig, entry("MonitoringCtrlr.ActiveMonitoringLevel")) == [("Accepted", "4")]
    rig.command("plug_connector", evse_id=1)
    rig.run(15)
    assert len(told(rig)) == 1
    assert level(rig, 5) == "Accepted"
    assert story(rig) == ["Delta Occupied", "Delta Occupied"]


@pytest.mark.parametrize("severity", [-1, 10])
def test_there_are_ten_levels(severity: int) -> None:
    rig = station()
    assert level(rig, severity) == "Rejected"
    assert got(rig, entry("MonitoringCtrlr.ActiveMonitoringLevel")) == [("Accepted", "9")]


def test_a_station_that_monitors_nothing_says_so() -> None:
    rig = station()
    number = placed(rig, monitor(EVSE, STATE))
    configure(rig, {"MonitoringCtrlr.Enabled": "false"})
    rig.forget()
    assert (base(rig, "All"), level(rig, 3)) == ("Rejected", "Rejected")
    assert refusal(rig, monitor(EVSE, POWER)) == "Rejected NotEnabled"
    assert rig.csms("GetMonitoringReport", requestId=1)["status"] == "NotSupported"
    rig.command("plug_connector", evse_id=1)
    assert told(rig) == []
    configure(rig, {"MonitoringCtrlr.Enabled": "true"})
    assert [one["variableMonitoringId"] for one in told(rig)] == [number]


def test_what_is_grave_enough_waits_out_a_lost_connection() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, severity=5))
    placed(rig, monitor(EVSE, STATE, PERIODIC, 20, severity=6))
    rig.go_down()
    rig.command("plug_connector", evse_id=1)
    rig.command("unplug_connector", evse_id=1)
    rig.run(90)
    assert told(rig) == []
    rig.restart()
    assert story(rig)[:2] == ["Delta Occupied", "Delta Available"]
    assert "Periodic Available" not in story(rig)
    stamps = [one["timestamp"] for one in told(rig)]
    assert stamps[0] < rig.calls("NotifyEvent")[0]["generatedAt"]


def test_what_is_less_grave_is_seen_as_it_is_after_the_reconnect() -> None:
    rig = station()
    configure(rig, {"MonitoringCtrlr.OfflineQueuingSeverity": "4"})
    placed(rig, monitor(EVSE, STATE))
    placed(rig, monitor({"name": "EVSE", "evse": {"id": 2}}, STATE))
    rig.forget()
    rig.go_down()
    rig.command("plug_connector", evse_id=1)
    rig.command("plug_connector", evse_id=2)
    rig.command("unplug_connector", evse_id=1)
    rig.reconnect()
    assert [(one["component"]["evse"]["id"], one["actualValue"]) for one in told(rig)] == [(2, "Occupied")]


def test_many_events_of_the_time_offline_come_in_parts_and_in_their_order() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, PERIODIC, 10))
    rig.go_down()
    rig.run(600)
    rig.reconnect()
    rig.run(1)
    messages = [one for one in rig.calls("NotifyEvent") if len(one["eventData"]) > 1]
    assert [one["seqNo"] for one in messages] == list(range(len(messages)))
    assert [one["tbc"] for one in messages] == [True] * (len(messages) - 1) + [False]
    numbers = [one["eventId"] for one in told(rig)]
    assert numbers == sorted(numbers)
    assert len(numbers) >= 60


def test_of_too_many_events_of_the_time_offline_periodic_ones_are_lost() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, PERIODIC, 10))
    rig.go_down()
    rig.command("inject_fault", fault_type="PowerMeterFailure", evse_id=1)
    rig.run(2000)
    rig.reconnect()
    assert len(told(rig)) == 100
    assert told(rig)[0]["techCode"] == "PowerMeterFailure"


def test_parts_that_a_lost_connection_swallows_come_again_in_order() -> None:
    rig = station()
    placed(rig, monitor(EVSE, STATE, PERIODIC, 10))
    rig.go_down()
    rig.run(600)
    rig.answers["NotifyEvent"] = None
    rig.reconnect()
    rig.drop()
    del rig.answers["NotifyEvent"]
    rig.forget()
    rig.reconnect()
    numbers = [one["eventId"] for one in told(rig)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= 60


# --- transactions -----------------------------------------------------------------------------------------------------


def test_a_monitor_of_transactions_sleeps_between_them() -> None:
    rig = station()
    placed(rig, monitor(EVSE, POWER, UPPER, 5000, transaction=True))
    placed(rig, monitor(EVSE, POWER, LOWER, 10, transaction=True))
    placed(rig, monitor(EVSE, STATE, PERIODIC, 30, transaction=True))
    rig.run(100)
    assert told(rig) == []
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(35)
    first, second, *more = story(rig)
    assert first == "Alerting 0"  # nothing flows yet
    assert second.startswith("Alerting ")
    assert "Periodic Occupied" in more
    rig.command("stop_session", evse_id=1)
    rig.command("unplug_connector", evse_id=1)
    assert story(rig)[-1] == "Alerting 0 cleared"
    rig.forget()
    rig.run(100)
    assert told(rig) == []


# --- over restarts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [True, False])
def test_monitors_levels_and_alerts_outlive_a_restart(killed: bool) -> None:
    rig = station()
    number = placed(rig, monitor(EVSE, POWER, UPPER, 5000))
    placed(rig, monitor(EVSE, STATE, ALIGNED, 3600))
    level(rig, 6)
    base(rig, "All")
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    before = report(rig)
    rig.restart(killed=killed)
    assert got(rig, entry("MonitoringCtrlr.ActiveMonitoringLevel")) == [("Accepted", "6")]
    rig.command("stop_session", evse_id=1)
    assert story(rig)[-1] == "Alerting 0 cleared"
    assert report(rig) == before
    assert placed(rig, monitor(EVSE, STATE)) > number


def test_an_alert_that_a_reset_ends_is_cleared_after_the_boot() -> None:
    rig = station()
    placed(rig, monitor(EVSE, POWER, UPPER, 5000))
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    rig.csms("Reset", type="Immediate")
    rig.forget()
    rig.run_until(lambda: rig.station.wants_connection(rig.now))
    rig.connect()
    assert story(rig) == ["Alerting 0 cleared"]


def test_a_station_as_the_factory_made_it_stores_no_monitors() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(20)
    assert "monitoring" not in rig.station.memory


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", faults.KINDS)
def test_a_fault_names_a_variable_that_the_station_has(code: str) -> None:
    """Its NotifyEvent is hard-wired: no monitor, whatever base or level."""
    rig = station()
    base(rig, "HardWiredOnly")
    level(rig, 0)
    rig.command("inject_fault", fault_type=code, evse_id=1)
    [event] = told(rig)
    assert event["eventNotificationType"] == "HardWiredNotification"
    assert "variableMonitoringId" not in event
    named = {"component": event["component"], "variable": event["variable"]}
    assert got(rig, named) == [("Accepted", event["actualValue"])]


def test_variables_can_be_read_while_an_anomaly_is_injected() -> None:
    rig = station()
    rig.command("inject_fault", fault_type="MeterStuck", evse_id=1)
    rcd = {"component": {"name": "RCD", "evse": {"id": 1}}, "variable": {"name": "Tripped"}}
    assert got(rig, rcd, entry("ChargingStation.Problem")) == [("Accepted", "false"), ("Accepted", "false")]
