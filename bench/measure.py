"""The measurements, made in the same way of the gateway's simulator node and of the bare clients."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.gateway import Gateway, wait
from bench.processes import Talker, Usage, talker, usage

STATUSES_AT_BOOT = 2  # of the station and of its one connector
FAN_OUTS = 5
IDLE_SECONDS = 1.0
IDLE_CPU = 0.05  # what a settled process may use in that time


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one party, in seconds and bytes. Frames are counted in both directions.

    `boot`: from the first frame of the first charger to the last StatusNotification. CPU and memory beyond those of
    the same program without chargers. Of a fan-out, the median of several: `fan_out_answer` from the order until it is
    taken (the POST is answered), `fan_out` from the order to the last frame at the CSMS.
    """

    boot: float
    boot_cpu_per_charger: float
    memory_per_charger: float
    cpu_per_frame: float
    frames_per_second: float
    fan_out_answer: float
    fan_out: float


@dataclass(frozen=True, slots=True)
class Party:
    """Who is measured: the process, what it uses without chargers, and how it is told to authorize a tag everywhere.

    `recorded` returns when so many frames stand in the log, for a party that has one.
    """

    pid: int
    base: Usage
    fan_out: Callable[[], object]
    recorded: Callable[[int], None]


def measure_bare(count: int, rounds: int) -> Figures:
    with talker("bench.csms") as csms:
        url = f"ws://127.0.0.1:{csms.hear()['port']}"
        with talker("bench.ceiling", url, "0") as idle:
            base = settled(idle.pid)
        with talker("bench.ceiling", url, str(count)) as clients:
            return figures(Party(clients.pid, base, clients.tell, lambda _: None), csms, count, rounds)


def measure_gateway(count: int, rounds: int, folder: Path) -> Figures:
    lab = Gateway(folder)
    lab.prepare()
    try:
        found = measure_lab(lab, count, rounds)
    except Exception as error:
        error.add_note(lab.last_words())
        raise
    for line in lab.complaints()[:5]:
        print(f"The node complained: {line[:300]}")
    return found


def measure_lab(lab: Gateway, count: int, rounds: int) -> Figures:
    with talker("bench.csms") as csms, lab.web():
        url = f"ws://127.0.0.1:{csms.hear()['port']}"
        with lab.node() as pid:
            wait(lab.node_is_there, "the simulator node reports")
            base = settled(pid)
        lab.create_chargers(count, url)
        with lab.node() as pid:
            path = f"/locations/{lab.location}/chargers/authorize-id-tag"
            party = Party(pid, base, lambda: lab.post(path, {"id_tag": "BENCH"}), recorder_of(lab))
            return figures(party, csms, count, rounds)


def recorder_of(lab: Gateway) -> Callable[[int], None]:
    return lambda frames: wait(lambda: lab.recorded() >= frames, f"{frames} frames in the log")


def settled(pid: int) -> Usage:
    """What an idle program uses, once it has stopped importing and registering."""
    before = usage(pid)
    while True:
        time.sleep(IDLE_SECONDS)
        now = usage(pid)
        if now.cpu - before.cpu < IDLE_CPU:
            return now
        before = now


class Tally:
    """Orders to the CSMS, each followed by a pause until the log holds every frame there was."""

    def __init__(self, party: Party, csms: Talker) -> None:
        self.party = party
        self.csms = csms
        self.frames = 0

    def ask(self, **order: object) -> dict[str, float]:
        answer: dict[str, float] = self.csms.ask(**order)
        self.frames += int(answer["frames"])
        self.party.recorded(self.frames)
        return answer


def figures(party: Party, csms: Talker, count: int, rounds: int) -> Figures:
    tally = Tally(party, csms)
    boot = tally.ask(expect="StatusNotification", count=count * STATUSES_AT_BOOT)
    booted = usage(party.pid)
    talk = tally.ask(trigger=rounds)
    talked = usage(party.pid)
    fans = [fan_out(party, tally, count) for _ in range(FAN_OUTS)]
    return Figures(
        boot=boot["last"] - boot["first"],
        boot_cpu_per_charger=(booted.cpu - party.base.cpu) / count,
        memory_per_charger=(talked.memory - party.base.memory) / count,
        cpu_per_frame=(talked.cpu - booted.cpu) / talk["frames"],
        frames_per_second=talk["frames"] / (talk["last"] - talk["first"]),
        fan_out_answer=statistics.median(answered for answered, _ in fans),
        fan_out=statistics.median(last for _, last in fans),
    )


def fan_out(party: Party, tally: Tally, count: int) -> tuple[float, float]:
    """Seconds from the order to its answer, and to the last frame."""
    began = time.monotonic()
    party.fan_out()
    answered = time.monotonic()
    last = tally.ask(expect="Authorize", count=count)["last"]
    return answered - began, last - began
