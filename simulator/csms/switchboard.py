"""All stations connected to this process: finds queued calls for them and has the journal written.

Calls queued in the same process, or anywhere with Redis, arrive by the channel layer; the poll here is for rows that
another process wrote while the layer lives in memory. It is one small query a second, only while stations are here.
"""

import asyncio
import contextvars
import logging
from weakref import WeakKeyDictionary

from simulator.csms import calls, stations
from simulator.csms.calls import CallLine
from simulator.csms.database import in_database
from simulator.csms.journal import Journal
from simulator.csms.models import Endpoint

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
POLLS_PER_FLUSH = 3
ENDPOINT_SECONDS = 5.0


class Switchboard:
    """One per event loop; ask `switchboard()` for it."""

    def __init__(self) -> None:
        self.journal = Journal()
        self._lines: dict[int, CallLine] = {}
        self._running: asyncio.Task[None] | None = None
        self._endpoints: dict[str, tuple[float, Endpoint]] = {}

    async def endpoint_of(self, key: str) -> Endpoint | None:
        """The endpoint with this key, remembered for a few seconds: a fleet that reconnects asks for one row."""
        now = asyncio.get_running_loop().time()
        until, endpoint = self._endpoints.get(key, (0.0, None))
        if endpoint is None or until < now:
            endpoint = await in_database(stations.endpoint_of, key)
            if endpoint is None:
                self._endpoints.pop(key, None)
            else:
                self._endpoints[key] = (now + ENDPOINT_SECONDS, endpoint)
        return endpoint

    def join(self, line: CallLine) -> None:
        self._lines[line.station_id] = line
        if self._running is None or self._running.done():
            # Its own context: the organization of the station that happened to come first must not stick to it.
            context = contextvars.Context()
            self._running = asyncio.get_running_loop().create_task(self._run(), context=context)

    def leave(self, line: CallLine) -> None:
        if self._lines.get(line.station_id) is line:
            del self._lines[line.station_id]

    async def _run(self) -> None:
        rounds = 0
        while self._lines:
            await asyncio.sleep(POLL_SECONDS)
            rounds += 1
            try:
                await self._wake_lines()
                if rounds % POLLS_PER_FLUSH == 0:
                    await self.journal.flush()
            except Exception:
                log.exception("the house CSMS could not look after its stations, it will try again")
        await self.journal.flush()

    async def _wake_lines(self) -> None:
        for station_id in await in_database(calls.stations_with_work):
            line = self._lines.get(station_id)
            if line is not None:
                line.wake()


_switchboards: WeakKeyDictionary[asyncio.AbstractEventLoop, Switchboard] = WeakKeyDictionary()


def switchboard() -> Switchboard:
    """The switchboard of the running event loop."""
    return _switchboards.setdefault(asyncio.get_running_loop(), Switchboard())
