"""OCPP 2.0.1: charging profiles, what they do to the power, and what is told of them (contract, 4.5, 5.7 and 7)."""

from typing import Any

import msgspec
import pytest

from simulator.core import timestamps
from simulator.core.setup import Outlet
from tests.core.rig import DC, Rig
from tests.core.v201 import TOKEN, configure, entry, events, got, station, story

Periods = list[tuple[int, float]]
TWO_CABLES = (
    Outlet(1, 1, "Type2", "cable", 3, 32.0, 230.0, 22_000),
    Outlet(1, 2, "Type1", "cable", 1, 32.0, 230.0, 7_400),
    Outlet(2, 1, "Type2", "cable", 3, 32.0, 230.0, 22_000),
)


def profile(purpose: str, periods: Periods, unit: str = "A", **fields: Any) -> dict[str, Any]:
    """A chargingProfile; fields that belong to the schedule are put there. Relative unless told otherwise."""
    inner = {name: fields.pop(name) for name in ("duration", "startSchedule", "minChargingRate") if name in fields}
    steps = [{"startPeriod": start, "limit": limit} for start, limit in periods]
    usual: dict[str, Any] = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute" if "startSchedule" in inner else "Relative",
        "chargingSchedule": [{"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": steps, **inner}],
    }
    return usual | fields


def put(rig: Rig, evse: int, sent: dict[str, Any]) -> str:
    answer = rig.csms("SetChargingProfile", evseId=evse, chargingProfile=sent)
    reason = answer.get("statusInfo", {}).get("reasonCode")
    return str(answer.get("error") or answer["status"]) + (f" {reason}" if reason else "")


def composite(rig: Rig, evse: int = 1, duration: int = 600, **fields: Any) -> Periods:
    answer = rig.csms("GetCompositeSchedule", evseId=evse, duration=duration, **fields)
    assert answer["status"] == "Accepted"
    schedule = answer["schedule"]
    assert (schedule["evseId"], schedule["duration"]) == (evse, duration)
    return [(one["startPeriod"], one["limit"]) for one in schedule["chargingSchedulePeriod"]]


def charging(rig: Rig | None = None, *, evses: tuple[int, ...] = (1,)) -> Rig:
    """A station whose cars, hungry and able to take all, have charged for half a minute."""
    rig = rig or station()
    for connector in rig.station.connectors:
        connector.vehicle.profile = type(connector.vehicle.profile)("bus", 500_000, 80, 3, 400_000, 1.0)
        connector.vehicle.soc = 0.2
    for evse in evses:
        rig.command("start_session", id_tag=f"TAG{evse}", evse_id=evse)
    rig.run(30)
    return rig


def amps(rig: Rig, number: int = 1) -> float:
    """The current per phase on offer at an outlet."""
    rig.station.picture(rig.now)
    return rig.station.connectors[number - 1].offered_a


def key_of(rig: Rig, number: int = 1) -> str:
    running = rig.station.connectors[number - 1].running
    assert running is not None
    return running.key


def at(rig: Rig, seconds: float = 0) -> str:
    rig.station.picture(rig.now)
    return timestamps.written(rig.station.clock + seconds)


# --- SetChargingProfile -----------------------------------------------------------------------------------------------


def test_profiles_of_every_purpose_are_accepted() -> None:
    rig = charging()
    assert put(rig, 1, profile("TxDefaultProfile", [(0, 20)])) == "Accepted"
    assert put(rig, 1, profile("TxProfile", [(0, 16)], id=2, transactionId=key_of(rig))) == "Accepted"
    station_limit = profile("ChargingStationMaxProfile", [(0, 12)], id=3, startSchedule=at(rig))
    assert put(rig, 0, station_limit) == "Accepted"
    assert composite(rig) == [(0, 12)]
    entries = {"name": "Entries", "instance": "ChargingProfiles"}
    assert got(rig, entry("SmartChargingCtrlr.Entries", variable=entries)) == [("Accepted", "3")]


def test_a_station_without_the_feature_says_so() -> None:
    rig = station()
    configure(rig, {"SmartChargingCtrlr.Enabled": "false"})
    assert put(rig, 1, profile("TxDefaultProfile", [(0, 6)])) == "NotSupported"
    assert rig.csms("ClearChargingProfile") == {"error": "NotSupported"}
    assert rig.csms("GetChargingProfiles", requestId=1, chargingProfile={}) == {"error": "NotSupported"}
    assert rig.csms("GetCompositeSchedule", evseId=1, duration=60) == {"error": "NotSupported"}


