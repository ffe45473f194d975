"""A scenario's line to its station over a real WebSocket: the product's own runner and socket, the scripted CSMS.

Only time is the scenario's, and the database is left out: a day at the charger passes in moments, frame by frame on
loopback. A test that claims rows of the contract gets this line; others feed their station by hand.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from ssl import SSLContext
from typing import Any

from simulator.core.commands import TIMEOUT
from simulator.core.facts import Close, Drop, Ping
from simulator.core.station import Station
from simulator.core.transfers import Transferred
from simulator.core.url import connection_url
from simulator.shell.address import Resolver
from simulator.shell.socket import Socket
from simulator.shell.turns import Turns
from tests.contract.csms import Csms, Peer
from tests.contract.stage import Stage, Traffic
from tests.core.bench import Scenario

PATIENCE = 60.0  # s of real time for what takes milliseconds; a busy machine needs some
GOING_AWAY = 1001
_wanted = False
_exchange: "Exchange | None" = None


class Exchange:
    """The loop of all scenarios of this process, and the CSMS on it. It runs only while a scenario lets it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.turns = Turns(self.loop)
        self.resolver = Resolver()
        self.csms = Csms()
        self.sockets: list[Socket] = []
        self.loop.run_until_complete(self.csms.start())

    async def hang_up(self) -> None:
        """Ends what a test has left, on both sides."""
        self.csms.forget()
        for socket in self.sockets:
            socket.abort()
        self.sockets.clear()
        await asyncio.sleep(0)

    async def close(self) -> None:
        await self.hang_up()
        await self.csms.stop()


def want(wanted: bool) -> None:
    """For the test that begins; what the one before has connected is cut."""
    global _wanted
    _wanted = wanted
    if _exchange is not None and _exchange.sockets:
        _exchange.loop.run_until_complete(_exchange.hang_up())


def wanted() -> bool:
    return _wanted


def exchange() -> Exchange:
    global _exchange
    if _exchange is None:
        _exchange = Exchange()
    return _exchange


def close() -> None:
    """The tests of this process are over."""
    global _exchange
    if _exchange is not None:
        _exchange.loop.run_until_complete(_exchange.close())
        _exchange.loop.close()
        _exchange = None


class Wire:
    """A `Line`: both ends of a WebSocket, and nothing that is still under way when a method returns."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._exchange = exchange()
        self._stage = Stage(scenario, self._exchange.resolver, self._exchange.turns, self._exchange.sockets)
        self._peer = Peer(self._arrived, self._ended, self._pinged, self._stage.changed.set)
        self._url = self._expected(scenario.tls)

    def _expected(self, tls: SSLContext | None) -> str:
        place = self._exchange.loop.run_until_complete(self._exchange.csms.expect(self._peer, tls))
        return connection_url(place, self._scenario.setup.identity)

    def speak_tls(self, tls: SSLContext) -> None:
        self._url = self._expected(tls)
        self._stage.reassign(url=self._url)

    @property
    def station(self) -> Station:
        return self._stage.runner.station

    @property
    def pongs(self) -> bool:
        return self._peer.pongs

    @pongs.setter
    def pongs(self, wanted: bool) -> None:
        self._peer.pongs = wanted

    # --- what the scenario wants ------------------------------------------------------------------------------------

    def build(self, memory: Mapping[str, Any]) -> None:
        self._stage.build(self._url, memory)

    def power_up(self, *, resume: bool = False) -> None:
        self._stage.reassign(known=resume)
        self._perform(self._stage.runner.start)

    def power_off(self, *, killed: bool) -> None:
        runner, told = self._stage.runner, self._stage.changed.set
        stop = partial(runner.stop, GOING_AWAY, "going away", parked=True, on_closed=told)
        self._perform(self._stage.kill if killed else stop, self._is_over)

    def deadline(self) -> float | None:
        return self._stage.runner.deadline

    def tick(self) -> None:
        self._perform(self._stage.runner.due)

    def dial(self) -> None:
        self._stage.traffic = Traffic()
        self._perform(self._stage.let_dial)
        assert self.station.link.connected, "the connection did not come about"

    def refuse(self) -> None:
        self._peer.is_down = True
        self._perform(self._stage.let_dial, lambda: self._stage.runner.socket is None)
        self._peer.is_down = False

    def cut(self) -> None:
        self._perform(self._peer.cut, self._is_over)

    def say(self, text: str) -> None:
        self._perform(lambda: self._peer.say(text))

    def execute(self, command_id: str, name: str, params: dict[str, Any]) -> None:
        execute, deadline = self._stage.runner.execute, self._scenario.now.wall + TIMEOUT
        self._perform(lambda: execute(command_id, name, params, deadline=deadline))

    def transferred(self, result: Transferred) -> None:
        self._perform(lambda: self._stage.told.pop(result.key)(result))

    def collect(self) -> None:
        self._perform(self._stage.runner.notice)

    # --- until all of it has arrived --------------------------------------------------------------------------------

    def _perform(self, action: Callable[[], object], done: Callable[[], bool] | None = None) -> None:
        """Does this, and lets the loop run until both ends of the wire know all there is to know."""
        self._exchange.loop.run_until_complete(self._until(action, done or self._is_quiet))
        if self._stage.failure is not None:
            raise self._stage.failure
        if self._stage.runner.socket is None:
            self._scenario.lost()

    async def _until(self, action: Callable[[], object], done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            under_way = action()
            if inspect.isawaitable(under_way):
                await under_way
            while not done() and self._stage.failure is None:
                self._stage.changed.clear()
                await self._stage.changed.wait()

    def _is_over(self) -> bool:
        return self._stage.runner.socket is None and self._peer.connection is None

    def _is_quiet(self) -> bool:
        socket, connection, traffic = self._stage.runner.socket, self._peer.connection, self._stage.traffic
        if socket is None:
            return connection is None or traffic.silent
        if connection is None or not socket.is_open:
            return False
        if traffic.frozen:
            return True
        pings = (traffic.pinged, traffic.ponged) == (self._peer.pings, self._peer.ponged)
        return self._scenario.all_arrived and traffic.heard == self._peer.said and pings

    # --- what the CSMS tells ----------------------------------------------------------------------------------------

    def _arrived(self, text: str | bytes) -> None:
        try:
            self._scenario.arrived(text)
        except Exception as error:
            self._stage.failure = error

    def _ended(self, code: int | None, reason: str) -> None:
        self._scenario.ordered(Drop() if code in (None, 1006) else Close(code, reason))

    def _pinged(self) -> None:
        self._scenario.ordered(Ping())
