"""OCPP 1.6: the transaction ladder, stops, meter values, offline (behaviour contract, section 4)."""

import json

import pytest

from simulator.core.facts import TransactionEnded, TransactionStarted
from simulator.core.setup import Options
from tests.core.rig import CABLE, DC, Rig


def test_start_session_plugs_authorizes_starts_and_charges() -> None:
    rig = Rig().boot()
    rig.forget()
    command = rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    assert rig.actions() == ["1 Preparing", "Authorize", "StartTransaction", "1 Charging"]
    outcome = rig.outcome(command)
    assert outcome.state == "accepted"
    proof = [frame for frame in rig.frames if frame.sequence in outcome.frames]
    assert [frame.action for frame in proof] == ["StatusNotification"] * 2 + ["Authorize"] * 2 + [
        "StartTransaction"
    ] * 2


def test_stop_session_stops_before_it_unplugs() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(60)
    rig.forget()
    command = rig.command("stop_session", connector_id=1)
    assert rig.actions() == ["StopTransaction", "1 Finishing", "1 Available"]
    stop = rig.calls("StopTransaction")[0]
    assert (stop["reason"], stop["idTag"], stop["transactionId"]) == ("Local", "TAG", 501)
    assert rig.outcome(command).state == "accepted"


def test_a_refused_tag_starts_nothing_and_the_command_says_why() -> None:
    rig = Rig().boot()
    rig.answers["Authorize"] = {"idTagInfo": {"status": "Blocked"}}
    command = rig.command("start_session", id_tag="TAG", connector_id=1)
    assert not rig.calls("StartTransaction")
    outcome = rig.outcome(command)
    assert outcome.state == "rejected"
    assert "Blocked" in outcome.reason
    assert outcome.frames


def test_start_transaction_sends_no_authorize() -> None:
    rig = Rig().boot()
    rig.forget()
    rig.command("start_transaction", id_tag="TAG", connector_id=2)
    assert rig.actions() == ["2 Preparing", "StartTransaction"]


def test_a_tag_that_the_csms_invalidates_stops_the_transaction() -> None:
    rig = Rig().boot()
    rig.answers["StartTransaction"] = {"transactionId": -5, "idTagInfo": {"status": "Invalid"}}
    command = rig.command("start_session", id_tag="TAG", connector_id=1)
    stop = rig.calls("StopTransaction")[0]
    assert (stop["reason"], stop["transactionId"]) == ("DeAuthorized", -5)
    assert rig.outcome(command).state == "rejected"
    assert rig.actions()[-1] == "1 Finishing"


def test_an_invalid_tag_may_only_suspend() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="StopTransactionOnInvalidId", value="false")
    rig.answers["StartTransaction"] = {"transactionId": 9, "idTagInfo": {"status": "Expired"}}
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    assert not rig.calls("StopTransaction")
    assert rig.actions()[-1] == "1 SuspendedEVSE"


def test_a_remote_start_waits_for_the_cable() -> None:
    rig = Rig().boot()
    rig.forget()
    assert rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1) == {"status": "Accepted"}
    assert rig.actions() == ["1 Preparing"]
    assert rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1) == {"status": "Rejected"}
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]
    assert rig.csms("RemoteStopTransaction", transactionId=501) == {"status": "Accepted"}
    assert rig.calls("StopTransaction")[0]["reason"] == "Remote"
    assert rig.csms("RemoteStopTransaction", transactionId=501) == {"status": "Rejected"}


def test_the_cable_comes_too_late() -> None:
    rig = Rig().boot()
    rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1)
    rig.run(61)
    assert rig.actions()[-1] == "1 Available"
    rig.command("plug_connector", connector_id=1)
    assert not rig.calls("StartTransaction")


def test_the_tag_comes_too_late() -> None:
    rig = Rig().boot()
    rig.command("plug_connector", connector_id=1)
    rig.run(61)
    assert rig.actions()[-1] == "1 Finishing"


@pytest.mark.parametrize("outlet", [CABLE, DC])
def test_the_ev_side_comes_out(outlet) -> None:
    rig = Rig(outlets=(outlet,)).boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(30)
    rig.forget()
    rig.command("unplug_connector", connector_id=1)
    assert rig.actions() == ["StopTransaction", "1 Finishing", "1 Available"]
    assert rig.calls("StopTransaction")[0]["reason"] == "EVDisconnected"
    assert rig.calls("StatusNotification")[0]["info"] == "EV side disconnected"


