"""OCPP 2.0.1: when transactions start and end, and what is told of them (behaviour contract, 4.1 to 4.5)."""

from typing import Any

import pytest

from tests.core.rig import CABLE, Rig
from tests.core.v201 import TOKEN, configure, events, station, story


def blocked(request: dict[str, Any]) -> dict[str, Any]:
    return {"idTokenInfo": {"status": "Blocked"}} if "idToken" in request else {}


# --- start ------------------------------------------------------------------------------------------------------------


def test_start_session_plugs_authorizes_and_charges() -> None:
    rig = station()
    command = rig.command("start_session", id_tag="TAG", evse_id=1)
    assert rig.outcome(command).state == "accepted"
    rig.run(5)
    assert rig.actions() == ["1 Occupied", "TransactionEvent", "Authorize", "TransactionEvent", "TransactionEvent"]
    assert story(rig) == [
        "Started CablePluggedIn EVConnected",
        "Updated Authorized EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    proof = [frame for frame in rig.frames if frame.sequence in rig.outcome(command).frames]
    assert [frame.action for frame in proof].count("TransactionEvent") == 4


def test_events_are_numbered_without_a_gap_and_name_the_token_once() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(200)
    assert [one["seqNo"] for one in events(rig)] == list(range(len(events(rig))))
    assert [one["seqNo"] for one in events(rig) if "idToken" in one] == [1]
    assert all(one["evse"] == {"id": 1, "connectorId": 1} for one in events(rig))
    assert len({one["transactionInfo"]["transactionId"] for one in events(rig)}) == 1


def test_token_first_waits_for_the_cable() -> None:
    rig = station()
    rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4, evseId=1)
    rig.command("plug_connector", evse_id=1)
    rig.run(5)
    assert story(rig) == [
        "Started RemoteStart Idle",
        "Updated CablePluggedIn EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    assert rig.actions()[:2] == ["TransactionEvent", "1 Occupied"]


def test_a_remote_start_carries_its_id_and_token_with_the_first_event() -> None:
    rig = station()
    rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4, evseId=2)
    first = events(rig)[0]
    assert first["transactionInfo"]["remoteStartId"] == 4
    assert first["idToken"] == TOKEN
    assert first["evse"]["id"] == 2


def test_a_remote_start_on_a_plugged_evse_names_the_transaction_that_runs() -> None:
    rig = station()
    rig.command("plug_connector", evse_id=2)
    answer = rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4)
    assert answer == {"status": "Accepted", "transactionId": events(rig)[0]["transactionInfo"]["transactionId"]}
    assert story(rig)[-1] == "Updated RemoteStart EVConnected"


def test_no_cable_in_time_ends_what_the_token_began() -> None:
    rig = station()
    rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4, evseId=1)
    rig.run(61)
    last = events(rig)[-1]
    assert story(rig)[-1] == "Ended EVConnectTimeout Idle"
    assert last["transactionInfo"]["stoppedReason"] == "Timeout"
    assert rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=5, evseId=1)["status"] == "Accepted"


def test_with_power_path_closed_nothing_starts_before_token_and_cable() -> None:
    rig = station(TxStartPoint="PowerPathClosed")
    rig.command("plug_connector", evse_id=1)
    assert not events(rig)
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert story(rig)[0] == "Started Authorized EVConnected"
    assert "idToken" in events(rig)[0]


def test_with_power_path_closed_a_lone_token_is_forgotten_in_time() -> None:
    rig = station(TxStartPoint="PowerPathClosed")
    rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4, evseId=1)
    rig.run(61)
    rig.command("plug_connector", evse_id=1)
    rig.run(10)
    assert not events(rig)


def test_with_energy_transfer_the_transaction_starts_when_energy_flows() -> None:
    rig = station(TxStartPoint="EnergyTransfer")
    command = rig.command("start_session", id_tag="TAG", evse_id=1)
    assert not events(rig)
    rig.run(5)
    assert story(rig) == ["Started ChargingStateChanged Charging"]
    assert "idToken" in events(rig)[0]
    assert rig.outcome(command).state == "accepted"


