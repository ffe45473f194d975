"""Lab verbs: what drivers, cars and the mains do (gateway contract, section 19)."""

import base64

import pytest

from simulator.core.facts import Drop, SendBytes
from tests.core.rig import Rig


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def rig(request: pytest.FixtureRequest) -> Rig:
    rig = Rig(request.param).boot()
    rig.run(5)
    rig.forget()
    return rig


def test_a_tag_starts_and_the_same_tag_stops(rig: Rig) -> None:
    rig.command("plug_connector", connector_id=1)
    assert rig.outcome(rig.command("present_tag", id_tag="A", connector_id=1)).state == "accepted"
    rig.run(20)
    assert rig.station.connectors[0].power_w > 0
    rig.command("present_tag", id_tag="B", connector_id=1)
    assert rig.station.connectors[0].running is not None, "a token of no group stops nothing"
    assert rig.outcome(rig.command("present_tag", id_tag="a", connector_id=1)).state == "accepted"
    assert rig.station.connectors[0].power_w == 0


def test_a_faulted_outlet_ignores_a_tag(rig: Rig) -> None:
    for fault in ("GroundFailure", "ReaderFailure"):
        rig.command("inject_fault", fault_type=fault, connector_id=1)
        rig.forget()
        outcome = rig.outcome(rig.command("present_tag", id_tag="A", connector_id=1))
        assert (outcome.state, outcome.frames, bool(outcome.reason)) == ("accepted", [], True)
        assert "Authorize" not in rig.actions()
        rig.command("clear_fault")


def test_the_cars_end_comes_out_and_goes_back(rig: Rig) -> None:
    rig.command("plug_connector", connector_id=1)
    rig.command("unplug_ev", connector_id=1)
    outlet = rig.station.connectors[0]
    assert (outlet.plugged, outlet.ev_connected) == (True, False)
    rig.command("replug_ev", connector_id=1)
    assert outlet.ev_connected


def test_the_car_pauses_goes_on_and_is_full(rig: Rig) -> None:
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(20)
    outlet = rig.station.connectors[0]
    for state, flows in (("paused", False), ("ready", True), ("full", False)):
        assert rig.outcome(rig.command("ev_state", state=state, connector_id=1)).state == "accepted"
        assert outlet.energy_flows is flows
    rig.command("ev_state", state="ready", soc_percent=40, target_soc_percent=80, profile="van", connector_id=1)
    assert (round(outlet.vehicle.soc, 2), outlet.vehicle.profile.name) == (0.4, "van")
    assert rig.outcome(rig.command("ev_state", state="ready", profile="ship")).state == "rejected"


def test_a_power_cycle_ends_with_an_accepted_boot(rig: Rig) -> None:
    command = rig.command("power_cycle", off_seconds=20)
    assert rig.closed == [Drop("silence")]
    rig.run(19)
    assert not rig.station.wants_connection(rig.now)
    rig.reconnect()
    assert rig.actions()[0] == "BootNotification"
    assert rig.outcome(command).state == "accepted"


def test_any_frame_goes_out_as_it_is(rig: Rig) -> None:
    outcome = rig.outcome(rig.command("raw_frame", text="{not a frame"))
    (frame,) = rig.frames
    assert (frame.text, frame.injected, outcome.frames) == ("{not a frame", True, [frame.sequence])
    rig.station.execute("c", "raw_frame", {"base64": base64.b64encode(b"\xff\x00").decode()}, rig.now)
    assert SendBytes("", b"\xff\x00", as_text=False) in rig.station.take().orders
    assert rig.outcome(rig.command("raw_frame", base64="*")).state == "rejected"
    assert rig.outcome(rig.command("raw_frame")).state == "rejected"
