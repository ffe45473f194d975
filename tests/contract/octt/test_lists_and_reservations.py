"""OCTT for OCPP 1.6: the local list and reservations."""

import pytest

from tests.contract.octt.cases import octt
from tests.contract.octt.driver import (
    ACCEPTED,
    LONG_AGO,
    REJECTED,
    SOON,
    fault,
    listed,
    plug,
    present,
    reserve,
    set_key,
    station,
    statuses,
)
from tests.core.rig import SOCKET, Rig

GROUP = {"idTagInfo": {"status": "Accepted", "parentIdTag": "GROUP"}}


# --- the local list ---------------------------------------------------------------------------------------------------


@octt("TC_042_1_CS")
def test_no_version_without_a_list() -> None:
    assert station(LocalAuthListEnabled="false").csms("GetLocalListVersion") == {"listVersion": -1}


@octt("TC_042_2_CS")
def test_the_version_of_an_empty_list_is_0() -> None:
    rig = station(LocalAuthListEnabled="true")
    assert rig.csms("SendLocalList", listVersion=1, updateType="Full") == ACCEPTED
    assert rig.csms("GetLocalListVersion") == {"listVersion": 0}


@octt("TC_043_CS")
def test_a_list_whole_and_by_differences() -> None:
    rig = station(LocalAuthListEnabled="true", LocalPreAuthorize="true")
    assert listed(rig, "A", "B") == ACCEPTED
    assert rig.csms("GetLocalListVersion") == {"listVersion": 1}
    assert listed(rig, "C", version=2, update="Differential") == ACCEPTED
    assert rig.csms("GetLocalListVersion") == {"listVersion": 2}
    plug(rig)
    present(rig, "C")
    assert rig.actions() == ["1 Preparing", "StartTransaction"]


@octt("TC_043_1_CS")
def test_a_list_where_none_is_wanted() -> None:
    assert listed(station(LocalAuthListEnabled="false"), "A") == {"status": "NotSupported"}


@octt("TC_043_2_CS")
def test_a_list_that_is_older_than_ours() -> None:
    rig = station(LocalAuthListEnabled="true")
    listed(rig, "A", version=5)
    assert listed(rig, "B", version=4, update="Differential") == {"status": "VersionMismatch"}
    assert rig.csms("GetLocalListVersion") == {"listVersion": 5}


@octt("TC_043_3_CS")
def test_a_list_that_names_a_token_twice() -> None:
    rig = station(LocalAuthListEnabled="true")
    assert listed(rig, "A", "A") == {"status": "Failed"}
    assert rig.csms("GetLocalListVersion") == {"listVersion": 0}


# --- a connector ------------------------------------------------------------------------------------------------------


@octt("TC_046_1_CS")
def test_a_reserved_connector_is_for_its_token() -> None:
    rig = station()
    assert reserve(rig) == "Accepted"
    assert statuses(rig) == ["Reserved"]
    present(rig, "B")
    assert statuses(rig) == ["Reserved"], "B's driver goes away"
    present(rig, "A")
    plug(rig)
    rig.run(10)
    assert statuses(rig) == ["Reserved", "Preparing", "Charging"]
    assert [(one["idTag"], one["reservationId"]) for one in rig.calls("StartTransaction")] == [("A", 7)]


@octt("TC_046_2_CS")
def test_a_reserved_connector_is_for_a_remote_start_of_its_token() -> None:
    rig = station()
    assert reserve(rig) == "Accepted"
    assert rig.csms("RemoteStartTransaction", idTag="B", connectorId=1) == REJECTED
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    plug(rig)
    rig.run(10)
    assert statuses(rig) == ["Reserved", "Preparing", "Charging"]
    assert [(one["idTag"], one["reservationId"]) for one in rig.calls("StartTransaction")] == [("A", 7)]


@octt("TC_047_CS")
def test_a_reservation_expires() -> None:
    rig = station()
    assert reserve(rig, expiryDate=SOON) == "Accepted"
    rig.run(301)
    assert statuses(rig) == ["Reserved", "Available"]
    assert reserve(rig, expiryDate=LONG_AGO) == "Rejected"


@octt("TC_048_1_CS")
def test_a_faulted_connector_is_not_reserved() -> None:
    rig = station()
    fault(rig, "GroundFailure")
    assert reserve(rig) == "Faulted"


