"""OCTT for OCPP 1.6: boots, sessions, the cache, meter values, and tokens that are refused."""

from tests.contract.octt.cases import octt
from tests.contract.octt.driver import (
    ACCEPTED,
    charging,
    fault,
    listed,
    plug,
    present,
    refuse,
    set_key,
    station,
    statuses,
    unplug,
)
from tests.core.rig import NOW, Rig


@octt("TC_001_CS")
def test_a_cold_boot() -> None:
    rig = Rig().boot()
    assert rig.actions() == ["BootNotification", "0 Available", "1 Available", "2 Available"]
    rig.run(301)
    assert rig.actions()[4:] == ["Heartbeat"]


@octt("TC_002_CS")
def test_a_pending_boot_is_repeated_and_answers_questions_meanwhile() -> None:
    rig = Rig()
    rig.answers["BootNotification"] = {"status": "Pending", "interval": 20, "currentTime": NOW}
    rig.boot()
    assert rig.csms("GetConfiguration", key=["HeartbeatInterval"])["configurationKey"]
    assert set_key(rig, "MeterValueSampleInterval", "33") == "Accepted"
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == {"status": "Rejected"}
    rig.run(15)
    assert rig.actions() == ["BootNotification"]
    rig.answers["BootNotification"] = {"status": "Accepted", "interval": 300, "currentTime": NOW}
    rig.run(10)
    assert rig.actions() == ["BootNotification"] * 2 + ["0 Available", "1 Available", "2 Available"]


@octt("TC_003_CS")
def test_a_session_with_the_cable_first() -> None:
    rig = station()
    plug(rig)
    present(rig)
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "Authorize", "StartTransaction", "1 Charging"]
    rig.forget()
    present(rig)
    unplug(rig)
    assert rig.actions() == ["StopTransaction", "1 Finishing", "1 Available"]


@octt("TC_004_1_CS")
def test_a_session_with_the_token_first() -> None:
    rig = station()
    present(rig)
    assert rig.actions() == ["Authorize", "1 Preparing"]
    plug(rig)
    rig.run(10)
    assert rig.actions()[2:] == ["StartTransaction", "1 Charging"]


@octt("TC_004_2_CS")
def test_a_token_without_a_cable_is_forgotten() -> None:
    rig = station(ConnectionTimeOut="20")
    present(rig)
    rig.run(21)
    assert rig.actions() == ["Authorize", "1 Preparing", "1 Available"]
    plug(rig)
    assert not rig.calls("StartTransaction")


@octt("TC_005_1_CS")
def test_the_cars_plug_ends_the_transaction_and_frees_the_cable() -> None:
    rig = charging(StopTransactionOnEVSideDisconnect="true", UnlockConnectorOnEVSideDisconnect="true")
    rig.command("unplug_ev", connector_id=1)
    assert rig.actions() == ["StopTransaction", "1 Finishing"]
    assert rig.calls("StopTransaction")[0]["reason"] == "EVDisconnected"
    unplug(rig)
    assert statuses(rig) == ["Finishing", "Available"]


@octt("TC_005_2_CS")
def test_the_cars_plug_ends_the_transaction_and_the_cable_waits_for_its_driver() -> None:
    rig = charging(StopTransactionOnEVSideDisconnect="true", UnlockConnectorOnEVSideDisconnect="false")
    rig.command("unplug_ev", connector_id=1)
    assert rig.actions() == ["StopTransaction", "1 Finishing"]
    assert rig.calls("StopTransaction")[0]["reason"] == "EVDisconnected"
    unplug(rig)
    assert statuses(rig) == ["Finishing"], "it is locked"
    present(rig)
    unplug(rig)
    assert statuses(rig) == ["Finishing", "Available"]


@octt("TC_005_3_CS")
def test_the_transaction_outlasts_the_cars_plug() -> None:
    rig = charging(StopTransactionOnEVSideDisconnect="false", UnlockConnectorOnEVSideDisconnect="false")
    rig.command("unplug_ev", connector_id=1)
    rig.run(2)
    assert rig.actions() == ["1 SuspendedEV"]
    rig.command("replug_ev", connector_id=1)
    rig.run(10)
    assert statuses(rig) == ["SuspendedEV", "Charging"]
    present(rig)
    assert [one["reason"] for one in rig.calls("StopTransaction")] == ["Local"]


@octt("TC_068_CS")
def test_the_token_of_the_start_stops_without_a_question() -> None:
    rig = charging()
    present(rig)
    unplug(rig)
    assert rig.actions() == ["StopTransaction", "1 Finishing", "1 Available"]
    assert rig.calls("StopTransaction")[0]["idTag"] == "A"


@octt("TC_069_CS")
def test_another_token_of_the_group_stops_after_a_question() -> None:
    rig = station()
    group = {"idTagInfo": {"status": "Accepted", "parentIdTag": "GROUP"}}
    rig.answers["Authorize"] = group
    rig.answers["StartTransaction"] = {"transactionId": 501, **group}
    charging(rig)
    present(rig, "B")
    assert rig.actions() == ["Authorize", "StopTransaction", "1 Finishing"]
    assert rig.calls("StopTransaction")[0]["idTag"] == "B"


