"""A simulator node as a part of a Celery worker: `celery -A ocpplab worker --simulator …`.

The step sits on the Worker, not on its Consumer: a lost broker must not restart the fleet.
"""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery import Celery, bootsteps
from celery.worker import state as worker_state
from click import Option

from ocpplab import heartbeat

if TYPE_CHECKING:
    from simulator.shell.node import Node

logger = logging.getLogger(__name__)
STOP_SECONDS = 15.0  # sockets, the last batch, the leases; what is left then stands in the spool
EXIT_SECONDS = 10.0  # for Celery to notice that the node has died
# Each write to spool or socket lets the recorder's thread have the interpreter; Python's 5 ms would stall the loop.
SWITCH_SECONDS = 0.0005
EXIT_FAILURE = 70  # EX_SOFTWARE


class NodeThread(threading.Thread):
    """The node's own thread and event loop. `on_death` is called when it ends without having been stopped."""

    def __init__(self, on_death: Callable[[], None]) -> None:
        super().__init__(name="simulator", daemon=True)
        self._on_death = on_death
        self._node: Node | None = None
        self._stopping = threading.Event()

    def run(self) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._run_node())
        except BaseException:
            logger.exception("the simulator node died")
            self._on_death()
        else:
            if not self._stopping.is_set():
                self._on_death()

    async def _run_node(self) -> None:
        from simulator.shell.node import Node  # needs the app registry, which Celery fills after reading its options

        self._node = Node()
        heartbeat.follow(self._node.loop)
        if self._stopping.is_set():
            self._node.stop()
        logger.info("simulator node starts", extra={"node": self._node.id})
        await self._node.run()
        logger.info("simulator node has stopped", extra={"node": self._node.id})

    def stop(self, timeout: float) -> None:
        """Hands the chargers over and waits for it."""
        self._stopping.set()
        if self._node is not None:
            self._node.loop.call_soon_threadsafe(self._node.stop)
        self.join(timeout)


class SimulatorStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts the node with the worker and stops it before the pool; only with `--simulator`."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, simulator: bool = False, **kwargs: Any) -> None:
        self.enabled = simulator
        self._thread: NodeThread | None = None
        super().__init__(parent, **kwargs)

    def start(self, parent: Any) -> None:
        self._thread = NodeThread(_give_up)
        self._thread.start()

    def stop(self, parent: Any) -> None:
        if self._thread is not None:
            self._thread.stop(STOP_SECONDS)

    terminate = stop


def install(app: Celery) -> None:
    app.user_options["worker"].add(
        Option(("--simulator",), is_flag=True, help="Run a node of the charger simulator in this worker.")
    )
    app.steps["worker"].add(SimulatorStep)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _give_up() -> None:
    """A worker without its node is of no use: it ends with an error, and the supervisor starts another."""
    worker_state.should_stop = 1
    timer = threading.Timer(EXIT_SECONDS, os._exit, (EXIT_FAILURE,))
    timer.daemon = True
    timer.start()
