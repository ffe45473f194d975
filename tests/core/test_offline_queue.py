"""The queue of transaction messages: order, bound, and what a restart leaves of it (contract, 4.8)."""

import pytest

from simulator.core.setup import Options
from tests.contract.proving import proves
from tests.core.rig import Rig


def words(rig: Rig) -> list[str]:
    """The transaction messages on the wire, each with its transaction."""
    told = ("StartTransaction", "MeterValues", "StopTransaction")
    calls = [f for f in rig.frames if f.direction == "cp_to_csms" and f.message_type == "CALL" and f.action in told]
    return [f"{f.action} {f.transaction}".strip() for f in calls]


@proves("4.8/Q1", "4.8/Q2", "4.8/Q5")
def test_what_happened_offline_is_told_in_order_with_its_own_times_and_the_id_that_came_later() -> None:
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="AllowOfflineTxForUnknownId", value="true")
    rig.go_down()
    rig.forget()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(130)
    rig.command("stop_session", connector_id=1)
    assert not rig.frames
    before = rig.wire_time()
    rig.reconnect()
    assert words(rig) == ["StartTransaction", "MeterValues 501", "MeterValues 501", "StopTransaction 501"]
    times = [rig.calls("StartTransaction")[0]["timestamp"]]
    times += [one["meterValue"][0]["timestamp"] for one in rig.calls("MeterValues")]
    times += [rig.calls("StopTransaction")[0]["timestamp"]]
    assert times == sorted(times)
    assert times[-1] <= before
    assert [one for one in rig.actions() if one.startswith("1 ")] in ([], ["1 Available"]), "no history of statuses"


@proves("4.8/Q4")
def test_several_outlets_share_one_chronological_queue() -> None:
    rig = Rig().boot()
    rig.go_down()
    for number in (1, 2):
        rig.command("start_transaction", id_tag="A", connector_id=number)
        rig.run(5)
    for number in (1, 2):
        rig.command("stop_session", connector_id=number)
        rig.run(5)
    rig.forget()
    rig.reconnect()
    assert words(rig) == ["StartTransaction", "StartTransaction", "StopTransaction 501", "StopTransaction 502"]


@proves("4.8/Q5")
def test_the_queue_outlives_a_restart_and_its_ids_are_found_then() -> None:
    rig = Rig().boot()
    rig.go_down()
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.run(70)
    rig.command("stop_session", connector_id=1)
    rig.forget()
    rig.restart()
    assert words(rig) == ["StartTransaction", "MeterValues 501", "StopTransaction 501"]


def test_an_id_that_came_before_a_restart_is_still_known_after_it() -> None:
    rig = Rig().boot()
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.go_down()
    rig.run(70)
    rig.command("stop_session", connector_id=1)
    rig.forget()
    rig.restart()
    assert words(rig) == ["MeterValues 501", "StopTransaction 501"]


@proves("4.8/Q3")
def test_a_queue_that_is_too_long_loses_every_second_sample_and_nothing_else() -> None:
    rig = Rig().boot()
    rig.station.outbox.most_queued = 50
    rig.csms("ChangeConfiguration", key="MeterValueSampleInterval", value="1")
    rig.go_down()
    rig.forget()
    for number in (1, 2):
        rig.command("start_transaction", id_tag="A", connector_id=number)
    rig.run(100)
    for number in (1, 2):
        rig.command("stop_session", connector_id=number)
    assert len(rig.station.outbox.queue) <= 51
    rig.reconnect()
    told = words(rig)
    assert [one for one in told if "Meter" not in one] == [
        "StartTransaction", "StartTransaction", "StopTransaction 501", "StopTransaction 502"
    ]  # fmt: skip
    assert 20 < len(told) <= 51
    assert not [name for name in rig.station.memory if name.startswith("queue.")]


@proves("4.8/Q7")
def test_the_three_ways_of_a_power_loss() -> None:
    stops = []
    for mode in ("stop-before", "stop-after", "resume"):
        rig = Rig(options=Options(on_power_loss=mode)).boot()
        rig.command("start_session", id_tag="A", connector_id=1)
        rig.run(10)
        rig.forget()
        rig.command("power_cycle", off_seconds=30)
        rig.reconnect()
        rig.run(5)
        told = [one for one in rig.actions() if one in ("StopTransaction", "BootNotification")]
        stops.append(told)
    stop, boot = "StopTransaction", "BootNotification"
    assert stops == [[stop, boot], [boot, stop], [boot]]


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
@pytest.mark.parametrize("restarted", [False, True])
def test_of_a_long_queue_only_the_front_is_in_memory_and_all_of_it_comes_in_order(
    version: str, restarted: bool
) -> None:
    rig = Rig(version).boot()
    setting = {"ocpp1.6": "MeterValueSampleInterval", "ocpp2.0.1": "SampledDataCtrlr.TxUpdatedInterval"}[version]
    rig.command("update_configuration", configuration={setting: "1"})
    rig.go_down()
    rig.forget()
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.run(170)
    rig.command("stop_session", connector_id=1)
    assert len([name for name in rig.station.memory if name.startswith("queue.")]) == 100
    length = rig.station.picture(rig.now)["queue_length"]
    assert length == 100 + len(rig.kept) > 160
    if restarted:
        rig.restart()
    else:
        rig.reconnect()
    sent = [f for f in rig.frames if f.direction == "cp_to_csms" and f.message_type == "CALL"]
    told = [f.action for f in sent if f.action in ("StartTransaction", "MeterValues", "StopTransaction")]
    if version == "ocpp1.6":
        assert told == ["StartTransaction", *["MeterValues"] * (length - 2), "StopTransaction"]
        times = [one["meterValue"][0]["timestamp"] for one in rig.calls("MeterValues")]
        assert times == sorted(times)
        assert {one["transactionId"] for one in rig.calls("MeterValues")} == {501}
    else:
        events = rig.calls("TransactionEvent")
        assert [one["seqNo"] for one in events] == list(range(length))
        assert all(one["offline"] for one in events)
    assert not rig.kept
    assert rig.station.all_said


@proves("4.8/Q3")
def test_the_far_end_of_a_queue_that_is_too_long_is_thinned_out_as_well() -> None:
    rig = Rig().boot()
    rig.station.outbox.most_queued = 130
    rig.csms("ChangeConfiguration", key="MeterValueSampleInterval", value="1")
    rig.go_down()
    rig.forget()
    for number in (1, 2):
        rig.command("start_transaction", id_tag="A", connector_id=number)
    rig.run(120)
    for number in (1, 2):
        rig.command("stop_session", connector_id=number)
    assert rig.station.picture(rig.now)["queue_length"] <= 132
    rig.reconnect()
    told = words(rig)
    assert [one for one in told if "Meter" not in one] == [
        "StartTransaction", "StartTransaction", "StopTransaction 501", "StopTransaction 502"
    ]  # fmt: skip
    assert not rig.kept