STARTED = {"startSchedule": "2026-04-02T09:15:00Z"}


@pytest.mark.parametrize(
    ("evse", "sent", "reason"),
    [
        (3, profile("TxDefaultProfile", [(0, 6)]), "UnknownEvse"),
        (1, profile("ChargingStationMaxProfile", [(0, 6)], **STARTED), "InvalidProfile"),
        (0, profile("ChargingStationMaxProfile", [(0, 6)]), "InvalidProfile"),
        (0, profile("ChargingStationExternalConstraints", [(0, 6)], **STARTED), "InvalidProfile"),
        (0, profile("TxProfile", [(0, 6)], transactionId="x"), "InvalidProfile"),
        (1, profile("TxProfile", [(0, 6)]), "InvalidProfile"),
        (1, profile("TxProfile", [(0, 6)], transactionId="x"), "TxNotFound"),
        (1, profile("TxDefaultProfile", [(0, 6)], stackLevel=11), "InvalidStackLevel"),
        (1, profile("TxDefaultProfile", [(second, 6) for second in range(49)]), "InvalidSchedule"),
        (1, profile("TxDefaultProfile", [(5, 6)]), "InvalidSchedule"),
        (1, profile("TxDefaultProfile", [(0, 6), (60, 7), (60, 8)]), "InvalidSchedule"),
        (1, profile("TxDefaultProfile", [(0, -1)]), "InvalidSchedule"),
        (1, profile("TxDefaultProfile", [(0, 6)], chargingProfileKind="Absolute"), "InvalidSchedule"),
        (1, profile("TxDefaultProfile", [(0, 6)], **STARTED, chargingProfileKind="Relative"), "InvalidSchedule"),
        (1, profile("TxDefaultProfile", [(0, 6)], **STARTED, chargingProfileKind="Recurring"), "InvalidProfile"),
    ],
)
def test_a_profile_that_cannot_be_is_rejected(evse: int, sent: dict[str, Any], reason: str) -> None:
    assert put(charging(), evse, sent) == f"Rejected {reason}"


def test_phases_cannot_be_chosen_and_schedules_not_offered_for_choice() -> None:
    rig = station()
    several = profile("TxDefaultProfile", [(0, 6)])
    several["chargingSchedule"] *= 2
    assert put(rig, 1, several) == "Rejected InvalidProfile"
    chosen = profile("TxDefaultProfile", [(0, 6)])
    chosen["chargingSchedule"][0]["chargingSchedulePeriod"][0] |= {"numberPhases": 1, "phaseToUse": 2}
    assert put(rig, 1, chosen) == "Rejected InvalidSchedule"


def test_a_default_of_the_station_is_one_of_each_evse() -> None:
    rig = station()
    assert put(rig, 0, profile("TxDefaultProfile", [(0, 16)])) == "Accepted"
    assert put(rig, 1, profile("TxDefaultProfile", [(0, 10)], id=2)) == "Rejected DuplicateProfile"
    assert put(rig, 1, profile("TxDefaultProfile", [(0, 10)], id=2, stackLevel=1)) == "Accepted"
    assert put(rig, 0, profile("TxDefaultProfile", [(0, 12)])) == "Accepted"
    assert (composite(rig, 1), composite(rig, 2)) == ([(0, 10)], [(0, 12)])


def test_two_of_one_rank_may_follow_one_another_but_not_overlap() -> None:
    rig = station()
    first = profile("TxDefaultProfile", [(0, 16)], validTo=at(rig, 300))
    assert put(rig, 1, first) == "Accepted"
    later = profile("TxDefaultProfile", [(0, 10)], id=2, validFrom=at(rig, 200))
    assert put(rig, 1, later) == "Rejected DuplicateProfile"
    assert put(rig, 1, later | {"validFrom": at(rig, 300)}) == "Accepted"
    assert composite(rig) == [(0, 16), (300, 10)]


def test_there_is_room_for_twenty() -> None:
    rig = station()
    for number in range(20):
        level, evse = number % 10, 1 + number // 10
        assert put(rig, evse, profile("TxDefaultProfile", [(0, 6)], id=number, stackLevel=level)) == "Accepted"
    one_more = profile("TxDefaultProfile", [(0, 6)], id=20, stackLevel=10)
    assert put(rig, 1, one_more) == "Rejected TooManyElements"
    assert put(rig, 1, one_more | {"id": 19}) == "Accepted"


# --- effect -----------------------------------------------------------------------------------------------------------


