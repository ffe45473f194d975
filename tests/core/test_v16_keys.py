"""Every configuration key of 1.6: its type, who may change it, and what changes with it (contract, 6.1)."""

import itertools
from typing import Any

import msgspec
import pytest

from simulator.core.setup import VendorKey
from tests.contract.proving import proves
from tests.contract.rows.configuration import READ_ONLY
from tests.core.rig import CABLE, Rig

ACCEPTED = {"idTagInfo": {"status": "Accepted"}}
INVALID = {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}


def setting(key: str, value: str, rig: Rig | None = None) -> Rig:
    """A booted station whose CSMS has set this key."""
    rig = rig or Rig().boot()
    assert rig.csms("ChangeConfiguration", key=key, value=value) == {"status": "Accepted"}
    return rig


def statuses(rig: Rig, number: int = 1) -> list[str]:
    return [one["status"] for one in rig.calls("StatusNotification") if one["connectorId"] == number]


def charging(rig: Rig, token: str = "A") -> Rig:
    rig.command("start_session", id_tag=token, connector_id=1)
    rig.run(10)
    rig.forget()
    return rig


def know(rig: Rig, token: str) -> None:
    """Puts a token on the local list."""
    entry = {"idTag": token, **ACCEPTED}
    rig.csms("SendLocalList", listVersion=5, updateType="Full", localAuthorizationList=[entry])


def samples(rig: Rig) -> list[dict[str, Any]]:
    return [value for one in rig.calls("MeterValues") for value in one["meterValue"][0]["sampledValue"]]


# --- what a value may be ----------------------------------------------------------------------------------------------


@proves("6.1/{key}")
@pytest.mark.parametrize("key", READ_ONLY)
def test_a_read_only_key_is_told_and_not_changed(key: str) -> None:
    rig = Rig().boot()
    [entry] = rig.csms("GetConfiguration", key=[key.lower()])["configurationKey"]
    assert (entry["key"], entry["readonly"]) == (key, True)
    assert rig.csms("ChangeConfiguration", key=key, value=entry["value"]) == {"status": "Rejected"}


@proves("6.1/types")
@pytest.mark.parametrize(
    ("key", "good", "kept", "bad"),
    [
        ("LocalPreAuthorize", "TRUE", "true", "yes"),
        ("HeartbeatInterval", "77", "77", "-1"),
        ("ConnectionTimeOut", " 30 ", "30", "1.5"),
        ("MeterValuesSampledData", "Voltage, SoC", "Voltage,SoC", "Voltage,Nonsense"),
        ("StopTxnSampledData", "", "", "Voltage.L1"),
        ("ConnectorPhaseRotation", "0.RST,1.STR", "0.RST,1.STR", "1.RRR"),
        ("ConnectorPhaseRotation", "1.Unknown", "1.Unknown", "9.RST"),
    ],
)
def test_a_value_is_read_leniently_and_kept_strictly(key: str, good: str, kept: str, bad: str) -> None:
    rig = setting(key, good)
    assert rig.csms("ChangeConfiguration", key=key, value=bad) == {"status": "Rejected"}
    assert rig.csms("GetConfiguration", key=[key])["configurationKey"][0]["value"] == kept


@proves("6.1/unknown")
def test_an_unknown_key_is_named_as_such() -> None:
    rig = Rig().boot()
    assert rig.csms("ChangeConfiguration", key="Nonsense", value="1") == {"status": "NotSupported"}
    assert rig.csms("GetConfiguration", key=["Nonsense"])["unknownKey"] == ["Nonsense"]


@proves("6.1/persistent")
def test_a_value_outlives_a_restart() -> None:
    rig = setting("ConnectionTimeOut", "77")
    rig.restart(killed=True)
    assert rig.csms("GetConfiguration", key=["ConnectionTimeOut"])["configurationKey"][0]["value"] == "77"


