"""OCPP 1.6: charging profiles, set, asked for, cleared and kept (behaviour contract, 5.2 and 7)."""

import json
from typing import Any

import pytest

from simulator.core import timestamps
from simulator.core.setup import VendorKey
from tests.core.rig import DC, Rig
from tests.core.v16_profiles import amps, charging, composite, measured, profile, put

REJECTED, ACCEPTED = {"status": "Rejected"}, {"status": "Accepted"}


# --- SetChargingProfile -----------------------------------------------------------------------------------------------


def test_a_default_for_an_outlet_and_for_the_station_and_a_station_limit_are_accepted() -> None:
    """OCTT TC_056_CS: Central Smart Charging - TxDefaultProfile."""
    rig = Rig().boot()
    assert put(rig, 1, "TxDefaultProfile", [(0, 6), (60, 10.5)]) == "Accepted"
    assert put(rig, 0, "TxDefaultProfile", [(0, 6)], chargingProfileId=2) == "Accepted"
    assert put(rig, 0, "ChargePointMaxProfile", [(0, 32)], chargingProfileId=3) == "Accepted"


def test_a_profile_for_a_running_transaction_is_accepted() -> None:
    """OCTT TC_057_CS: Central Smart Charging - TxProfile."""
    rig = charging()
    assert put(rig, 1, "TxProfile", [(0, 6)], transactionId=501) == "Accepted"
    assert put(rig, 1, "TxProfile", [(0, 8)]) == "Accepted"
    assert composite(rig) == [(0, 8)]


def test_an_unknown_connector_is_an_error() -> None:
    rig = Rig().boot()
    assert put(rig, 3, "TxDefaultProfile", [(0, 6)]) == "PropertyConstraintViolation"
    assert put(rig, -1, "TxDefaultProfile", [(0, 6)]) == "PropertyConstraintViolation"


def test_a_charge_point_without_the_feature_says_so() -> None:
    rig = _with_keys(SupportedFeatureProfiles="Core")
    assert put(rig, 1, "TxDefaultProfile", [(0, 6)]) == "NotSupported"
    assert rig.csms("ClearChargingProfile") == {"error": "NotSupported"}
    assert rig.csms("GetCompositeSchedule", connectorId=1, duration=60) == {"error": "NotSupported"}


def _with_keys(**keys: str) -> Rig:
    """A device whose maker has set these keys otherwise."""
    rig = Rig()
    vendor_keys = tuple(VendorKey(key, value, readonly=True) for key, value in keys.items())
    rig.setup = type(rig.setup)(
        **{name: getattr(rig.setup, name) for name in rig.setup.__struct_fields__} | {"vendor_keys": vendor_keys}
    )
    rig.rebuild()
    return rig.boot()


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        (1, profile("ChargePointMaxProfile", [(0, 6)])),
        (0, profile("TxProfile", [(0, 6)])),
        (2, profile("TxProfile", [(0, 6)])),
        (1, profile("TxProfile", [(0, 6)], transactionId=9)),
        (1, profile("TxDefaultProfile", [(0, 6)], stackLevel=11)),
        (1, profile("TxDefaultProfile", [(0, 6)], stackLevel=-1)),
        (1, profile("TxDefaultProfile", [(second, 6) for second in range(49)])),
        (1, profile("TxDefaultProfile", [])),
        (1, profile("TxDefaultProfile", [(5, 6)])),
        (1, profile("TxDefaultProfile", [(0, 6), (60, 7), (60, 8)])),
        (1, profile("TxDefaultProfile", [(0, 6), (60, 7), (30, 8)])),
        (1, profile("TxDefaultProfile", [(0, -1)])),
        (1, profile("TxDefaultProfile", [(0, 6)], chargingProfileKind="Recurring")),
    ],
    ids=[
        "station limit on an outlet",
        "transaction profile on the station",
        "no transaction runs",
        "another transaction",
        "stack level over the maximum",
        "stack level below 0",
        "too many periods",
        "no period",
        "first period not at 0",
        "periods do not rise",
        "periods fall",
        "negative limit",
        "recurring without recurrencyKind",
    ],
)
def test_a_profile_that_cannot_be_is_rejected(number: int, sent: dict[str, Any]) -> None:
    """OCTT TC_058_1_CS, TC_058_2_CS: Central Smart Charging - No ongoing transaction, Wrong transactionId."""
    rig = charging()
    before = rig.station.memory.get("charging_profiles")
    assert rig.csms("SetChargingProfile", connectorId=number, csChargingProfiles=sent) == REJECTED
    assert rig.station.memory.get("charging_profiles") == before


