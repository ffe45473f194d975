"""OCPP 2.0.1: what a station knows of a customer, told and forgotten (behaviour contract, 5.5; N09 and N10)."""

from typing import Any

import pytest

from simulator.core.setup import Outlet
from tests.core.rig import Rig
from tests.core.v201 import TOKEN, station

HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "a" * 64, "issuerKeyHash": "b" * 64, "serialNumber": "1"}
ELSE = {"idToken": "SOMEBODY-ELSE", "type": "ISO14443"}


def ask(rig: Rig, *, report: bool = True, clear: bool = False, **reference: Any) -> str:
    """The status, with its reason where there is one."""
    answer = rig.csms("CustomerInformation", requestId=5, report=report, clear=clear, **reference)
    reason = answer.get("statusInfo", {}).get("reasonCode")
    return str(answer["status"]) + (f" {reason}" if reason else "")


def told(rig: Rig) -> str:
    """All parts of the report that was asked for last, which must be whole."""
    parts = rig.calls("NotifyCustomerInformation")
    assert [one["seqNo"] for one in parts] == list(range(len(parts)))
    assert [one["tbc"] for one in parts] == [True] * (len(parts) - 1) + [False]
    assert {one["requestId"] for one in parts} == {5}
    rig.forget()
    return "".join(one["data"] for one in parts)


def list_token(rig: Rig, token: dict[str, str]) -> None:
    entry = {"idToken": token, "idTokenInfo": {"status": "Accepted"}}
    assert rig.csms("SendLocalList", versionNumber=1, updateType="Full", localAuthorizationList=[entry]) == {
        "status": "Accepted"
    }


@pytest.fixture
def rig() -> Rig:
    """A station that knows TOKEN from a transaction that runs."""
    rig = station()
    rig.command("start_session", id_tag=TOKEN["idToken"], evse_id=1)
    rig.forget()
    return rig


def test_a_customer_is_told_of_by_the_token(rig: Rig) -> None:
    list_token(rig, ELSE)
    assert ask(rig, idToken=TOKEN) == "Accepted"
    cached, transaction = told(rig).splitlines()
    assert cached.startswith("Authorization cache: Accepted, until ")
    assert transaction.startswith("Transaction ")
    assert ask(rig, idToken=ELSE) == "Accepted"
    assert told(rig) == "Local authorization list: Accepted"


@pytest.mark.parametrize(
    "reference",
    [{"idToken": ELSE}, {"customerIdentifier": "Mr Smith"}, {"customerCertificate": HASH}],
)
def test_who_is_not_known_is_told_to_be_unknown_in_one_part(rig: Rig, reference: dict[str, Any]) -> None:
    assert ask(rig, **reference) == "Accepted"
    assert told(rig) == ""


def test_what_is_cleared_is_told_once_more_and_then_gone() -> None:
    rig = station()
    rig.command("authorize_id_tag", id_tag=TOKEN["idToken"])
    rig.forget()
    assert ask(rig, clear=True, idToken=TOKEN) == "Accepted"
    assert "Authorization cache" in told(rig)
    rig.restart()
    rig.forget()
    assert ask(rig, idToken=TOKEN) == "Accepted"
    assert told(rig) == ""


def test_clearing_without_a_report_says_that_it_is_done_and_spares_the_list() -> None:
    rig = station()
    rig.command("authorize_id_tag", id_tag=TOKEN["idToken"])
    list_token(rig, TOKEN)
    rig.forget()
    assert ask(rig, report=False, clear=True, idToken=TOKEN) == "Accepted"
    assert "cleared" in told(rig)
    assert ask(rig, idToken=TOKEN) == "Accepted"
    assert told(rig) == "Local authorization list: Accepted"


def test_a_request_that_names_nobody_or_wants_nothing_is_refused(rig: Rig) -> None:
    assert ask(rig) == "Invalid"
    assert ask(rig, idToken=TOKEN, customerIdentifier="Mr Smith") == "Invalid"
    assert ask(rig, report=False, idToken=TOKEN) == "Rejected InvalidValue"
    assert not rig.actions()


def test_a_long_report_comes_in_parts_and_no_second_one_meanwhile() -> None:
    outlets = tuple(Outlet(number, 1, "Type2", "socket", 3, 32.0, 230.0, 22_000) for number in range(1, 21))
    rig = Rig("ocpp2.0.1", outlets=outlets).boot()
    for evse in range(1, 21):
        rig.csms("ReserveNow", id=evse, expiryDateTime="2026-04-02T10:00:00Z", idToken=TOKEN, evseId=evse)
    rig.answers["NotifyCustomerInformation"] = None
    rig.forget()
    assert ask(rig, idToken=TOKEN) == "Accepted"
    assert ask(rig, idToken=TOKEN) == "Rejected Busy"
    rig.answers["NotifyCustomerInformation"] = {}
    assert rig.open_call is not None
    rig.reply(rig.open_call[1], {})
    rig.settle()
    assert len(rig.calls("NotifyCustomerInformation")) == 2
    assert told(rig).splitlines() == [f"Reservation {number} until 2026-04-02T10:00:00.000Z" for number in range(1, 21)]
