"""The URL a charger connects to (behaviour contract, T2)."""

import pytest

from simulator.core.url import connection_url


@pytest.mark.parametrize(
    ("ws_url", "identity", "expected"),
    [
        ("ws://csms/ocpp", "CP-1", "ws://csms/ocpp/CP-1"),
        ("ws://csms/ocpp/", "CP-1", "ws://csms/ocpp/CP-1"),
        ("ws://csms", "CP-1", "ws://csms/CP-1"),
        ("wss://csms:9000/ocpp", "RDAM 123", "wss://csms:9000/ocpp/RDAM%20123"),
        ("ws://csms/ocpp", "a/b?c#d%e", "ws://csms/ocpp/a%2Fb%3Fc%23d%25e"),
        ("ws://csms/ocpp", "Zürich", "ws://csms/ocpp/Z%C3%BCrich"),
        ("ws://csms/ocpp?token=x%20y", "CP-1", "ws://csms/ocpp/CP-1?token=x%20y"),
        ("ws://csms/ocpp/?token=x", "CP-1", "ws://csms/ocpp/CP-1?token=x"),
        ("ws://csms/ocpp/CP-1", "CP-1", "ws://csms/ocpp/CP-1"),
        ("ws://csms/ocpp/CP-1/", "CP-1", "ws://csms/ocpp/CP-1"),
        ("ws://csms/ocpp/RDAM%20123", "RDAM 123", "ws://csms/ocpp/RDAM%20123"),
        ("ws://csms/CP-1/ocpp", "CP-1", "ws://csms/CP-1/ocpp/CP-1"),
        ("ws://csms/ocpp/XCP-1", "CP-1", "ws://csms/ocpp/XCP-1/CP-1"),
    ],
)
def test_the_identity_is_the_last_segment_once(ws_url: str, identity: str, expected: str):
    assert connection_url(ws_url, identity) == expected
