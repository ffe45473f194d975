"""The supervisor with small programs: what it promises, whatever the programs are."""

import os
import signal

from tests.ops.processes import eventually, lives, python


def small_lab(*programs: str):
    return python("-m", "tests.ops.small_lab", *programs)


def test_stops_in_order_and_ends_with_zero():
    with small_lab("beat=calm", "worker=calm", "web=calm") as lab:
        for _ in range(3):
            lab.until(r"alive")
        lab.send(signal.SIGTERM)
        assert lab.ended() == 0
    assert [line for line in lab.lines if "bye" in line] == ["beat | bye", "worker | bye", "web | bye"]
    assert lab.lines[-1] == "up | stopped"


def test_a_program_that_dies_is_started_again_later_and_later():
    with small_lab("a=dies") as lab:
        waits = [float(lab.until(r"ended with status 3; starting it again in ([\d.]+) s")[1]) for _ in range(3)]
    assert waits == [0.2, 0.4, 0.8]


def test_a_killed_program_comes_back_and_the_others_stay():
    with small_lab("a=calm", "b=calm") as lab:
        pids = dict(lab.until(r"^(\w) \| alive (\d+)").groups() for _ in range(2))
        os.kill(int(pids["a"]), signal.SIGKILL)
        lab.until(r"^a \| ended by SIGKILL")
        assert lab.until(r"^a \| alive (\d+)")[1] != pids["a"]
        assert lives(int(pids["b"]))


def test_a_frozen_program_is_killed_and_comes_back():
    with small_lab("a=freezes") as lab:
        first = lab.until(r"alive (\d+)")[1]
        silence = float(lab.until(r"silent for ([\d.]+) s: killed", deadline=15)[1])
        assert 2 <= silence < 10
        assert lab.until(r"alive (\d+)")[1] != first


def test_a_program_that_ignores_sigterm_is_killed_after_its_grace():
    with small_lab("a=stubborn", "b=calm") as lab:
        for _ in range(2):
            lab.until(r"alive")
        lab.send(signal.SIGINT)
        assert lab.ended() == 0
    assert "a | did not end in time: killed" in lab.lines


def test_children_end_with_a_killed_supervisor():
    with small_lab("a=calm", "b=stubborn") as lab:
        pids = [int(lab.until(r"alive (\d+)")[1]) for _ in range(2)]
        lab.send(signal.SIGKILL)
        eventually(lambda: not any(map(lives, pids)), f"{pids} end with their supervisor", deadline=10)


def test_a_supervisor_that_was_paused_does_not_blame_its_children():
    with small_lab("a=calm", "b=dies") as lab:
        lab.until(r"^a \| alive")
        lab.send(signal.SIGSTOP)
        # Longer than the patience of the programs (2 s): time itself is what is tested here.
        signal.sigtimedwait([], 4)
        lab.send(signal.SIGCONT)
        lab.until(r"^b \| alive")
        lab.until(r"^b \| alive")
        assert "silent" not in lab.output