def test_with_authorized_alone_a_cable_starts_nothing() -> None:
    rig = station(TxStartPoint="Authorized")
    rig.command("plug_connector", evse_id=1)
    assert rig.actions() == ["1 Occupied"]
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert story(rig)[0] == "Started Authorized EVConnected"


def test_with_ev_connected_alone_a_token_waits_for_the_cable() -> None:
    rig = station(TxStartPoint="EVConnected")
    rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4, evseId=1)
    assert not events(rig)
    rig.command("plug_connector", evse_id=1)
    assert story(rig)[:2] == ["Started CablePluggedIn EVConnected", "Updated RemoteStart EVConnected"]
    assert events(rig)[1]["transactionInfo"]["remoteStartId"] == 4


def test_a_refused_token_leaves_no_event() -> None:
    rig = station(TxStartPoint="Authorized")
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}
    command = rig.command("start_session", id_tag="TAG", evse_id=1)
    assert rig.outcome(command).state == "rejected"
    assert "Blocked" in rig.outcome(command).reason
    assert not events(rig)


def test_a_token_for_another_evse_is_refused_here() -> None:
    rig = station()
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", "evseId": [2]}}
    assert rig.outcome(rig.command("start_session", id_tag="TAG", evse_id=1)).state == "rejected"
    assert rig.outcome(rig.command("start_session", id_tag="TAG", evse_id=2)).state == "accepted"


def test_start_transaction_asks_nobody() -> None:
    rig = station()
    command = rig.command("start_transaction", id_tag="TAG", connector_id=2)
    assert rig.actions()[:3] == ["2 Occupied", "TransactionEvent", "TransactionEvent"]
    assert not rig.calls("Authorize")
    assert rig.outcome(command).state == "accepted"


def test_with_authorization_disabled_a_cable_is_enough() -> None:
    rig = station()
    configure(rig, {"AuthCtrlr.Enabled": "false"})
    rig.command("plug_connector", evse_id=1)
    rig.run(5)
    assert not rig.calls("Authorize")
    tokens = [one["idToken"] for one in events(rig) if "idToken" in one]
    assert tokens == [{"idToken": "", "type": "NoAuthorization"}]
    assert story(rig)[-1] == "Updated ChargingStateChanged Charging"


