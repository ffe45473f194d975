"""Deadlines of a fleet in one heap, first connections at a limited rate, and turns that starve nobody."""

import asyncio
import time

from simulator.shell.pacing import Pace
from simulator.shell.timers import Timers
from simulator.shell.turns import Turns
from tests.shell.conftest import until


class Alarm:
    """Notes when it rings; may set its next deadline itself."""

    def __init__(self, timers: Timers, deadline: float | None, then: list[float] | None = None) -> None:
        self.timers = timers
        self.deadline = deadline
        self.scheduled: float | None = None
        self.rung: list[float] = []
        self.then = then or []
        self.event = asyncio.Event()

    def set(self, deadline: float | None) -> None:
        self.deadline = deadline
        self.timers.arm(self)

    def due(self) -> None:
        self.rung.append(time.monotonic())
        self.deadline = time.monotonic() + self.then.pop(0) if self.then else None
        self.event.set()

    async def ring(self) -> float:
        await asyncio.wait_for(self.event.wait(), 30)
        self.event.clear()
        return self.rung[-1]


async def test_deadlines_fire_in_order_and_none_too_early():
    timers, now = Timers(asyncio.get_running_loop()), time.monotonic()
    alarms = [Alarm(timers, now + delay) for delay in (0.15, 0.05, 0.1)]
    for alarm in alarms:
        timers.arm(alarm)
    times = [await alarm.ring() for alarm in alarms]
    for rung, alarm_at in zip(times, (0.15, 0.05, 0.1), strict=True):
        assert rung - now >= alarm_at
    assert times[1] <= times[2] <= times[0]


async def test_a_deadline_may_move_both_ways_or_vanish():
    timers, now = Timers(asyncio.get_running_loop()), time.monotonic()
    later, sooner, never = Alarm(timers, now + 0.1), Alarm(timers, now + 3600), Alarm(timers, now + 0.1)
    for alarm in (later, sooner, never):
        timers.arm(alarm)
    later.set(now + 0.2)
    sooner.set(now + 0.02)
    never.set(None)
    assert await sooner.ring() - now >= 0.02
    assert await later.ring() - now >= 0.2
    assert never.rung == []
    assert len(sooner.rung) == 1


async def test_an_alarm_rings_again_at_the_deadline_it_sets():
    timers = Timers(asyncio.get_running_loop())
    alarm = Alarm(timers, time.monotonic(), then=[0.02, 0.02])
    timers.arm(alarm)
    for _ in range(3):
        await alarm.ring()
    assert len(alarm.rung) == 3


async def test_nothing_rings_while_held_and_all_ring_after():
    timers, now = Timers(asyncio.get_running_loop()), time.monotonic()
    alarms = [Alarm(timers, now + 0.01) for _ in range(500)]
    timers.hold()
    for alarm in alarms:
        timers.arm(alarm)
    await asyncio.sleep(0.05)
    assert not any(alarm.rung for alarm in alarms)
    timers.release()
    for alarm in alarms:
        await alarm.ring()


async def test_twenty_thousand_deadlines_ring_once_each():
    timers, now = Timers(asyncio.get_running_loop()), time.monotonic()
    alarms = [Alarm(timers, now + 0.2 + number / 100_000) for number in range(20_000)]
    for alarm in alarms:
        timers.arm(alarm)
    for alarm in alarms[-200:]:
        await alarm.ring()
    assert all(len(alarm.rung) == 1 for alarm in alarms)


async def test_first_connections_keep_to_the_rate():
    loop = asyncio.get_running_loop()
    pace = Pace(loop, 100)
    times: list[float] = []
    done = asyncio.Event()

    def connect() -> None:
        times.append(loop.time())
        if len(times) == 40:
            done.set()

    for _ in range(40):
        pace.submit(connect)
    await asyncio.wait_for(done.wait(), 30)
    assert times[-1] - times[0] > 0.3


class Talker:
    """Has so many slices waiting, each of which takes its time."""

    def __init__(self, slices: int, seconds: float) -> None:
        self.left = slices
        self.seconds = seconds

    def deliver(self) -> bool:
        time.sleep(self.seconds)
        self.left -= 1
        return self.left > 0


async def test_a_busy_fleet_delays_no_timer_and_no_newcomer():
    loop = asyncio.get_running_loop()
    turns = Turns(loop)
    talkers = [Talker(20, 0.001) for _ in range(50)]  # a second of work
    for talker in talkers:
        turns.ask(talker)
        turns.ask(talker)
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert any(talker.left for talker in talkers), "ten timers had their turn while the fleet still talked"
    newcomer = Talker(1, 0)
    turns.ask(newcomer)
    await until(lambda: not newcomer.left)
    assert any(talker.left for talker in talkers), "round robin: a newcomer waits for one round, not for all"
    await until(lambda: all(talker.left == 0 for talker in talkers))
