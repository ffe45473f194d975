"""OCPP 1.6: an outlet, or any one of the station's, kept for a driver (behaviour contract, 3, 4.1 and 5.2)."""

from typing import Any

import pytest

from simulator.core import timestamps
from simulator.core.setup import VendorKey
from tests.core.rig import CABLE, Rig

ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


def reserve(rig: Rig, number: int = 1, reservation: int = 7, seconds: float = 600, **fields: Any) -> str:
    """ReserveNow for HOLDER unless told otherwise; returns the status."""
    request = {
        "connectorId": number,
        "expiryDate": timestamps.written(rig.now.wall + seconds),
        "idTag": "HOLDER",
        "reservationId": reservation,
    }
    return str(rig.csms("ReserveNow", **(request | fields))["status"])


def booted(**keys: str) -> Rig:
    """A station that has told its statuses; the maker may have set keys otherwise."""
    rig = Rig()
    if keys:
        vendor_keys = tuple(VendorKey(key, value, readonly=True) for key, value in keys.items())
        fields = {name: getattr(rig.setup, name) for name in rig.setup.__struct_fields__}
        rig.setup = type(rig.setup)(**fields | {"vendor_keys": vendor_keys})
        rig.rebuild()
    rig.boot()
    rig.forget()
    return rig


def held(rig: Rig) -> list[int]:
    return [one["reservation_id"] for one in rig.station.picture(rig.now)["reservations"]]


def statuses(rig: Rig, number: int = 1) -> list[str]:
    """The words told of an outlet, in order."""
    return [action.split()[1] for action in rig.actions() if action.startswith(f"{number} ")]


# --- ReserveNow -------------------------------------------------------------------------------------------------------


def test_a_free_connector_is_reserved_and_the_csms_is_told() -> None:
    rig = booted()
    expiry = timestamps.written(rig.now.wall + 600)
    assert reserve(rig, expiryDate=expiry) == "Accepted"
    assert rig.actions() == ["1 Reserved"]
    assert rig.station.picture(rig.now)["reservations"] == [
        {
            "reservation_id": 7,
            "connector_id": 1,
            "id_tag": "HOLDER",
            "parent_id_tag": None,
            "expiry_date": expiry,
        }
    ]


def test_an_occupied_connector_cannot_be_reserved() -> None:
    """OCTT TC_048_2_CS, TC_050_2_CS: Reservation of a Connector, of a Charge Point - Occupied."""
    rig = booted()
    rig.command("plug_connector", connector_id=1)
    assert reserve(rig, 1) == "Occupied"
    rig.command("start_session", id_tag="TAG", connector_id=1)
    assert reserve(rig, 1) == "Occupied"
    reserve(rig, 2, reservation=8)
    assert reserve(rig, 2, reservation=9) == "Occupied"
    assert reserve(rig, 0) == "Occupied"
    assert held(rig) == [8]


def test_a_connector_that_waits_for_a_cable_is_occupied() -> None:
    rig = booted()
    rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1)
    assert reserve(rig, 1) == "Occupied"


def test_a_faulted_connector_cannot_be_reserved() -> None:
    """OCTT TC_048_1_CS, TC_050_1_CS: Reservation of a Connector, of a Charge Point - Faulted."""
    rig = booted()
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=1)
    assert reserve(rig, 1) == "Faulted"
    assert reserve(rig, 0) == "Accepted"
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=2)
    assert reserve(rig, 0) == "Faulted"


def test_an_unavailable_connector_cannot_be_reserved() -> None:
    """OCTT TC_048_3_CS, TC_050_3_CS: Reservation of a Connector, of a Charge Point - Unavailable."""
    rig = booted()
    rig.csms("ChangeAvailability", connectorId=1, type="Inoperative")
    assert reserve(rig, 1) == "Unavailable"
    rig.csms("ChangeAvailability", connectorId=0, type="Inoperative")
    assert reserve(rig, 0) == "Unavailable"


def test_what_cannot_be_reserved_is_rejected() -> None:
    """OCTT TC_048_4_CS, TC_050_4_CS: Reservation of a Connector, of a Charge Point - Rejected."""
    rig = booted()
    assert reserve(rig, 3) == "Rejected"
    assert reserve(rig, 1, seconds=-1) == "Rejected"
    assert reserve(booted(SupportedFeatureProfiles="Core"), 1) == "Rejected"
    without = booted(ReserveConnectorZeroSupported="false")
    assert reserve(without, 0) == "Rejected"
    assert reserve(without, 1) == "Accepted"


