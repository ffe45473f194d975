"""OCPP 2.0.1: every answer to what a CSMS may ask, and what follows from it (behaviour contract, 5.4 and 5.5)."""

from typing import Any

import pytest

from simulator.core.setup import Options, Outlet
from tests.core.rig import CABLE, Rig
from tests.core.v201 import TOKEN, configure, entry, got

ACCEPTED, REJECTED = "Accepted", "Rejected"


@pytest.fixture
def rig() -> Rig:
    rig = Rig("ocpp2.0.1").boot()
    rig.forget()
    return rig


def running_key(rig: Rig, index: int = 0) -> str:
    running = rig.station.connectors[index].running
    assert running is not None
    return running.key


def request_start(rig: Rig, **more: Any) -> str:
    return str(rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=1, **more)["status"])


# --- remote control ---------------------------------------------------------------------------------------------------


def test_request_start_is_refused_where_nothing_can_start(rig: Rig) -> None:
    assert request_start(rig, evseId=9) == REJECTED
    rig.command("inject_fault", fault_type="GroundFailure", evse_id=1)
    assert request_start(rig, evseId=1) == REJECTED
    rig.csms("ChangeAvailability", evse={"id": 2}, operationalStatus="Inoperative")
    assert request_start(rig, evseId=2) == REJECTED
    assert request_start(rig) == REJECTED


def test_request_start_is_refused_on_an_authorized_transaction(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert request_start(rig, evseId=1) == REJECTED
    assert request_start(rig) == ACCEPTED  # on the other EVSE
    assert request_start(rig) == REJECTED


def test_request_start_prefers_the_evse_with_a_car(rig: Rig) -> None:
    rig.command("plug_connector", evse_id=2)
    request_start(rig)
    assert rig.calls("TransactionEvent")[-1]["evse"]["id"] == 2


def test_request_start_may_ask_for_authorization_first(rig: Rig) -> None:
    configure(rig, {"AuthCtrlr.AuthorizeRemoteStart": "true"})
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Invalid"}}
    assert request_start(rig, evseId=1) == ACCEPTED
    assert rig.actions() == ["Authorize"]
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}}
    request_start(rig, evseId=1)
    assert rig.actions() == ["Authorize", "Authorize", "TransactionEvent"]


def test_request_start_with_a_profile_is_refused_without_smart_charging(rig: Rig) -> None:
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [
            {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}]}
        ],
    }
    configure(rig, {"SmartChargingCtrlr.Enabled": "false"})
    answer = rig.csms("RequestStartTransaction", idToken=TOKEN, remoteStartId=1, chargingProfile=profile)
    assert answer == {"status": REJECTED, "statusInfo": {"reasonCode": "NotEnabled"}}