def test_a_limit_is_followed_and_told() -> None:
    rig = charging()
    rig.forget()
    put(rig, 1, profile("TxProfile", [(0, 16)], transactionId=key_of(rig)))
    rig.run(5)
    assert story(rig) == ["Updated ChargingRateChanged Charging"]
    assert amps(rig) == pytest.approx(16)
    put(rig, 1, profile("TxProfile", [(0, 15.5)], transactionId=key_of(rig)))
    rig.run(5)
    assert len(events(rig)) == 1, "3 % are insignificant"
    put(rig, 1, profile("TxProfile", [(0, 5)], transactionId=key_of(rig)))
    rig.run(5)
    put(rig, 1, profile("TxProfile", [(0, 10)], transactionId=key_of(rig)))
    rig.run(10)
    assert story(rig)[1:] == ["Updated ChargingStateChanged SuspendedEVSE", "Updated ChargingStateChanged Charging"]


def test_small_steps_add_up_to_a_significant_one() -> None:
    rig = charging()
    rig.forget()
    for limit in (31, 30, 29):
        put(rig, 1, profile("TxDefaultProfile", [(0, limit)]))
    assert story(rig) == ["Updated ChargingRateChanged Charging"]


def test_a_relative_profile_counts_from_the_first_offer_of_energy() -> None:
    rig = station()
    put(rig, 1, profile("TxDefaultProfile", [(0, 20), (60, 10)]))
    rig.command("plug_connector", evse_id=1)
    rig.run(100)
    rig.command("start_transaction", id_tag="TAG", evse_id=1)
    rig.run(50)
    assert amps(rig) == pytest.approx(20)
    rig.run(15)
    assert amps(rig) == pytest.approx(10)


def test_a_profile_of_a_transaction_goes_with_it() -> None:
    rig = charging()
    put(rig, 1, profile("TxProfile", [(0, 16)], transactionId=key_of(rig)))
    rig.command("stop_session", evse_id=1)
    assert rig.csms("GetChargingProfiles", requestId=1, chargingProfile={})["status"] == "NoProfiles"


def test_a_remote_start_brings_its_profile() -> None:
    rig = station()
    asked = {"idToken": TOKEN, "remoteStartId": 1, "evseId": 1}
    for wrong, reason in (
        (profile("TxDefaultProfile", [(0, 8)]), "InvalidProfile"),
        (profile("TxProfile", [(0, 8)], transactionId="x"), "InvalidProfile"),
        (profile("TxProfile", [(3, 8)]), "InvalidSchedule"),
    ):
        answer = rig.csms("RequestStartTransaction", **asked, chargingProfile=wrong)
        assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
    answer = rig.csms("RequestStartTransaction", **asked, chargingProfile=profile("TxProfile", [(0, 8)]))
    assert answer["status"] == "Accepted"
    rig.command("plug_connector", evse_id=1)
    rig.run(10)
    assert amps(rig) == pytest.approx(8)


def test_the_station_limit_is_shared() -> None:
    rig = charging(evses=(1, 2))
    put(rig, 0, profile("ChargingStationMaxProfile", [(0, 32)], startSchedule=at(rig)))
    rig.run(5)
    assert amps(rig, 1) + amps(rig, 2) == pytest.approx(32, abs=0.1)
    assert composite(rig, 1) == [(0, 32)]


def test_outlets_of_one_evse_count_once() -> None:
    rig = with_setup(Rig("ocpp2.0.1"), outlets=TWO_CABLES)
    assert composite(rig, 0) == [(0, 64)]
    rig.command("start_session", id_tag="TAG", evse_id=1, connector_id=2)
    rig.run(10)
    assert composite(rig, 1, chargingRateUnit="W") == [(0, 7400)], "that of the connector in use"


def with_setup(rig: Rig, **changes: Any) -> Rig:
    """Another device, new from the factory."""
    rig.setup = msgspec.structs.replace(rig.setup, **changes)
    rig.rebuild()
    return rig.boot()


def test_cars_at_one_cabinet_share_its_power() -> None:
    twin = (DC, msgspec.structs.replace(DC, evse_id=2))
    rig = charging(with_setup(Rig("ocpp2.0.1", outlets=twin), shared_power_w=150_000))
    rig.run(30)
    assert rig.station.connectors[0].power_w == pytest.approx(150_000)
    assert composite(rig, 0, chargingRateUnit="W") == [(0, 150_000)]
    rig.command("start_session", id_tag="TAG2", evse_id=2)
    rig.run(60)
    first, second = (one.power_w for one in rig.station.connectors)
    assert first == pytest.approx(second, rel=0.01)
    assert 140_000 < first + second <= 150_000
    assert "Updated ChargingRateChanged Charging" in story(rig)
    rig.command("stop_session", evse_id=2)
    rig.run(30)
    assert rig.station.connectors[0].power_w == pytest.approx(150_000)