# --- the cache --------------------------------------------------------------------------------------------------------


def cached(remote: str = "false") -> Rig:
    """It knows the token A from a session before; that it would be asked about now is not expected."""
    rig = charging(AuthorizationCacheEnabled="true", LocalPreAuthorize="true", AuthorizeRemoteTxRequests=remote)
    present(rig)
    unplug(rig)
    rig.forget()
    return rig


@octt("TC_007_1_CS")
def test_a_cached_token_starts_without_a_question() -> None:
    rig = cached()
    plug(rig)
    present(rig)
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]


@octt("TC_007_2_CS")
def test_a_cached_token_starts_remotely_without_a_question() -> None:
    rig = cached(remote="true")
    plug(rig)
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]


@octt("TC_061_1_CS")
def test_an_empty_cache_starts_nobody_unasked() -> None:
    rig = cached()
    assert rig.csms("ClearCache") == ACCEPTED
    plug(rig)
    present(rig)
    assert rig.actions() == ["1 Preparing", "Authorize", "StartTransaction"]


@octt("TC_061_2_CS")
def test_an_empty_cache_starts_nobody_remotely_unasked() -> None:
    rig = cached(remote="true")
    assert rig.csms("ClearCache") == ACCEPTED
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    assert rig.actions()[:1] == ["Authorize"]


# --- meter values -----------------------------------------------------------------------------------------------------


def contexts(rig: Rig) -> set[str]:
    return {
        value["context"]
        for one in rig.calls("MeterValues")
        for sample in one["meterValue"]
        for value in sample["sampledValue"]
    }


@octt("TC_070_CS")
def test_samples_come_in_their_interval() -> None:
    rig = charging(MeterValueSampleInterval="15", MeterValuesSampledData="Energy.Active.Import.Register")
    rig.run(61)
    assert len(rig.calls("MeterValues")) == 4
    assert contexts(rig) == {"Sample.Periodic"}
    assert {one["transactionId"] for one in rig.calls("MeterValues")} == {501}
    register = [int(one["meterValue"][0]["sampledValue"][0]["value"]) for one in rig.calls("MeterValues")]
    assert register == sorted(register)
    assert register[0] < register[-1]


@octt("TC_071_CS")
def test_aligned_samples_come_at_the_full_minute() -> None:
    rig = charging(ClockAlignedDataInterval="60", MeterValuesAlignedData="Energy.Active.Import.Register",
                   MeterValueSampleInterval="0")  # fmt: skip
    rig.run(130)
    assert contexts(rig) == {"Sample.Clock"}
    moments = {sample["timestamp"] for one in rig.calls("MeterValues") for sample in one["meterValue"]}
    assert moments == {"2026-04-02T09:16:00.000Z", "2026-04-02T09:17:00.000Z"}


# --- refused ----------------------------------------------------------------------------------------------------------


@octt("TC_023_4_CS")
def test_a_refused_token_starts_nothing() -> None:
    rig = station()
    refuse(rig)
    plug(rig)
    present(rig)
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "Authorize"]
    unplug(rig)
    assert statuses(rig) == ["Preparing", "Available"]


@octt("TC_023_5_CS")
def test_a_refused_token_starts_nothing_remotely() -> None:
    rig = station(AuthorizeRemoteTxRequests="true")
    refuse(rig)
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    rig.run(10)
    assert rig.actions() == ["Authorize"]


@octt("TC_024_CS")
def test_a_lock_that_fails_starts_nothing() -> None:
    rig = station()
    fault(rig, "ConnectorLockFailure")
    plug(rig)
    present(rig)
    rig.run(10)
    assert not rig.calls("StartTransaction")
    told = rig.calls("StatusNotification")[-1]
    assert (told["connectorId"], told["status"], told["errorCode"]) == (1, "Faulted", "ConnectorLockFailure")


@octt("TC_008_1_CS")
def test_a_listed_token_starts_without_a_question() -> None:
    rig = station(LocalPreAuthorize="true", LocalAuthListEnabled="true", AuthorizationCacheEnabled="false")
    assert rig.csms("GetLocalListVersion") == {"listVersion": 0}
    assert listed(rig, "A") == ACCEPTED
    present(rig)
    plug(rig)
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]


@octt("TC_008_2_CS")
def test_a_listed_token_starts_remotely_without_a_question() -> None:
    rig = station(LocalPreAuthorize="true", AuthorizeRemoteTxRequests="true", AuthorizationCacheEnabled="false")
    assert listed(rig, "A") == ACCEPTED
    assert rig.csms("RemoteStartTransaction", idTag="A", connectorId=1) == ACCEPTED
    plug(rig)
    rig.run(10)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]
