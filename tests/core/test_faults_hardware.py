"""Faults of the hardware as a CSMS sees them, in both versions (behaviour contract, 8.1)."""

import random
from typing import Any

import pytest

from simulator.core import faults
from simulator.core.physical import meter
from tests.contract.proving import proves
from tests.core.rig import Rig


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """A station that charges at its first outlet."""
    rig = Rig(request.param).boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(30)
    rig.forget()
    return rig


def inject(rig: Rig, fault_type: str, **more: Any) -> None:
    outcome = rig.outcome(rig.command("inject_fault", fault_type=fault_type, connector_id=1, **more))
    assert outcome.state == "accepted", outcome


def statuses(rig: Rig) -> list[tuple[str, str]]:
    return [
        (one.get("status", one.get("connectorStatus")), one.get("errorCode", ""))
        for one in rig.calls("StatusNotification")
    ]


def ended(rig: Rig) -> list[str]:
    """Why transactions ended."""
    events = [one["transactionInfo"] for one in rig.calls("TransactionEvent") if one["eventType"] == "Ended"]
    return [one["reason"] for one in rig.calls("StopTransaction")] + [one["stoppedReason"] for one in events]


@pytest.mark.parametrize("severity", ["blocking", "warning"])
@pytest.mark.parametrize("code", faults.KINDS)
def test_every_fault_is_told_and_cleared(rig: Rig, code: str, severity: str) -> None:
    inject(rig, code, severity=severity, duration_seconds=20)
    kind = faults.KINDS[code]
    wire_code = faults.WIRE_CODES.get(code, code)
    is_v16 = rig.setup.subprotocol == "ocpp1.6"
    if is_v16:
        assert wire_code in [error for _, error in statuses(rig)]
    else:
        (event,) = [one["eventData"][0] for one in rig.calls("NotifyEvent")]
        assert (event["techCode"], event["cleared"], event["trigger"]) == (code, False, "Alerting")
    blocks = severity == "blocking" and code != "ConnectorLockFailure"  # a lock stops nothing that runs
    assert ("Faulted" in [status for status, _ in statuses(rig)]) == blocks
    assert bool(ended(rig)) == (blocks and kind.stops)
    rig.run(25)
    if is_v16:
        assert statuses(rig)[-1][1] == "NoError"
    else:
        assert rig.calls("NotifyEvent")[-1]["eventData"][0]["cleared"]


STOPPING = (
    "GroundFailure", "OverCurrentFailure", "OverVoltage", "UnderVoltage", "PowerSwitchFailure", "InternalError",
    "OtherError", "EmergencyStop",
)  # fmt: skip
WARNING = ("HighTemperature", "PowerMeterFailure")


@proves("8.1/{code}")
@pytest.mark.parametrize("code", [*STOPPING, *WARNING])
def test_a_fault_stops_or_warns_and_its_end_is_told(rig: Rig, code: str) -> None:
    inject(rig, code)
    assert bool(ended(rig)) == (code in STOPPING)
    rig.command("clear_fault")
    if rig.setup.subprotocol == "ocpp1.6":
        assert statuses(rig)[-1] == ("Finishing" if code in STOPPING else "Charging", "NoError")


@pytest.mark.parametrize(
    ("code", "v201"),
    [
        ("GroundFailure", "GroundFault"), ("OverCurrentFailure", "OvercurrentFault"), ("OverVoltage", "PowerQuality"),
        ("UnderVoltage", "PowerQuality"), ("EmergencyStop", "EmergencyStop"), ("InternalError", "Other"),
    ],
)  # fmt: skip
def test_the_reason_of_the_stop(rig: Rig, code: str, v201: str) -> None:
    inject(rig, code)
    v16 = "EmergencyStop" if code == "EmergencyStop" else "Other"
    assert ended(rig) == [v16 if rig.setup.subprotocol == "ocpp1.6" else v201]


def test_the_values_move_with_the_fault(rig: Rig) -> None:
    outlet = rig.station.connectors[0]

    def reading() -> meter.Reading:
        return meter.read(outlet, random.Random(1))

    healthy = reading()
    inject(rig, "OverVoltage", severity="warning")
    assert reading().voltages_v[0] == pytest.approx(healthy.voltages_v[0] * 1.2)
    rig.command("clear_fault")
    inject(rig, "HighTemperature")
    assert reading().temperature_c > healthy.temperature_c + 30
    assert outlet.offered_w == outlet.outlet.max_power_w / 2


