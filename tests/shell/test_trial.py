"""The CSMS on trial, over real sockets: what it gets wrong stands in the log, and how long it took to answer."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chargers.models import Charger, Message
from chargers.services import timings, violations
from chargers.services.traffic import Filters
from simulator.shell.node import Node
from tenants.scoping import scope
from tests.shell.conftest import command, eventually, query
from tests.shell.csms import Csms

pytestmark = pytest.mark.django_db(transaction=True)
Fleet = Callable[..., list[Charger]]


def found(charger: Charger) -> list[tuple[str, str]]:
    with scope(charger.tenant_id):
        rows = violations.violations([charger.pk], Filters())
        return [(row.action, row.violation_code) for row in rows]


def times(charger: Charger) -> dict[str, timings.Timing]:
    with scope(charger.tenant_id):
        return timings.timings([charger.pk], Filters())


async def test_what_a_csms_gets_wrong_is_found_in_its_frames(fleet_of: Fleet, csms: Csms, node: Node):
    csms.answers["Authorize"] = lambda _: {"idTagInfo": {"status": "accepted"}}
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    await query(lambda: command(charger, "authorize_id_tag", id_tag="TAG1"))
    await csms.until(lambda: bool(csms.received("CP-0", "Authorize")))
    await eventually(lambda: found(charger) == [("Authorize", "unknown_value")])
    await csms.call("CP-0", "Reset", {})
    await csms.call("CP-0", "Explode", {})
    await csms.send("CP-0", "hello")
    await csms.send("CP-0", '[3,"never",{}]')
    expected = [
        ("Authorize", "unknown_value"),
        ("Reset", "missing_property"),
        ("Explode", "unknown_action"),
        ("", "not_json"),
        ("", "unknown_id"),
    ]
    await eventually(lambda: found(charger) == expected)
    with scope(charger.tenant_id):
        counts = await query(lambda: violations.counts([charger.pk], Filters()))
    assert sum(counts.values()) == 5
    log: list[Any] = await query(lambda: list(Message.objects.unscoped().filter(violation_code="").values("violation")))
    assert {row["violation"] for row in log} == {""}


async def test_answers_are_timed_from_the_way_out_to_the_way_in(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    answered = await eventually(lambda: (t := times(charger)).get("StatusNotification") and t)
    assert (answered["BootNotification"].count, answered["BootNotification"].timeouts) == (1, 0)
    held, loop = asyncio.Event(), asyncio.get_running_loop()
    answer, began = csms._answer, loop.time()

    async def late(*args: Any) -> None:
        await held.wait()
        await answer(*args)

    csms._answer = late  # type: ignore[method-assign]  # a CSMS that takes its time
    await query(lambda: command(charger, "authorize_id_tag", id_tag="TAG1"))
    await csms.until(lambda: bool(csms.received("CP-0", "Authorize")))
    came = loop.time()
    await asyncio.sleep(0.3)  # the very thing that is to be measured
    least = (loop.time() - came) * 1000
    held.set()
    timing = await eventually(lambda: times(charger).get("Authorize"))
    assert timing.max_ms is not None
    assert least <= timing.max_ms <= (loop.time() - began) * 1000


async def test_a_call_that_nobody_answers_is_counted_and_marked(fleet_of: Fleet, csms: Csms, node: Node):
    [charger] = await query(lambda: fleet_of(1, csms.url))
    await csms.until(lambda: len(csms.received("CP-0", "StatusNotification")) == 2)
    await csms.call("CP-0", "ChangeConfiguration", {"key": "MessageTimeout", "value": "1"})

    async def silent(*args: Any) -> None:
        return

    csms._answer = silent  # type: ignore[method-assign]
    await query(lambda: command(charger, "authorize_id_tag", id_tag="TAG1"))
    timing = await eventually(lambda: times(charger).get("Authorize"))
    assert (timing.count, timing.timeouts, timing.max_ms) == (0, 1, None)
    rows: list[str] = await query(
        lambda: list(Message.objects.unscoped().filter(delivery="unanswered").values_list("action", flat=True))
    )
    assert rows == ["Authorize"]
