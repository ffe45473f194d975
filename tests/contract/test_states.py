"""Section 3 of the behaviour contract: the statuses of a connector and the ways between them."""

from itertools import pairwise

from tests.contract.proving import proves
from tests.core.rig import Rig


def statuses(rig: Rig, number: int = 1) -> list[str]:
    return [one["status"] for one in rig.calls("StatusNotification") if one["connectorId"] == number]


def charging() -> Rig:
    rig = Rig().boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    assert statuses(rig)[-1] == "Charging"
    rig.forget()
    return rig


def fault(rig: Rig) -> None:
    rig.command("inject_fault", fault_type="InternalError", connector_id=1)


def limit(rig: Rig, amps: int) -> None:
    profile = {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "chargingRateUnit": "A", "startSchedule": "2026-04-02T09:00:00Z",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}],
        },
    }  # fmt: skip
    assert rig.csms("SetChargingProfile", connectorId=1, csChargingProfiles=profile) == {"status": "Accepted"}
    rig.run(6)


def reserve(rig: Rig) -> None:
    expiry = "2026-04-02T10:00:00Z"
    answer = rig.csms("ReserveNow", connectorId=1, idTag="R", reservationId=3, expiryDate=expiry)
    assert answer == {"status": "Accepted"}


def available(rig: Rig, number: int, word: str) -> dict[str, object]:
    return rig.csms("ChangeAvailability", connectorId=number, type=word)


@proves(
    "3.2/Charging", "3.2/SuspendedEV", "3.2/SuspendedEVSE", "3.2/Finishing", "3.3/Suspended", "3.2/Available",
    "3.3/Finishing",
)  # fmt: skip
def test_a_session_through_its_suspensions() -> None:
    rig = charging()
    rig.command("ev_stops_energy", connector_id=1)
    rig.run(2)
    limit(rig, 0)
    rig.command("ev_requests_energy", connector_id=1)
    rig.run(2)
    rig.command("ev_stops_energy", connector_id=1)
    limit(rig, 16)
    rig.command("ev_requests_energy", connector_id=1)
    rig.run(6)
    rig.command("stop_transaction")
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.run(6)
    rig.command("stop_session", connector_id=1)
    assert statuses(rig) == [
        "SuspendedEV", "SuspendedEVSE", "SuspendedEV", "Charging", "Finishing", "Preparing", "Charging", "Finishing",
        "Available",
    ]  # fmt: skip


@proves("3.2/Charging", "3.3/order")
def test_the_order_of_a_session_on_the_wire() -> None:
    rig = Rig().boot()
    rig.forget()
    rig.command("plug_connector", connector_id=1)
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.run(10)
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert rig.actions() == [
        "1 Preparing", "Authorize", "StartTransaction", "1 Charging", "StopTransaction", "1 Finishing", "1 Available"
    ]  # fmt: skip