@proves("8.1/ConnectorLockFailure")
def test_a_faulty_lock_lets_no_transaction_start_and_a_replug_mends_it(rig: Rig) -> None:
    rig.command("stop_session", connector_id=1)
    inject(rig, "ConnectorLockFailure")
    assert statuses(rig)[-1][0] == "Faulted"
    rig.forget()
    assert rig.outcome(rig.command("start_session", id_tag="A", connector_id=1)).state == "rejected"
    rig.command("plug_connector", connector_id=1)
    rig.command("present_tag", id_tag="A", connector_id=1)
    assert not rig.calls("StartTransaction")
    rig.command("unplug_connector", connector_id=1)
    rig.command("plug_connector", connector_id=1)
    assert not rig.station.connectors[0].faults


@proves("8.1/EVCommunicationError")
def test_a_car_that_is_not_heard_of_suspends_and_then_ends(rig: Rig) -> None:
    inject(rig, "EVCommunicationError")
    assert rig.station.connectors[0].power_w == 0 or not rig.station.connectors[0].energy_flows
    assert ended(rig) == []
    rig.run(125)
    assert ended(rig) == ["Other"]
    rig.command("clear_fault")


def test_a_reboot_clears_what_a_reboot_can(rig: Rig) -> None:
    inject(rig, "InternalError")
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=2)
    rig.command("reset", type="Hard")
    rig.reconnect()
    assert [[f.code for f in one.faults] for one in rig.station.connectors] == [[], ["GroundFailure"]]


@proves("8.1/ResetFailure")
def test_a_station_whose_reset_fails_stays_up(rig: Rig) -> None:
    inject(rig, "ResetFailure")
    rig.csms("Reset", type="Hard" if rig.setup.subprotocol == "ocpp1.6" else "Immediate")
    rig.run(60)
    assert rig.closed == []
    rig.command("clear_fault")
    rig.run(60)
    assert rig.closed == []


@proves("6.1/ResetRetries")
def test_a_failed_reset_is_tried_again_and_succeeds_once_the_fault_is_gone(rig: Rig) -> None:
    inject(rig, "ResetFailure")
    rig.csms("Reset", type="Hard" if rig.setup.subprotocol == "ocpp1.6" else "Immediate")
    rig.run(5)
    rig.command("clear_fault")
    rig.run(6)
    rig.reconnect()
    assert "BootNotification" in rig.actions()


def test_a_fault_of_the_station_is_told_for_all_and_cleared_for_all(rig: Rig) -> None:
    rig.command("inject_fault", fault_type="InternalError", connector_id=0)
    assert ended(rig)
    assert rig.command("start_session", id_tag="B", connector_id=2)
    rig.command("clear_fault", connector_id=2)
    assert rig.station.connectors[1].faults, "the station's fault is not that outlet's alone"
    rig.command("clear_fault", connector_id=0)
    assert [one.faults for one in rig.station.connectors] == [[], []]
    if rig.setup.subprotocol == "ocpp2.0.1":
        told = [one["eventData"][0] for one in rig.calls("NotifyEvent")]
        assert [(one["component"], one["cleared"]) for one in told] == [
            ({"name": "ChargingStation"}, False), ({"name": "ChargingStation"}, True)
        ]  # fmt: skip


@proves("8.1/station")
def test_connector_0_is_faulted_with_the_station() -> None:
    rig = Rig().boot()
    rig.forget()
    rig.command("inject_fault", fault_type="InternalError", connector_id=0)
    assert "0 Faulted" in rig.actions()
    rig.command("clear_fault")
    assert rig.actions()[-1].endswith("Available")


@proves("8.1/set", "8.1/faulted")
def test_of_several_faults_the_gravest_and_newest_shows_and_one_is_cleared_alone() -> None:
    rig = Rig().boot()
    rig.forget()
    for code in ("GroundFailure", "OverVoltage", "ReaderFailure"):
        inject(rig, code)
    assert statuses(rig) == [("Faulted", "GroundFailure"), ("Faulted", "OverVoltage")]
    assert rig.csms("RemoteStartTransaction", connectorId=1, idTag="A") == {"status": "Rejected"}
    rig.command("clear_fault", fault_type="OverVoltage")
    assert statuses(rig)[-1] == ("Faulted", "GroundFailure")
    rig.command("clear_fault", fault_type="GroundFailure", connector_id=1)
    rig.command("clear_fault", fault_type="GroundFailure", connector_id=1)
    rig.command("clear_fault")
    assert statuses(rig)[-2:] == [("Available", "ReaderFailure"), ("Available", "NoError")]


