"""Ends of every kind, and what is there afterwards."""

import os
import signal
from pathlib import Path

import pytest

from tests.ops.lab import Lab, free_port, up
from tests.ops.processes import eventually, lives

pytestmark = pytest.mark.slow


def test_sigterm_ends_everything_in_order_and_the_next_run_goes_on(tmp_path: Path):
    with up(tmp_path) as lab:
        lab.await_ready()
        facts = lab.facts
        lab.await_chargers()
        children = lab.processes().values()
        lab.running.send(signal.SIGTERM)
        assert lab.running.ended() == 0
        assert not any(map(lives, children))
        assert "killed" not in lab.running.output
    with up(tmp_path, lab.port) as again:
        again.await_ready()
        assert again.facts == facts
        again.await_chargers()
        assert again.get("/chargers")["total"] == 2


def test_on_another_port_the_chargers_find_the_house_csms_again(tmp_path: Path):
    with up(tmp_path) as lab:
        lab.await_ready()
        before = lab.facts
        lab.running.send(signal.SIGTERM)
        assert lab.running.ended() == 0
    with up(tmp_path, free_port()) as moved:
        moved.await_ready()
        assert moved.facts["base_url"] == moved.base_url != before["base_url"]
        assert moved.facts["user_token"] == before["user_token"]
        assert {charger["ws_url"] for charger in moved.get("/chargers")["data"]} == {moved.facts["house_csms_url"]}
        moved.await_chargers()


def test_children_end_with_a_killed_supervisor_and_the_next_run_goes_on(tmp_path: Path):
    with up(tmp_path) as lab:
        lab.await_ready()
        children = lab.processes().values()
        lab.running.send(signal.SIGKILL)
        eventually(lambda: not any(map(lives, children)), "all children end with their supervisor", deadline=10)
    with up(tmp_path, lab.port) as again:
        again.await_ready()
        again.await_chargers()
        assert again.get("/chargers")["total"] == 2


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory):
    with up(tmp_path_factory.mktemp("killed")) as lab:
        lab.await_ready()
        lab.await_chargers()
        yield lab


@pytest.mark.parametrize("name", ["web", "worker", "beat", "simulator-1"])
def test_a_killed_process_is_back_within_half_a_minute(lab: Lab, name: str):
    before = lab.processes()
    os.kill(before[name], signal.SIGKILL)
    lab.eventually(lambda: lab.processes().get(name, before[name]) != before[name], f"{name} is back", deadline=15)
    lab.await_whole()
    others = {other: pid for other, pid in before.items() if other != name}
    assert others.items() <= lab.processes().items()


def test_a_frozen_simulator_is_killed_and_comes_back(lab: Lab):
    frozen = lab.processes()["simulator-1"]
    os.kill(frozen, signal.SIGSTOP)
    lab.running.until(r"simulator-1 +\| silent for [\d.]+ s: killed", deadline=20)
    lab.eventually(lambda: lab.processes().get("simulator-1", frozen) != frozen, "the simulator is back", deadline=15)
    lab.await_whole()
    assert lab.processes()["simulator-1"] != frozen