@proves("3.2/Preparing", "3.2/Finishing without tag", "3.3/Preparing", "3.4/change")
def test_all_ways_out_of_preparing() -> None:
    rig = Rig().boot()
    rig.forget()
    rig.command("plug_connector", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    rig.command("plug_connector", connector_id=1)
    rig.run(61)
    rig.command("unplug_connector", connector_id=1)
    rig.command("plug_connector", connector_id=1)
    fault(rig)
    rig.command("clear_fault")
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.run(10)
    rig.command("stop_session", connector_id=1)
    rig.command("ev_stops_energy", connector_id=2)
    assert statuses(rig) == [
        "Preparing", "Available", "Preparing", "Finishing", "Available", "Preparing", "Faulted", "Preparing",
        "Charging", "Finishing", "Available",
    ]  # fmt: skip
    rig.command("plug_connector", connector_id=1)
    rig.command("ev_stops_energy", connector_id=1)
    rig.command("present_tag", id_tag="A", connector_id=1)
    rig.run(10)
    assert statuses(rig)[-2:] == ["Preparing", "SuspendedEV"]


@proves("3.3/second tag")
def test_a_token_shown_twice_before_the_cable_is_taken_back() -> None:
    rig = Rig().boot()
    rig.forget()
    shown = rig.command("present_tag", id_tag="A", connector_id=1)
    stranger = rig.command("present_tag", id_tag="B", connector_id=1)
    assert rig.outcome(stranger).state == "rejected"
    rig.command("present_tag", id_tag="a", connector_id=1)
    assert rig.outcome(shown).state == "rejected"
    assert rig.actions() == ["Authorize", "1 Preparing", "1 Available"]
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert not rig.calls("StartTransaction")


@proves("3.3/Available", "3.3/Unavailable", "3.2/Unavailable", "3.2/connector 0", "3.2/Faulted", "3.4/station")
def test_all_ways_out_of_available() -> None:
    rig = Rig().boot()
    rig.forget()
    rig.command("plug_connector", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    reserve(rig)
    rig.csms("CancelReservation", reservationId=3)
    available(rig, 1, "Inoperative")
    rig.command("plug_connector", connector_id=1)
    available(rig, 1, "Operative")
    rig.command("unplug_connector", connector_id=1)
    available(rig, 1, "Inoperative")
    available(rig, 1, "Operative")
    fault(rig)
    rig.command("clear_fault")
    assert statuses(rig) == [
        "Preparing", "Available", "Reserved", "Available", "Unavailable", "Preparing", "Available", "Unavailable",
        "Available", "Faulted", "Available",
    ]  # fmt: skip
    assert statuses(rig, 0) == []
    available(rig, 0, "Inoperative")
    available(rig, 0, "Operative")
    rig.command("inject_fault", fault_type="GroundFailure", connector_id=1)
    rig.command("clear_fault")
    rig.command("inject_fault", fault_type="InternalError", connector_id=0)
    rig.command("clear_fault")
    assert statuses(rig, 0) == ["Unavailable", "Available", "Faulted", "Available"]


def cable_out(rig: Rig) -> None:
    rig.csms("ChangeConfiguration", key="StopTransactionOnEVSideDisconnect", value="false")
    rig.command("unplug_ev", connector_id=1)


@proves("3.2/SuspendedEV unplugged")
def test_a_transaction_that_goes_on_without_its_car() -> None:
    rig = charging()
    cable_out(rig)
    assert statuses(rig) == ["SuspendedEV"]


@proves("3.3/Charging", "3.4/scheduled")
def test_all_ways_out_of_charging() -> None:
    rig = charging()
    rig.command("ev_stops_energy", connector_id=1)
    rig.command("ev_requests_energy", connector_id=1)
    rig.run(6)
    limit(rig, 0)
    limit(rig, 16)
    rig.command("stop_session", connector_id=1)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    fault(rig)
    rig.command("clear_fault")
    rig.command("unplug_connector", connector_id=1)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    assert available(rig, 1, "Inoperative") == {"status": "Scheduled"}
    rig.command("stop_transaction")
    way = ["Charging", *statuses(rig)]
    told = {other for one, other in pairwise(way) if one == "Charging"}
    assert told >= {"SuspendedEV", "SuspendedEVSE", "Faulted", "Unavailable", "Finishing"}


@proves("3.2/Reserved", "3.3/Reserved")
def test_all_ways_out_of_reserved() -> None:
    rig = Rig().boot()
    rig.forget()
    reserve(rig)
    rig.command("plug_connector", connector_id=1)
    assert statuses(rig) == ["Reserved"], "a stranger's plug changes nothing"
    rig.command("unplug_connector", connector_id=1)
    rig.csms("CancelReservation", reservationId=3)
    reserve(rig)
    fault(rig)
    rig.command("clear_fault")
    reserve(rig)
    available(rig, 1, "Inoperative")
    available(rig, 1, "Operative")
    reserve(rig)
    rig.command("present_tag", id_tag="R", connector_id=1)
    assert statuses(rig) == [
        "Reserved", "Available", "Reserved", "Faulted", "Available", "Reserved", "Unavailable", "Available",
        "Reserved", "Preparing",
    ]  # fmt: skip


@proves("3.3/Faulted", "3.4/warning", "3.4/cleared")
def test_after_a_fault_the_facts_decide() -> None:
    rig = Rig().boot()
    rig.command("plug_connector", connector_id=1)
    fault(rig)
    rig.command("clear_fault")
    assert statuses(rig)[-1] == "Preparing"
    rig.command("unplug_connector", connector_id=1)
    fault(rig)
    rig.command("plug_connector", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    rig.command("clear_fault")
    assert statuses(rig)[-1] == "Available"
    rig.command("inject_fault", fault_type="HighTemperature", connector_id=1)
    rig.command("clear_fault")
    assert statuses(rig)[-2:] == ["Available", "Available"]