def test_the_ev_side_comes_out_and_the_transaction_may_go_on() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="StopTransactionOnEVSideDisconnect", value="false")
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(30)
    rig.command("unplug_connector", connector_id=1)
    assert rig.actions()[-1] == "1 SuspendedEV"
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert rig.actions()[-1] == "1 Charging"
    assert not rig.calls("StopTransaction")


def test_meter_values_cohere_and_the_register_never_falls() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="MeterValueSampleInterval", value="10")
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(605)
    samples = [call["meterValue"][0]["sampledValue"] for call in rig.calls("MeterValues")]
    assert len(samples) == 60
    energies = [float(value["value"]) for one in samples for value in one if value["measurand"].startswith("Energy")]
    powers = [float(value["value"]) for one in samples for value in one if value["measurand"].startswith("Power")]
    assert energies == sorted(energies)
    # Steady charging: what the register gained is the power's integral, but for the register's whole watt-hours.
    gained, integral = energies[-1] - energies[1], sum(powers[2:]) * 10 / 3600
    assert gained == pytest.approx(integral, rel=0.01, abs=1)
    for one, power in zip(samples, powers, strict=True):
        volts = [float(value["value"]) for value in one if value["measurand"] == "Voltage"]
        amps = [float(value["value"]) for value in one if value["measurand"] == "Current.Import"]
        assert sum(v * a for v, a in zip(volts, amps, strict=True)) == pytest.approx(power, rel=0.01)


def test_a_session_ends_at_its_energy_or_after_its_time() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1, target_energy_kwh=0.5)
    rig.run(1800)
    started = next(fact for fact in rig.facts if isinstance(fact, TransactionStarted))
    ended = next(fact for fact in rig.facts if isinstance(fact, TransactionEnded))
    assert ended.meter_stop - started.meter_start == pytest.approx(500, abs=10)
    rig.forget()
    rig.command("start_session", id_tag="TAG", connector_id=2, duration_seconds=100)
    rig.run(99)
    assert not rig.calls("StopTransaction")
    rig.run(2)
    assert rig.calls("StopTransaction")


def test_the_vehicle_pauses_and_asks_for_less() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    rig.command("ev_stops_energy", connector_id=1)
    assert rig.actions()[-1] == "1 SuspendedEV"
    wanted = rig.command("ev_requests_energy", connector_id=1)
    rig.run(5)
    assert rig.actions()[-1] == "1 Charging"
    assert rig.outcome(wanted).state == "accepted"
    assert len(rig.outcome(wanted).frames) == 2
    rig.command("power_update", connector_id=1, power_w=3000)
    rig.run(10)
    assert rig.station.picture(rig.now)["connectors"][0]["power_w"] == 3000


def test_an_offline_transaction_is_told_in_order_once() -> None:
    rig = Rig().boot()
    rig.csms("SendLocalList", listVersion=1, updateType="Full", localAuthorizationList=[entry("TAG")])
    rig.drop()
    rig.forget()
    start = rig.command("start_session", id_tag="TAG", connector_id=1)
    assert (rig.outcome(start).state, rig.outcome(start).frames) == ("accepted", [])
    assert "queued" in rig.outcome(start).reason
    # The station tries to reconnect meanwhile; nobody answers.
    rig.mono += 130
    rig.station.tick(rig.now)
    rig.command("stop_session", connector_id=1)
    rig.reconnect()
    told = [action for action in rig.actions() if action.startswith(("Start", "Stop", "Meter"))]
    assert told == ["StartTransaction", "MeterValues", "StopTransaction"]
    assert {call["transactionId"] for call in rig.calls("MeterValues") + rig.calls("StopTransaction")} == {501}


def entry(tag: str) -> dict[str, object]:
    return {"idTag": tag, "idTagInfo": {"status": "Accepted"}}


def test_an_unknown_tag_is_refused_offline() -> None:
    rig = Rig().boot()
    rig.drop()
    command = rig.command("start_session", id_tag="STRANGER", connector_id=1)
    assert rig.outcome(command).state == "rejected"


