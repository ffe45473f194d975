"""OCTT for OCPP 1.6: charging profiles."""

import pytest

from tests.contract.octt.cases import octt
from tests.contract.octt.driver import ACCEPTED, REJECTED, charging, composite, limit, offered, plug, profile, station


@octt("TC_056_CS")
def test_a_default_profile_limits_the_next_transaction() -> None:
    rig = station(MeterValuesSampledData="Current.Offered")
    assert limit(rig, 1, profile("TxDefaultProfile", (0, 6))) == "Accepted"
    charging(rig)
    assert offered(rig) == 6
    assert composite(rig) == [(0, 6)]


@octt("TC_057_CS")
def test_a_transactions_own_profile_limits_it() -> None:
    rig = charging(MeterValuesSampledData="Current.Offered")
    assert offered(rig) > 31
    assert limit(rig, 1, profile("TxProfile", (0, 6), transactionId=501)) == "Accepted"
    rig.run(5)
    assert offered(rig) == 6


@octt("TC_058_1_CS")
def test_a_transactions_profile_without_a_transaction_is_rejected() -> None:
    assert limit(station(), 1, profile("TxProfile", (0, 6), transactionId=501)) == "Rejected"


@octt("TC_058_2_CS")
def test_a_transactions_profile_for_another_is_rejected() -> None:
    assert limit(charging(), 1, profile("TxProfile", (0, 6), transactionId=502)) == "Rejected"


@octt("TC_059_CS")
def test_a_remote_start_brings_its_profile() -> None:
    rig = station(MeterValuesSampledData="Current.Offered")
    plug(rig)
    sent = profile("TxProfile", (0, 6))
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1, chargingProfile=sent) == ACCEPTED
    rig.run(10)
    assert offered(rig) == 6


@octt("TC_060_CS")
def test_a_remote_start_with_a_profile_of_the_wrong_purpose_is_rejected() -> None:
    rig = station()
    plug(rig)
    sent = profile("TxDefaultProfile", (0, 6))
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1, chargingProfile=sent) == REJECTED
    rig.run(5)
    assert not rig.calls("StartTransaction")


@octt("TC_066_CS")
def test_what_a_set_of_profiles_comes_to() -> None:
    rig = charging()
    now = rig.wire_time()
    assert limit(rig, 0, profile("ChargePointMaxProfile", (0, 10), startSchedule=now)) == "Accepted"
    default = profile("TxDefaultProfile", (0, 6), (60, 10), (120, 8), startSchedule=now, duration=400)
    assert limit(rig, 1, default | {"chargingProfileId": 2}) == "Accepted"
    own = profile("TxProfile", (0, 8), (50, 5), (200, 10), startSchedule=now, duration=260, transactionId=501)
    assert limit(rig, 1, own | {"chargingProfileId": 3}) == "Accepted"
    found = composite(rig, 1, 350)
    assert [amps for _, amps in found] == [8, 5, 10, 8]
    assert [start for start, _ in found] == pytest.approx([0, 50, 200, 260], abs=2)


@octt("TC_067_CS")
def test_profiles_are_cleared_by_id_and_by_their_kind() -> None:
    rig = station()
    limit(rig, 0, profile("ChargePointMaxProfile", (0, 16)))
    limit(rig, 1, profile("TxDefaultProfile", (0, 8), chargingProfileId=2))
    assert composite(rig) == [(0, 8)]
    assert rig.csms("ClearChargingProfile", id=2) == ACCEPTED
    assert composite(rig) == [(0, 16)]
    query = {"connectorId": 0, "chargingProfilePurpose": "ChargePointMaxProfile", "stackLevel": 0}
    assert rig.csms("ClearChargingProfile", **query) == ACCEPTED
    assert composite(rig) == [(0, 32)]
    assert rig.csms("ClearChargingProfile", id=2) == {"status": "Unknown"}


@octt("TC_072_CS")
def test_the_higher_of_two_stacked_profiles_counts_while_it_lasts() -> None:
    rig = charging()
    now = rig.wire_time()
    default = profile("TxDefaultProfile", (0, 6), (60, 10), (120, 8), (180, 6), startSchedule=now)
    assert limit(rig, 0, default) == "Accepted"
    upper = profile("TxProfile", (0, 7), startSchedule=now, duration=100, transactionId=501, stackLevel=1)
    lower = profile("TxProfile", (0, 9), startSchedule=now, duration=150, transactionId=501, stackLevel=0)
    assert limit(rig, 1, upper | {"chargingProfileId": 2}) == "Accepted"
    assert limit(rig, 1, lower | {"chargingProfileId": 3}) == "Accepted"
    found = composite(rig, 1, 300)
    assert [amps for _, amps in found] == [7, 9, 8, 6]
    assert [start for start, _ in found] == pytest.approx([0, 100, 150, 180], abs=2)


@octt("TC_082_CS")
def test_a_default_profile_limits_what_runs() -> None:
    rig = charging(MeterValuesSampledData="Current.Offered")
    assert limit(rig, 1, profile("TxDefaultProfile", (0, 6))) == "Accepted"
    rig.run(5)
    assert offered(rig) == 6
