"""OCPP 2.0.1: meter values, transactions offline, restarts (behaviour contract, 4.6 to 4.8)."""

from typing import Any

import pytest

from simulator.core import timestamps
from simulator.core.facts import TransactionEnded, TransactionStarted
from simulator.core.setup import Options
from tests.core.rig import DC, Rig
from tests.core.v201 import configure, events, station


def values(event: dict[str, Any], context: str) -> list[dict[str, Any]]:
    return [one for value in event.get("meterValue", []) for one in value["sampledValue"] if one["context"] == context]


def test_a_transaction_has_begin_periodic_and_end_values() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(130)
    rig.command("stop_session", evse_id=1)
    told = events(rig)
    begin, end = values(told[0], "Transaction.Begin"), values(told[-1], "Transaction.End")
    periodic = [one for one in told if one["triggerReason"] == "MeterValuePeriodic"]
    assert len(periodic) == 2
    assert {one["measurand"] for one in values(periodic[0], "Sample.Periodic")} == {
        "Energy.Active.Import.Register",
        "Power.Active.Import",
        "Current.Import",
        "Voltage",
    }
    energy = [begin[0]["value"], *(values(one, "Sample.Periodic")[0]["value"] for one in periodic), end[0]["value"]]
    assert energy == sorted(energy)
    assert energy[-1] > energy[0]


def test_values_of_one_sample_describe_one_instant() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(70)
    sample = values(next(one for one in events(rig) if one["triggerReason"] == "MeterValuePeriodic"), "Sample.Periodic")
    volts = {one["phase"][:2]: one["value"] for one in sample if one["measurand"] == "Voltage"}
    amps = {one["phase"]: one["value"] for one in sample if one["measurand"] == "Current.Import"}
    power = next(one["value"] for one in sample if one["measurand"] == "Power.Active.Import")
    assert sum(volts[phase] * amps[phase] for phase in amps) == pytest.approx(power, rel=0.01)