def test_a_restart_of_the_product_loses_no_transaction_and_doubles_none() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(60)
    before = rig.station.connectors[0].meter_wh()
    rig.forget()
    rig.restart()
    rig.run(61)
    assert "1 SuspendedEV" not in rig.actions(), "the energy has flowed all along"
    assert "StartTransaction" not in rig.actions()
    assert "BootNotification" not in rig.actions()
    assert {call["transactionId"] for call in rig.calls("MeterValues")} == {501}
    rig.command("stop_session", connector_id=1)
    stop = rig.calls("StopTransaction")[0]
    assert stop["transactionId"] == 501
    assert stop["meterStop"] > before


def test_a_transaction_message_is_retried_with_growing_waits_and_then_given_up() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="TransactionMessageRetryInterval", value="10")
    rig.answers["StopTransaction"] = None
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(3)
    rig.command("stop_session", connector_id=1)
    times = []
    for _ in range(3):
        rig.run_until(lambda: rig.open_call is not None and rig.open_call[2] == "StopTransaction")
        times.append(rig.mono)
        rig.reply_error()
    rig.run(300)
    assert len(rig.calls("StopTransaction")) == 3
    assert times[1] - times[0] == pytest.approx(10, abs=1)
    assert times[2] - times[1] == pytest.approx(20, abs=1)
    assert not rig.station.outbox.queue


def test_ids_of_calls_are_never_used_twice() -> None:
    rig = Rig().boot()
    rig.drop()
    rig.reconnect()
    rig.restart()
    ids = [json.loads(frame.text)[1] for frame in rig.frames if frame.message_type == "CALL"]
    assert len(ids) == len(set(ids))


def test_reset_ends_the_transaction_boots_and_reports() -> None:
    rig = Rig(options=Options(boot_seconds=5)).boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(5)
    rig.forget()
    assert rig.csms("Reset", type="Soft") == {"status": "Accepted"}
    assert rig.calls("StopTransaction")[0]["reason"] == "SoftReset"
    assert rig.closed
    rig.station.disconnected(rig.now, 1001, "rebooting")
    rig.reconnect()
    assert rig.actions()[-4:] == ["BootNotification", "0 Available", "1 Finishing", "2 Available"]


def test_a_killed_product_is_a_power_loss() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(65)
    last_sample = rig.calls("MeterValues")[-1]["meterValue"][0]
    rig.forget()
    rig.restart(killed=True)
    assert rig.actions() == ["BootNotification", "0 Available", "1 Finishing", "2 Available", "StopTransaction"]
    stop = rig.calls("StopTransaction")[0]
    assert (stop["reason"], stop["transactionId"]) == ("PowerLoss", 501)
    assert stop["timestamp"][:18] == last_sample["timestamp"][:18]
    assert stop["meterStop"] == int(last_sample["sampledValue"][0]["value"])


def test_a_power_loss_may_be_survived() -> None:
    rig = Rig(options=Options(on_power_loss="resume")).boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(65)
    rig.forget()
    rig.restart(killed=True)
    rig.run(61)
    assert "BootNotification" in rig.actions()
    assert not rig.calls("StopTransaction")
    assert rig.calls("MeterValues")[-1]["transactionId"] == 501


def test_the_log_names_the_transaction_of_answers_too() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(70)
    rig.command("stop_session", connector_id=1)
    for action in ("MeterValues", "StopTransaction"):
        assert [frame.transaction for frame in rig.frames if frame.action == action] == ["501", "501"]
    start = [frame.transaction for frame in rig.frames if frame.action == "StartTransaction"]
    assert start == ["", "501"], "the CSMS names it in its answer"


def test_a_late_answer_still_belongs_to_its_transaction() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.answers["MeterValues"] = None
    rig.run(59)
    rig.run_until(lambda: rig.open_call is not None)
    assert rig.open_call is not None
    message_id, rig.open_call = rig.open_call[1], None
    rig.run(31)
    rig.receive(json.dumps([3, message_id, {}]))
    assert rig.frames[-1].message_id == message_id
    assert (rig.frames[-1].action, rig.frames[-1].transaction) == ("MeterValues", "501")
