"""OCPP 2.0.1: an EVSE, or any one of the station's, kept for a driver (behaviour contract, 3.2, 4.1 and 5.6)."""

from typing import Any

import pytest

from simulator.core import timestamps
from simulator.core.setup import Outlet
from tests.core.rig import Rig
from tests.core.v201 import TOKEN, configure, entry, events, got, station, story

HOLDER = {"idToken": "HOLDER", "type": "Central"}
GROUP = {"idToken": "FLEET", "type": "Central"}
SOCKET = Outlet(1, 1, "Type2", "socket", 3, 32.0, 230.0, 22_000)
DC = Outlet(2, 1, "CCS2", "cable", 1, 300.0, 920.0, 150_000)


def reserve(rig: Rig, evse: int | None = 1, reservation: int = 7, seconds: float = 600, **fields: Any) -> str:
    """ReserveNow for HOLDER unless told otherwise; returns the status, with its reason where there is one."""
    request = {"id": reservation, "expiryDateTime": timestamps.written(rig.now.wall + seconds), "idToken": HOLDER}
    place = {} if evse is None else {"evseId": evse}
    answer = rig.csms("ReserveNow", **(request | place | fields))
    reason = answer.get("statusInfo", {}).get("reasonCode")
    return str(answer["status"]) + (f" {reason}" if reason else "")


def updates(rig: Rig) -> list[tuple[int, str]]:
    return [(one["reservationId"], one["reservationUpdateStatus"]) for one in rig.calls("ReservationStatusUpdate")]


def start(rig: Rig, token: dict[str, str] = TOKEN, **fields: Any) -> str:
    return str(rig.csms("RequestStartTransaction", idToken=token, remoteStartId=1, **fields)["status"])


def test_a_free_evse_is_reserved_used_by_its_holder_and_named_in_the_event() -> None:
    rig = station()
    assert reserve(rig) == "Accepted"
    assert rig.actions() == ["1 Reserved"]
    rig.forget()
    rig.command("start_session", id_tag="holder", evse_id=1)
    assert story(rig)[0] == "Started Authorized EVConnected"
    assert [one.get("reservationId") for one in events(rig)] == [7] + [None] * (len(events(rig)) - 1)
    assert rig.actions()[:2] == ["Authorize", "1 Occupied"]
    assert updates(rig) == []
    assert rig.csms("CancelReservation", reservationId=7)["status"] == "Rejected"


def test_a_stranger_gets_nothing_and_the_evse_stays_reserved() -> None:
    rig = station()
    reserve(rig)
    rig.forget()
    assert rig.outcome(rig.command("start_session", id_tag="STRANGER", evse_id=1)).state == "rejected"
    rig.command("plug_connector", evse_id=1)
    assert start(rig, evseId=1) == "Rejected"
    assert rig.actions() == []
    rig.command("present_tag", id_tag="HOLDER", evse_id=1)
    assert story(rig)[0] == "Started Authorized EVConnected"


def test_a_cable_that_waited_at_a_reserved_evse_counts_once_the_reservation_is_over() -> None:
    rig = station()
    reserve(rig)
    rig.command("plug_connector", evse_id=1)
    rig.forget()
    rig.csms("CancelReservation", reservationId=7)
    assert rig.actions() == ["1 Occupied", "TransactionEvent"]
    assert story(rig) == ["Started CablePluggedIn EVConnected"]


def test_the_group_of_a_token_may_use_it() -> None:
    rig = station()
    reserve(rig, groupIdToken=GROUP)
    assert start(rig, evseId=1, groupIdToken={"idToken": "OTHER", "type": "Central"}) == "Rejected"
    assert start(rig, evseId=1, groupIdToken=GROUP) == "Accepted"
    assert events(rig)[0]["reservationId"] == 7


def test_a_group_that_only_the_csms_knows_is_asked_for() -> None:
    rig = station()
    reserve(rig, groupIdToken=GROUP)
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", "groupIdToken": GROUP}}
    rig.command("start_session", id_tag="FRIEND", evse_id=1)
    assert events(rig)[0]["reservationId"] == 7


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"evse": 3}, "Rejected UnknownEvse"),
        ({"evse": 0}, "Rejected UnknownEvse"),
        ({"seconds": -1}, "Rejected InvalidValue"),
        ({"connectorType": "cCCS2"}, "Rejected UnknownConnectorType"),
        ({"evse": None, "connectorType": "cCCS1"}, "Rejected UnknownConnectorType"),
        ({"connectorType": "sType2"}, "Accepted"),
    ],
)
def test_what_cannot_be_reserved_is_rejected(fields: dict[str, Any], answer: str) -> None:
    assert reserve(station(), **fields) == answer


