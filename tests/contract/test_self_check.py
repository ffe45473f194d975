"""Section 10 of the behaviour contract: a thousand frames of nonsense, and sessions through all that can go wrong."""

import json
from collections import Counter
from random import Random
from typing import Any

from tests.contract.proving import proves
from tests.core.rig import Rig
from tests.core.stimuli import CALLS, GARBAGE, spoiled

MAKERS = CALLS["ocpp1.6"]
MISHAPS = ("none", "drop", "restart", "kill", "power cycle", "reset")


def sent(rig: Rig) -> list[list[Any]]:
    """Every frame of the station that has reached the CSMS."""
    return [json.loads(frame.text) for frame in rig.frames if frame.direction == "cp_to_csms"]


@proves("10/1")
def test_a_thousand_random_frames_are_answered_or_ignored() -> None:
    rig, dice = Rig().boot(), Random(10)
    asked = []
    for number in range(1000):
        if not rig.station.link.connected:
            rig.reconnect()
        if dice.random() < 0.2:
            rig.receive(dice.choice(GARBAGE))
            continue
        action, payload = dice.choice(MAKERS)(dice.randrange(10_000), str(500 + dice.randrange(4)))
        if payload.get("key") == "SecurityProfile":
            continue  # this CSMS speaks no TLS
        body = spoiled(payload, dice.randrange(10_000)) if dice.random() < 0.3 else payload
        asked.append(f"random-{number}")
        rig.receive(json.dumps([2, asked[-1], action, body]))
        rig.settle()
        if dice.random() < 0.3:
            rig.run(dice.choice((1, 5, 40)))
    answered = Counter(frame[1] for frame in sent(rig) if frame[0] in (3, 4))
    assert {one: answered[one] for one in asked if answered[one] != 1} == {}
    if not rig.station.link.connected:
        rig.reconnect()
    assert rig.csms("TriggerMessage", requestedMessage="Heartbeat") == {"status": "Accepted"}


def befall(rig: Rig, mishap: str) -> None:
    """It happens, and the station is connected again afterwards."""
    if mishap == "drop":
        rig.go_down()
        rig.run(40)
        rig.reconnect()
    elif mishap in ("restart", "kill"):
        rig.restart(killed=mishap == "kill")
    elif mishap == "power cycle":
        rig.command("power_cycle", off_seconds=20)
        rig.reconnect()
    elif mishap == "reset":
        rig.csms("Reset", type="Soft")
        rig.reconnect()
    rig.run(5)


@proves("10/2", "10/3", "10/4", "10/5")
def test_sessions_through_all_that_can_go_wrong() -> None:
    rig, dice = Rig().boot(), Random(4)
    rig.csms("ChangeConfiguration", key="MeterValueSampleInterval", value="15")
    for number in range(40):
        connector = 1 + number % 2
        rig.command("plug_connector", connector_id=connector)
        rig.command("present_tag", id_tag="A", connector_id=connector)
        rig.run(dice.choice((1, 20)))
        befall(rig, dice.choice(MISHAPS))
        rig.command("stop_session", connector_id=connector)
        rig.command("unplug_connector", connector_id=connector)
        rig.run(2)
    calls = [frame for frame in sent(rig) if frame[0] == 2]
    assert len({frame[1] for frame in calls}) == len(calls)
    starts, stops = rig.calls("StartTransaction"), rig.calls("StopTransaction")
    assert len(starts) == 40
    assert Counter(one["transactionId"] for one in stops) == dict.fromkeys(range(501, 541), 1)
    for connector in (1, 2):
        mine = [number for number, one in enumerate(starts) if one["connectorId"] == connector]
        ends = {one["transactionId"]: one["meterStop"] for one in stops}
        meter = [wh for number in mine for wh in (starts[number]["meterStart"], ends[501 + number])]
        assert meter == sorted(meter)
        told = [one["status"] for one in rig.calls("StatusNotification") if one["connectorId"] == connector]
        assert told[-1] == "Available"