@proves("6.1/limits")
def test_limits_hold() -> None:
    rig = Rig().boot()
    too_many = [{"idTag": f"T{number}", **ACCEPTED} for number in range(201)]
    assert "error" in rig.csms("GetConfiguration", key=["HeartbeatInterval"] * 101)
    assert "error" in rig.csms("SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=too_many)


@proves("6.1/vendor")
def test_a_key_of_the_brand_may_need_a_reboot() -> None:
    rig = Rig()
    rig.setup = msgspec.structs.replace(rig.setup, vendor_keys=(VendorKey("FanSpeed", "2", reboot_required=True),))
    rig.rebuild()
    rig.boot()
    assert rig.csms("ChangeConfiguration", key="FanSpeed", value="3") == {"status": "RebootRequired"}
    assert rig.csms("GetConfiguration", key=["FanSpeed"])["configurationKey"][0]["value"] == "3"


# --- who may charge ---------------------------------------------------------------------------------------------------


@proves("6.1/AllowOfflineTxForUnknownId")
def test_an_unknown_token_may_start_offline() -> None:
    rig = setting("AllowOfflineTxForUnknownId", "true")
    rig.go_down()
    rig.command("start_session", id_tag="STRANGER", connector_id=1)
    rig.reconnect()
    assert rig.calls("StartTransaction")[0]["idTag"] == "STRANGER"


@proves("6.1/LocalAuthorizeOffline")
def test_without_offline_authorization_nobody_starts() -> None:
    rig = setting("LocalAuthorizeOffline", "false")
    know(rig, "A")
    rig.go_down()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.reconnect()
    assert not rig.calls("StartTransaction")


@proves("6.1/AuthorizationCacheEnabled")
def test_without_a_cache_there_is_none_to_clear_and_none_to_start_from() -> None:
    rig = setting("AuthorizationCacheEnabled", "false")
    charging(rig)
    rig.command("stop_session", connector_id=1)
    assert rig.csms("ClearCache") == {"status": "Rejected"}
    rig.go_down()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.reconnect()
    assert not rig.calls("StartTransaction")


@proves("6.1/LocalPreAuthorize")
def test_a_listed_token_starts_without_asking() -> None:
    rig = setting("LocalPreAuthorize", "true")
    know(rig, "A")
    rig.command("start_session", id_tag="A", connector_id=1)
    assert rig.calls("StartTransaction")
    assert not rig.calls("Authorize")


@proves("6.1/AuthorizeRemoteTxRequests")
def test_a_remote_start_asks_first() -> None:
    rig = setting("AuthorizeRemoteTxRequests", "true")
    rig.command("plug_connector", connector_id=1)
    rig.csms("RemoteStartTransaction", connectorId=1, idTag="A")
    rig.run(1)
    assert [one for one in rig.actions() if one in ("Authorize", "StartTransaction")] == [
        "Authorize", "StartTransaction"
    ]  # fmt: skip


@proves("6.1/LocalAuthListEnabled")
def test_a_list_that_is_off_has_no_version() -> None:
    rig = Rig().boot()
    know(rig, "A")
    assert rig.csms("GetLocalListVersion") == {"listVersion": 5}
    setting("LocalAuthListEnabled", "false", rig)
    assert rig.csms("GetLocalListVersion") == {"listVersion": -1}


@proves("6.1/StopTransactionOnInvalidId")
def test_a_refused_token_is_stopped_or_only_starved() -> None:
    rig = setting("StopTransactionOnInvalidId", "true")
    rig.answers["StartTransaction"] = INVALID
    rig.command("start_session", id_tag="A", connector_id=1)
    assert [one["reason"] for one in rig.calls("StopTransaction")] == ["DeAuthorized"]
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "Finishing", "the cable is the driver's to take"
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "Available"
    setting("StopTransactionOnInvalidId", "false", rig)
    rig.command("start_session", id_tag="A", connector_id=2)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    assert len(rig.calls("StopTransaction")) == 1
    assert statuses(rig)[-1] == "SuspendedEVSE"


@proves("6.1/MaxEnergyOnInvalidId")
def test_a_refused_token_may_take_so_much() -> None:
    rig = setting("StopTransactionOnInvalidId", "false")
    setting("MaxEnergyOnInvalidId", "50", rig)
    rig.answers["StartTransaction"] = INVALID
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(600)
    assert [one for one in statuses(rig) if one != "Preparing"][-2:] == ["Charging", "SuspendedEVSE"]
    assert 49.9 <= rig.station.connectors[0].session_wh() < 60


# --- cables and statuses ----------------------------------------------------------------------------------------------


@proves("6.1/ConnectionTimeOut")
def test_a_cable_waits_so_long_for_a_token() -> None:
    rig = setting("ConnectionTimeOut", "7")
    rig.command("plug_connector", connector_id=1)
    rig.run(6)
    assert statuses(rig)[-1] == "Preparing"
    rig.run(2)
    assert statuses(rig)[-1] == "Finishing"


@proves("6.1/StopTransactionOnEVSideDisconnect")
def test_a_transaction_may_outlast_the_cars_plug() -> None:
    rig = charging(setting("StopTransactionOnEVSideDisconnect", "false"))
    rig.command("unplug_ev", connector_id=1)
    rig.run(1)
    assert statuses(rig) == ["SuspendedEV"]
    rig.command("replug_ev", connector_id=1)
    rig.run(10)
    assert statuses(rig)[-1] == "Charging"
    assert not rig.calls("StopTransaction")


@proves("6.1/UnlockConnectorOnEVSideDisconnect")
def test_the_stations_end_may_stay_locked_until_the_driver_shows_the_tag() -> None:
    rig = charging(setting("UnlockConnectorOnEVSideDisconnect", "false"))
    rig.command("unplug_ev", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "Finishing"
    rig.command("present_tag", id_tag="a", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "Available"
    setting("UnlockConnectorOnEVSideDisconnect", "true", rig)
    charging(rig)
    rig.command("unplug_ev", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "Available"
    fixed = Rig(outlets=(CABLE,)).boot()
    answer = fixed.csms("ChangeConfiguration", key="UnlockConnectorOnEVSideDisconnect", value="true")
    assert answer == {"status": "Rejected"}


@proves("6.1/MinimumStatusDuration")
def test_a_status_that_does_not_last_is_not_told() -> None:
    rig = setting("MinimumStatusDuration", "10")
    rig.forget()
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    rig.command("unplug_connector", connector_id=1)
    rig.run(30)
    assert statuses(rig) == []
    rig.command("plug_connector", connector_id=1)
    rig.run(9)
    assert statuses(rig) == []
    rig.run(2)
    assert statuses(rig) == ["Preparing"]


@proves("6.1/BlinkRepeat")
def test_the_lamp_blinks_so_often_at_a_new_status() -> None:
    rig = setting("BlinkRepeat", "5")
    before = rig.station.picture(rig.now)["lights"]["blinks"]
    rig.command("plug_connector", connector_id=1)
    assert rig.station.picture(rig.now)["lights"]["blinks"] == before + 5


@proves("6.1/LightIntensity")
def test_the_lamp_is_as_bright_as_set() -> None:
    rig = setting("LightIntensity", "20")
    assert rig.csms("ChangeConfiguration", key="LightIntensity", value="101") == {"status": "Rejected"}
    assert rig.station.picture(rig.now)["lights"]["intensity_percent"] == 20


# --- the wire ---------------------------------------------------------------------------------------------------------


@proves("6.1/HeartbeatInterval")
def test_heartbeats_follow_their_interval_at_once() -> None:
    rig = setting("HeartbeatInterval", "20")
    rig.run(1)
    rig.forget()
    rig.run(50)
    assert rig.actions() == ["Heartbeat"] * 2
    setting("HeartbeatInterval", "0", rig)
    rig.forget()
    rig.run(1000)
    assert rig.actions() == []


@proves("6.1/WebSocketPingInterval")
def test_pings_follow_their_interval_at_once() -> None:
    rig = setting("WebSocketPingInterval", "5")
    before = rig.pings
    rig.run(21)
    assert rig.pings == before + 4
    assert rig.csms("ChangeConfiguration", key="WebSocketPingInterval", value="-1") == {"status": "Rejected"}
    setting("WebSocketPingInterval", "0", rig)
    rig.run(100)
    assert rig.pings == before + 4


@proves("6.1/MessageTimeout")
def test_an_unanswered_call_is_over_after_its_time() -> None:
    rig = setting("MessageTimeout", "4")
    rig.answers["Authorize"] = None
    command = rig.command("authorize_id_tag", id_tag="A")
    rig.open_call = None
    rig.run(3.5)
    assert rig.outcome(command).state == "sent"
    rig.run(1)
    assert rig.outcome(command).state == "failed"


@proves("6.1/TransactionMessageAttempts", "6.1/TransactionMessageRetryInterval")
def test_a_transaction_message_is_sent_so_often_with_growing_waits() -> None:
    rig = charging(setting("TransactionMessageAttempts", "4"))
    setting("TransactionMessageRetryInterval", "5", rig)
    rig.answers["StopTransaction"] = None
    rig.command("stop_session", connector_id=1)
    times = []
    for _ in range(4):
        rig.run_until(lambda: rig.open_call is not None and rig.open_call[2] == "StopTransaction")
        times.append(rig.mono)
        rig.reply_error()
    rig.run(200)
    assert len(rig.calls("StopTransaction")) == 4
    assert [round(later - earlier) for earlier, later in itertools.pairwise(times)] == [5, 10, 15]


# --- meter values -----------------------------------------------------------------------------------------------------


@proves("6.1/MeterValueSampleInterval")
def test_the_sample_interval_changes_for_what_runs() -> None:
    rig = setting("MeterValueSampleInterval", "10", charging(Rig().boot()))
    rig.forget()
    rig.run(35)
    assert len(rig.calls("MeterValues")) == 3
    setting("MeterValueSampleInterval", "0", rig)
    rig.forget()
    rig.run(200)
    assert not rig.calls("MeterValues")


@proves("6.1/MeterValuesSampledData")
def test_samples_hold_the_measurands_asked_for() -> None:
    rig = setting("MeterValuesSampledData", "Energy.Active.Import.Interval,Energy.Active.Import.Register")
    charging(rig)
    rig.run(180)
    values = samples(rig)
    assert [one["measurand"] for one in values[:2]] == [
        "Energy.Active.Import.Interval", "Energy.Active.Import.Register"
    ]  # fmt: skip
    intervals = [int(one["value"]) for one in values[2::2]]
    registers = [int(one["value"]) for one in values[1::2]]
    rises = [later - earlier for earlier, later in itertools.pairwise(registers)]
    assert all(abs(rise - told) <= 1 for rise, told in zip(rises, intervals, strict=True))


@proves("6.1/ClockAlignedDataInterval", "6.1/MeterValuesAlignedData")
def test_aligned_samples_stand_on_the_clocks_grid() -> None:
    rig = setting("MeterValuesAlignedData", "Voltage,Energy.Active.Import.Register")
    setting("ClockAlignedDataInterval", "900", rig)
    rig.forget()
    rig.run(1000)
    told = {one["connectorId"]: one["meterValue"][0] for one in rig.calls("MeterValues")}
    assert sorted(told) == [0, 1, 2]
    assert {one["timestamp"] for one in told.values()} == {"2026-04-02T09:30:00.000Z"}
    [main] = told[0]["sampledValue"]
    assert (main["location"], main["context"]) == ("Inlet", "Sample.Clock")
    assert int(main["value"]) == sum(one.meter_wh() for one in rig.station.connectors)


@proves("6.1/ConnectorPhaseRotation")
def test_phases_are_named_as_they_lie_on_the_meter() -> None:
    rig = setting("ConnectorPhaseRotation", "0.RST,1.STR,2.RST")
    setting("MeterValuesSampledData", "Current.Import,Voltage", rig)
    rig.command("ev_state", connector_id=1, state="ready", profile="family")
    charging(rig)
    rig.run(70)
    phases = [one["phase"] for one in samples(rig) if "phase" in one]
    count = len(phases) // 2
    assert phases == ["L2", "L3", "L1"][:count] + ["L2-N", "L3-N", "L1-N"][:count]
    assert count >= 2


@proves("6.1/StopTxnSampledData", "6.1/StopTxnAlignedData")
def test_a_stop_carries_the_values_asked_for() -> None:
    rig = setting("StopTxnSampledData", "Energy.Active.Import.Register")
    setting("StopTxnAlignedData", "Voltage", rig)
    setting("ClockAlignedDataInterval", "60", rig)
    charging(rig)
    rig.run(130)
    rig.command("stop_session", connector_id=1)
    [stop] = rig.calls("StopTransaction")
    contexts = [one["sampledValue"][0]["context"] for one in stop["transactionData"]]
    assert contexts[0] == "Transaction.Begin"
    assert contexts[-1] == "Transaction.End"
    assert set(contexts[1:-1]) == {"Sample.Periodic", "Sample.Clock"}
    times = [one["timestamp"] for one in stop["transactionData"]]
    assert times == sorted(times)
