"""Section 5 of the behaviour contract: every answer to every action, and what follows from it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.proving import proves
from tests.core.rig import CABLE, Rig

EXPIRY = "2026-04-02T10:00:00Z"
OK = {"idTagInfo": {"status": "Accepted"}}


def statuses(rig: Rig, number: int = 1) -> list[str]:
    return [one["status"] for one in rig.calls("StatusNotification") if one["connectorId"] == number]


def idle() -> Rig:
    rig = Rig().boot()
    rig.forget()
    return rig


def charging() -> Rig:
    rig = Rig().boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    rig.forget()
    return rig


def faulted() -> Rig:
    rig = idle()
    rig.command("inject_fault", fault_type="InternalError", connector_id=1)
    return rig


def inoperative() -> Rig:
    rig = idle()
    rig.csms("ChangeAvailability", connectorId=1, type="Inoperative")
    return rig


def reserved() -> Rig:
    rig = idle()
    rig.csms("ReserveNow", **reservation())
    return rig


def listed() -> Rig:
    rig = idle()
    rig.csms("SendLocalList", listVersion=3, updateType="Full", localAuthorizationList=[{"idTag": "LISTED", **OK}])
    return rig


def set_to(key: str, value: str) -> Callable[[], Rig]:
    def build() -> Rig:
        rig = idle()
        rig.csms("ChangeConfiguration", key=key, value=value)
        return rig

    return build


def fixed_cable() -> Rig:
    return Rig(outlets=(CABLE,)).boot()


def lock_failed() -> Rig:
    rig = idle()
    rig.command("inject_fault", fault_type="ConnectorLockFailure", connector_id=1)
    return rig


def pending() -> Rig:
    rig = Rig()
    rig.answers["BootNotification"] = {"status": "Pending", "interval": 300, "currentTime": "2026-04-02T09:15:00Z"}
    return rig.boot()


def reservation(**more: Any) -> dict[str, Any]:
    return {"connectorId": 1, "idTag": "R", "reservationId": 3, "expiryDate": EXPIRY} | more


def profile(purpose: str = "TxDefaultProfile", **more: Any) -> dict[str, Any]:
    schedule = {
        "chargingRateUnit": "A", "startSchedule": "2026-04-02T09:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
    }  # fmt: skip
    usual = {"chargingProfileId": 1, "stackLevel": 0, "chargingProfileKind": "Absolute", "chargingSchedule": schedule}
    return usual | {"chargingProfilePurpose": purpose} | more


def start(number: int | None = 1, **more: Any) -> dict[str, Any]:
    return {"idTag": "A"} | ({} if number is None else {"connectorId": number}) | more


def local_list(version: int, update: str, *tags: str, info: bool = True) -> dict[str, Any]:
    entries = [{"idTag": tag, **(OK if info else {})} for tag in tags]
    return {"listVersion": version, "updateType": update, "localAuthorizationList": entries}


ANSWERS: list[tuple[str, str, Callable[[], Rig], dict[str, Any]]] = [
    ("5.1/ChangeAvailability", "Rejected", idle, {"connectorId": 9, "type": "Operative"}),
    ("5.1/ChangeAvailability", "Accepted", idle, {"connectorId": 1, "type": "Inoperative"}),
    ("5.1/ChangeAvailability", "Accepted", inoperative, {"connectorId": 1, "type": "Inoperative"}),
    ("5.1/ChangeAvailability", "Scheduled", charging, {"connectorId": 0, "type": "Inoperative"}),
    ("5.1/ChangeConfiguration", "Accepted", idle, {"key": "heartbeatinterval", "value": "5"}),
    ("5.1/ChangeConfiguration", "Rejected", idle, {"key": "NumberOfConnectors", "value": "5"}),
    ("5.1/ChangeConfiguration", "Rejected", idle, {"key": "HeartbeatInterval", "value": "x"}),
    ("5.1/ChangeConfiguration", "NotSupported", idle, {"key": "Nonsense", "value": "5"}),
    ("5.1/ClearCache", "Accepted", idle, {}),
    ("5.1/ClearCache", "Rejected", set_to("AuthorizationCacheEnabled", "false"), {}),
    ("5.1/DataTransfer", "UnknownVendorId", idle, {"vendorId": "com.example"}),
    ("5.1/RemoteStartTransaction", "Accepted", idle, start()),
    ("5.1/RemoteStartTransaction", "Rejected", pending, start()),
    ("5.1/RemoteStartTransaction", "Rejected", idle, start(9)),
    ("5.1/RemoteStartTransaction", "Rejected", inoperative, start()),
    ("5.1/RemoteStartTransaction", "Rejected", faulted, start()),
    ("5.1/RemoteStartTransaction", "Rejected", charging, start()),
    ("5.1/RemoteStartTransaction", "Rejected", reserved, start()),
    ("5.1/RemoteStartTransaction", "Rejected", idle, start(chargingProfile=profile())),
    ("5.1/RemoteStartTransaction", "Rejected", idle, start(chargingProfile=profile("TxProfile", transactionId=1))),
    ("5.1/RemoteStopTransaction", "Accepted", charging, {"transactionId": 501}),
    ("5.1/RemoteStopTransaction", "Rejected", charging, {"transactionId": 7}),
    ("5.1/Reset", "Accepted", idle, {"type": "Soft"}),
    ("5.1/UnlockConnector", "NotSupported", idle, {"connectorId": 9}),
    ("5.1/UnlockConnector", "NotSupported", fixed_cable, {"connectorId": 1}),
    ("5.1/UnlockConnector", "UnlockFailed", lock_failed, {"connectorId": 1}),
    ("5.1/UnlockConnector", "Unlocked", idle, {"connectorId": 1}),
    ("5.2/SendLocalList", "NotSupported", set_to("LocalAuthListEnabled", "false"), local_list(1, "Full")),
    ("5.2/SendLocalList", "Failed", idle, local_list(0, "Full")),
    ("5.2/SendLocalList", "Failed", idle, local_list(1, "Full", "A", "a")),
    ("5.2/SendLocalList", "Failed", idle, local_list(1, "Full", "A", info=False)),
    ("5.2/SendLocalList", "VersionMismatch", listed, local_list(3, "Differential", "B")),
    ("5.2/SendLocalList", "Accepted", listed, local_list(4, "Differential", "LISTED", info=False)),
    ("5.2/ReserveNow", "Rejected", idle, reservation(connectorId=9)),
    ("5.2/ReserveNow", "Rejected", idle, reservation(expiryDate="2020-01-01T00:00:00Z")),
    ("5.2/ReserveNow", "Faulted", faulted, reservation()),
    ("5.2/ReserveNow", "Unavailable", inoperative, reservation()),
    ("5.2/ReserveNow", "Occupied", charging, reservation()),
    ("5.2/ReserveNow", "Occupied", reserved, reservation(reservationId=4)),
    ("5.2/ReserveNow", "Accepted", reserved, reservation(idTag="S")),
    ("5.2/CancelReservation", "Accepted", reserved, {"reservationId": 3}),
    ("5.2/CancelReservation", "Rejected", reserved, {"reservationId": 4}),
    ("5.2/SetChargingProfile", "Accepted", idle, {"connectorId": 1, "csChargingProfiles": profile()}),
    ("5.2/SetChargingProfile", "Rejected", idle, {"connectorId": 1, "csChargingProfiles": profile("TxProfile")}),
    ("5.2/SetChargingProfile", "Rejected", idle, {"connectorId": 1, "csChargingProfiles": profile(stackLevel=11)}),
    (
        "5.2/SetChargingProfile", "Rejected", idle,
        {"connectorId": 1, "csChargingProfiles": profile("ChargePointMaxProfile")},
    ),
    ("5.2/ClearChargingProfile", "Unknown", idle, {}),
    ("5.2/GetCompositeSchedule", "Accepted", idle, {"connectorId": 1, "duration": 60}),
    ("5.2/GetCompositeSchedule", "Rejected", idle, {"connectorId": 9, "duration": 60}),
    ("5.2/TriggerMessage", "Accepted", idle, {"requestedMessage": "Heartbeat"}),
    ("5.2/TriggerMessage", "Rejected", idle, {"requestedMessage": "BootNotification"}),
    ("5.2/TriggerMessage", "Rejected", idle, {"requestedMessage": "StatusNotification", "connectorId": 9}),
]  # fmt: skip


@proves("{name} {word}")
@pytest.mark.parametrize(("name", "word", "build", "payload"), ANSWERS)
def test_every_answer_of_every_action(name: str, word: str, build: Callable[[], Rig], payload: dict[str, Any]) -> None:
    rig = build()
    assert rig.csms(name.partition("/")[2], **payload)["status"] == word


@proves("5.1/ChangeAvailability effect")
def test_availability_is_told_kept_and_changed_back() -> None:
    rig = idle()
    rig.csms("ChangeAvailability", connectorId=0, type="Inoperative")
    assert [statuses(rig, number) for number in (0, 1, 2)] == [["Unavailable"]] * 3
    rig.restart(killed=True)
    assert statuses(rig, 2)[-1] == "Unavailable"
    rig.csms("ChangeAvailability", connectorId=2, type="Operative")
    assert statuses(rig, 2)[-1] == "Available"
    busy = charging()
    busy.csms("ChangeAvailability", connectorId=1, type="Inoperative")
    busy.csms("ChangeAvailability", connectorId=1, type="Operative")
    busy.command("stop_session", connector_id=1)
    assert statuses(busy)[-1] == "Available", "the later request has cancelled the scheduled one"
    whole = charging()
    assert whole.csms("ChangeAvailability", connectorId=0, type="Inoperative") == {"status": "Scheduled"}
    whole.restart()
    assert statuses(whole, 2)[-1] == "Unavailable", "nothing runs there"
    assert "Unavailable" not in statuses(whole, 0)
    whole.command("stop_session", connector_id=1)
    assert [statuses(whole, number)[-1] for number in (0, 1, 2)] == ["Unavailable"] * 3


@proves("5.1/ClearCache effect")
def test_clearing_the_cache_leaves_the_list() -> None:
    rig = listed()
    rig.command("start_session", id_tag="CACHED", connector_id=2)
    rig.run(5)
    rig.command("stop_session", connector_id=2)
    rig.csms("ClearCache")
    rig.go_down()
    rig.command("start_session", id_tag="CACHED", connector_id=2)
    rig.command("start_session", id_tag="LISTED", connector_id=1)
    rig.reconnect()
    assert [one["idTag"] for one in rig.calls("StartTransaction")] == ["CACHED", "LISTED"]
    assert rig.calls("StartTransaction")[1]["connectorId"] == 1


@proves("5.1/GetConfiguration")
def test_all_keys_or_those_asked_for() -> None:
    rig = idle()
    everything = rig.csms("GetConfiguration")
    assert len(everything["configurationKey"]) > 40
    assert "unknownKey" not in everything
    some = rig.csms("GetConfiguration", key=["HEARTBEATINTERVAL", "Nonsense"])
    assert [one["key"] for one in some["configurationKey"]] == ["HeartbeatInterval"]
    assert some["unknownKey"] == ["Nonsense"]


@proves("5.1/RemoteStartTransaction effect")
def test_a_remote_start_finds_its_connector() -> None:
    """OCTT TC_010_CS and TC_011_1_CS: remote start, cable first and not yet."""
    rig = idle()
    rig.command("plug_connector", connector_id=2)
    assert rig.csms("RemoteStartTransaction", idTag="A") == {"status": "Accepted"}
    rig.run(1)
    assert rig.calls("StartTransaction")[0]["connectorId"] == 2
    assert rig.csms("RemoteStartTransaction", idTag="B") == {"status": "Accepted"}
    assert statuses(rig)[-1] == "Preparing"
    assert rig.csms("RemoteStartTransaction", idTag="C", connectorId=1) == {"status": "Rejected"}
    assert rig.csms("RemoteStartTransaction", idTag="C") == {"status": "Rejected"}


@proves("5.1/RemoteStopTransaction effect")
def test_a_remote_stop_works_while_suspended_too() -> None:
    """OCTT TC_012_CS."""
    rig = charging()
    rig.command("ev_stops_energy", connector_id=1)
    rig.run(3)
    rig.csms("RemoteStopTransaction", transactionId=501)
    assert rig.actions()[-2:] == ["StopTransaction", "1 Finishing"]
    assert rig.csms("RemoteStopTransaction", transactionId=501) == {"status": "Rejected"}


@proves("5.1/Reset effect")
def test_a_reset_ends_and_keeps_what_it_must() -> None:
    """OCTT TC_013_CS and TC_014_CS: hard and soft reset."""
    for kind in ("Soft", "Hard"):
        rig = charging()
        rig.csms("ChangeConfiguration", key="ConnectionTimeOut", value="77")
        rig.csms("SendLocalList", **local_list(3, "Full", "A"))
        rig.csms("ReserveNow", **reservation(connectorId=2))
        rig.csms("SetChargingProfile", connectorId=2, csChargingProfiles=profile())
        rig.csms("Reset", type=kind)
        rig.reconnect()
        assert [one["reason"] for one in rig.calls("StopTransaction")] == [f"{kind}Reset"]
        assert rig.csms("GetConfiguration", key=["ConnectionTimeOut"])["configurationKey"][0]["value"] == "77"
        assert rig.csms("GetLocalListVersion") == {"listVersion": 3}
        assert rig.csms("CancelReservation", reservationId=3) == {"status": "Accepted"}
        assert rig.csms("ClearChargingProfile", id=1) == {"status": "Accepted"}


@proves("5.1/UnlockConnector effect")
def test_unlocking_stops_what_runs() -> None:
    """OCTT TC_018_1_CS."""
    rig = charging()
    rig.csms("UnlockConnector", connectorId=1)
    assert rig.actions()[-2:] == ["StopTransaction", "1 Finishing"]


@proves("5.2/GetLocalListVersion")
def test_the_version_of_a_list() -> None:
    rig = listed()
    assert rig.csms("GetLocalListVersion") == {"listVersion": 3}
    rig.csms("SendLocalList", **local_list(4, "Full"))
    assert rig.csms("GetLocalListVersion") == {"listVersion": 0}
    rig.csms("ChangeConfiguration", key="LocalAuthListEnabled", value="false")
    assert rig.csms("GetLocalListVersion") == {"listVersion": -1}


@proves("5.2/ReserveNow effect")
def test_a_reservation_is_used_or_expires() -> None:
    rig = reserved()
    rig.command("start_session", id_tag="R", connector_id=1)
    rig.run(5)
    assert rig.calls("StartTransaction")[0]["reservationId"] == 3
    rig.command("stop_session", connector_id=1)
    rig.csms("ReserveNow", **reservation(expiryDate="2026-04-02T09:20:00Z"))
    rig.run(400)
    assert statuses(rig)[-2:] == ["Reserved", "Available"]


@proves("5.2/SetChargingProfile connector", "5.2/GetCompositeSchedule unit")
def test_what_smart_charging_calls_an_error() -> None:
    rig = idle()
    assert "error" in rig.csms("SetChargingProfile", connectorId=9, csChargingProfiles=profile())
    assert "error" in rig.csms("GetCompositeSchedule", connectorId=1, duration=60, chargingRateUnit="VA")


@proves("5.2/ClearChargingProfile Accepted", "5.2/GetCompositeSchedule Rejected")
def test_profiles_are_cleared() -> None:
    rig = idle()
    rig.csms("SetChargingProfile", connectorId=1, csChargingProfiles=profile())
    assert rig.csms("ClearChargingProfile", stackLevel=5) == {"status": "Unknown"}
    assert rig.csms("ClearChargingProfile") == {"status": "Accepted"}
    assert rig.csms("GetCompositeSchedule", connectorId=7, duration=60) == {"status": "Rejected"}


@proves("5.2/TriggerMessage effect", "5.2/TriggerMessage NotImplemented")
def test_a_trigger_sends_exactly_that() -> None:
    rig = charging()
    for message in ("Heartbeat", "StatusNotification", "MeterValues"):
        rig.forget()
        assert rig.csms("TriggerMessage", requestedMessage=message) == {"status": "Accepted"}
        assert {one["transactionId"] for one in rig.calls("MeterValues") if one["connectorId"] == 1} <= {501}
        count = {"Heartbeat": 1, "StatusNotification": 3, "MeterValues": 2}[message]
        assert len(rig.calls(message)) == count == len(rig.calls())
    waiting = pending()
    waiting.csms("TriggerMessage", requestedMessage="BootNotification")
    assert len(waiting.calls("BootNotification")) == 2
    waiting.station.configuration.put("SupportedFeatureProfiles", "Core,RemoteTrigger")
    answer = waiting.csms("TriggerMessage", requestedMessage="DiagnosticsStatusNotification")
    assert answer == {"status": "NotImplemented"}


@proves("5.9/by itself", "5.9/DataTransfer")
def test_all_that_a_station_starts() -> None:
    rig = Rig().boot()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(70)
    rig.command("stop_session", connector_id=1)
    rig.run(400)
    assert "DataTransfer" not in rig.actions()
    rig.command("proxy_message", action="data_transfer", payload={"vendor_id": "com.example"})
