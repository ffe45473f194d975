"""OCPP 1.6: what charging profiles do to the power that flows (behaviour contract, 7)."""

import pytest

from simulator.core import timestamps
from simulator.core.setup import Outlet
from tests.contract.proving import proves
from tests.core.rig import DC, SOCKET, Rig
from tests.core.v16_profiles import amps, charging, composite, measured, power, profile, put

SINGLE = Outlet(1, 1, "Type2", "socket", 1, 32.0, 230.0, 7_400)


# --- effect on the power ----------------------------------------------------------------------------------------------


def test_a_new_limit_is_followed_within_five_seconds_and_shown() -> None:
    rig = charging()
    assert measured(rig)["Current.Import"] > 29
    put(rig, 1, "TxProfile", [(0, 10)])
    rig.run(5)
    values = measured(rig)
    assert 9 < values["Current.Import"] <= 10
    assert values["Current.Offered"] == pytest.approx(10)
    assert values["Power.Offered"] == pytest.approx(6_900)
    assert values["Power.Active.Import"] == pytest.approx(6_900, rel=0.04)


def test_each_boundary_of_a_schedule_is_followed_by_itself() -> None:
    rig = charging()
    put(rig, 1, "TxProfile", [(0, 10), (60, 20), (120, 8)])
    for wait, limit in ((5, 10), (60, 20), (60, 8)):
        rig.run(wait)
        assert limit - 1.5 < power(rig) / 690 <= limit


def test_a_power_limit_holds_for_direct_current_as_well() -> None:
    rig = charging(Rig(outlets=(DC,)).boot())
    put(rig, 1, "TxProfile", [(0, 60_000)], unit="W")
    rig.run(5)
    assert power(rig) == pytest.approx(60_000)
    put(rig, 1, "TxProfile", [(0, 100)])
    rig.run(5)
    assert 90 < measured(rig)["Current.Import"] <= 100
    rig.csms("ClearChargingProfile")
    rig.run(5)
    assert power(rig) > 140_000


@pytest.mark.parametrize("limit", [0, 5.9])
def test_no_usable_limit_suspends_and_a_usable_one_goes_on(limit: float) -> None:
    rig = charging()
    rig.forget()
    put(rig, 1, "TxProfile", [(0, limit), (60, 6)])
    rig.run(5)
    assert rig.actions() == ["1 SuspendedEVSE"]
    assert measured(rig)["Power.Active.Import"] == 0
    rig.run(60)
    assert [one for one in rig.actions() if one.startswith("1 ")] == ["1 SuspendedEVSE", "1 Charging"]
    assert measured(rig)["Current.Import"] > 5
    assert not rig.calls("StopTransaction")


def test_a_transaction_that_begins_without_a_usable_limit_is_suspended_from_the_start() -> None:
    rig = Rig().boot()
    put(rig, 0, "TxDefaultProfile", [(0, 0)])
    rig.forget()
    charging(rig)
    assert rig.actions()[:4] == ["1 Preparing", "Authorize", "StartTransaction", "1 SuspendedEVSE"]
    rig.csms("ClearChargingProfile")
    rig.run(5)
    assert rig.actions()[-1] == "1 Charging"


def test_fewer_phases_than_the_outlet_has_are_used() -> None:
    rig = charging()
    sent = profile("TxProfile", [(0, 16)])
    sent["chargingSchedule"]["chargingSchedulePeriod"][0]["numberPhases"] = 1
    rig.csms("SetChargingProfile", connectorId=1, csChargingProfiles=sent)
    rig.run(5)
    assert 3_300 < power(rig) <= 3_680


@proves("7/C9")
def test_a_share_below_the_minimum_charging_rate_is_nothing() -> None:
    rig = charging()
    put(rig, 1, "TxProfile", [(0, 9)], minChargingRate=10.0)
    rig.run(5)
    assert rig.actions()[-1] == "1 SuspendedEVSE"


def test_a_daily_profile_comes_and_goes() -> None:
    rig = charging()
    start = timestamps.written(rig.now.wall + 60 - 3 * 86_400)
    put(
        rig,
        1,
        "TxDefaultProfile",
        [(0, 0)],
        chargingProfileKind="Recurring",
        recurrencyKind="Daily",
        startSchedule=start,
        duration=60,
    )
    rig.forget()
    rig.run(130)
    assert [one for one in rig.actions() if one.startswith("1 ")] == ["1 SuspendedEVSE", "1 Charging"]


def test_a_single_phase_outlet_keeps_the_current_of_a_three_phase_profile() -> None:
    rig = charging(Rig(outlets=(SINGLE,)).boot())
    put(rig, 1, "TxProfile", [(0, 16)])
    rig.run(5)
    assert 3_300 < power(rig) <= 3_680
    answer = rig.csms("GetCompositeSchedule", connectorId=1, duration=60)
    assert answer["chargingSchedule"]["chargingSchedulePeriod"] == [
        {"startPeriod": 0, "limit": 16.0, "numberPhases": 1}
    ]


def test_no_metered_current_exceeds_the_limit() -> None:
    rig = charging(Rig(outlets=(SOCKET,), seed=3).boot())
    put(rig, 1, "TxProfile", [(0, 13)])
    rig.run(5)
    for _ in range(20):
        rig.run(3)
        assert measured(rig)["Current.Import"] <= 13


# --- the station's limit, shared --------------------------------------------------------------------------------------


def test_the_stations_limit_is_shared_and_given_back() -> None:
    rig = charging(connectors=(1, 2))
    put(rig, 0, "ChargePointMaxProfile", [(0, 30)])
    rig.run(5)
    assert amps(rig) == [15, 15]
    assert composite(rig, 1) == composite(rig, 2) == [(0, 30)]
    rig.command("power_update", power_w=6_900, connector_id=2)
    rig.run(5)
    assert amps(rig) == [20, 10]
    total = power(rig, 1) + power(rig, 2)
    assert 0.9 * 30 * 690 < total <= 30 * 690
    rig.command("stop_session", connector_id=2)
    rig.run(5)
    assert amps(rig)[0] == 30


def test_who_came_last_waits_when_there_is_not_enough_for_all() -> None:
    rig = charging(connectors=(2, 1))
    put(rig, 0, "ChargePointMaxProfile", [(0, 10)])
    rig.run(5)
    assert amps(rig) == [0, 10]
    assert rig.actions()[-1] == "1 SuspendedEVSE"
    rig.command("ev_stops_energy", connector_id=2)
    rig.run(5)
    assert rig.actions()[-2:] == ["2 SuspendedEV", "1 Charging"] or rig.actions()[-2:] == [
        "1 Charging",
        "2 SuspendedEV",
    ]
    assert amps(rig)[0] == 10


def test_a_power_limit_of_the_station_is_shared_too() -> None:
    rig = charging(connectors=(1, 2))
    put(rig, 0, "ChargePointMaxProfile", [(0, 20_700)], unit="W")
    rig.run(5)
    assert amps(rig) == [15, 15]
    put(rig, 0, "ChargePointMaxProfile", [(0, 4_200)], unit="W")
    rig.run(5)
    assert amps(rig) == [6.1, 0]


def test_an_outlets_own_limit_and_the_stations_hold_together() -> None:
    rig = charging(connectors=(1, 2))
    put(rig, 0, "ChargePointMaxProfile", [(0, 30)], chargingProfileId=1)
    put(rig, 1, "TxProfile", [(0, 8)], chargingProfileId=2)
    rig.run(5)
    assert amps(rig) == [8, 22]