def test_a_unit_that_the_device_does_not_know_is_rejected() -> None:
    rig = _with_keys(ChargingScheduleAllowedChargingRateUnit="Current")
    assert put(rig, 1, "TxDefaultProfile", [(0, 7000)], unit="W") == "Rejected"
    assert put(rig, 1, "TxDefaultProfile", [(0, 10)]) == "Accepted"
    assert rig.csms("GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="W") == REJECTED


def test_too_many_profiles_are_rejected_but_one_can_be_replaced() -> None:
    rig = _with_keys(MaxChargingProfilesInstalled="2")
    assert put(rig, 1, "TxDefaultProfile", [(0, 6)], chargingProfileId=1) == "Accepted"
    assert put(rig, 2, "TxDefaultProfile", [(0, 6)], chargingProfileId=2) == "Accepted"
    assert put(rig, 0, "TxDefaultProfile", [(0, 6)], chargingProfileId=3) == "Rejected"
    assert put(rig, 0, "TxDefaultProfile", [(0, 6)], chargingProfileId=2) == "Accepted"


def test_the_same_id_or_the_same_seat_replaces() -> None:
    rig = Rig().boot()
    put(rig, 1, "TxDefaultProfile", [(0, 6)], chargingProfileId=1)
    put(rig, 1, "TxDefaultProfile", [(0, 7)], chargingProfileId=2)
    assert [one["profile_id"] for one in rig.station.memory["charging_profiles"]] == [2]
    put(rig, 2, "TxDefaultProfile", [(0, 8)], chargingProfileId=2)
    assert [one["place"] for one in rig.station.memory["charging_profiles"]] == [2]
    put(rig, 2, "TxDefaultProfile", [(0, 9)], chargingProfileId=3, stackLevel=1)
    assert [one["profile_id"] for one in rig.station.memory["charging_profiles"]] == [2, 3]


@pytest.mark.parametrize("limit", [21.4, 7.300000000000001, 11040.3, 16, 16.0])
def test_limits_in_tenths_are_taken_whatever_binary_fractions_make_of_them(limit: float) -> None:
    rig = Rig(outlets=(DC,)).boot()
    assert put(rig, 1, "TxDefaultProfile", [(0, limit)], unit="W") == "Accepted"
    assert composite(rig) == [(0, round(limit, 1))]


def test_limits_in_hundredths_break_the_schema() -> None:
    assert put(Rig().boot(), 1, "TxDefaultProfile", [(0, 21.45)]) == "PropertyConstraintViolation"


# --- ClearChargingProfile ---------------------------------------------------------------------------------------------


def four_profiles() -> Rig:
    rig = Rig().boot()
    put(rig, 0, "ChargePointMaxProfile", [(0, 20)], chargingProfileId=1)
    put(rig, 0, "TxDefaultProfile", [(0, 16)], chargingProfileId=2)
    put(rig, 1, "TxDefaultProfile", [(0, 10)], chargingProfileId=3)
    put(rig, 1, "TxDefaultProfile", [(0, 12)], chargingProfileId=4, stackLevel=2)
    return rig


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, []),
        ({"id": 3}, [1, 2, 4]),
        ({"connectorId": 1}, [1, 2]),
        ({"connectorId": 0, "chargingProfilePurpose": "TxDefaultProfile"}, [1, 3, 4]),
        ({"stackLevel": 2}, [1, 2, 3]),
        ({"chargingProfilePurpose": "TxDefaultProfile"}, [1]),
    ],
)
def test_clearing_takes_what_all_given_fields_name(criteria: dict[str, Any], left: list[int]) -> None:
    """OCTT TC_067_CS: Clear Charging Profile."""
    rig = four_profiles()
    assert rig.csms("ClearChargingProfile", **criteria) == ACCEPTED
    assert [one["profile_id"] for one in rig.station.memory["charging_profiles"]] == left


@pytest.mark.parametrize(
    "criteria", [{"id": 9}, {"connectorId": 2}, {"id": 3, "stackLevel": 2}, {"chargingProfilePurpose": "TxProfile"}]
)
def test_clearing_what_is_not_there_is_unknown(criteria: dict[str, Any]) -> None:
    assert four_profiles().csms("ClearChargingProfile", **criteria) == {"status": "Unknown"}


def test_clearing_lifts_the_limit_of_what_runs() -> None:
    rig = charging()
    put(rig, 1, "TxProfile", [(0, 8)])
    rig.run(5)
    assert measured(rig)["Current.Offered"] == pytest.approx(8, abs=0.1)
    rig.csms("ClearChargingProfile", id=1)
    rig.run(5)
    assert measured(rig)["Current.Offered"] == pytest.approx(31.9, abs=0.1)


