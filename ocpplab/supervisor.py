"""Runs the lab's processes side by side: starts them, restarts what dies or falls silent, stops them in order.

Knows nothing of Django: what to run is given as a list of programs, in the order in which they are to stop.
"""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

FIRST_RESTART = 0.2  # seconds; doubled by every death until the process has lived for STEADY seconds
LAST_RESTART = 15.0
STEADY = 30.0
LOOK_SECONDS = 0.5
# Until its first pulse a process has no more to show than that Python starts, however busy the machine is.
BIRTH_SECONDS = 30.0
# A hurried `make` passes on the signal that the terminal has already sent: within this time two count as one.
ONE_SIGNAL_SECONDS = 1.0

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """A Python module to keep running. Times in seconds.

    `patience`: silence after which it is killed. `grace`: between SIGTERM and SIGKILL. `stage`: programs of one stage
    stop together, lower stages first. `inherits`: file descriptors that it takes over.
    """

    name: str
    module: str
    arguments: tuple[str, ...]
    stage: int
    patience: float = 30.0
    grace: float = 10.0
    inherits: tuple[int, ...] = ()


class Keeper:
    """One program, kept alive until `stop`."""

    def __init__(self, program: Program, folder: str, say: Say) -> None:
        self.program = program
        self.folder = folder
        self.say = say
        self.process: Process | None = None
        self.stopping = asyncio.Event()
        self.heard_at: float | None = None

    async def run(self) -> None:
        delay = FIRST_RESTART
        while not self.stopping.is_set():
            born = time.monotonic()
            status = await self.live()
            if self.stopping.is_set():
                return
            delay = FIRST_RESTART if time.monotonic() - born >= STEADY else delay
            self.say(self.program.name, f"{ending(status)}; starting it again in {delay:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), delay)
            delay = min(delay * 2, LAST_RESTART)

    async def live(self) -> int:
        """One life of the program, from its start to its exit status (negative: the signal that ended it)."""
        listen, pulse = os.pipe()
        os.set_blocking(pulse, False)
        loop = asyncio.get_running_loop()
        self.heard_at = None
        born = time.monotonic()
        try:
            self.process = process = await self.start(pulse)
        finally:
            os.close(pulse)
        if self.stopping.is_set():  # asked to stop while the process was being born
            process.kill()
        loop.add_reader(listen, self.hear, listen)
        beside = [asyncio.create_task(self.watch(process, born)), asyncio.create_task(self.pass_on(process))]
        try:
            return await process.wait()
        finally:
            await asyncio.wait(beside[1:], timeout=1)  # its last words
            for task in beside:
                task.cancel()
            loop.remove_reader(listen)
            os.close(listen)
            self.process = None

    async def start(self, pulse: int) -> Process:
        program = self.program
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then keeps the order.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ocpplab.child", str(os.getpid()), str(pulse)),
            *(program.module, *program.arguments),
            cwd=self.folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            pass_fds=(pulse, *program.inherits),
            start_new_session=True,
        )

    def hear(self, listen: int) -> None:
        if os.read(listen, 4096):
            self.heard_at = time.monotonic()
        else:  # the program is ending; end of file would be reported again and again
            asyncio.get_running_loop().remove_reader(listen)

    async def watch(self, process: Process, born: float) -> None:
        """Kills a process that has been silent for too long."""
        looked = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.monotonic()
            late, looked = now - looked - LOOK_SECONDS, now
            if late > LOOK_SECONDS:  # it was this process that slept: what it did not hear proves nothing
                born, self.heard_at = now, self.heard_at and now
            silence = now - (self.heard_at or born)
            if silence > (self.program.patience if self.heard_at else BIRTH_SECONDS) and not self.stopping.is_set():
                self.say(self.program.name, f"silent for {silence:.1f} s: killed")
                with suppress(ProcessLookupError):
                    process.kill()

    async def pass_on(self, process: Process) -> None:
        """Hands the program's output on, line by line, until it closes."""
        assert process.stdout is not None
        rest = b""
        while chunk := await process.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in filter(bytes.strip, lines):
                self.say(self.program.name, line.decode(errors="replace"))
        if rest:
            self.say(self.program.name, rest.decode(errors="replace"))

    async def stop(self, hurry: asyncio.Event) -> None:
        """SIGTERM, then SIGKILL when its grace is over or `hurry` is set. Returns when it has ended."""
        self.stopping.set()
        process = self.process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        ended = asyncio.create_task(process.wait())
        hurried = asyncio.create_task(hurry.wait())
        await asyncio.wait({ended, hurried}, timeout=self.program.grace, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            self.say(self.program.name, "did not end in time: killed")
            with suppress(ProcessLookupError):
                process.kill()
        await ended
        hurried.cancel()


def ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"ended by {signal.Signals(-status).name}"
    return f"ended by signal {-status}"


class Supervisor:
    """All programs of one lab. `run` returns 0 after an ordered stop, 1 if somebody had to hurry it."""

    def __init__(self, programs: Sequence[Program], *, folder: str, say: Say) -> None:
        self.say = say
        self.keepers = [Keeper(program, folder, say) for program in programs]
        self.stop_asked = asyncio.Event()
        self.hurry = asyncio.Event()
        self.asked_at = 0.0

    async def run(self, when_started: Callable[[], Awaitable[None]]) -> int:
        """Starts everything, awaits `when_started` beside it, and keeps going until a signal asks for the end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.ask_stop)
        lives = [asyncio.create_task(keeper.run()) for keeper in self.keepers]
        greeting = asyncio.ensure_future(when_started())
        await self.stop_asked.wait()
        greeting.cancel()
        await self.stop_all()
        await asyncio.gather(*lives)
        with suppress(asyncio.CancelledError):
            await greeting
        return 1 if self.hurry.is_set() else 0

    def ask_stop(self) -> None:
        """The first signal stops in order, a second one at once."""
        now = time.monotonic()
        if not self.stop_asked.is_set():
            self.asked_at = now
            self.stop_asked.set()
        elif now - self.asked_at > ONE_SIGNAL_SECONDS:
            self.hurry.set()

    async def stop_all(self) -> None:
        self.say("up", "stopping; Ctrl-C again to stop at once")
        for stage in sorted({keeper.program.stage for keeper in self.keepers}):
            group = [keeper for keeper in self.keepers if keeper.program.stage == stage]
            await asyncio.gather(*(keeper.stop(self.hurry) for keeper in group))
        self.say("up", "stopped")
