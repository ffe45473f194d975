"""Two runs of the same test look alike; what is really different is named with its field."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargers.models import Message, RunCharger, RunFrame
from chargers.services.run_diff import ABSENT, ChargerDiff, Terms, diff_charger, matched_chargers, readable
from chargers.services.run_frames import Normalizer

NINE = datetime(2026, 4, 2, 9, 0, tzinfo=UTC)
OUT, IN = "cp_to_csms", "csms_to_cp"
Line = tuple[str, str, Any]  # "> Action" or "< Action" for calls, "<< Action" and ">> Action" for their results


def message(number: int, way: str, action: str, payload: Any, *, salt: str) -> Message:
    direction = OUT if way.startswith(">") else IN
    kind = "CALL" if len(way) == 1 else "CALLRESULT"
    message_id = f"{salt}-{action}-{number - (kind != 'CALL')}"
    frame = [2, message_id, action, payload] if kind == "CALL" else [3, message_id, payload]
    return Message(
        epoch=1, sequence=number, at=NINE + timedelta(minutes=number), direction=direction, message_type=kind,
        message_id=message_id, action=action, text=json.dumps(frame),
    )  # fmt: skip


def recorded(*lines: tuple[str, Any], salt: str = "a", identity: str = "CP-1") -> RunCharger:
    normalizer = Normalizer(identity, NINE)
    charger = RunCharger(identity=identity, position=0, tenant_id=None)
    rows = [
        message(number, *what.split(" ", 1), payload, salt=salt)
        for number, (what, payload) in enumerate(lines, start=1)
    ]
    charger.keep([normalizer.frame(row) for row in rows])
    return charger


def session(transaction: int, start: int, tag: str = "TAG", hour: int = 9, power: float = 11_000) -> list[Any]:
    """A whole OCPP 1.6 session as one run records it."""
    at = f"2026-04-02T{hour:02}:00:00Z"
    reading = [
        {"value": str(start + 500), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": str(power), "measurand": "Power.Active.Import", "unit": "W"},
    ]
    return [
        ("> StatusNotification", {"connectorId": 1, "status": "Preparing", "errorCode": "NoError", "timestamp": at}),
        ("<< StatusNotification", {}),
        ("> StartTransaction", {"connectorId": 1, "idTag": tag, "meterStart": start, "timestamp": at}),
        ("<< StartTransaction", {"transactionId": transaction, "idTagInfo": {"status": "Accepted"}}),
        ("> MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": [
            {"timestamp": at, "sampledValue": reading}]}),
        ("<< MeterValues", {}),
        ("> StopTransaction", {"transactionId": transaction, "meterStop": start + 1000, "timestamp": at}),
        ("<< StopTransaction", {"idTagInfo": {"status": "Accepted"}}),
    ]  # fmt: skip


def compared(old: list[Any], new: list[Any], tolerance: float = 5.0, ignore: tuple[str, ...] = ()) -> ChargerDiff:
    return diff_charger(recorded(*new, salt="b"), recorded(*old), Terms(tolerance, frozenset(ignore)))


def actions(frames: list[RunFrame]) -> list[str]:
    return [f"{frame.action} {frame.message_type}" for frame in frames]


def test_ids_times_and_registers_do_not_count() -> None:
    found = compared(session(41, 12_000), session(907, 55_300, hour=17))
    assert found.is_same


def test_two_transactions_that_are_mixed_up_do_count() -> None:
    old = [*session(1, 0)[2:4], *session(2, 0)[2:4], ("> StopTransaction", {"transactionId": 1, "meterStop": 0})]
    new = [*session(5, 0)[2:4], *session(6, 0)[2:4], ("> StopTransaction", {"transactionId": 6, "meterStop": 0})]
    changed = compared(old, new).changed
    assert [(one.path, one.old, one.new) for one in changed[0].fields] == [
        ("transactionId", "<transaction 1>", "<transaction 2>")
    ]


def test_measured_values_may_differ_within_the_tolerance() -> None:
    old, new = session(1, 0, power=11_000), session(2, 0, power=11_400)
    assert compared(old, new, tolerance=5).is_same
    change = compared(old, new, tolerance=1).changed[0]
    assert change.new.action == "MeterValues"
    path = "meterValue[0].sampledValue[1].value"
    assert [(one.path, one.old, one.new) for one in change.fields] == [(path, 11_000, 11_400)]


def test_a_register_may_round_to_the_next_whole_number() -> None:
    old, new = session(1, 7_000), session(1, 9_000)
    old[6] = ("> StopTransaction", {**old[6][1], "meterStop": 7_001})
    new[6] = ("> StopTransaction", {**new[6][1], "meterStop": 9_000})
    assert compared(old, new).is_same
    assert [one.path for one in compared(old, new, tolerance=0).changed[0].fields] == ["meterStop"]


def test_a_register_that_runs_faster_does_count() -> None:
    old, new = session(1, 7_000), session(1, 7_000)
    new[6] = ("> StopTransaction", {**new[6][1], "meterStop": 9_000})
    assert [one.path for one in compared(old, new).changed[0].fields] == ["meterStop"]


@pytest.mark.parametrize(
    ("watt_hours", "injected", "is_same"), [(3, False, True), (3, True, False), (20, False, False)]
)
def test_a_register_may_differ_by_what_comes_in_within_moments(watt_hours: int, injected: bool, is_same: bool) -> None:
    """Ten seconds: the car took nothing yet, or for a second; not so what was worded by hand."""

    def run(meter_stop: int) -> RunCharger:
        lines = [*session(1, 0)[2:4], ("> StopTransaction", {"transactionId": 1, "meterStop": meter_stop})]
        normalizer, frames = Normalizer("CP-1", NINE), []
        for number, (what, payload) in enumerate(lines):
            row = message(number, *what.split(" ", 1), payload, salt="a")
            row.at, row.injected = NINE + timedelta(seconds=5 * number), injected
            frames.append(normalizer.frame(row))
        charger = RunCharger(identity="CP-1", position=0, tenant_id=None)
        charger.keep(frames)
        return charger

    assert diff_charger(run(7 + watt_hours), run(7), Terms()).is_same is is_same


def test_periodic_values_of_a_station_can_be_ignored_in_either_version() -> None:
    def event(number: int, trigger: str) -> list[Any]:
        info = {"transactionId": "T", "chargingState": "Charging"}
        body = {"eventType": "Updated", "triggerReason": trigger, "seqNo": number, "transactionInfo": info}
        return [("> TransactionEvent", body), ("<< TransactionEvent", {"totalCost": number})]

    old = [*event(0, "Authorized"), *event(1, "MeterValuePeriodic"), *event(0, "RemoteStop")]
    new = [
        *event(0, "Authorized"),
        *event(1, "MeterValuePeriodic"),
        *event(2, "MeterValueClock"),
        *event(0, "RemoteStop"),
    ]
    new[-2] = ("> TransactionEvent", {**new[-2][1], "seqNo": 3})
    assert actions(compared(old, new).added) == ["TransactionEvent CALL", "TransactionEvent CALLRESULT"]
    assert compared(old, new, ignore=("MeterValues",)).is_same


@pytest.mark.parametrize("unit", ["kWh", "Wh"])
def test_registers_are_told_from_their_first_reading_in_any_unit(unit: str) -> None:
    def run(start: float) -> list[Any]:
        scale = 1000 if unit == "kWh" else 1
        samples = [{"value": str((start + more) / scale), "unit": unit} for more in (0, 700)]
        info = {"transactionId": f"T{start}"}
        wh = {"unit": "Wh", "multiplier": 3}
        newer = [{"value": (start + more) / 1000, "unitOfMeasure": wh} for more in (0, 700)]
        return [
            ("> MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": samples}]}),
            (
                "> TransactionEvent",
                {"transactionInfo": info, "evse": {"id": 2}, "meterValue": [{"sampledValue": newer}]},
            ),
            ("> TransactionEvent", {"transactionInfo": info, "meterValue": [{"sampledValue": newer}]}),
        ]

    assert compared(run(1000), run(88_000), tolerance=0).is_same
    last = recorded(*run(1000)).frames[-1]
    assert readable(last.payload)["meterValue"][0]["sampledValue"][1]["value"] == 0.7


def test_added_missing_and_changed_frames_are_told_apart() -> None:
    old, new = session(1, 0), session(2, 0)
    del new[4:6]
    new.insert(2, ("> Authorize", {"idTag": "TAG"}))
    new[0] = ("> StatusNotification", {**new[0][1], "status": "Charging", "info": "x"})
    found = compared(old, new)
    assert actions(found.added) == ["Authorize CALL"]
    assert actions(found.missing) == ["MeterValues CALL", "MeterValues CALLRESULT"]
    assert found.reordered == []
    (change,) = found.changed
    assert [(one.path, one.old, one.new) for one in change.fields] == [
        ("status", "Preparing", "Charging"),
        ("info", ABSENT, "x"),
    ]
    assert (change.old.entry_id, change.new.entry_id) == ("1-1", "1-1")


def test_a_frame_at_another_place_is_reordered_and_nothing_else() -> None:
    old = session(1, 0)
    new = [*session(2, 0)[2:6], *session(2, 0)[:2], *session(2, 0)[6:]]
    found = compared(old, new)
    assert [one.new.action for one in found.reordered] == ["StatusNotification", "StatusNotification"]
    assert (found.added, found.missing, found.changed) == ([], [], [])
    assert not found.is_same


def test_ignored_actions_do_not_count() -> None:
    beat = [("> Heartbeat", {}), ("<< Heartbeat", {"currentTime": "2026-04-02T09:00:00Z"})]
    old, new = session(1, 0), [*beat, *session(2, 0), *beat, *beat]
    assert len(compared(old, new).added) == 6
    assert compared(old, new, ignore=("Heartbeat",)).is_same


def test_what_the_other_peer_invents_does_not_count() -> None:
    def run(number: int, nonce: str, identity: str) -> RunCharger:
        lines = [
            (
                "< ReserveNow",
                {"id": number, "connectorId": 1, "idTag": "T", "expiryDate": f"2026-04-0{number}T10:00:00Z"},
            ),
            ("< CancelReservation", {"reservationId": number}),
            ("< RequestStartTransaction", {"remoteStartId": number, "idToken": {"idToken": "T", "type": "Central"}}),
            ("< GetReport", {"requestId": number}),
            ("> BootNotification", {"chargePointModel": "M", "chargePointSerialNumber": identity}),
            ("< Challenge", {"nonce": nonce, "station": identity}),
        ]
        return recorded(*lines, identity=identity)

    assert diff_charger(run(1, "x", "CP-1"), run(2, "y", "CP-2"), Terms()).is_same
    frames = run(7, "x", "CP-1").frames
    assert frames[0].payload["id"] == frames[1].payload["reservationId"] == "<reservation 1>"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nonsense", ""),
        ("[2]", "CALL"),
        ('[3,"x",[1,2]]', "CALLRESULT"),
        ('[4,"x","InternalError","oh",{}]', "CALLERROR"),
        ('[3,"x",{"a":"\\ud800","\\ud800":1e999,"n":NaN,"i":' + "9" * 40 + "}]", "CALLRESULT"),
        ('[3,"x",' + '{"a":' * 400 + "1" + "}" * 400 + "]", "CALLRESULT"),
        ('[2,"x","MeterValues",{"meterValue":[{"sampledValue":[{"value":"nan"},{"value":[]},7]}]}]', "CALL"),
        ('[2,"x","A",{"~":"x","transactionInfo":7,"evse":{"id":{}},"meterStart":true,"sampledValue":{}}]', "CALL"),
    ],
)
def test_whatever_stands_in_the_log_can_be_kept_and_compared(text: str, kind: str) -> None:
    row = Message(epoch=1, sequence=1, at=NINE, direction=IN, message_type=kind, action="", text=text)
    charger, other = RunCharger(identity="CP-1", tenant_id=None), recorded()
    charger.keep([Normalizer("CP-1", NINE).frame(row)])
    assert diff_charger(charger, charger, Terms()).is_same
    assert len(diff_charger(charger, other, Terms()).added) == 1
    json.dumps(readable(charger.frames[0].payload), allow_nan=False).encode()


def test_chargers_are_matched_by_identity_and_the_rest_by_position() -> None:
    def names(*identities: str) -> list[RunCharger]:
        return [RunCharger(identity=one, tenant_id=None) for one in identities]

    def matched(ours: list[RunCharger], theirs: list[RunCharger]) -> Any:
        pairs, left, right = matched_chargers(ours, theirs)
        return [(a.identity, b.identity) for a, b in pairs], [x.identity for x in left], [x.identity for x in right]

    assert matched(names("A", "B"), names("B", "A")) == ([("A", "A"), ("B", "B")], [], [])
    assert matched(names("X", "A", "Y"), names("A", "P", "Q")) == ([("X", "P"), ("A", "A"), ("Y", "Q")], [], [])
    assert matched(names("A", "X"), names("A", "P", "Q")) == ([("A", "A")], ["X"], ["P", "Q"])
