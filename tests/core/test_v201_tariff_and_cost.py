"""OCPP 2.0.1: what a driver is told of tariff and cost (behaviour contract, 4.5 and 5.6; I01 to I06)."""

from typing import Any

from tests.core.rig import Rig
from tests.core.v201 import configure, events, station


def content(text: str) -> dict[str, str]:
    return {"format": "UTF8", "content": text}


def told(rig: Rig, evse: int = 1) -> dict[str, Any] | None:
    costs = rig.station.picture(rig.now)["costs"]
    return next((one for one in costs if one["evse_id"] == evse), None)


def of(rig: Rig, name: str) -> Any:
    shown = told(rig)
    assert shown is not None
    return shown[name]


def charge(rig: Rig) -> str:
    rig.command("start_session", id_tag="TAG", evse_id=1)
    return str(events(rig)[-1]["transactionInfo"]["transactionId"])


def test_the_running_cost_is_shown_with_its_transaction() -> None:
    rig = station()
    assert told(rig) is None
    key = charge(rig)
    assert rig.csms("CostUpdated", totalCost=1.25, transactionId=key) == {}
    assert told(rig) == {
        "evse_id": 1,
        "connector_id": 1,
        "transaction_id": key,
        "total_cost": 1.25,
        "is_final": False,
        "currency": "EUR",
        "message": "",
        "charging_priority": None,
    }
    assert told(rig, 2) is None
    assert rig.csms("CostUpdated", totalCost=2.5, transactionId="another") == {}
    assert of(rig, "total_cost") == 1.25
    rig.restart()
    assert of(rig, "total_cost") == 1.25


def test_the_answers_to_events_tell_cost_tariff_and_priority() -> None:
    rig = station()
    rig.answers["TransactionEvent"] = lambda event: {
        "totalCost": 0.5 * event["seqNo"],
        "chargingPriority": 3,
        "updatedPersonalMessage": content("0,32 per kWh"),
        "idTokenInfo": {"status": "Accepted", "chargingPriority": 1, "personalMessage": content("0,28 per kWh")},
    }
    key = charge(rig)
    assert (of(rig, "message"), of(rig, "charging_priority"), of(rig, "is_final")) == ("0,32 per kWh", 3, False)
    rig.command("stop_session", evse_id=1)
    assert (of(rig, "transaction_id"), of(rig, "is_final")) == (key, True)
    assert of(rig, "total_cost") == 0.5 * events(rig)[-1]["seqNo"]


def test_a_free_charge_costs_nothing_which_is_more_than_not_known() -> None:
    rig = station()
    rig.answers["TransactionEvent"] = lambda event: {"totalCost": 0} if event["eventType"] == "Ended" else {}
    charge(rig)
    assert of(rig, "total_cost") is None
    rig.command("stop_session", evse_id=1)
    assert (of(rig, "total_cost"), of(rig, "is_final")) == (0, True)


def test_the_tariff_of_an_authorize_is_the_drivers_until_the_next_one_comes() -> None:
    rig = station()
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", "personalMessage": content("Night rate")}}
    rig.command("present_tag", id_tag="TAG", evse_id=1)
    rig.command("plug_connector", evse_id=1)
    key = events(rig)[0]["transactionInfo"]["transactionId"]
    assert (of(rig, "message"), of(rig, "transaction_id")) == ("Night rate", key)
    rig.csms("CostUpdated", totalCost=7, transactionId=key)
    rig.command("stop_session", evse_id=1)
    assert (of(rig, "message"), of(rig, "total_cost")) == ("Night rate", 7)
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}}
    charge(rig)
    assert (of(rig, "message"), of(rig, "total_cost")) == ("", None)


def test_a_token_that_is_only_checked_tells_nobody_anything() -> None:
    rig = station()
    rig.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted", "personalMessage": content("Night rate")}}
    rig.command("authorize_id_tag", id_tag="TAG")
    assert rig.station.picture(rig.now)["costs"] == []


def test_where_the_csms_says_nothing_the_stations_own_words_are_shown() -> None:
    rig = station()
    texts = {"TariffFallbackMessage": "See the sign", "TotalCostFallbackMessage": "See your bill"}
    configure(rig, {f"TariffCostCtrlr.{name}": text for name, text in texts.items()})
    key = charge(rig)
    assert of(rig, "message") == "See the sign"
    rig.csms("CostUpdated", totalCost=1, transactionId=key)
    rig.drop()
    rig.command("stop_session", evse_id=1)
    assert (of(rig, "message"), of(rig, "is_final")) == ("See your bill", False)