def test_a_master_pass_stops_everything_and_starts_nothing() -> None:
    rig = station()
    configure(rig, {"AuthCtrlr.MasterPassGroupId": "MASTER"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.answers["Authorize"] = {
        "idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "master", "type": "Central"}}
    }
    rig.command("start_session", id_tag="PASS", evse_id=2)
    ended = [one for one in events(rig) if one["eventType"] == "Ended"]
    assert {one["transactionInfo"]["stoppedReason"] for one in ended} == {"MasterPass"}
    assert len(ended) == 2


def test_a_master_pass_stops_the_transaction_that_it_is_shown_at() -> None:
    rig = station()
    configure(rig, {"AuthCtrlr.MasterPassGroupId": "MASTER"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.answers["Authorize"] = {
        "idTokenInfo": {"status": "Accepted", "groupIdToken": {"idToken": "MASTER", "type": "Central"}}
    }
    rig.command("present_tag", id_tag="PASS", evse_id=1)
    assert events(rig)[-1]["transactionInfo"]["stoppedReason"] == "MasterPass"


def test_the_plug_event_names_what_the_cable_carries() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert [one.get("cableMaxCurrent") for one in events(rig)][:2] == [32, None]


def test_the_stations_end_may_stay_locked_until_the_driver_shows_the_token() -> None:
    rig = station()
    configure(rig, {"OCPPCommCtrlr.UnlockOnEVSideDisconnect": "false"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    rig.command("unplug_connector", evse_id=1)
    assert story(rig)[-1].startswith("Ended EVCommunicationLost")
    assert "1 Available" not in rig.actions()
    rig.command("present_tag", id_tag="TAG", evse_id=1)
    rig.command("unplug_connector", evse_id=1)
    assert rig.actions()[-1] == "1 Available"


def test_a_cable_held_for_a_refused_driver_is_released_by_the_csms() -> None:
    rig = station(TxStopPoint="Authorized")
    rig.answers["TransactionEvent"] = blocked
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert story(rig)[-1].startswith("Ended Deauthorized")
    rig.command("unplug_connector", evse_id=1)
    assert rig.station.connectors[0].plugged
    assert rig.csms("UnlockConnector", evseId=1, connectorId=1) == {"status": "Unlocked"}
    rig.command("unplug_connector", evse_id=1)
    assert not rig.station.connectors[0].plugged


# --- stop -------------------------------------------------------------------------------------------------------------


def test_stop_session_ends_before_it_unplugs() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(30)
    rig.forget()
    command = rig.command("stop_session", evse_id=1)
    assert rig.actions() == ["TransactionEvent", "1 Available"]
    end = events(rig)[0]
    assert story(rig) == ["Ended StopAuthorized EVConnected"]
    assert end["transactionInfo"]["stoppedReason"] == "Local"
    assert end["idToken"]["idToken"] == "TAG"
    assert rig.outcome(command).state == "accepted"


def test_with_stop_point_ev_connected_the_stop_waits_for_the_car() -> None:
    rig = station(TxStopPoint="EVConnected")
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(30)
    rig.forget()
    transaction = rig.station.connectors[0].running
    assert transaction is not None
    assert rig.csms("RequestStopTransaction", transactionId=transaction.key)["status"] == "Accepted"
    rig.run(5)
    rig.command("unplug_connector", evse_id=1)
    assert story(rig) == [
        "Updated RemoteStop Charging",
        "Updated ChargingStateChanged EVConnected",
        "Ended EVCommunicationLost Idle",
    ]
    assert events(rig)[-1]["transactionInfo"]["stoppedReason"] == "Remote"


def test_a_transaction_may_last_from_the_cars_arrival_to_its_departure() -> None:
    rig = station(TxStartPoint="ParkingBayOccupancy", TxStopPoint="ParkingBayOccupancy")
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(5)
    assert story(rig) == [
        "Started EVDetected Idle",
        "Updated CablePluggedIn EVConnected",
        "Updated Authorized EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    rig.forget()
    rig.command("stop_session", evse_id=1)
    assert story(rig) == [
        "Updated StopAuthorized Charging",
        "Updated ChargingStateChanged EVConnected",
        "Updated EVCommunicationLost Idle",
        "Ended EVDeparted Idle",
    ]
    assert events(rig)[-1]["transactionInfo"]["stoppedReason"] == "Local"


def test_a_token_before_the_car_is_told_after_its_arrival() -> None:
    rig = station(TxStartPoint="ParkingBayOccupancy", TxStopPoint="ParkingBayOccupancy,Authorized")
    rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=4, evseId=1)
    assert events(rig) == []
    rig.command("plug_connector", evse_id=1)
    assert story(rig) == [
        "Started EVDetected Idle",
        "Updated CablePluggedIn EVConnected",
        "Updated RemoteStart EVConnected",
    ]
    rig.forget()
    rig.command("unplug_connector", evse_id=1)
    assert story(rig) == ["Ended EVCommunicationLost Idle"]


def test_with_stop_point_energy_transfer_a_pause_is_the_end() -> None:
    rig = station(TxStopPoint="EnergyTransfer")
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(30)
    rig.command("ev_stops_energy", evse_id=1)
    assert story(rig)[-1] == "Ended ChargingStateChanged EVConnected"
    assert events(rig)[-1]["transactionInfo"]["stoppedReason"] == "StoppedByEV"


def test_unplugging_the_car_ends_the_transaction() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(30)
    rig.forget()
    rig.command("unplug_connector", evse_id=1)
    assert story(rig) == ["Ended EVCommunicationLost Idle"]
    assert events(rig)[0]["transactionInfo"]["stoppedReason"] == "EVDisconnected"
    assert rig.actions()[-1] == "1 Available"


def test_a_transaction_may_outlive_the_car_and_go_on_when_it_is_back() -> None:
    rig = station(TxStopPoint="Authorized", StopTxOnEVSideDisconnect="false")
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(30)
    rig.forget()
    rig.command("unplug_connector", evse_id=1)
    rig.command("plug_connector", evse_id=1)
    rig.run(5)
    assert story(rig) == [
        "Updated EVCommunicationLost SuspendedEVSE",
        "Updated CablePluggedIn EVConnected",
        "Updated ChargingStateChanged Charging",
    ]
    assert not [action for action in rig.actions() if action.startswith("1 ")]


def test_a_fixed_cable_that_does_not_come_back_ends_it() -> None:
    rig = Rig("ocpp2.0.1", outlets=(CABLE,)).boot()
    configure(rig, {"TxCtrlr.TxStopPoint": "Authorized", "TxCtrlr.StopTxOnEVSideDisconnect": "false"})
    rig.command("start_session", id_tag="TAG")
    rig.run(30)
    rig.forget()
    rig.command("unplug_connector")
    assert story(rig) == ["Updated EVCommunicationLost Idle"]
    assert not [action for action in rig.actions() if action.startswith("1 ")]
    rig.run(61)
    assert story(rig)[-1] == "Ended EVConnectTimeout Idle"


def test_a_pause_of_the_car_is_told_and_the_transaction_goes_on() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(10)
    rig.forget()
    rig.command("ev_stops_energy", evse_id=1)
    rig.command("ev_requests_energy", evse_id=1)
    rig.run(5)
    assert story(rig) == ["Updated ChargingStateChanged SuspendedEV", "Updated ChargingStateChanged Charging"]


def test_a_token_the_csms_takes_back_ends_the_transaction() -> None:
    rig = station()
    rig.answers["TransactionEvent"] = blocked
    command = rig.command("start_session", id_tag="TAG", evse_id=1)
    assert story(rig)[-1] == "Ended Deauthorized EVConnected"
    assert events(rig)[-1]["transactionInfo"]["stoppedReason"] == "DeAuthorized"
    assert rig.outcome(command).state == "rejected"


def test_a_token_taken_back_only_stops_the_energy_where_settings_say_so() -> None:
    rig = station(StopTxOnInvalidId="false")
    rig.answers["TransactionEvent"] = blocked
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(10)
    assert story(rig)[-1] == "Updated ChargingStateChanged SuspendedEVSE"


def test_a_token_taken_back_may_use_the_energy_that_settings_grant() -> None:
    rig = station(StopTxOnInvalidId="false", MaxEnergyOnInvalidId="50")
    rig.answers["TransactionEvent"] = blocked
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(5)
    assert story(rig)[-1] == "Updated ChargingStateChanged Charging"
    rig.run(120)
    assert story(rig)[-1] == "Updated ChargingStateChanged SuspendedEVSE" or "MeterValuePeriodic" in story(rig)[-1]
    assert "Updated ChargingStateChanged SuspendedEVSE" in story(rig)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("GroundFailure", "GroundFault"),
        ("OverCurrent", "OvercurrentFault"),
        ("OverVoltage", "PowerQuality"),
        ("InternalError", "Other"),
        ("EmergencyStop", "EmergencyStop"),
    ],
)
def test_a_fault_ends_the_transaction_with_its_own_reason(fault: str, reason: str) -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    rig.command("inject_fault", fault_type=fault, evse_id=1)
    assert story(rig) == ["Ended AbnormalCondition EVConnected"]
    assert events(rig)[0]["transactionInfo"]["stoppedReason"] == reason


def test_a_session_ends_by_its_own_limits() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1, duration_seconds=40)
    rig.command("start_session", id_tag="TAG2", evse_id=2, target_energy_kwh=0.2)
    rig.run(300)
    ended = {one["evse"]["id"]: one for one in events(rig) if one["eventType"] == "Ended"}
    assert ended[1]["triggerReason"] == ended[1]["transactionInfo"]["stoppedReason"] == "TimeLimitReached"
    assert ended[2]["triggerReason"] == ended[2]["transactionInfo"]["stoppedReason"] == "EnergyLimitReached"