# --- GetCompositeSchedule ---------------------------------------------------------------------------------------------


def test_the_composite_of_three_purposes_is_that_of_the_worked_check() -> None:
    """OCTT TC_066_CS: Get Composite Schedule (contract 7)."""
    rig = charging()
    start = {"startSchedule": timestamps.written(int(rig.now.wall))}
    put(rig, 0, "ChargePointMaxProfile", [(0, 20)], chargingProfileId=1)
    put(rig, 1, "TxDefaultProfile", [(0, 16), (120, 10), (300, 25)], chargingProfileId=2, duration=600, **start)
    put(rig, 1, "TxProfile", [(0, 12), (60, 32)], chargingProfileId=3, duration=200, **start)
    assert composite(rig, duration=500) == [(0, 12), (60, 20), (200, 10), (300, 20)]


def test_the_answer_says_when_it_begins_how_long_it_is_and_in_what_unit() -> None:
    rig = Rig().boot()
    put(rig, 1, "TxDefaultProfile", [(0, 10)])
    now = timestamps.written(int(rig.now.wall))
    assert rig.csms("GetCompositeSchedule", connectorId=1, duration=300) == {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": now,
        "chargingSchedule": {
            "duration": 300,
            "startSchedule": now,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0, "numberPhases": 3}],
        },
    }


def test_the_composite_comes_in_the_asked_unit_and_else_in_that_of_the_ruling_profile() -> None:
    rig = Rig().boot()
    assert composite(rig, chargingRateUnit="W") == [(0, 22_000)]
    put(rig, 1, "TxDefaultProfile", [(0, 6_900)], unit="W")
    assert composite(rig) == [(0, 6_900)]
    assert composite(rig, chargingRateUnit="A") == [(0, 10)]
    assert composite(Rig(outlets=(DC,)).boot()) == [(0, 150_000)]


