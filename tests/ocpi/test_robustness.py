"""Whatever a registered peer sends: an OCPI envelope, and never a crash."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ocpi.conftest import Visitor
from tests.ocpi.test_requests import START

STATUSES = {200, 201, 400, 404, 405}
SENT = {"tokens/NL/EMS/X": "TOKEN", "credentials": "CREDENTIALS", "chargingprofiles/S1": "SET_CHARGING_PROFILE"}
patient = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
segments = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=45)


@pytest.fixture(autouse=True)
def nobody_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that happen to be valid lead nowhere: no name has an address."""
    monkeypatch.setattr("socket.getaddrinfo", unresolved)


def unresolved(*args: Any, **kwargs: Any) -> Any:
    raise OSError("no such name")


@patient
@given(method=st.sampled_from(["PUT", "PATCH", "POST", "GET", "DELETE"]), body=json_values, data=st.data())
def test_any_json_in_any_method(visitor: Visitor, method: str, body: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([*SENT, "commands/START_SESSION", "sessions/S1/charging_preferences"]))
    if (method, path) != ("DELETE", "credentials"):
        assert visitor.call(method, f"/{path}", body).http in STATUSES


@patient
@given(changes=st.dictionaries(st.sampled_from(sorted(START)), json_values, min_size=1))
def test_a_command_with_a_few_wrong_members(visitor: Visitor, changes: dict[str, Any]) -> None:
    answer = visitor.call("POST", "/commands/START_SESSION", {**START, **changes})
    assert (answer.http, answer.code) in {(200, 1000), (200, 2001), (200, 2002), (200, 2003)}


@patient
@example(parts=["\x00"], query={"type": "\x00"})
@given(parts=st.lists(segments, min_size=1, max_size=5), query=st.dictionaries(segments, segments, max_size=3))
def test_any_path_and_query(visitor: Visitor, parts: list[str], query: dict[str, str]) -> None:
    tail = "&".join(f"{quote(name)}={quote(value)}" for name, value in query.items())
    for prefix in ("", "/locations", "/tokens", "/commands", "/chargingprofiles"):
        path = "/".join([prefix, *(quote(part, safe="") for part in parts)])
        assert visitor.get(f"{path}?{tail}").http in STATUSES, path


@patient
@given(values=st.fixed_dictionaries({}, optional=dict.fromkeys(("offset", "limit", "date_from", "date_to"), segments)))
def test_any_page(visitor: Visitor, values: dict[str, str]) -> None:
    query = "&".join(f"{name}={quote(value)}" for name, value in values.items())
    answer = visitor.get(f"/locations?{query}")
    assert (answer.http, answer.code) in {(200, 1000), (200, 2001)}