def test_the_same_reservation_id_replaces() -> None:
    rig = booted()
    reserve(rig, 1, idTag="FIRST")
    assert reserve(rig, 1, idTag="HOLDER", seconds=60) == "Accepted"
    assert reserve(rig, 2) == "Accepted"
    assert held(rig) == [7]
    assert rig.actions() == ["1 Reserved", "1 Available", "2 Reserved"]


# --- CancelReservation ------------------------------------------------------------------------------------------------


def test_a_known_reservation_is_cancelled_and_an_unknown_one_is_not() -> None:
    """OCTT TC_051_CS, TC_052_CS: Cancel Reservation, and Cancel Reservation - Rejected."""
    rig = booted()
    reserve(rig)
    assert rig.csms("CancelReservation", reservationId=8) == REJECTED
    assert rig.csms("CancelReservation", reservationId=7) == ACCEPTED
    assert rig.actions() == ["1 Reserved", "1 Available"]
    assert rig.csms("CancelReservation", reservationId=7) == REJECTED


# --- use --------------------------------------------------------------------------------------------------------------


def test_the_holder_starts_and_the_transaction_names_the_reservation() -> None:
    """OCTT TC_046_1_CS: Reservation of a Connector - Local start transaction."""
    rig = booted()
    reserve(rig)
    rig.command("start_session", id_tag="holder", connector_id=1)
    rig.run(5)
    assert rig.actions() == ["1 Reserved", "Authorize", "1 Preparing", "StartTransaction", "1 Charging"]
    assert rig.calls("StartTransaction")[0]["reservationId"] == 7
    assert held(rig) == []
    rig.command("stop_session", connector_id=1)
    assert rig.actions()[-1] == "1 Available"


def test_the_holder_may_start_remotely_and_a_stranger_may_not() -> None:
    """OCTT TC_046_2_CS: Reservation of a Connector - Remote start transaction."""
    rig = booted()
    reserve(rig)
    assert rig.csms("RemoteStartTransaction", idTag="OTHER", connectorId=1) == REJECTED
    assert rig.csms("RemoteStartTransaction", idTag="HOLDER", connectorId=1) == ACCEPTED
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert rig.calls("StartTransaction")[0]["reservationId"] == 7
    assert statuses(rig) == ["Reserved", "Preparing", "Charging"]


def test_a_remote_start_without_a_connector_goes_to_the_reserved_one() -> None:
    rig = booted()
    reserve(rig, 2)
    rig.csms("RemoteStartTransaction", idTag="OTHER")
    rig.csms("RemoteStartTransaction", idTag="HOLDER")
    assert rig.actions() == ["2 Reserved", "1 Preparing", "2 Preparing"]


def test_a_transaction_elsewhere_uses_no_reservation() -> None:
    rig = booted()
    reserve(rig, 2)
    rig.command("start_session", id_tag="HOLDER", connector_id=1)
    assert "reservationId" not in rig.calls("StartTransaction")[0]
    assert held(rig) == [7]


@pytest.mark.parametrize("start", ["start_session", "start_transaction"])
def test_a_stranger_is_turned_away_and_told_why(start: str) -> None:
    """OCTT TC_046_1_CS, first half: another tag is not even asked for."""
    rig = booted()
    reserve(rig)
    outcome = rig.outcome(rig.command(start, id_tag="OTHER", connector_id=1))
    assert outcome.state == "rejected"
    assert "reservation 7" in outcome.reason
    assert rig.actions() == ["1 Reserved"]


def test_a_reserved_connector_stays_reserved_when_a_stranger_plugs_in() -> None:
    rig = booted()
    reserve(rig)
    rig.command("plug_connector", connector_id=1)
    rig.run(100)
    assert rig.actions() == ["1 Reserved"]
    rig.command("unplug_connector", connector_id=1)
    assert rig.actions() == ["1 Reserved"]


def test_when_the_reservation_ends_the_strangers_cable_counts() -> None:
    rig = booted()
    reserve(rig)
    rig.command("plug_connector", connector_id=1)
    rig.run(100)
    rig.csms("CancelReservation", reservationId=7)
    assert statuses(rig) == ["Reserved", "Preparing"]
    rig.run(61)
    assert statuses(rig) == ["Reserved", "Preparing", "Finishing"]