def test_a_station_that_reserves_nothing_says_so() -> None:
    rig = station()
    configure(rig, {"ReservationCtrlr.Enabled": "false"})
    assert reserve(rig) == "Rejected NotEnabled"


def test_the_state_of_the_evse_decides() -> None:
    rig = station()
    rig.command("plug_connector", evse_id=1)
    assert reserve(rig) == "Occupied"
    assert reserve(rig, 2, reservation=8) == "Accepted"
    assert reserve(rig, 2, reservation=9) == "Occupied"
    assert reserve(rig, None, reservation=9) == "Occupied"
    rig = station()
    rig.command("inject_fault", fault_type="GroundFailure", evse_id=1)
    assert reserve(rig) == "Faulted"
    rig.csms("ChangeAvailability", operationalStatus="Inoperative", evse={"id": 2})
    assert reserve(rig, 2) == "Unavailable"
    assert reserve(rig, None) == "Unavailable"


def test_a_known_id_replaces() -> None:
    rig = station()
    reserve(rig)
    assert reserve(rig, 2) == "Accepted"
    assert rig.actions() == ["1 Reserved", "1 Available", "2 Reserved"]
    assert updates(rig) == []


def test_an_unnamed_evse_is_kept_once_as_many_are_free_as_reserved() -> None:
    rig = station()
    assert reserve(rig, None) == "Accepted"
    assert rig.actions() == []
    assert reserve(rig, None, reservation=8) == "Accepted"
    assert rig.actions() == ["1 Reserved", "2 Reserved"]
    assert start(rig) == "Rejected"
    assert start(rig, HOLDER) == "Accepted"


def test_a_reservation_for_a_type_keeps_an_evse_of_that_type() -> None:
    rig = Rig("ocpp2.0.1", outlets=(SOCKET, DC)).boot()
    rig.forget()
    assert reserve(rig, None, connectorType="cCCS2") == "Accepted"
    assert rig.actions() == ["2 Reserved"]
    assert start(rig, evseId=2) == "Rejected"
    assert start(rig, evseId=1) == "Accepted"


def test_cancelling_tells_the_status_alone() -> None:
    rig = station()
    reserve(rig)
    assert rig.csms("CancelReservation", reservationId=8)["status"] == "Rejected"
    assert rig.csms("CancelReservation", reservationId=7)["status"] == "Accepted"
    assert rig.actions() == ["1 Reserved", "1 Available"]


def test_an_expired_reservation_is_told() -> None:
    rig = station()
    reserve(rig, seconds=60)
    rig.run(61)
    assert updates(rig) == [(7, "Expired")]
    assert rig.actions()[-2:] == ["ReservationStatusUpdate", "1 Available"]


def test_what_expires_offline_is_told_after_the_reconnect() -> None:
    rig = station()
    reserve(rig, seconds=60)
    rig.go_down()
    rig.run(90)
    rig.restart()
    assert updates(rig) == [(7, "Expired")]
    rig.restart()
    assert updates(rig) == [(7, "Expired")]


def test_a_fault_or_a_change_of_availability_removes_it() -> None:
    rig = station()
    reserve(rig, 1, 7)
    reserve(rig, 2, 8)
    rig.command("inject_fault", fault_type="GroundFailure", evse_id=1)
    rig.csms("ChangeAvailability", operationalStatus="Inoperative", evse={"id": 2})
    assert updates(rig) == [(7, "Removed"), (8, "Removed")]


@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
def test_a_reset_leaves_reservations_alone(kind: str) -> None:
    rig = station()
    reserve(rig)
    rig.command("start_session", id_tag="TAG", evse_id=2)
    rig.csms("Reset", type=kind)
    rig.command("stop_session", evse_id=2)
    rig.run_until(lambda: rig.station.wants_connection(rig.now))
    rig.forget()
    rig.connect()
    assert rig.actions()[0] == "BootNotification"
    assert "1 Reserved" in rig.actions()
    assert updates(rig) == []


def test_it_outlives_a_restart() -> None:
    rig = station()
    reserve(rig)
    rig.restart(killed=True)
    assert start(rig, evseId=1) == "Rejected"
    assert start(rig, HOLDER, evseId=1) == "Accepted"


def test_the_device_model_says_so() -> None:
    names = ("Available", "Enabled", "NonEvseSpecific")
    assert got(station(), *(entry(f"ReservationCtrlr.{name}") for name in names)) == [("Accepted", "true")] * 3
