"""Messages that a user words: sent as they are, marked, and without consequences (gateway contract, section 13)."""

import json
from typing import Any

import pytest

from simulator.core.facts import CommandAdvanced
from simulator.core.injecting import camel_case, camel_keys
from tests.core.rig import NOW, Rig


@pytest.fixture(params=["ocpp1.6", "ocpp2.0.1"])
def rig(request: pytest.FixtureRequest) -> Rig:
    rig = Rig(request.param).boot()
    rig.run(5)
    rig.frames.clear()
    return rig


def inject(rig: Rig, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> CommandAdvanced:
    """Sends it, has the CSMS answer, and returns what became of the command."""
    command_id = rig.command("proxy_message", action=action, payload=payload)
    for frame in [frame for frame in rig.frames if frame.injected][-1:]:
        rig.reply(frame.message_id, answer)
    return rig.outcome(command_id)


def test_keys_are_spelt_as_ocpp_spells_them_at_every_depth(rig: Rig) -> None:
    payload = {"vendor_id": "x", "messageId": "m", "custom_data": [{"deep_er": {"a_b_c": 1}}]}
    outcome = inject(rig, "data_transfer", payload, {"status": "Accepted"})
    call, answer = rig.frames
    assert (call.injected, call.action, answer.injected) == (True, "DataTransfer", False)
    assert json.loads(call.text)[2:] == [
        "DataTransfer",
        {"vendorId": "x", "messageId": "m", "customData": [{"deepEr": {"aBC": 1}}]},
    ]
    assert (outcome.state, outcome.frames) == ("accepted", [call.sequence, answer.sequence])


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("boot_notification", {"status": "Rejected", "interval": 5, "currentTime": NOW}),
        ("start_transaction", {"transactionId": 9, "idTagInfo": {"status": "Invalid"}}),
        ("transaction_event", {"idTokenInfo": {"status": "Invalid"}}),
        ("status_notification", {}),
        ("authorize", {"nonsense": True}),
    ],
)
def test_nothing_follows_from_the_answer(rig: Rig, action: str, answer: dict[str, Any]) -> None:
    before = rig.station.memory
    assert inject(rig, action, {"odd": None}, answer).state == "accepted"
    rig.run(30)
    assert rig.station.memory == before
    assert rig.station.online
    assert len(rig.frames) == 2


def test_offline_it_is_refused_with_a_reason(rig: Rig) -> None:
    rig.drop()
    outcome = inject(rig, "heartbeat", {}, {})
    assert (outcome.state, "offline" in outcome.reason) == ("rejected", True)


def test_what_has_no_json_form_is_refused_and_stops_nothing(rig: Rig) -> None:
    assert inject(rig, "data_transfer", {"data": 10**40}, {}).state in ("accepted", "rejected")
    assert rig.station.online


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("charge_point_vendor", "chargePointVendor"), ("chargePointVendor", "chargePointVendor"), ("a", "a"),
        ("", ""), ("_x", "_x"), ("iso15118_certificate_hash_data", "iso15118CertificateHashData"),
        ("evse_id", "evseId"),
    ],
)  # fmt: skip
def test_the_spelling(name: str, expected: str) -> None:
    assert camel_case(name) == expected
    assert camel_keys([{name: name}]) == [{expected: name}]
