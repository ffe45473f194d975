"""The web process: daphne, which sends a long answer no faster than its reader takes it.

Daphne itself writes whatever the application gives into the socket's buffer, without a bound: an export of a million
frames to a slow reader would stand in memory as a whole. It also leaves bodies to the application, and takes addresses
that name a thousand chargers. Run as `python -m ocpplab.web`, with daphne's own arguments.
"""

import asyncio
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from twisted.web.http import HTTPChannel
from zope.interface import implementer

# A thousand `charger_ids` in a query are 50 kB; Twisted hangs up without an answer beyond its limit of 16 kB.
LONGEST_LINE = 128 * 1024


@implementer(IPushProducer)
class Valve:
    """Closed while the socket's buffer is full."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    # Twisted's own names:
    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self._open.set()

    async def passed(self) -> None:
        await self._open.wait()


class PacedServer(Server):  # type: ignore[misc]  # daphne ships no types
    def protocol_connected(self, protocol: Any) -> None:
        """Django reads forms itself; Twisted would answer a form that it cannot read with an empty 400."""
        protocol._parsePOSTFormSubmission = False
        super().protocol_connected(protocol)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """The application goes on once there is room for more."""
        if message["type"] != "http.response.body" or not isinstance(protocol, WebRequest):
            await super().handle_reply(protocol, message)
            return
        goes_on = message.get("more_body", False) and not protocol.finished and protocol.channel is not None
        if goes_on and protocol.producer is None:
            protocol.registerProducer(Valve(), True)
        valve = protocol.producer
        if not goes_on and isinstance(valve, Valve) and protocol.channel is not None:
            protocol.unregisterProducer()
        await super().handle_reply(protocol, message)
        if goes_on and isinstance(valve, Valve):
            await valve.passed()


class CommandLine(CommandLineInterface):  # type: ignore[misc]
    server_class = PacedServer


def take_long_lines() -> None:
    """Daphne offers no option for it."""
    HTTPChannel.MAX_LENGTH = HTTPChannel.totalHeadersSize = LONGEST_LINE


if __name__ == "__main__":
    take_long_lines()
    CommandLine.entrypoint()
