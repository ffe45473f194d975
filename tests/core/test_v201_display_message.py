"""OCPP 2.0.1: messages for the station's display (behaviour contract, 5.6; O01 to O06)."""

from typing import Any

import pytest

from simulator.core import timestamps
from tests.core.rig import Rig
from tests.core.v201 import entry, events, got, station


@pytest.fixture
def rig() -> Rig:
    return station()


def message(number: int = 1, priority: str = "NormalCycle", text_format: str = "UTF8", **more: Any) -> dict[str, Any]:
    content = {"format": text_format, "language": "en", "content": f"Text {number}"}
    return {"id": number, "priority": priority, "message": content, **more}


def set_message(rig: Rig, *asked: Any, **more: Any) -> str:
    return str(rig.csms("SetDisplayMessage", message=message(*asked, **more))["status"])


def ask(rig: Rig, **criteria: Any) -> list[int] | str:
    """The ids that the parts of the report tell, which must be whole; or the status, where nothing is found."""
    rig.forget()
    status = rig.csms("GetDisplayMessages", requestId=8, **criteria)["status"]
    parts = rig.calls("NotifyDisplayMessages")
    assert {one["requestId"] for one in parts} <= {8}
    assert [one["tbc"] for one in parts] == [True] * (len(parts) - 1) + [False] * bool(parts)
    return [one["id"] for part in parts for one in part["messageInfo"]] if status == "Accepted" else str(status)


def shown(rig: Rig) -> list[int]:
    picture = rig.station.picture(rig.now)["display_messages"]
    return [one["message"]["id"] for one in picture if one["shown"]]


def later(rig: Rig, seconds: float) -> str:
    return timestamps.written(rig.now.wall + seconds)


def test_a_message_is_told_as_it_came_replaced_and_cleared(rig: Rig) -> None:
    assert ask(rig) == "Unknown"
    assert set_message(rig, 1) == "Accepted"
    assert ask(rig) == [1]
    assert rig.calls("NotifyDisplayMessages")[0]["messageInfo"] == [message(1)]
    assert set_message(rig, 1, "InFront", state="Idle") == "Accepted"
    assert ask(rig, id=[1, 2]) == [1]
    assert rig.calls("NotifyDisplayMessages")[0]["messageInfo"] == [message(1, "InFront", state="Idle")]
    assert rig.csms("ClearDisplayMessage", id=1) == {"status": "Accepted"}
    assert rig.csms("ClearDisplayMessage", id=1) == {"status": "Unknown"}
    assert ask(rig) == "Unknown"


def test_every_criterion_must_agree(rig: Rig) -> None:
    set_message(rig, 1, "InFront", state="Charging")
    set_message(rig, 2, state="Charging")
    set_message(rig, 3)
    assert ask(rig, state="Charging") == [1, 2]
    assert ask(rig, priority="NormalCycle") == [2, 3]
    assert ask(rig, priority="NormalCycle", state="Charging", id=[2, 3]) == [2]
    assert ask(rig, priority="AlwaysFront") == "Unknown"
    assert ask(rig, id=[1], state="Idle") == "Unknown"


def test_what_cannot_be_shown_is_refused_in_the_words_for_it(rig: Rig) -> None:
    assert set_message(rig, 1, text_format="HTML") == "NotSupportedMessageFormat"
    assert set_message(rig, 1, text_format="URI") == "NotSupportedMessageFormat"
    assert set_message(rig, 1, transactionId="none") == "UnknownTransaction"
    assert ask(rig) == "Unknown"


def test_there_is_room_for_ten_and_for_new_editions_of_them(rig: Rig) -> None:
    assert [set_message(rig, number) for number in range(10)] == ["Accepted"] * 10
    assert set_message(rig, 10) == "Rejected"
    assert set_message(rig, 9, "AlwaysFront") == "Accepted"
    assert set_message(rig, 11, "AlwaysFront") == "Accepted"  # in the place of the one before
    assert ask(rig) == [*range(9), 11]
    assert len(rig.calls("NotifyDisplayMessages")) == 2
    assert got(rig, entry("DisplayMessageCtrlr.DisplayMessages")) == [("Accepted", "10")]


def test_messages_outlive_a_reboot_and_a_restart(rig: Rig) -> None:
    set_message(rig, 4)
    rig.csms("Reset", type="Immediate")
    rig.station.disconnected(rig.now, 1001, "rebooting")
    rig.reconnect()
    assert ask(rig) == [4]
    rig.restart()
    assert ask(rig) == [4]
    rig.csms("ClearDisplayMessage", id=4)
    rig.restart()
    assert ask(rig) == "Unknown"


def test_a_message_is_shown_from_its_start_and_gone_after_its_end(rig: Rig) -> None:
    set_message(rig, 1, startDateTime=later(rig, 60), endDateTime=later(rig, 120))
    assert shown(rig) == []
    assert ask(rig) == [1]
    rig.mono += 61
    assert shown(rig) == [1]
    rig.mono += 60
    assert shown(rig) == []
    assert ask(rig) == "Unknown"


def test_a_message_for_a_transaction_goes_with_it(rig: Rig) -> None:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    key = events(rig)[0]["transactionInfo"]["transactionId"]
    assert set_message(rig, 1, transactionId=key) == "Accepted"
    assert shown(rig) == [1]
    rig.command("stop_session", evse_id=1)
    assert rig.station.picture(rig.now)["display_messages"] == []
    assert ask(rig) == "Unknown"


def test_what_is_in_front_hides_what_is_behind(rig: Rig) -> None:
    set_message(rig, 1)
    set_message(rig, 2)
    assert shown(rig) == [1, 2]
    set_message(rig, 3, "InFront")
    set_message(rig, 4, "InFront")
    assert shown(rig) == [3, 4]
    set_message(rig, 5, "AlwaysFront", state="Charging")
    assert shown(rig) == [3, 4]
    rig.command("start_session", id_tag="TAG", evse_id=1)
    rig.run(10)
    assert shown(rig) == [5]


@pytest.mark.parametrize(
    ("state", "evse", "commands"),
    [
        ("Idle", {}, []),
        ("Charging", {}, [("start_session", {"id_tag": "TAG", "evse_id": 1})]),
        ("Charging", {"evse": {"id": 1}}, [("start_session", {"id_tag": "TAG", "evse_id": 1})]),
        ("Idle", {"evse": {"id": 2}}, [("start_session", {"id_tag": "TAG", "evse_id": 1})]),
        ("Faulted", {}, [("inject_fault", {"fault_type": "GroundFailure", "evse_id": 1})]),
    ],
)
def test_a_message_for_a_state_is_shown_in_that_state_only(
    rig: Rig, state: str, evse: dict[str, Any], commands: list[tuple[str, dict[str, Any]]]
) -> None:
    display = {"display": {"name": "Display", **evse}} if evse else {}
    for number, name in enumerate(("Charging", "Faulted", "Idle", "Unavailable")):
        set_message(rig, number, state=name, **display)
    for name, params in commands:
        rig.command(name, **params)
    rig.run(10)
    assert [("Charging", "Faulted", "Idle", "Unavailable")[number] for number in shown(rig)] == [state]


def test_a_message_for_a_station_out_of_service(rig: Rig) -> None:
    set_message(rig, 1, state="Unavailable")
    assert shown(rig) == []
    rig.csms("ChangeAvailability", operationalStatus="Inoperative")
    assert shown(rig) == [1]
