"""Connections of HTTP clients to what users named: only to addresses that were judged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore

from chargers.addresses import AddressRefused

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Guarded(httpcore.AsyncNetworkBackend):
    """Connects to an address that `resolve` has judged, so that a name cannot mean something else a moment later.

    `resolve` gives the addresses of a host; it raises AddressRefused, or OSError for an unknown name.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._plain = httpcore.AnyIOBackend()
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = OSError(f"{host} has no address")
        for address in await self._resolve(host, port):
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *args: Any, **kwargs: Any) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("No sockets of this machine.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