def test_the_holder_who_brings_no_cable_keeps_the_reservation() -> None:
    rig = booted()
    reserve(rig)
    rig.csms("RemoteStartTransaction", idTag="HOLDER", connectorId=1)
    rig.run(61)
    assert statuses(rig) == ["Reserved", "Preparing", "Available", "Reserved"]
    assert held(rig) == [7]


# --- the parent's tags ------------------------------------------------------------------------------------------------


def family(rig: Rig, parent: str) -> None:
    rig.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": parent}}


def test_a_tag_of_the_same_parent_is_asked_for_and_may_start() -> None:
    """OCTT TC_053_1_CS: Use a reserved Connector with parentIdTag - Local."""
    rig = booted()
    reserve(rig, parentIdTag="FAMILY")
    family(rig, "family")
    rig.command("start_session", id_tag="SISTER", connector_id=1)
    assert rig.actions() == ["1 Reserved", "Authorize", "1 Preparing", "StartTransaction"]
    assert rig.calls("StartTransaction")[0]["reservationId"] == 7


def test_a_tag_of_another_parent_is_asked_for_and_refused() -> None:
    rig = booted()
    reserve(rig, parentIdTag="FAMILY")
    family(rig, "OTHERS")
    outcome = rig.outcome(rig.command("start_session", id_tag="OTHER", connector_id=1))
    assert outcome.state == "rejected"
    assert "reservation 7" in outcome.reason
    assert not rig.calls("StartTransaction")
    assert statuses(rig) == ["Reserved"]


def test_a_listed_tag_of_the_same_parent_may_start_remotely() -> None:
    rig = booted()
    reserve(rig, parentIdTag="FAMILY")
    assert rig.csms("RemoteStartTransaction", idTag="SISTER", connectorId=1) == REJECTED
    rig.command("set_local_auth_list", list_version=1, entries=[{"id_tag": "SISTER", "parent_id_tag": "FAMILY"}])
    assert rig.csms("RemoteStartTransaction", idTag="SISTER", connectorId=1) == ACCEPTED
    rig.command("plug_connector", connector_id=1)
    assert rig.calls("StartTransaction")[0]["reservationId"] == 7


def test_a_remote_start_that_is_authorized_first_may_turn_out_to_be_of_the_parent() -> None:
    """OCTT TC_053_2_CS: Use a reserved Connector with parentIdTag - Remote."""
    rig = booted()
    rig.csms("ChangeConfiguration", key="AuthorizeRemoteTxRequests", value="true")
    reserve(rig, parentIdTag="FAMILY")
    family(rig, "FAMILY")
    assert rig.csms("RemoteStartTransaction", idTag="SISTER", connectorId=1) == ACCEPTED
    assert statuses(rig) == ["Reserved", "Preparing"]


def test_offline_only_a_known_tag_of_the_parent_may_start() -> None:
    rig = booted()
    rig.csms("ChangeConfiguration", key="AllowOfflineTxForUnknownId", value="true")
    reserve(rig, parentIdTag="FAMILY")
    rig.drop()
    outcome = rig.outcome(rig.command("start_session", id_tag="OTHER", connector_id=1))
    assert outcome.state == "rejected"
    rig.command("start_session", id_tag="HOLDER", connector_id=1)
    rig.reconnect()
    assert rig.calls("StartTransaction")[0]["reservationId"] == 7


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_a_reservation_expires() -> None:
    """OCTT TC_047_CS: Reservation of a Connector - Expire."""
    rig = booted()
    reserve(rig, seconds=60)
    rig.run(59)
    assert rig.actions() == ["1 Reserved"]
    rig.run(2)
    assert rig.actions() == ["1 Reserved", "1 Available"]
    assert rig.csms("CancelReservation", reservationId=7) == REJECTED


def test_a_reservation_outlives_a_restart_and_a_reset_and_expires_on_time() -> None:
    rig = booted()
    reserve(rig, seconds=200)
    rig.restart()
    rig.csms("Reset", type="Hard")
    rig.forget()
    rig.reconnect()
    assert "1 Reserved" in rig.actions()
    assert held(rig) == [7]
    rig.run(300)
    assert rig.actions()[-1] == "1 Available"


def test_a_reservation_that_expired_while_the_product_was_down_is_gone() -> None:
    rig = booted()
    reserve(rig, seconds=2)
    rig.mono += 600
    rig.restart()
    assert held(rig) == []
    assert statuses(rig) == ["Reserved", "Available"]


