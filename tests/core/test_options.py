"""Station options that change what the CSMS sees (gateway contract, section 19), in both versions."""

from typing import Any

import msgspec
import pytest

from simulator.core.setup import DataHandler, Options
from tests.contract.proving import proves
from tests.core.rig import CABLE, SOCKET, Rig

VERSIONS = ("ocpp1.6", "ocpp2.0.1")
TAG = {"idToken": "A", "type": "ISO14443"}
both = pytest.mark.parametrize("version", VERSIONS)


def booted(version: str, **options: Any) -> Rig:
    rig = Rig(version, outlets=(SOCKET,), options=Options(**options)).boot()
    rig.run(1)
    rig.forget()
    return rig


def start(rig: Rig) -> str:
    if rig.setup.subprotocol == "ocpp1.6":
        return str(rig.csms("RemoteStartTransaction", idTag="A", connectorId=1)["status"])
    return str(rig.csms("RequestStartTransaction", idToken=TAG, remoteStartId=7, evseId=1)["status"])


def stop(rig: Rig) -> None:
    running = rig.station.connectors[0].running
    assert running is not None
    if rig.setup.subprotocol == "ocpp1.6":
        rig.csms("RemoteStopTransaction", transactionId=int(running.transaction_id))
    else:
        rig.csms("RequestStopTransaction", transactionId=running.key)


# --- heartbeats -----------------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(("mode", "count"), [("idle", 0), ("periodic", 3)])
def test_periodic_heartbeats_come_whatever_else_is_said(version: str, mode: str, count: int) -> None:
    rig = Rig(version, options=Options(heartbeat_mode=mode))
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": 60, "currentTime": rig.csms_time}
    rig.boot()
    rig.run(1)
    rig.forget()
    for _ in range(5):
        rig.run(40)
        rig.command("authorize_id_tag", id_tag="A")
    assert rig.actions().count("Authorize") == 5
    assert rig.actions().count("Heartbeat") == count


# --- the car --------------------------------------------------------------------------------------------------------


@both
def test_a_car_comes_for_a_remote_start_and_leaves_after_it(version: str) -> None:
    rig = booted(version, auto_plug=True)
    outlet = rig.station.connectors[0]
    assert start(rig) == "Accepted"
    rig.run(20)
    assert outlet.power_w > 0
    stop(rig)
    assert outlet.plugged
    rig.run(20)
    assert (outlet.plugged, outlet.running) == (False, None)
    assert rig.actions()[-1] == "1 Available"
    assert start(rig) == "Accepted"
    rig.run(20)
    assert outlet.power_w > 0, "the next one comes, too"


@both
def test_without_the_option_nobody_comes(version: str) -> None:
    rig = booted(version)
    assert start(rig) == "Accepted"
    rig.run(100)
    assert not rig.station.connectors[0].plugged
    assert rig.station.connectors[0].running is None


@both
def test_a_driver_with_a_card_brings_the_own_car(version: str) -> None:
    rig = booted(version, auto_plug=True)
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.run(20)
    assert not rig.station.connectors[0].plugged
    rig.command("plug_connector", connector_id=1)
    rig.run(20)
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.run(60)
    assert rig.station.connectors[0].plugged, "a car that a user plugged in stays"


@both
def test_the_visit_goes_on_after_a_restart(version: str) -> None:
    rig = booted(version, auto_plug=True)
    start(rig)
    rig.run(20)
    rig.restart()
    rig.run(20)
    assert rig.station.connectors[0].power_w > 0
    stop(rig)
    rig.run(20)
    assert not rig.station.connectors[0].plugged


@both
def test_the_next_car_is_of_the_kind_asked_for(version: str) -> None:
    rig = Rig(version, outlets=(CABLE,), options=Options(ev_profile="truck")).boot()
    vehicle = rig.station.connectors[0].vehicle
    rig.command("plug_connector", connector_id=1)
    assert vehicle.profile.name == "truck"
    rig.setup = msgspec.structs.replace(rig.setup, options=Options(ev_profile="van"))
    rig.restart()
    assert rig.station.connectors[0].vehicle.profile.name == "truck", "it stands there still"
    rig.command("unplug_connector", connector_id=1)
    rig.command("plug_connector", connector_id=1)
    assert rig.station.connectors[0].vehicle.profile.name == "van"
    rig.command("ev_state", state="ready", profile="taxi", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    rig.command("plug_connector", connector_id=1)
    assert rig.station.connectors[0].vehicle.profile.name == "taxi", "a driver's own word counts more"


# --- DataTransfer ---------------------------------------------------------------------------------------------------

HANDLERS = (
    DataHandler("com.example", "GetMode", "Accepted", {"mode": 3}),
    DataHandler("com.example", "SetMode", "Rejected"),
    DataHandler("org.example", data="any"),
)


@proves("5.1/DataTransfer known vendor")
@pytest.mark.parametrize("version", VERSIONS)
def test_data_transfers_are_answered_by_their_handlers(version: str) -> None:
    rig = booted(version, vendor_data_handlers=HANDLERS)
    old = version == "ocpp1.6"
    data = '{"mode":3}' if old else {"mode": 3}
    assert rig.csms("DataTransfer", vendorId="net.example") == {"status": "UnknownVendorId"}
    assert rig.csms("DataTransfer", vendorId="com.example") == {"status": "UnknownMessageId"}
    assert rig.csms("DataTransfer", vendorId="com.example", messageId="X", data="1") == {"status": "UnknownMessageId"}
    assert rig.csms("DataTransfer", vendorId="com.example", messageId="SetMode") == {"status": "Rejected"}
    assert rig.csms("DataTransfer", vendorId="com.example", messageId="GetMode") == {"status": "Accepted", "data": data}
    assert rig.csms("DataTransfer", vendorId="org.example", messageId="X") == {"status": "Accepted", "data": "any"}
    assert rig.csms("DataTransfer", vendorId="org.example") == {"status": "Accepted", "data": "any"}
    other_case = rig.csms("DataTransfer", vendorId="COM.EXAMPLE", messageId="setmode")["status"]
    assert other_case == ("Rejected" if old else "UnknownVendorId"), "only 1.6 has CiStrings here"


# --- free vending ---------------------------------------------------------------------------------------------------


@proves("4.1/free vend")
def test_a_cable_is_all_it_takes() -> None:
    rig = booted("ocpp1.6", free_vend_id_tag="FREE")
    rig.command("plug_connector", connector_id=1)
    rig.run(20)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]
    assert rig.calls("StartTransaction")[0]["idTag"] == "FREE"
    rig.command("unplug_connector", connector_id=1)
    rig.run(20)
    assert rig.actions()[3:] == ["StopTransaction", "1 Finishing", "1 Available"]


def test_with_authorization_off_any_tag_is_taken() -> None:
    rig = booted("ocpp1.6", free_vend_id_tag="FREE")
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.command("plug_connector", connector_id=1)
    rig.run(20)
    assert "Authorize" not in rig.actions()
    assert rig.calls("StartTransaction")[0]["idTag"] == "A"
