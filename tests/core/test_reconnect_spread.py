"""A fleet whose CSMS restarts comes back soon and spread out (contract, 1.6)."""

from collections import Counter
from random import Random

import pytest

from simulator.core.link import BackOff, Link
from tests.contract.proving import proves
from tests.core.rig import Rig

FLEET = 500
MOST_SHARE = 0.15  # of a fleet in any one second


def busiest(times: list[float]) -> float:
    """The greatest share of the fleet that tries in one second, counted from the outage."""
    return max(Counter(int(at) for at in times).values()) / FLEET


def attempts(links: list[Link], returns_at: float) -> tuple[list[float], float]:
    """All attempts of a fleet that loses its CSMS at 0, and when the last one is back."""
    tried, back = [], 0.0
    for link in links:
        link.failed(0.0, BackOff())
        while link.connect_at is not None:
            at = link.connect_at
            tried.append(at)
            if at >= returns_at:
                link.opened()
                back = max(back, at)
            else:
                link.failed(at, BackOff())
    return tried, back


@pytest.mark.parametrize("returns_at", [0.5, 2.0, 8.0, 30.0, 120.0])
def test_whatever_the_seeds_no_second_sees_more_than_its_share(returns_at: float) -> None:
    for lab in range(60):
        links = [Link(Random(f"{lab}/{number}")) for number in range(FLEET)]
        tried, back = attempts(links, returns_at)
        if returns_at <= 2:
            assert busiest(tried) <= MOST_SHARE
            assert back <= returns_at + 15
        else:  # last first attempts and first second ones overlap
            assert busiest(tried) <= MOST_SHARE + 0.03


@proves("1.6/fleet")
def test_stations_that_share_a_seed_are_spread_as_well() -> None:
    times = []
    for number in range(FLEET):
        rig = Rig(identity=f"CP-{number}")
        rig.line.power_up()
        rig.dial()
        rig.drop()
        before = rig.mono
        rig.run_until(lambda rig=rig: rig.station.wants_connection(rig.now))
        rig.dial()
        times.append(rig.mono - before)
    assert busiest(times) <= MOST_SHARE
    assert max(times) <= 15