def test_ended_carries_the_samples_kept_for_it() -> None:
    rig = station()
    configure(rig, {"SampledDataCtrlr.TxEndedInterval": "20"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(65)
    rig.command("stop_session", evse_id=1)
    end = events(rig)[-1]
    assert len(values(end, "Sample.Periodic")) == 3
    assert len(values(end, "Transaction.End")) == 1


def test_aligned_values_stand_on_the_grid() -> None:
    rig = station()
    configure(rig, {"AlignedDataCtrlr.Interval": "60"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(70)
    aligned = [one for one in events(rig) if one["triggerReason"] == "MeterValueClock"]
    assert aligned[0]["meterValue"][0]["timestamp"].endswith(":00.000Z")
    assert values(aligned[0], "Sample.Clock")
    idle = rig.calls("MeterValues")
    assert {one["evseId"] for one in idle} == {0, 2}
    assert idle[0]["meterValue"][0]["timestamp"].endswith(":00.000Z")


def test_aligned_values_can_be_kept_for_idle_times() -> None:
    rig = station()
    configure(rig, {"AlignedDataCtrlr.Interval": "60", "AlignedDataCtrlr.SendDuringIdle": "true"})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(70)
    assert not rig.calls("MeterValues")
    assert "MeterValueClock" not in {one["triggerReason"] for one in events(rig)}


@pytest.mark.parametrize("car", ["small city", "family", "taxi", "truck"])
def test_a_dc_current_is_never_above_what_plug_and_station_offer(car: str) -> None:
    """A fast charger's plug carries 300 A, whatever power its nameplate names."""
    rig = Rig("ocpp2.0.1", outlets=(DC,), options=Options(ev_profile=car)).boot()
    measured = "Power.Active.Import,Current.Import,Voltage,Current.Offered,Power.Offered"
    configure(rig, {"SampledDataCtrlr.TxUpdatedInterval": "10", "SampledDataCtrlr.TxUpdatedMeasurands": measured})
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(60)
    limit = {"id": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative"}
    plan = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 30_000}]}
    rig.csms("SetChargingProfile", evseId=1, chargingProfile=limit | {"chargingSchedule": [plan]})
    rig.run(30)
    taken = [one for one in events(rig) if one["triggerReason"] == "MeterValuePeriodic"]
    for event in taken:
        found = {one["measurand"]: one["value"] for one in values(event, "Sample.Periodic")}
        assert found["Current.Import"] <= min(found["Current.Offered"] + 0.1, 300)
        assert found["Power.Active.Import"] <= found["Power.Offered"] + 1
        assert found["Voltage"] * found["Current.Import"] == pytest.approx(found["Power.Active.Import"], rel=0.01)


def test_a_dc_station_tells_the_state_of_charge() -> None:
    rig = Rig("ocpp2.0.1", outlets=(DC,)).boot()
    configure(rig, {"SampledDataCtrlr.TxUpdatedMeasurands": "SoC,Power.Active.Import"})
    rig.command("start_session", id_tag="TAG")
    rig.run(70)
    sample = values(events(rig)[-1], "Sample.Periodic")
    assert {one["measurand"]: one["location"] for one in sample}["SoC"] == "EV"
    assert "numberOfPhasesUsed" not in events(rig)[-1]


def test_a_new_interval_holds_for_the_running_transaction() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    configure(rig, {"SampledDataCtrlr.TxUpdatedInterval": "10"})
    rig.run(35)
    assert [one["triggerReason"] for one in events(rig)].count("MeterValuePeriodic") == 3


# --- offline ----------------------------------------------------------------------------------------------------------


def test_what_happens_offline_is_told_in_order_after_the_reconnect() -> None:
    rig = station()
    configure(rig, {"AuthCtrlr.OfflineTxForUnknownIdEnabled": "true"})
    rig.drop()
    rig.forget()
    command = rig.command("start_session", id_tag="TAG", evse_id=1)
    assert rig.outcome(command).state == "accepted"
    assert "Offline" in rig.outcome(command).reason
    rig.reconnect()
    assert rig.actions()[:1] == ["1 Occupied"]
    told = [one for one in events(rig) if one.get("offline")]
    assert [one["triggerReason"] for one in told[:2]] == ["CablePluggedIn", "Authorized"]
    assert [one["seqNo"] for one in events(rig)] == list(range(len(events(rig))))
    assert told[0]["timestamp"] < rig.frames[-1].text
    rig.run(70)
    assert "offline" not in events(rig)[-1]


def test_an_event_that_was_still_queued_when_the_link_dropped_becomes_offline() -> None:
    rig = station()
    rig.answers["TransactionEvent"] = None
    rig.command("plug_connector", evse_id=1)
    assert "offline" not in events(rig)[-1]
    rig.drop()
    del rig.answers["TransactionEvent"]
    rig.reconnect()
    first, again = events(rig)[0], events(rig)[-1]
    assert again == {**first, "offline": True}


def test_offline_an_unknown_token_is_refused_unless_settings_allow_it() -> None:
    rig = station()
    rig.drop()
    command = rig.command("start_session", id_tag="TAG", evse_id=1)
    assert rig.outcome(command).state == "rejected"
    assert "offline" in rig.outcome(command).reason


def test_an_event_without_an_answer_is_sent_again_and_then_given_up() -> None:
    rig = station()
    rig.answers["TransactionEvent"] = lambda _: {"idTokenInfo": {}}
    rig.command("plug_connector", evse_id=1)
    rig.run(400)
    first = [one for one in events(rig) if one["seqNo"] == 0]
    assert len(first) == 3
    assert first[0] == first[1] == first[2]


# --- restarts ---------------------------------------------------------------------------------------------------------


def test_a_restart_of_the_product_goes_on_with_the_next_number() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(65)
    before = len(events(rig))
    rig.restart()
    rig.run(65)
    numbers = [one["seqNo"] for one in events(rig)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > before
    assert [one["eventType"] for one in events(rig)].count("Started") == 1
    assert len([fact for fact in rig.facts if isinstance(fact, TransactionStarted)]) == 1


def test_a_killed_product_is_a_power_loss() -> None:
    rig = station()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(65)
    rig.restart(killed=True)
    end = events(rig)[-1]
    assert (end["eventType"], end["triggerReason"]) == ("Ended", "AbnormalCondition")
    assert end["transactionInfo"]["stoppedReason"] == "PowerLoss"
    assert [fact.reason for fact in rig.facts if isinstance(fact, TransactionEnded)] == ["PowerLoss"]
    assert [one["seqNo"] for one in events(rig)] == list(range(len(events(rig))))


@pytest.mark.parametrize("killed", [True, False])
def test_a_transaction_that_outlives_a_power_loss_tells_of_the_gap(killed: bool) -> None:
    rig = Rig("ocpp2.0.1", options=Options(on_power_loss="resume")).boot()
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(65)
    register, seen_at, lost_at = rig.station.connectors[0].meter_wh(), rig.station.clock, rig.now.wall
    rig.forget()
    if killed:
        rig.restart(killed=True)
    else:
        rig.command("power_cycle", off_seconds=30)
        rig.reconnect()
    told = events(rig)[0]
    assert (told["eventType"], told["triggerReason"], told["offline"]) == ("Updated", "AbnormalCondition", True)
    begin, end = told["meterValue"]
    assert [one["sampledValue"][0]["context"] for one in (begin, end)] == ["Interruption.Begin", "Interruption.End"]
    assert begin["sampledValue"][0]["value"] == end["sampledValue"][0]["value"] >= register
    began, ended = (timestamps.read(one["timestamp"]) or 0 for one in (begin, end))
    assert seen_at - 1 <= began <= lost_at + 1 < ended