def test_a_fault_ends_the_reservation() -> None:
    rig = booted()
    reserve(rig)
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=1)
    rig.command("clear_fault")
    assert rig.actions() == ["1 Reserved", "1 Faulted", "1 Available"]
    assert held(rig) == []


def test_a_warning_does_not_end_the_reservation() -> None:
    rig = booted()
    reserve(rig)
    rig.command("inject_fault", fault_type="HighTemperature", connector_id=1)
    assert held(rig) == [7]


@pytest.mark.parametrize("number", [1, 0])
def test_taking_the_connector_out_of_service_ends_the_reservation(number: int) -> None:
    rig = booted()
    reserve(rig)
    assert rig.csms("ChangeAvailability", connectorId=number, type="Operative") == ACCEPTED
    assert held(rig) == [7]
    assert rig.csms("ChangeAvailability", connectorId=number, type="Inoperative") == ACCEPTED
    assert statuses(rig) == ["Reserved", "Unavailable"]
    assert held(rig) == []
    rig.csms("ChangeAvailability", connectorId=number, type="Operative")
    assert statuses(rig) == ["Reserved", "Unavailable", "Available"]


# --- any connector ----------------------------------------------------------------------------------------------------


def test_a_reservation_of_the_station_keeps_one_connector_free() -> None:
    """OCTT TC_049_CS: Reservation of a Charge Point - Transaction."""
    rig = booted()
    assert reserve(rig, 0) == "Accepted"
    assert rig.actions() == []
    rig.command("start_session", id_tag="OTHER", connector_id=1)
    rig.run(5)
    assert statuses(rig, 2) == ["Reserved"]
    outcome = rig.outcome(rig.command("start_session", id_tag="THIRD", connector_id=2))
    assert "reservation 7" in outcome.reason
    assert rig.csms("RemoteStartTransaction", idTag="THIRD", connectorId=2) == REJECTED
    assert rig.csms("RemoteStartTransaction", idTag="THIRD") == REJECTED
    rig.command("start_session", id_tag="HOLDER", connector_id=2)
    rig.run(5)
    assert rig.calls("StartTransaction")[-1]["reservationId"] == 7
    assert statuses(rig, 2) == ["Reserved", "Preparing", "Charging"]
    assert held(rig) == []


def test_the_only_connector_is_reserved_with_the_station() -> None:
    rig = Rig(outlets=(CABLE,)).boot()
    assert reserve(rig, 0) == "Accepted"
    assert rig.actions()[-1] == "1 Reserved"
    assert reserve(rig, 0, reservation=8) == "Occupied"
    assert reserve(rig, 1, reservation=8) == "Occupied"
    rig.csms("CancelReservation", reservationId=7)
    assert rig.actions()[-1] == "1 Available"


def test_the_kept_connector_is_released_when_another_becomes_free() -> None:
    rig = booted()
    rig.command("start_session", id_tag="OTHER", connector_id=1)
    reserve(rig, 0)
    assert statuses(rig, 2) == ["Reserved"]
    rig.command("stop_session", connector_id=1)
    assert statuses(rig, 2) == ["Reserved", "Available"]


def test_the_holder_may_use_any_connector() -> None:
    rig = booted()
    reserve(rig, 0)
    rig.command("start_session", id_tag="HOLDER", connector_id=1)
    assert rig.calls("StartTransaction")[0]["reservationId"] == 7
    # Until the tag is known the car may be a stranger's: meanwhile the other connector is the one that is kept.
    assert statuses(rig, 2) == ["Reserved", "Available"]


def test_the_stations_reservation_ends_when_no_connector_works() -> None:
    rig = booted()
    reserve(rig, 0)
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=1)
    assert held(rig) == [7]
    assert statuses(rig, 2) == ["Reserved"]
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=2)
    assert held(rig) == []
    assert reserve(rig, 0) == "Faulted"


def test_what_is_reserved_is_told_again_after_a_reconnect_only_where_it_changed() -> None:
    rig = booted()
    reserve(rig, seconds=20)
    rig.drop()
    rig.run(1)
    rig.forget()
    rig.reconnect()
    assert statuses(rig) == []
    rig.drop()
    rig.mono += 30
    rig.reconnect()
    assert statuses(rig) == ["Available"]
