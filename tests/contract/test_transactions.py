"""Section 4 of the behaviour contract: who may charge, the ladder, why it ends, what is metered, the car."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from simulator.core.setup import Options
from tests.contract.proving import proves
from tests.core.rig import DC, Rig

OK = {"idTagInfo": {"status": "Accepted"}}
EVERYTHING = (
    "Energy.Active.Import.Register,Energy.Active.Import.Interval,Power.Active.Import,Current.Import,Voltage,SoC,"
    "Current.Offered,Power.Offered,Frequency,Temperature,Power.Factor"
)


def statuses(rig: Rig, number: int = 1) -> list[str]:
    return [one["status"] for one in rig.calls("StatusNotification") if one["connectorId"] == number]


def idle(**settings: str) -> Rig:
    rig = Rig().boot()
    for key, value in settings.items():
        assert rig.csms("ChangeConfiguration", key=key, value=value) == {"status": "Accepted"}
    rig.forget()
    return rig


def charging(**settings: str) -> Rig:
    rig = idle(**settings)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    return rig


def know(rig: Rig, *tokens: tuple[str, str, str]) -> None:
    """Puts (token, status, parent) on the local list."""
    entries = [
        {"idTag": token, "idTagInfo": {"status": status} | ({"parentIdTag": parent} if parent else {})}
        for token, status, parent in tokens
    ]
    rig.csms("SendLocalList", listVersion=5, updateType="Full", localAuthorizationList=entries)


def samples(rig: Rig) -> list[dict[str, Any]]:
    return [value for one in rig.calls("MeterValues") for value in one["meterValue"][0]["sampledValue"]]


def present(rig: Rig, token: str, number: int = 1) -> None:
    rig.command("present_tag", id_tag=token, connector_id=number)
    rig.run(1)


# --- who may charge ---------------------------------------------------------------------------------------------------


@proves("4.1/list")
def test_the_list_decides_or_the_csms_is_asked() -> None:
    rig = idle(LocalPreAuthorize="true")
    know(rig, ("GOOD", "Accepted", ""), ("BLOCKED", "Blocked", ""))
    rig.command("start_session", id_tag="GOOD", connector_id=1)
    assert not rig.calls("Authorize")
    rig.command("start_session", id_tag="BLOCKED", connector_id=2)
    assert [one["idTag"] for one in rig.calls("Authorize")] == ["BLOCKED"]


@proves("4.1/cache", "4.1/cache rules")
def test_the_cache_is_fed_by_answers_and_decides() -> None:
    rig = idle(LocalPreAuthorize="true")
    rig.command("authorize_id_tag", id_tag="A")
    rig.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "expiryDate": "2026-04-02T09:20:00Z"}}
    rig.command("authorize_id_tag", id_tag="SHORT")
    rig.forget()
    rig.command("start_session", id_tag="a", connector_id=1)
    assert not rig.calls("Authorize")
    rig.run(400)
    rig.go_down()
    command = rig.command("start_session", id_tag="SHORT", connector_id=2)
    assert rig.outcome(command).state == "rejected", "what has expired is not good"
    rig.reconnect()
    assert rig.csms("ClearCache") == {"status": "Accepted"}


@proves("4.1/online")
@pytest.mark.parametrize("word", ["Blocked", "Expired", "Invalid", "ConcurrentTx"])
def test_online_only_accepted_is_a_yes(word: str) -> None:
    rig = idle()
    rig.answers["Authorize"] = {"idTagInfo": {"status": word}}
    rig.command("plug_connector", connector_id=1)
    present(rig, "A")
    assert statuses(rig) == ["Preparing"]
    assert not rig.calls("StartTransaction")


@proves("4.1/reserved")
def test_a_reserved_connector_is_for_its_token_and_its_group() -> None:
    rig = idle()
    place = {"connectorId": 1, "reservationId": 3, "expiryDate": "2026-04-02T10:00:00Z"}
    rig.csms("ReserveNow", idTag="OWNER", parentIdTag="GROUP", **place)
    rig.command("plug_connector", connector_id=1)
    present(rig, "STRANGER")
    assert not rig.calls("StartTransaction")
    rig.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "GROUP"}}
    present(rig, "FRIEND")
    assert [one["idTag"] for one in rig.calls("StartTransaction")] == ["FRIEND"]


@proves("4.2/known", "4.2/known bad", "4.2/unknown")
@pytest.mark.parametrize(("authorize", "unknown"), [("true", "true"), ("true", "false"), ("false", "true")])
def test_who_may_start_offline(authorize: str, unknown: str) -> None:
    rig = idle(LocalAuthorizeOffline="true", AllowOfflineTxForUnknownId="true")
    know(rig, ("GOOD", "Accepted", ""), ("BAD", "Blocked", ""))
    seen = []
    for flags in (("true", "true"), (authorize, unknown)):
        rig.csms("ChangeConfiguration", key="LocalAuthorizeOffline", value=flags[0])
        rig.csms("ChangeConfiguration", key="AllowOfflineTxForUnknownId", value=flags[1])
        rig.go_down()
        rig.forget()
        for token in ("GOOD", "BAD", "NEW"):
            rig.command("start_session", id_tag=token, connector_id=1)
            rig.command("stop_session", connector_id=1)
            rig.command("unplug_connector", connector_id=1)
        rig.reconnect()
        seen.append([one["idTag"] for one in rig.calls("StartTransaction")])
        rig.csms("ClearCache")
    assert seen[0] == ["GOOD", "NEW"]
    wanted = ["GOOD"] * (authorize == "true") + ["NEW"] * (authorize == unknown == "true")
    assert seen[1] == wanted


# --- the ladder -------------------------------------------------------------------------------------------------------


@proves("4.3/cable first", "4.3/start")
def test_cable_first() -> None:
    """OCTT TC_003_CS: regular charging session, plug-in first."""
    rig = idle()
    rig.command("plug_connector", connector_id=1)
    present(rig, "A")
    rig.run(5)
    assert rig.actions() == ["1 Preparing", "Authorize", "StartTransaction", "1 Charging"]
    assert isinstance(rig.calls("StartTransaction")[0]["meterStart"], int)


@proves("4.3/tag first")
def test_tag_first() -> None:
    """OCTT TC_004_1_CS: regular charging session, identification first."""
    rig = idle()
    present(rig, "A")
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert rig.actions() == ["Authorize", "1 Preparing", "StartTransaction", "1 Charging"]


@proves("4.3/remote")
def test_remote_start_first() -> None:
    rig = idle()
    rig.csms("RemoteStartTransaction", idTag="A", connectorId=1)
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert rig.actions() == ["1 Preparing", "StartTransaction", "1 Charging"]


@proves("4.3/time-out")
def test_what_comes_too_late() -> None:
    """OCTT TC_004_2_CS: ConnectionTimeOut."""
    rig = idle(ConnectionTimeOut="20")
    rig.command("plug_connector", connector_id=1)
    rig.run(21)
    assert statuses(rig) == ["Preparing", "Finishing"]
    rig.command("unplug_connector", connector_id=1)
    present(rig, "A")
    rig.run(21)
    assert statuses(rig)[2:] == ["Available", "Preparing", "Available"]
    rig.command("plug_connector", connector_id=1)
    rig.run(5)
    assert not rig.calls("StartTransaction")


@proves("4.3/held back")
def test_nothing_goes_before_the_id_is_known_and_without_one_it_is_minus_one() -> None:
    rig = idle(TransactionMessageAttempts="2", TransactionMessageRetryInterval="5", MeterValueSampleInterval="10")
    rig.answers["StartTransaction"] = None
    rig.command("start_transaction", id_tag="A", connector_id=1)
    rig.reply_error()
    rig.run(4)
    assert not rig.calls("MeterValues")
    rig.run_until(lambda: rig.open_call is not None and rig.open_call[2] == "StartTransaction")
    rig.reply_error()
    rig.run(30)
    rig.command("stop_transaction")
    assert {one["transactionId"] for one in [*rig.calls("MeterValues"), *rig.calls("StopTransaction")]} == {-1}


@proves("4.3/any id")
def test_any_integer_is_an_id() -> None:
    rig = idle()
    ids = iter([0, -7])
    rig.answers["StartTransaction"] = lambda _: {"transactionId": next(ids), **OK}
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(65)
    assert rig.csms("RemoteStopTransaction", transactionId=0) == {"status": "Accepted"}
    rig.command("start_session", id_tag="A", connector_id=2)
    rig.command("stop_session", connector_id=2)
    assert [one["transactionId"] for one in rig.calls("StopTransaction")] == [0, -7]


@proves("4.3/invalid")
def test_a_token_that_is_refused_late() -> None:
    """OCTT TC_023_CS and its kin."""
    rig = idle()
    rig.answers["StartTransaction"] = {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "Finishing"
    rig.csms("ChangeConfiguration", key="StopTransactionOnInvalidId", value="false")
    present(rig, "A")
    rig.command("unplug_connector", connector_id=1)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(5)
    assert statuses(rig)[-1] == "SuspendedEVSE"


@proves("4.3/local stop")
def test_who_may_stop_what_runs() -> None:
    rig = charging()
    know(rig, ("A", "Accepted", "GROUP"), ("FOE", "Accepted", "OTHERS"))
    present(rig, "FOE")
    present(rig, "STRANGER")
    assert not rig.calls("StopTransaction")
    rig.answers["Authorize"] = {"idTagInfo": {"status": "Accepted", "parentIdTag": "group"}}
    present(rig, "FRIEND")
    assert [one["idTag"] for one in rig.calls("StopTransaction")] == ["FRIEND"]
    rig.forget()
    rig.command("start_session", id_tag="A", connector_id=2)
    rig.run(5)
    rig.forget()
    present(rig, "a", 2)
    assert rig.actions() == ["StopTransaction", "2 Finishing"], "the own tag is asked about by nobody"


@proves("4.3/stop")
def test_a_stop_without_a_token() -> None:
    rig = charging()
    rig.csms("RemoteStopTransaction", transactionId=501)
    [stop] = rig.calls("StopTransaction")
    assert stop["meterStop"] >= rig.calls("StartTransaction")[0]["meterStart"]


@proves("4.3/EV side")
def test_the_cars_end_comes_out() -> None:
    """OCTT TC_005_1_CS: EV side disconnected."""
    rig = charging()
    rig.command("unplug_ev", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert rig.actions()[-3:] == ["StopTransaction", "1 Finishing", "1 Available"]
    rig = charging(StopTransactionOnEVSideDisconnect="false")
    rig.command("unplug_ev", connector_id=1)
    rig.command("unplug_connector", connector_id=1)
    assert statuses(rig)[-1] == "SuspendedEV", "the station's end stays locked"
    rig.command("replug_ev", connector_id=1)
    rig.run(8)
    assert statuses(rig)[-1] == "Charging"


def _fault(code: str) -> Callable[[Rig], object]:
    return lambda rig: rig.command("inject_fault", fault_type=code, connector_id=1)


def _watchdog(rig: Rig) -> None:
    rig.command("inject_fault", fault_type="frozen", duration_seconds=5, parameters={"kind": "watchdog"})
    rig.run(6)
    rig.reconnect()


def _mains(rig: Rig) -> None:
    rig.command("power_cycle", off_seconds=5)
    rig.reconnect()


def _refused(rig: Rig) -> None:
    rig.answers["StartTransaction"] = {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}
    rig.command("start_session", id_tag="B", connector_id=2)


STOPS: dict[str, tuple[str, Callable[[Rig], object]]] = {
    "tag": ("Local", lambda rig: present(rig, "A")),
    "RemoteStop": ("Remote", lambda rig: rig.csms("RemoteStopTransaction", transactionId=501)),
    "unplugged": ("EVDisconnected", lambda rig: rig.command("unplug_ev", connector_id=1)),
    "emergency": ("EmergencyStop", _fault("EmergencyStop")),
    "invalid id": ("DeAuthorized", _refused),
    "soft reset": ("SoftReset", lambda rig: rig.csms("Reset", type="Soft")),
    "hard reset": ("HardReset", lambda rig: rig.csms("Reset", type="Hard")),
    "unlock": ("UnlockCommand", lambda rig: rig.csms("UnlockConnector", connectorId=1)),
    "mains": ("PowerLoss", _mains),
    "fault": ("Other", _fault("GroundFailure")),
    "watchdog": ("Reboot", _watchdog),
}


@proves("4.4/{cause}")
@pytest.mark.parametrize("cause", STOPS)
def test_every_cause_has_its_reason(cause: str) -> None:
    rig = charging()
    reason, act = STOPS[cause]
    act(rig)
    assert [one["reason"] for one in rig.calls("StopTransaction")] == [reason]


@proves("4.4/limit")
def test_a_limit_of_the_sessions_own_is_other() -> None:
    rig = idle()
    rig.command("start_session", id_tag="A", connector_id=1, duration_seconds=30)
    rig.run(35)
    assert [one["reason"] for one in rig.calls("StopTransaction")] == ["Other"]


# --- meter values -----------------------------------------------------------------------------------------------------


@proves("4.6/M1", "4.6/M2", "4.6/M3")
def test_the_register_only_rises_and_samples_count_from_the_start() -> None:
    rig = charging()
    started = rig.mono - 10
    rig.run_until(lambda: len(rig.calls("MeterValues")) == 2)
    assert rig.mono - started == pytest.approx(120, abs=3)
    rig.command("stop_session", connector_id=1)
    rig.restart(killed=True)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(70)
    readings = [int(one["value"]) for one in samples(rig) if one["measurand"] == "Energy.Active.Import.Register"]
    starts, stops = rig.calls("StartTransaction"), rig.calls("StopTransaction")
    assert readings == sorted(readings)
    assert stops[0]["meterStop"] <= starts[1]["meterStart"]


@proves("4.6/M4", "4.6/M11", "4.6/M9", "4.6/M13", "4.7/DC")
def test_a_fast_charger_meters_all_there_is() -> None:
    rig = Rig(outlets=(DC,)).boot()
    for key, value in {
        "MeterValuesSampledData": EVERYTHING,
        "MeterValuesAlignedData": "Energy.Active.Import.Register",
        "ClockAlignedDataInterval": "900",
        "MeterValueSampleInterval": "60",
    }.items():
        assert rig.csms("ChangeConfiguration", key=key, value=value) == {"status": "Accepted"}
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(1200)
    charge = [float(one["value"]) for one in samples(rig) if one["measurand"] == "SoC"]
    power = [float(one["value"]) for one in samples(rig) if one["measurand"] == "Power.Active.Import"]
    assert charge == sorted(charge)
    assert charge[-1] > charge[0]
    assert max(power) <= 150_000
    assert "unit" not in next(one for one in samples(rig) if one["measurand"] == "Frequency")


@proves("4.6/M5", "4.6/M6", "4.6/M7")
def test_what_a_stop_carries() -> None:
    rig = charging(StopTxnSampledData="Energy.Active.Import.Register", MeterValueSampleInterval="1")
    rig.station.configuration.put("StopTransactionMaxMeterValues", "20")
    rig.run(100)
    rig.command("stop_session", connector_id=1)
    [stop] = rig.calls("StopTransaction")
    assert len(stop["transactionData"]) <= 21
    times = [one["timestamp"] for one in stop["transactionData"]]
    assert times == sorted(times)
    plain = charging()
    plain.command("stop_session", connector_id=1)


@proves("4.6/M8", "4.6/M10", "4.6/M15", "4.7/cars", "4.7/limit")
def test_the_numbers_of_one_sample_cohere() -> None:
    rig = idle(MeterValuesSampledData="Voltage,Current.Import,Power.Active.Import,Power.Factor,Current.Offered")
    rig.command("ev_state", connector_id=1, state="ready", profile="family", soc_percent=30)
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(130)
    by_name: dict[str, list[float]] = {}
    for one in rig.calls("MeterValues")[-1]["meterValue"][0]["sampledValue"]:
        assert "," not in one["value"]
        by_name.setdefault(one["measurand"], []).append(float(one["value"]))
    factor = by_name["Power.Factor"][0]
    shown = sum(
        volts * amps * factor for volts, amps in zip(by_name["Voltage"], by_name["Current.Import"], strict=True)
    )
    assert shown == pytest.approx(by_name["Power.Active.Import"][0], rel=0.01)
    assert max(by_name["Current.Import"]) <= by_name["Current.Offered"][0]
    assert max(by_name["Current.Import"]) <= 16.5, "no more than this car takes"


@proves("4.6/M13 reactive")
def test_reactive_and_exported_energy() -> None:
    names = "Energy.Reactive.Import.Register,Power.Reactive.Import,Energy.Active.Export.Register,Power.Active.Import"
    rig = charging(MeterValuesSampledData=names)
    rig.run(130)
    told = [
        [float(value["value"]) for value in one["meterValue"][0]["sampledValue"]] for one in rig.calls("MeterValues")
    ]
    assert told[0][0] < told[1][0], "the reactive register rises"
    assert told[1][1] == pytest.approx(told[1][3] * 0.0897, rel=0.01), "at a power factor of 0.996"
    assert told[1][2] == 0


@proves("4.6/M15")
def test_the_energy_is_the_integral_of_the_power() -> None:
    rig = charging(MeterValuesSampledData="Energy.Active.Import.Register,Power.Active.Import")
    rig.run(1800)
    values = [
        [float(value["value"]) for value in one["meterValue"][0]["sampledValue"]] for one in rig.calls("MeterValues")
    ]
    metered = values[-1][0] - values[0][0]
    integral = sum((earlier[1] + later[1]) / 2 / 60 for earlier, later in pairwise(values))
    assert metered == pytest.approx(integral, rel=0.01)


@proves("4.6/M12")
@pytest.mark.parametrize("value", ["Nonsense", "Voltage.L1", "Voltage,Nonsense"])
def test_an_unknown_measurand_changes_nothing(value: str) -> None:
    rig = idle()
    assert rig.csms("ChangeConfiguration", key="MeterValuesSampledData", value=value) == {"status": "Rejected"}
    [entry] = rig.csms("GetConfiguration", key=["MeterValuesSampledData"])["configurationKey"]
    assert entry["value"].startswith("Energy.Active.Import.Register")


# --- the car ----------------------------------------------------------------------------------------------------------


@proves("4.7/AC")
def test_under_the_least_current_nothing_flows() -> None:
    rig = charging()
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 5.9}]}
    profile = {
        "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative", "chargingSchedule": schedule,
    }  # fmt: skip
    rig.csms("SetChargingProfile", connectorId=1, csChargingProfiles=profile)
    rig.run(5)
    assert statuses(rig)[-1] == "SuspendedEVSE"


@proves("4.7/ramp")
def test_energy_takes_its_time_to_flow() -> None:
    rig = idle()
    rig.command("start_session", id_tag="A", connector_id=1)
    assert statuses(rig)[-1] == "Preparing"
    rig.run(0.9)
    assert rig.station.connectors[0].power_w == 0
    rig.run(8)
    assert statuses(rig)[-1] == "Charging"
    rig.station.picture(rig.now)  # brings the energy up to date
    assert rig.station.connectors[0].power_w > 1000


@proves("4.7/full")
def test_a_full_battery_suspends() -> None:
    rig = charging()
    rig.command("ev_state", connector_id=1, state="full")
    rig.run(10)
    assert statuses(rig)[-1] == "SuspendedEV"
    assert not rig.calls("StopTransaction")


@proves("4.7/noise")
def test_the_same_seed_gives_the_same_frames() -> None:
    stories = []
    for _ in range(2):
        rig = Rig(seed=42).boot()
        rig.command("start_session", id_tag="A", connector_id=1)
        rig.run(300)
        stories.append(rig.calls())
    assert stories[0] == stories[1]


@proves("4.8/Q6")
def test_a_stop_that_nobody_answered_comes_after_the_boot() -> None:
    rig = charging()
    rig.answers["StopTransaction"] = None
    rig.csms("Reset", type="Soft")
    rig.answers["StopTransaction"] = {}
    rig.forget()
    rig.reconnect()
    assert rig.actions()[0] == "BootNotification"
    assert rig.actions()[-1] == "StopTransaction"


@proves("4.8/Q9")
def test_without_power_there_are_no_samples() -> None:
    rig = Rig(options=Options(on_power_loss="resume")).boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(65)
    rig.forget()
    rig.command("power_cycle", off_seconds=600)
    rig.reconnect()
    assert len(rig.calls("MeterValues")) == 1, "ten were due: the one that is due still is taken on return"