def test_a_question_that_makes_no_sense_is_rejected() -> None:
    rig = Rig().boot()
    assert rig.csms("GetCompositeSchedule", connectorId=7, duration=60) == REJECTED
    assert rig.csms("GetCompositeSchedule", connectorId=1, duration=-1) == REJECTED
    answer = rig.csms("GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="kW")
    assert answer == {"error": "PropertyConstraintViolation"}


def test_the_stations_composite_is_the_sum_under_its_limit() -> None:
    rig = Rig().boot()
    put(rig, 1, "TxDefaultProfile", [(0, 10)], chargingProfileId=1)
    assert composite(rig, 0) == [(0, 42)]
    put(rig, 0, "ChargePointMaxProfile", [(0, 25)], chargingProfileId=2, duration=60)
    assert composite(rig, 0) == [(0, 25), (60, 42)]


def test_a_relative_default_counts_from_the_start_of_the_transaction() -> None:
    rig = Rig().boot()
    put(rig, 1, "TxDefaultProfile", [(0, 10), (100, 16)], chargingProfileKind="Relative")
    rig.run(50)
    assert composite(rig) == [(0, 10), (100, 16)]
    charging(rig)
    (_, first), (change, second) = composite(rig)
    assert (first, second) == (10, 16)
    assert 68 <= change <= 71


def test_stacked_defaults_take_turns() -> None:
    """OCTT TC_072_CS: Stacking Charging Profiles."""
    rig = Rig().boot()
    start = {"startSchedule": timestamps.written(int(rig.now.wall))}
    put(rig, 1, "TxDefaultProfile", [(0, 6), (100, 8), (200, 10)], chargingProfileId=1, duration=400, **start)
    put(rig, 1, "TxDefaultProfile", [(0, 7), (100, 9)], chargingProfileId=2, duration=150, stackLevel=1, **start)
    assert composite(rig, duration=350) == [(0, 7), (100, 9), (150, 8), (200, 10)]


def test_a_default_set_or_cleared_while_charging_applies_at_once() -> None:
    """OCTT TC_082_CS: Central Smart Charging - TxDefaultProfile - with ongoing transaction."""
    rig = charging()
    put(rig, 1, "TxDefaultProfile", [(0, 8)])
    assert amps(rig)[0] == 8
    assert composite(rig) == [(0, 8)]
    rig.csms("ClearChargingProfile", chargingProfilePurpose="TxDefaultProfile")
    assert amps(rig)[0] > 30


# --- with a remote start ----------------------------------------------------------------------------------------------


def remote(rig: Rig, sent: dict[str, Any]) -> dict[str, Any]:
    return rig.csms("RemoteStartTransaction", idTag="TAG", connectorId=1, chargingProfile=sent)


@pytest.mark.parametrize("asks", ["true", "false"])
def test_a_remote_start_brings_its_profile_for_the_transaction_it_starts(asks: str) -> None:
    """OCTT TC_059_CS: Remote Start Transaction with Charging Profile."""
    rig = Rig().boot()
    rig.csms("ChangeConfiguration", key="AuthorizeRemoteTxRequests", value=asks)
    assert remote(rig, profile("TxProfile", [(0, 10)])) == ACCEPTED
    assert composite(rig) == [(0, 32)]
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert composite(rig) == [(0, 10)]
    rig.csms("RemoteStopTransaction", transactionId=501)
    assert composite(rig) == [(0, 32)]
    assert rig.station.memory["charging_profiles"] == []


@pytest.mark.parametrize(
    "sent",
    [
        profile("TxDefaultProfile", [(0, 10)]),
        profile("TxProfile", [(0, 10)], transactionId=501),
        profile("TxProfile", [(1, 10)]),
    ],
    ids=["another purpose", "with a transaction id", "a bad schedule"],
)
def test_a_remote_start_with_a_wrong_profile_is_rejected(sent: dict[str, Any]) -> None:
    """OCTT TC_060_CS: Remote Start Transaction with Charging Profile - Rejected."""
    rig = Rig().boot()
    assert remote(rig, sent) == REJECTED
    rig.command("plug_connector", connector_id=1)
    assert not rig.calls("StartTransaction")


def test_the_profile_of_a_remote_start_that_came_to_nothing_is_forgotten() -> None:
    rig = Rig().boot()
    remote(rig, profile("TxProfile", [(0, 10)]))
    rig.run(61)
    charging(rig)
    assert composite(rig) == [(0, 32)]


def test_the_profile_of_a_remote_start_outlives_a_restart() -> None:
    rig = Rig().boot()
    remote(rig, profile("TxProfile", [(0, 10)]))
    rig.restart()
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert composite(rig) == [(0, 10)]


# --- how long they live -----------------------------------------------------------------------------------------------


def test_profiles_outlive_a_restart_and_a_reset() -> None:
    rig = charging()
    put(rig, 0, "ChargePointMaxProfile", [(0, 20)], chargingProfileId=1)
    put(rig, 1, "TxProfile", [(0, 10)], chargingProfileId=2)
    rig.restart()
    rig.run(10)
    assert composite(rig) == [(0, 10)]
    assert amps(rig)[0] == 10
    rig.csms("Reset", type="Soft")
    rig.reconnect()
    assert composite(rig) == [(0, 20)]


def test_a_transactions_profile_dies_with_it() -> None:
    rig = charging()
    put(rig, 1, "TxProfile", [(0, 10)])
    rig.command("stop_session", connector_id=1)
    charging(rig)
    assert composite(rig) == [(0, 32)]
    assert json.loads(json.dumps(rig.station.memory["charging_profiles"])) == []


def test_a_profile_is_purged_past_its_end() -> None:
    rig = charging()
    valid_to = timestamps.written(rig.now.wall + 60)
    put(rig, 1, "TxDefaultProfile", [(0, 10)], validTo=valid_to)
    rig.run(10)
    assert amps(rig)[0] == 10
    rig.run(60)
    assert amps(rig)[0] > 30
    assert rig.station.memory["charging_profiles"] == []


def test_the_state_picture_shows_the_profiles_as_they_were_sent() -> None:
    rig = Rig().boot()
    sent = profile("TxDefaultProfile", [(0, 10.5)])
    rig.csms("SetChargingProfile", connectorId=2, csChargingProfiles=sent)
    assert rig.station.picture(rig.now)["profiles"] == [{"connector_id": 2, "profile": sent}]


def test_the_keys_tell_what_may_be_sent() -> None:
    rig = Rig().boot()
    asked = [
        "ChargeProfileMaxStackLevel",
        "ChargingScheduleAllowedChargingRateUnit",
        "ChargingScheduleMaxPeriods",
        "ConnectorSwitch3to1PhaseSupported",
        "MaxChargingProfilesInstalled",
        "SupportedFeatureProfiles",
    ]
    found = {one["key"]: one for one in rig.csms("GetConfiguration", key=asked)["configurationKey"]}
    assert all(one["readonly"] for one in found.values())
    assert [found[key]["value"] for key in asked[:5]] == ["10", "Current,Power", "48", "false", "20"]
    assert {"Reservation", "SmartCharging"} <= set(found["SupportedFeatureProfiles"]["value"].split(","))