# --- GetChargingProfiles, ClearChargingProfile, GetCompositeSchedule --------------------------------------------------


def installed(rig: Rig) -> None:
    put(rig, 1, profile("TxDefaultProfile", [(0, 16)], id=1))
    put(rig, 2, profile("TxDefaultProfile", [(0, 10)], id=2, stackLevel=3))
    put(rig, 0, profile("ChargingStationMaxProfile", [(0, 40)], id=3, startSchedule=at(rig)))
    rig.forget()


def asked(rig: Rig, **fields: Any) -> list[tuple[int, list[int], bool]]:
    """(EVSE, ids, tbc) of each report that a GetChargingProfiles brought; the answer goes first."""
    rig.forget()
    fields.setdefault("chargingProfile", {})
    rig.csms("GetChargingProfiles", requestId=9, **fields)
    own = [frame.message_type for frame in rig.frames if frame.direction == "cp_to_csms"]
    assert own[0] == "CALLRESULT"
    reports = rig.calls("ReportChargingProfiles")
    assert all((one["requestId"], one["chargingLimitSource"]) == (9, "CSO") for one in reports)
    return [(one["evseId"], [each["id"] for each in one["chargingProfile"]], one["tbc"]) for one in reports]


def test_profiles_are_reported_by_evse() -> None:
    rig = station()
    installed(rig)
    assert asked(rig) == [(0, [3], True), (1, [1], True), (2, [2], False)]
    assert asked(rig, evseId=0) == [(0, [3], False)]
    assert asked(rig, evseId=1) == [(1, [1], False)]
    assert asked(rig, chargingProfile={"stackLevel": 3}) == [(2, [2], False)]
    assert asked(rig, chargingProfile={"chargingProfileId": [1, 3]}) == [(0, [3], True), (1, [1], False)]
    assert asked(rig, chargingProfile={"chargingLimitSource": ["EMS"]}) == []
    assert asked(rig, evseId=2, chargingProfile={"chargingProfilePurpose": "TxProfile"}) == []


def test_profiles_are_cleared_by_what_is_said_of_them() -> None:
    rig = station()
    installed(rig)

    def clear(**fields: Any) -> str:
        return str(rig.csms("ClearChargingProfile", **fields)["status"])

    assert clear(chargingProfileId=7) == "Unknown"
    assert clear(chargingProfileCriteria={"evseId": 1, "stackLevel": 3}) == "Unknown"
    assert clear(chargingProfileCriteria={"chargingProfilePurpose": "ChargingStationExternalConstraints"}) == "Unknown"
    assert clear(chargingProfileId=1) == "Accepted"
    assert clear(chargingProfileCriteria={"evseId": 2}) == "Accepted"
    assert asked(rig) == [(0, [3], False)]
    assert clear() == "Accepted"
    assert clear() == "Unknown"


def test_profiles_outlive_a_restart() -> None:
    rig = station()
    installed(rig)
    rig.restart(killed=True)
    assert [one[1] for one in asked(rig)] == [[3], [1], [2]]


def test_the_worked_example_of_the_contract() -> None:
    rig = charging()
    rig.run(1.5 - rig.now.wall % 1)  # profiles count whole seconds: all of this within one
    now = at(rig)
    put(rig, 0, profile("ChargingStationMaxProfile", [(0, 20)], id=1, startSchedule=now))
    default = [(0, 16.0), (120, 10.0), (300, 25.0)]
    put(rig, 1, profile("TxDefaultProfile", default, id=2, duration=600, startSchedule=now))
    own = profile("TxProfile", [(0, 12), (60, 32)], id=3, duration=200, startSchedule=now, transactionId=key_of(rig))
    put(rig, 1, own)
    assert composite(rig, duration=500) == [(0, 12), (60, 20), (200, 10), (300, 20)]


def test_a_composite_schedule_may_be_refused() -> None:
    rig = station()
    refused = rig.csms("GetCompositeSchedule", evseId=3, duration=60)
    assert refused == {"status": "Rejected", "statusInfo": {"reasonCode": "UnknownEvse"}}
    assert composite(rig, chargingRateUnit="W") == [(0, 22_000)]
