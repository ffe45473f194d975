"""OCTT for OCPP 1.6: mains and connections that fail."""

import pytest

from simulator.core.setup import Options
from tests.contract.octt.cases import octt
from tests.contract.octt.driver import charging, plug, present, refuse, set_key, station, statuses
from tests.core.rig import Rig

INVALID = {"transactionId": 501, "idTagInfo": {"status": "Invalid"}}


def stops(rig: Rig) -> list[str]:
    return [one["reason"] for one in rig.calls("StopTransaction")]


@octt("TC_032_1_CS")
def test_mains_lost_with_time_to_say_so() -> None:
    rig = charging(station(options=Options(on_power_loss="stop-before")))
    rig.command("power_cycle", off_seconds=5)
    assert stops(rig) == ["PowerLoss"]
    rig.reconnect()
    assert rig.actions().index("StopTransaction") < rig.actions().index("BootNotification")
    assert stops(rig) == ["PowerLoss"]


@octt("TC_032_2_CS")
def test_mains_lost_and_told_afterwards() -> None:
    rig = charging(station(options=Options(on_power_loss="stop-after")))
    rig.command("power_cycle", off_seconds=5)
    assert stops(rig) == []
    rig.reconnect()
    assert stops(rig) == ["PowerLoss"]
    assert rig.actions().index("BootNotification") < rig.actions().index("StopTransaction")


@octt("TC_034_CS")
def test_who_was_unavailable_is_so_after_a_power_loss() -> None:
    rig = station()
    rig.csms("ChangeAvailability", connectorId=1, type="Inoperative")
    rig.forget()
    rig.command("power_cycle", off_seconds=5)
    rig.reconnect()
    assert statuses(rig) == ["Unavailable"]
    assert statuses(rig, 2) == ["Available"]


@octt("TC_036_CS")
def test_a_transaction_outlasts_the_connection() -> None:
    rig = charging(MeterValueSampleInterval="10", WebSocketPingInterval="0")
    rig.go_down()
    rig.run(35)
    rig.reconnect()
    assert "BootNotification" not in rig.actions()
    assert rig.actions().count("MeterValues") >= 3
    moments = [one["meterValue"][0]["timestamp"] for one in rig.calls("MeterValues")]
    assert moments == sorted(moments)
    present(rig)
    assert stops(rig) == ["Local"]


@octt("TC_037_1_CS")
def test_an_offline_start_with_a_good_token() -> None:
    rig = station(AllowOfflineTxForUnknownId="true", LocalAuthorizeOffline="true")
    rig.go_down()
    plug(rig)
    present(rig)
    began = rig.wire_time()
    rig.run(30)
    rig.reconnect()
    [start] = rig.calls("StartTransaction")
    assert start["timestamp"] <= began
    assert statuses(rig)[-1] == "Charging"
    assert stops(rig) == []


def started_offline_with_a_bad_token(stop: str) -> Rig:
    rig = station(AllowOfflineTxForUnknownId="true", LocalAuthorizeOffline="true")
    assert set_key(rig, "StopTransactionOnInvalidId", stop) == "Accepted"
    set_key(rig, "MaxEnergyOnInvalidId", "0")
    rig.go_down()
    plug(rig)
    present(rig)
    rig.run(30)
    rig.answers["StartTransaction"] = INVALID
    refuse(rig)
    rig.reconnect()
    rig.run(5)
    return rig


@octt("TC_037_2_CS")
def test_an_offline_start_with_a_bad_token_that_loses_its_energy() -> None:
    rig = started_offline_with_a_bad_token("false")
    assert len(rig.calls("StartTransaction")) == 1
    assert statuses(rig)[-1] == "SuspendedEVSE"
    assert stops(rig) == []


@octt("TC_037_3_CS")
def test_an_offline_start_with_a_bad_token_that_is_stopped() -> None:
    rig = started_offline_with_a_bad_token("true")
    assert stops(rig) == ["DeAuthorized"]
    assert rig.calls("StopTransaction")[0]["transactionId"] == 501
    assert statuses(rig)[-1] == "Finishing"


@octt("TC_038_CS")
def test_an_offline_stop() -> None:
    rig = charging()
    rig.go_down()
    present(rig)
    ended = rig.wire_time()
    rig.run(20)
    rig.reconnect()
    [stop] = rig.calls("StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (501, "Local")
    assert stop["timestamp"] <= ended


@octt("TC_039_CS")
@pytest.mark.parametrize("killed", [False, True])
def test_a_whole_transaction_offline(*, killed: bool) -> None:
    """The second time the product is killed before the CSMS is back."""
    rig = station(AllowOfflineTxForUnknownId="true", LocalAuthorizeOffline="true")
    rig.go_down()
    plug(rig)
    present(rig)
    rig.run(30)
    present(rig)
    rig.run(5)
    if killed:
        rig.restart(killed=True)
    else:
        rig.reconnect()
    [start], [stop] = rig.calls("StartTransaction"), rig.calls("StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (501, "Local")
    assert start["timestamp"] < stop["timestamp"]
    assert start["meterStart"] < stop["meterStop"]
