"""Section 7 of the behaviour contract: what a set of charging profiles comes to, and what the car does with it."""

import pytest

from tests.contract.proving import proves
from tests.core.rig import Rig
from tests.core.v16_profiles import charging, composite, power, put

NOW = "2026-04-02T09:15:00Z"
EARLIER = "2026-04-02T09:00:00Z"
RATED = 32.0


def idle() -> Rig:
    return Rig().boot()


@proves("7/worked check", "7/C4")
def test_the_worked_check() -> None:
    rig = charging()
    now = rig.wire_time()
    put(rig, 0, "ChargePointMaxProfile", [(0, 20)], chargingProfileId=1, startSchedule=now)
    periods = [(0, 16), (120, 10), (300, 25)]
    put(rig, 1, "TxDefaultProfile", periods, chargingProfileId=2, duration=600, startSchedule=now)
    put(rig, 1, "TxProfile", [(0, 12), (60, 32)], chargingProfileId=3, duration=200, startSchedule=now)
    found = composite(rig, 1, 500)
    assert [limit for _, limit in found] == [12, 20, 10, 20]
    assert [start for start, _ in found] == pytest.approx([0, 60, 200, 300], abs=2)


@proves("7/candidates", "7/C6")
def test_the_connectors_own_default_wins() -> None:
    rig = idle()
    put(rig, 0, "TxDefaultProfile", [(0, 10)], chargingProfileId=1, stackLevel=5, startSchedule=EARLIER)
    assert composite(rig) == [(0, 10)]
    put(rig, 1, "TxDefaultProfile", [(0, 11)], chargingProfileId=2, startSchedule=EARLIER)
    assert composite(rig) == [(0, 11)]


@proves("7/live")
def test_a_profile_lives_between_its_dates() -> None:
    rig = idle()
    dates = {"validFrom": "2026-04-02T09:20:00Z", "validTo": "2026-04-02T09:25:00Z"}
    put(rig, 1, "TxDefaultProfile", [(0, 13)], startSchedule=EARLIER, **dates)
    assert [limit for _, limit in composite(rig, 1, 900)] == [RATED, 13, RATED]


@proves("7/kinds")
def test_each_kind_has_its_own_start() -> None:
    rig = idle()
    recurring = {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    put(rig, 1, "TxDefaultProfile", [(0, 9)], startSchedule="2026-03-01T09:00:00Z", duration=3600, **recurring)
    assert composite(rig, 1, 600) == [(0, 9)]
    put(rig, 1, "TxDefaultProfile", [(0, 14), (60, 20)], chargingProfileKind="Relative")
    assert composite(rig, 1, 120) == [(0, 14), (60, 20)]


@proves("7/covered")
def test_a_schedule_is_over_after_its_duration() -> None:
    rig = idle()
    put(rig, 1, "TxDefaultProfile", [(0, 10), (9000, 5)], startSchedule=NOW, duration=300)
    assert [limit for _, limit in composite(rig, 1, 600)] == [10, RATED]


@proves("7/stack")
def test_the_highest_live_level_counts() -> None:
    rig = idle()
    put(rig, 1, "TxDefaultProfile", [(0, 16)], chargingProfileId=1, stackLevel=1, startSchedule=EARLIER)
    put(rig, 1, "TxDefaultProfile", [(0, 8)], chargingProfileId=2, stackLevel=3, startSchedule=NOW, duration=300)
    assert [limit for _, limit in composite(rig, 1, 600)] == [8, 16]


@proves("7/TxProfile")
def test_a_transactions_profile_replaces_the_default_and_dies_with_it() -> None:
    rig = charging()
    put(rig, 1, "TxDefaultProfile", [(0, 20)], chargingProfileId=1, startSchedule=EARLIER)
    put(rig, 1, "TxProfile", [(0, 7)], chargingProfileId=2, startSchedule=EARLIER)
    assert composite(rig) == [(0, 7)]
    rig.command("stop_session", connector_id=1)
    assert composite(rig) == [(0, 20)]


@proves("7/combine", "7/C7")
def test_the_least_of_all_counts() -> None:
    rig = idle()
    put(rig, 0, "ChargePointMaxProfile", [(0, 15)], chargingProfileId=1, startSchedule=EARLIER)
    assert composite(rig) == [(0, 15)]
    put(rig, 1, "TxDefaultProfile", [(0, 30), (600, 6)], chargingProfileId=2, startSchedule=EARLIER)
    assert composite(rig) == [(0, 6)]


@proves("7/C1", "7/C2")
def test_units_are_converted() -> None:
    rig = idle()
    put(rig, 1, "TxDefaultProfile", [(0, 10)], startSchedule=EARLIER)
    assert composite(rig, chargingRateUnit="W") == [(0, 6900)]


@proves("7/C3")
def test_the_stations_limit_is_shared() -> None:
    rig = charging(connectors=(1, 2))
    put(rig, 0, "ChargePointMaxProfile", [(0, 20)], startSchedule=EARLIER)
    rig.run(70)
    both = power(rig, 1) + power(rig, 2)
    assert power(rig, 1) == pytest.approx(power(rig, 2), rel=0.05)
    assert both <= 20 * 230 * 3
    assert composite(rig) == [(0, 20)], "what is told is the whole of it"


@proves("7/C5")
def test_connector_0_is_the_sum() -> None:
    rig = idle()
    put(rig, 0, "TxDefaultProfile", [(0, 20)], startSchedule=EARLIER)
    assert composite(rig, 0) == [(0, 40)]


@proves("7/C8", "7/C10")
def test_the_car_follows_and_a_cleared_default_counts_at_once() -> None:
    rig = charging()
    put(rig, 1, "TxDefaultProfile", [(0, 5)], startSchedule=EARLIER)
    rig.run(5)
    assert power(rig) == 0
    rig.csms("ClearChargingProfile", id=1)
    rig.run(8)
    assert power(rig) > 10_000