@octt("TC_048_2_CS")
def test_an_occupied_connector_is_not_reserved() -> None:
    rig = station()
    plug(rig)
    assert reserve(rig) == "Occupied"


@octt("TC_048_3_CS")
def test_an_unavailable_connector_is_not_reserved() -> None:
    rig = station()
    rig.csms("ChangeAvailability", connectorId=1, type="Inoperative")
    assert reserve(rig) == "Unavailable"


def without_reservations() -> Rig:
    rig = Rig()
    rig.station.configuration.put("SupportedFeatureProfiles", "Core,RemoteTrigger")
    return rig.boot()


@octt("TC_048_4_CS")
def test_a_station_without_the_feature_reserves_nothing() -> None:
    answer = without_reservations().csms(
        "ReserveNow", connectorId=1, idTag="A", reservationId=7, expiryDate="2026-04-02T12:00:00Z"
    )
    assert answer in (REJECTED, {"error": "NotSupported"})


# --- the station ------------------------------------------------------------------------------------------------------


def single() -> Rig:
    """With one connector a reserved station is a reserved connector."""
    return station((SOCKET,))


@octt("TC_049_CS")
def test_a_reserved_station_is_for_its_token() -> None:
    rig = single()
    assert reserve(rig, 0) == "Accepted"
    present(rig, "B")
    assert not rig.calls("StartTransaction")
    present(rig, "A")
    plug(rig)
    rig.run(10)
    assert [(one["idTag"], one["reservationId"]) for one in rig.calls("StartTransaction")] == [("A", 7)]
    assert statuses(rig)[-1] == "Charging"


@octt("TC_050_1_CS")
def test_a_faulted_station_is_not_reserved() -> None:
    rig = single()
    rig.command("inject_fault", fault_type="GroundFailure")
    assert reserve(rig, 0) == "Faulted"


@octt("TC_050_2_CS")
def test_an_occupied_station_is_not_reserved() -> None:
    rig = single()
    plug(rig)
    assert reserve(rig, 0) == "Occupied"


@octt("TC_050_3_CS")
@pytest.mark.parametrize("number", [0, 1])
def test_an_unavailable_station_is_not_reserved(number: int) -> None:
    rig = single()
    rig.csms("ChangeAvailability", connectorId=number, type="Inoperative")
    assert reserve(rig, 0) == "Unavailable"


@octt("TC_050_4_CS")
def test_a_station_that_is_not_to_be_reserved_as_a_whole() -> None:
    rig = Rig()
    rig.station.configuration.put("ReserveConnectorZeroSupported", "false")
    rig.boot()
    assert reserve(rig, 0) == "Rejected"


# --- its end ----------------------------------------------------------------------------------------------------------


@octt("TC_051_CS")
def test_a_reservation_is_cancelled() -> None:
    rig = station()
    reserve(rig)
    assert rig.csms("CancelReservation", reservationId=7) == ACCEPTED
    assert statuses(rig) == ["Reserved", "Available"]
    plug(rig)
    present(rig, "B")
    assert len(rig.calls("StartTransaction")) == 1


@octt("TC_052_CS")
def test_an_unknown_reservation_is_not_cancelled() -> None:
    rig = station()
    reserve(rig)
    assert rig.csms("CancelReservation", reservationId=8) == REJECTED
    assert statuses(rig) == ["Reserved"]


@octt("TC_053_1_CS")
def test_the_group_may_use_what_one_of_it_has_reserved() -> None:
    rig = station()
    assert reserve(rig, parentIdTag="GROUP") == "Accepted"
    rig.answers["Authorize"] = GROUP
    present(rig, "B")
    plug(rig)
    rig.run(10)
    assert [(one["idTag"], one["reservationId"]) for one in rig.calls("StartTransaction")] == [("B", 7)]


@octt("TC_053_2_CS")
def test_the_group_may_start_remotely_what_one_of_it_has_reserved() -> None:
    rig = station()
    assert set_key(rig, "AuthorizeRemoteTxRequests", "true") == "Accepted"
    assert reserve(rig, parentIdTag="GROUP") == "Accepted"
    rig.answers["Authorize"] = GROUP
    assert rig.csms("RemoteStartTransaction", idTag="B", connectorId=1) == ACCEPTED
    plug(rig)
    rig.run(10)
    assert [(one["idTag"], one["reservationId"]) for one in rig.calls("StartTransaction")] == [("B", 7)]