def test_a_latched_fault_ends_with_a_reset_once_the_cable_is_out(rig: Rig) -> None:
    inject(rig, "GroundFailure", parameters={"latched": True}, duration_seconds=5)
    outlet = rig.station.connectors[0]
    answer = rig.outcome(rig.command("clear_fault", connector_id=1)).result
    assert answer is not None
    assert "latched" in answer["msg"]
    rig.run(10)
    rig.command("reset", type="Hard")
    rig.reconnect()
    assert outlet.has_fault("GroundFailure"), "the cable is still in"
    rig.command("unplug_connector", connector_id=1)
    rig.command("reset", type="Hard")
    rig.reconnect()
    assert not outlet.faults


@proves("8.1/ReaderFailure")
def test_a_faulty_reader_ignores_tags_but_a_remote_start_works() -> None:
    rig = Rig().boot()
    inject(rig, "ReaderFailure")
    rig.command("present_tag", id_tag="A", connector_id=1)
    assert not rig.calls("Authorize")
    rig.command("plug_connector", connector_id=1)
    assert rig.csms("RemoteStartTransaction", connectorId=1, idTag="A") == {"status": "Accepted"}
    rig.run(5)
    assert rig.calls("StartTransaction")
    rig.command("clear_fault")


@proves("8.1/LocalListConflict")
def test_a_new_full_list_ends_a_list_conflict() -> None:
    rig = Rig().boot()
    inject(rig, "LocalListConflict")
    entry = {"idTag": "A", "idTagInfo": {"status": "Accepted"}}
    rig.csms("SendLocalList", listVersion=1, updateType="Differential", localAuthorizationList=[entry])
    assert statuses(rig)[-1][1] == "LocalListConflict"
    rig.csms("SendLocalList", listVersion=2, updateType="Full", localAuthorizationList=[entry])
    assert statuses(rig)[-1][1] == "NoError"


@proves("8.1/CableCut")
def test_a_cut_cable_ends_the_transaction_as_a_departure(rig: Rig) -> None:
    inject(rig, "CableCut")
    assert ended(rig) == ["EVDisconnected"]
    assert statuses(rig)[-1][0] == "Available"


@proves("8.1/anomalies")
def test_the_meters_anomalies_show_in_the_values_alone(rig: Rig) -> None:
    outlet = rig.station.connectors[0]
    inject(rig, "MeterStuck")
    stuck = outlet.metered_wh
    rig.run(60)
    assert outlet.metered_wh == stuck < outlet.register_wh
    rig.command("clear_fault")
    for code, sign in (("MeterJump", 1), ("MeterNegativeStep", -1)):
        inject(rig, code, parameters={"offset_wh": 500})
        assert outlet.metered_wh - outlet.register_wh == sign * 500
        rig.command("clear_fault")
    healthy = meter.read(outlet, random.Random(1))
    inject(rig, "SwappedPhases")
    swapped = meter.read(outlet, random.Random(1))
    assert swapped.voltages_v == healthy.voltages_v
    assert sorted(swapped.currents_a) == sorted(healthy.currents_a)
    assert swapped.currents_a == healthy.currents_a[1:] + healthy.currents_a[:1]
    assert statuses(rig) == []


def test_parameters_are_checked_against_the_catalog() -> None:
    assert faults.problems("MeterJump", {"offset_wh": 5}) == {}
    assert set(faults.problems("MeterJump", {"offset_wh": "5", "delay_ms": 1})) == {"offset_wh", "delay_ms"}
    assert set(faults.problems("slow-responses", {"delay_ms": -1, "action": ""})) == {"delay_ms", "action"}
    assert set(faults.problems("clock-drift", {"ignore_time": 1})) == {"ignore_time"}
    assert set(faults.problems("network-drop", {"kind": "odd"})) == {"kind"}
