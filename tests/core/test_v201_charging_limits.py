"""OCPP 2.0.1: a limit that neither the CSMS nor the station has set (behaviour contract, 5.7; K11 to K13)."""

from typing import Any

import pytest

from tests.core.rig import DC, Rig
from tests.core.v201 import configure, entry, events, got, station

NOTIFY, CLEARED = "NotifyChargingLimit", "ClearedChargingLimit"


@pytest.fixture
def rig() -> Rig:
    return station()


def limit(rig: Rig, amps: float, source: str | None = None, unit: str = "A") -> str:
    return rig.outcome(rig.command("set_charging_limit", limit=amps, unit=unit, charging_limit_source=source)).state


def lift(rig: Rig) -> str:
    return rig.outcome(rig.command("clear_charging_limit")).state


def charge(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(30)
    rig.forget()


def profiles(rig: Rig, **criteria: Any) -> list[tuple[str, int, list[int]]] | str:
    """Source, EVSE and profile ids of each report, or the status where there is none."""
    rig.forget()
    status = rig.csms("GetChargingProfiles", requestId=3, chargingProfile=criteria)["status"]
    reports = rig.calls("ReportChargingProfiles")
    told = [(one["chargingLimitSource"], one["evseId"], [p["id"] for p in one["chargingProfile"]]) for one in reports]
    return told if status == "Accepted" else str(status)


def ours(number: int = 1, amps: float = 20, purpose: str = "ChargingStationMaxProfile") -> dict[str, Any]:
    return {
        "id": number,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [
            {
                "id": 1,
                "startSchedule": "2026-04-02T09:00:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amps}],
            }
        ],
    }


def composite(rig: Rig, evse: int = 1) -> float:
    answer = rig.csms("GetCompositeSchedule", evseId=evse, duration=60)
    return float(answer["schedule"]["chargingSchedulePeriod"][0]["limit"])


def test_a_limit_slows_the_car_and_the_csms_hears_of_both(rig: Rig) -> None:
    charge(rig)
    before = rig.station.connectors[0].power_w
    command = rig.command("set_charging_limit", limit=8, unit="A")
    assert rig.calls(NOTIFY) == [{"chargingLimit": {"chargingLimitSource": "EMS"}}]
    assert len(rig.outcome(command).frames) >= 1
    rig.run(10)
    assert "ChargingRateChanged" in [one["triggerReason"] for one in events(rig)]
    assert rig.station.connectors[0].power_w < before
    assert composite(rig) == 8
    rig.forget()
    assert lift(rig) == "accepted"
    assert rig.calls(CLEARED) == [{"chargingLimitSource": "EMS"}]
    rig.run(10)
    assert "ChargingRateChanged" in [one["triggerReason"] for one in events(rig)]
    assert composite(rig) == 32


def test_the_limit_is_told_with_its_schedule_where_settings_say_so(rig: Rig) -> None:
    configure(rig, {"SmartChargingCtrlr.NotifyChargingLimitWithSchedules": "true"})
    limit(rig, 11_000, "SO", unit="W")
    [told] = rig.calls(NOTIFY)
    assert told["chargingLimit"] == {"chargingLimitSource": "SO"}
    [schedule] = told["chargingSchedule"]
    assert (schedule["chargingRateUnit"], schedule["chargingSchedulePeriod"]) == (
        "W",
        [{"startPeriod": 0, "limit": 11_000}],
    )


def test_an_insignificant_change_is_not_told_until_it_adds_up(rig: Rig) -> None:
    for amps in (20, 20.5, 20.9, 21.1):  # 5 % of 20 A is 1 A
        limit(rig, amps)
    assert len(rig.calls(NOTIFY)) == 2
    assert composite(rig) == 21.1


def test_a_limit_of_another_takes_the_place_of_the_one_before(rig: Rig) -> None:
    limit(rig, 16, "EMS")
    rig.forget()
    limit(rig, 16, "SO")
    assert rig.actions() == [CLEARED, NOTIFY]
    assert rig.calls(NOTIFY)[0]["chargingLimit"]["chargingLimitSource"] == "SO"
    lift(rig)
    rig.forget()
    assert lift(rig) == "accepted"
    assert rig.actions() == []


def test_what_happens_offline_is_told_after_the_reconnect(rig: Rig) -> None:
    rig.drop()
    limit(rig, 10)
    limit(rig, 12)
    assert rig.actions() == []
    rig.reconnect()
    assert len(rig.calls(NOTIFY)) == 1
    rig.forget()
    rig.drop()
    lift(rig)
    limit(rig, 12)
    rig.reconnect()
    assert not {NOTIFY, CLEARED} & set(rig.actions())  # nothing is new to the CSMS


def test_what_was_lost_on_the_way_is_told_again(rig: Rig) -> None:
    rig.answers[NOTIFY] = None
    rig.command("set_charging_limit", limit=10, unit="A")
    rig.answers[NOTIFY] = {}
    rig.drop()
    rig.forget()
    rig.reconnect()
    assert len(rig.calls(NOTIFY)) == 1


def test_a_csms_that_refuses_the_message_is_not_pestered(rig: Rig) -> None:
    rig.answers[NOTIFY] = None
    command = rig.command("set_charging_limit", limit=10, unit="A")
    rig.reply_error("NotSupported")
    assert (rig.outcome(command).state, "did not take" in rig.outcome(command).reason) == ("accepted", True)
    rig.run(120)
    assert len(rig.calls(NOTIFY)) == 1


def test_the_limit_is_a_profile_that_the_csms_can_read_but_not_change(rig: Rig) -> None:
    rig.csms("SetChargingProfile", evseId=0, chargingProfile=ours())
    limit(rig, 16)
    assert profiles(rig) == [("CSO", 0, [1]), ("EMS", 0, [-1])]
    assert profiles(rig, chargingLimitSource=["EMS"]) == [("EMS", 0, [-1])]
    [told] = rig.calls("ReportChargingProfiles")
    assert told["chargingProfile"][0]["chargingProfilePurpose"] == "ChargingStationExternalConstraints"
    assert profiles(rig, chargingLimitSource=["SO"]) == "NoProfiles"
    assert profiles(rig, chargingProfilePurpose="ChargingStationMaxProfile") == [("CSO", 0, [1])]
    refused = rig.csms("SetChargingProfile", evseId=0, chargingProfile=ours(-1))
    assert refused == {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}
    assert rig.csms("ClearChargingProfile", chargingProfileId=-1)["status"] == "Unknown"
    assert rig.csms("ClearChargingProfile", chargingProfileCriteria={"evseId": 0})["status"] == "Accepted"
    assert profiles(rig) == [("EMS", 0, [-1])]
    assert got(rig, entry("SmartChargingCtrlr.Entries", variable={"name": "Entries", "instance": "ChargingProfiles"}))
    assert composite(rig) == 16


@pytest.mark.parametrize(("csms", "outside", "result"), [(20, 16, 16), (10, 16, 10)])
def test_the_lowest_limit_holds(rig: Rig, csms: float, outside: float, result: float) -> None:
    rig.csms("SetChargingProfile", evseId=0, chargingProfile=ours(amps=csms))
    limit(rig, outside)
    assert composite(rig) == result


def test_the_limit_outlives_a_restart_and_is_told_once(rig: Rig) -> None:
    limit(rig, 10)
    rig.restart()
    assert composite(rig) == 10
    assert rig.station.picture(rig.now)["charging_limit"] == {
        "limit": 10.0,
        "unit": "A",
        "charging_limit_source": "EMS",
    }
    assert len(rig.calls(NOTIFY)) == 1
    lift(rig)
    rig.restart()
    assert composite(rig) == 32
    assert rig.station.picture(rig.now)["charging_limit"] is None


def test_a_station_that_is_told_to_take_no_signals_takes_none(rig: Rig) -> None:
    configure(rig, {"SmartChargingCtrlr.ExternalControlSignalsEnabled": "false"})
    assert limit(rig, 10) == "rejected"
    assert composite(rig) == 32


def test_a_fast_charger_is_limited_too() -> None:
    rig = Rig("ocpp2.0.1", outlets=(DC,)).boot()
    limit(rig, 50_000, unit="W")
    assert composite(rig) == 50_000


def test_a_1_6_station_is_slowed_without_a_word() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="TAG", connector_id=1)
    rig.run(30)
    before = rig.station.connectors[0].power_w
    rig.forget()
    assert limit(rig, 8) == "accepted"
    rig.run(10)
    assert rig.station.connectors[0].power_w < before
    assert rig.actions() == []
    assert rig.csms("ClearChargingProfile")["status"] == "Unknown"
    rig.command("set_charging_limit", limit=0, unit="A")
    rig.run(10)
    assert "1 SuspendedEVSE" in rig.actions()
    lift(rig)
    rig.run(10)
    assert "1 Charging" in rig.actions()
