"""The web process: daphne, which sends a long answer no faster than its reader takes it.

Daphne itself writes whatever the application gives into the socket's buffer, without a bound: an export of a million
frames to a slow reader would stand in memory as a whole. Run as `python -m ocpplab.web`, with daphne's own arguments.
"""

import asyncio
from typing import Any

from daphne.cli import CommandLineInterface
from daphne.http_protocol import WebRequest
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


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


if __name__ == "__main__":
    CommandLine.entrypoint()