def test_request_stop_answers_first_and_then_ends(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert rig.csms("RequestStopTransaction", transactionId="none")["status"] == REJECTED
    key = running_key(rig)
    rig.forget()
    assert rig.csms("RequestStopTransaction", transactionId=key)["status"] == ACCEPTED
    own = [frame for frame in rig.frames if frame.direction == "cp_to_csms"]
    assert [frame.message_type for frame in own][:2] == ["CALLRESULT", "CALL"]
    end = rig.calls("TransactionEvent")[0]
    assert (end["eventType"], end["triggerReason"]) == ("Ended", "RemoteStop")
    assert end["transactionInfo"]["stoppedReason"] == "Remote"
    assert rig.csms("RequestStopTransaction", transactionId=key)["status"] == REJECTED


def test_transaction_status_tells_of_the_transaction_and_its_messages(rig: Rig) -> None:
    assert rig.csms("GetTransactionStatus") == {"messagesInQueue": False}
    assert rig.csms("GetTransactionStatus", transactionId="x") == {"ongoingIndicator": False, "messagesInQueue": False}
    rig.answers["TransactionEvent"] = None
    rig.command("plug_connector", evse_id=1)
    key = running_key(rig)
    assert rig.csms("GetTransactionStatus", transactionId=key) == {"ongoingIndicator": True, "messagesInQueue": True}
    assert rig.csms("GetTransactionStatus") == {"messagesInQueue": True}


def test_unlock_connector(rig: Rig) -> None:
    def unlock(evse: int, connector: int = 1) -> str:
        return str(rig.csms("UnlockConnector", evseId=evse, connectorId=connector)["status"])

    assert (unlock(9), unlock(1, 5)) == ("UnknownConnector", "UnknownConnector")
    assert unlock(1) == "Unlocked"
    rig.command("plug_connector", evse_id=1)
    assert unlock(1) == "Unlocked"
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert unlock(1) == "OngoingAuthorizedTransaction"
    rig.command("inject_fault", fault_type="ConnectorLockFailure", evse_id=2)
    assert unlock(2) == "UnlockFailed"


# --- availability -----------------------------------------------------------------------------------------------------


def change(rig: Rig, status: str, **more: Any) -> str:
    return str(rig.csms("ChangeAvailability", operationalStatus=status, **more)["status"])


def test_change_availability_at_once_and_for_unknown_targets(rig: Rig) -> None:
    assert change(rig, "Inoperative", evse={"id": 9}) == REJECTED
    assert change(rig, "Inoperative", evse={"id": 1, "connectorId": 2}) == REJECTED
    assert change(rig, "Inoperative", evse={"id": 1}) == ACCEPTED
    assert change(rig, "Inoperative", evse={"id": 1}) == ACCEPTED
    assert rig.actions() == ["1 Unavailable"]
    assert change(rig, "Operative", evse={"id": 1}) == ACCEPTED
    assert rig.actions() == ["1 Unavailable", "1 Available"]


def test_the_levels_of_availability_are_independent(rig: Rig) -> None:
    change(rig, "Inoperative")
    change(rig, "Inoperative", evse={"id": 1})
    change(rig, "Operative")
    assert rig.actions() == ["1 Unavailable", "2 Unavailable", "2 Available"]
    change(rig, "Operative", evse={"id": 1})
    assert rig.actions()[-1] == "1 Available"


def test_an_inoperative_station_waits_for_its_transaction(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    assert change(rig, "Inoperative") == "Scheduled"
    assert rig.actions() == ["2 Unavailable"]
    rig.command("stop_session", evse_id=1)
    assert rig.actions() == ["2 Unavailable", "TransactionEvent", "1 Unavailable"]


def test_a_new_request_takes_back_a_scheduled_one(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    change(rig, "Inoperative", evse={"id": 1})
    change(rig, "Operative", evse={"id": 1})
    rig.command("stop_session", evse_id=1)
    assert rig.actions()[-1] == "1 Available"


def test_availability_outlives_a_restart(rig: Rig) -> None:
    change(rig, "Inoperative", evse={"id": 2, "connectorId": 1})
    rig.restart()
    rig.forget()
    rig.csms("TriggerMessage", requestedMessage="StatusNotification", evse={"id": 2, "connectorId": 1})
    assert rig.actions() == ["2 Unavailable"]


def test_connectors_of_one_evse_exclude_each_other() -> None:
    second = Outlet(1, 2, "CCS2", "cable", 1, 200.0, 500.0, 50_000)
    rig = Rig("ocpp2.0.1", outlets=(CABLE,))
    rig.setup = type(rig.setup)(**{**_fields(rig.setup), "outlets": (CABLE, second)})
    rig.rebuild()
    rig.boot()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    command = rig.command("start_session", id_tag="TAG2", evse_id=1, connector_id=2)
    assert rig.outcome(command).state == "rejected"
    assert not rig.calls("TransactionEvent")


def _fields(setup: Any) -> dict[str, Any]:
    return {name: getattr(setup, name) for name in setup.__struct_fields__}


# --- reset ------------------------------------------------------------------------------------------------------------


def come_back(rig: Rig) -> None:
    rig.station.disconnected(rig.now, 1001, "rebooting")
    rig.reconnect()


def statuses(rig: Rig) -> list[str]:
    """What was told of the connectors since the boot."""
    actions = rig.actions()
    return [one for one in actions[actions.index("BootNotification") :] if one[0].isdigit()]


def test_an_immediate_reset_ends_the_transaction_and_boots(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    assert rig.csms("Reset", type="Immediate") == {"status": ACCEPTED}
    end = rig.calls("TransactionEvent")[0]
    assert (end["triggerReason"], end["transactionInfo"]["stoppedReason"]) == ("ResetCommand", "ImmediateReset")
    assert rig.closed
    come_back(rig)
    assert rig.calls("BootNotification")[0]["reason"] == "RemoteReset"
    assert statuses(rig) == ["1 Occupied", "2 Available"]


def test_a_reset_on_idle_waits_for_the_last_transaction(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.forget()
    assert rig.csms("Reset", type="OnIdle") == {"status": "Scheduled"}
    assert rig.actions() == ["2 Unavailable"]
    assert request_start(rig, evseId=2) == REJECTED
    assert not rig.closed
    rig.command("stop_session", evse_id=1)
    assert rig.closed
    assert rig.calls("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Local"
    come_back(rig)
    assert rig.calls("BootNotification")[0]["reason"] == "ScheduledReset"
    assert statuses(rig) == ["1 Available", "2 Available"]


def test_a_reset_on_idle_of_an_idle_station_is_at_once(rig: Rig) -> None:
    assert rig.csms("Reset", type="OnIdle") == {"status": ACCEPTED}
    come_back(rig)
    assert rig.calls("BootNotification")[0]["reason"] == "RemoteReset"


def test_a_reset_of_one_evse_leaves_the_station_and_its_other_evse_alone(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.command("start_session", id_tag="TAG", evse_id=2)
    rig.forget()
    assert rig.csms("Reset", type="Immediate", evseId=1) == {"status": ACCEPTED}
    [end] = rig.calls("TransactionEvent")
    assert (end["evse"]["id"], end["eventType"], end["triggerReason"]) == (1, "Ended", "ResetCommand")
    told = end["transactionInfo"]
    assert (told["stoppedReason"], told["chargingState"]) == ("ImmediateReset", "EVConnected")
    assert rig.actions() == ["TransactionEvent", "1 Unavailable"]
    assert request_start(rig, evseId=1) == REJECTED
    rig.run(5)
    assert rig.actions()[-1] == "1 Occupied"
    assert not rig.closed
    assert running_key(rig, 1)


def test_a_reset_on_idle_of_one_evse_waits_for_its_transaction(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert rig.csms("Reset", type="OnIdle", evseId=2) == {"status": ACCEPTED}  # nothing to wait for
    rig.run(5)
    rig.forget()
    assert rig.csms("Reset", type="OnIdle", evseId=1) == {"status": "Scheduled"}
    assert rig.actions() == []
    assert request_start(rig, evseId=2) == ACCEPTED
    rig.command("stop_session", evse_id=1)
    assert rig.calls("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Local"
    assert rig.actions()[-1] == "1 Unavailable"
    rig.run(5)
    assert "1 Available" in rig.actions()
    assert not rig.closed


def test_the_reset_of_an_evse_is_refused_where_there_is_none_or_it_goes_on(rig: Rig) -> None:
    def refusal(**asked: Any) -> str:
        answer = rig.csms("Reset", **asked)
        return f"{answer['status']} {answer.get('statusInfo', {}).get('reasonCode')}"

    assert refusal(type="OnIdle", evseId=9) == "Rejected UnknownEvse"
    rig.csms("Reset", type="OnIdle", evseId=1)
    assert refusal(type="OnIdle", evseId=1) == "Rejected ResetInProgress"
    assert got(rig, {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AllowReset"}}) == [
        (ACCEPTED, "true")
    ]


def test_the_reset_of_an_evse_mends_what_a_reboot_mends_and_keeps_what_the_csms_has_set(rig: Rig) -> None:
    rig.command("inject_fault", fault_type="PowerSwitchFailure", evse_id=1)
    rig.csms("ChangeAvailability", evse={"id": 1}, operationalStatus="Inoperative")
    rig.forget()
    rig.csms("Reset", type="Immediate", evseId=1)
    assert rig.actions() == ["1 Unavailable", "NotifyEvent"]
    rig.run(5)
    assert rig.actions() == ["1 Unavailable", "NotifyEvent"]


def test_a_reset_of_an_evse_that_waits_outlives_a_restart_with_its_transaction() -> None:
    rig = Rig("ocpp2.0.1", options=Options(on_power_loss="resume")).boot()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.csms("Reset", type="OnIdle", evseId=1)
    rig.restart()
    rig.forget()
    rig.command("stop_session", evse_id=1)
    assert rig.actions()[-1] == "1 Unavailable"


def test_a_local_reset_boots_with_its_own_reason(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    command = rig.command("reset", type="Hard")
    assert rig.calls("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == "Reboot"
    come_back(rig)
    assert rig.calls("BootNotification")[-1]["reason"] == "LocalReset"
    assert rig.outcome(command).state == "accepted"


# --- authorization ----------------------------------------------------------------------------------------------------


def send_list(rig: Rig, version: int, update: str = "Full", **entries: str | None) -> str:
    rows: list[dict[str, Any]] = [
        {"idToken": {"idToken": token, "type": "ISO14443"}} | ({"idTokenInfo": {"status": status}} if status else {})
        for token, status in entries.items()
    ]
    more = {"localAuthorizationList": rows} if rows else {}
    return str(rig.csms("SendLocalList", versionNumber=version, updateType=update, **more)["status"])


def list_version(rig: Rig) -> int:
    return int(rig.csms("GetLocalListVersion")["versionNumber"])


def test_the_local_list_follows_its_versions(rig: Rig) -> None:
    assert list_version(rig) == 0
    assert send_list(rig, 0, TAG="Accepted") == "Failed"
    assert send_list(rig, 3, TAG="Accepted", OTHER="Blocked") == ACCEPTED
    assert send_list(rig, 4, TAG=None) == "Failed"
    assert send_list(rig, 3, "Differential", TAG="Accepted") == "VersionMismatch"
    assert send_list(rig, 4, "Differential", OTHER=None) == ACCEPTED
    assert got(rig, entry("LocalAuthListCtrlr.Entries")) == [("Accepted", "1")]
    assert send_list(rig, 9) == ACCEPTED
    assert list_version(rig) == 9
    configure(rig, {"LocalAuthListCtrlr.Enabled": "false"})
    assert list_version(rig) == 0
    assert send_list(rig, 10, TAG="Accepted") == "Failed"


def test_duplicates_in_one_message_fail(rig: Rig) -> None:
    rows = [
        {"idToken": {"idToken": token, "type": "Central"}, "idTokenInfo": {"status": "Accepted"}}
        for token in ("a", "A")
    ]
    answer = rig.csms("SendLocalList", versionNumber=1, updateType="Full", localAuthorizationList=rows)
    assert answer == {"status": "Failed"}


def test_a_listed_token_needs_no_question_where_settings_allow_it(rig: Rig) -> None:
    send_list(rig, 1, TAG="Accepted")
    configure(rig, {"AuthCtrlr.LocalPreAuthorize": "true"})
    assert rig.outcome(rig.command("start_session", id_tag="tag", evse_id=1)).state == "accepted"
    assert not rig.calls("Authorize")


def test_a_cleared_cache_asks_again(rig: Rig) -> None:
    configure(rig, {"AuthCtrlr.LocalPreAuthorize": "true"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.command("stop_session", evse_id=1)
    rig.command("start_session", id_tag="TAG", evse_id=1)
    assert len(rig.calls("Authorize")) == 1
    assert rig.csms("ClearCache") == {"status": ACCEPTED}
    rig.command("start_session", id_tag="TAG", evse_id=2)
    assert len(rig.calls("Authorize")) == 2
    configure(rig, {"AuthCacheCtrlr.Enabled": "false"})
    assert rig.csms("ClearCache") == {"status": REJECTED}


# --- triggers and the rest --------------------------------------------------------------------------------------------


def trigger(rig: Rig, message: str, **more: Any) -> str:
    return str(rig.csms("TriggerMessage", requestedMessage=message, **more)["status"])


def test_triggered_messages_follow_their_answer(rig: Rig) -> None:
    assert trigger(rig, "Heartbeat") == ACCEPTED
    assert trigger(rig, "StatusNotification", evse={"id": 1, "connectorId": 1}) == ACCEPTED
    assert trigger(rig, "MeterValues") == ACCEPTED
    assert trigger(rig, "FirmwareStatusNotification") == ACCEPTED
    assert trigger(rig, "LogStatusNotification") == ACCEPTED
    assert rig.actions() == [
        "Heartbeat",
        "1 Available",
        "MeterValues",
        "MeterValues",
        "FirmwareStatusNotification",
        "LogStatusNotification",
    ]
    assert rig.calls("MeterValues")[0]["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
    assert rig.calls("FirmwareStatusNotification") == [{"status": "Idle"}]


def test_triggers_that_cannot_be(rig: Rig) -> None:
    assert trigger(rig, "BootNotification") == REJECTED
    assert trigger(rig, "StatusNotification") == REJECTED
    assert trigger(rig, "StatusNotification", evse={"id": 1}) == REJECTED
    assert trigger(rig, "MeterValues", evse={"id": 9}) == REJECTED
    assert trigger(rig, "TransactionEvent") == REJECTED
    assert trigger(rig, "SignV2GCertificate") == "NotImplemented"
    assert trigger(rig, "Heartbeat", evse={"id": 9}) == ACCEPTED


def test_a_triggered_transaction_event(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(5)
    rig.forget()
    assert trigger(rig, "TransactionEvent") == ACCEPTED
    event = rig.calls("TransactionEvent")[0]
    assert (event["eventType"], event["triggerReason"]) == ("Updated", "Trigger")
    assert event["transactionInfo"]["chargingState"] == "Charging"
    assert event["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"


def test_unknown_vendors_are_told_so(rig: Rig) -> None:
    assert rig.csms("DataTransfer", vendorId="com.example") == {"status": "UnknownVendorId"}
