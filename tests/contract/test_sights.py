"""What counts as seen: how often, in which order, with which values."""

from tests.contract.sights import call, in_order, never, once, result, times
from tests.contract.witness import Seen


def seen(*names: str) -> list[Seen]:
    return [Seen("ocpp1.6", "call", name, {"list": [{"value": name}], "empty": []}) for name in names]


def test_once_is_enough_unless_a_number_is_named() -> None:
    told = seen("Boot", "Heartbeat", "Heartbeat")
    assert call("Boot").is_shown_in(told)
    assert times(2, call("Heartbeat")).is_shown_in(told)
    assert not times(3, call("Heartbeat")).is_shown_in(told)
    assert not times(1, call("Heartbeat"), most=1).is_shown_in(told)
    assert not result("Boot").is_shown_in(told)


def test_once_and_never_are_bounds_from_above() -> None:
    told = seen("Boot", "Heartbeat", "Heartbeat")
    assert once(call("Boot")).is_shown_in(told)
    assert not once(call("Heartbeat")).is_shown_in(told)
    assert never(call("Authorize")).is_shown_in(told)
    assert not never(call("Boot")).is_shown_in(told)


def test_an_order_has_gaps_but_no_way_back() -> None:
    told = seen("Boot", "Status", "Heartbeat")
    assert in_order(call("Boot"), call("Heartbeat")).is_shown_in(told)
    assert not in_order(call("Heartbeat"), call("Boot")).is_shown_in(told)
    assert not in_order(call("Boot"), call("Boot")).is_shown_in(told)


def test_values_are_found_by_their_path() -> None:
    [told] = seen("Boot")
    assert call("Boot", list__0__value="Boot").is_it(told)
    assert call("Boot", **{"list__*__value": ("Other", "Boot")}).is_it(told)
    assert call("Boot", list__1__value=None, nothing=None).is_it(told)
    assert not call("Boot", list__0__value="Other").is_it(told)
    assert not call("Boot", nothing=...).is_it(told)


def test_a_sight_reads_as_a_sentence() -> None:
    assert (
        str(in_order(times(2, call("Boot")), never(result("Boot")))) == "2 times CALL Boot, then never RESULT to Boot"
    )
