"""The socket of one station. It opens the organization's scope; what is said on it is the desk's business."""

import asyncio
import logging
import re
from contextlib import suppress
from contextvars import Token
from typing import Any, cast
from uuid import UUID

from channels.exceptions import ChannelFull
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from simulator.csms import stations
from simulator.csms.calls import CallLine
from simulator.csms.database import in_database
from simulator.csms.desk import Desk
from simulator.csms.models import Endpoint
from simulator.csms.switchboard import switchboard
from simulator.csms.v16 import CentralSystem
from simulator.csms.v201 import ChargingStationManagement
from tenants.scoping import close_scope, open_scope

DESKS: dict[str, type[Desk]] = {desk.subprotocol: desk for desk in (CentralSystem, ChargingStationManagement)}
UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ufffd]")  # U+FFFD is what undecodable percent escapes become
NORMAL_CLOSURE, UNSUPPORTED_DATA, INTERNAL_ERROR = 1000, 1003, 1011
log = logging.getLogger(__name__)


class StationConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """`/csms/<key>/<identity>`; a handshake that is refused ends in HTTP 403."""

    desk: Desk | None = None
    _scope: Token[UUID | None] | None = None

    async def __call__(self, *channel: Any) -> None:
        try:
            await super().__call__(*channel)
        except asyncio.CancelledError:  # the process is asked to end: there will be no flush in a few seconds
            await switchboard().journal.flush()
            raise

    async def connect(self) -> None:
        subprotocol = next((offered for offered in self.scope["subprotocols"] if offered in DESKS), None)
        endpoint = await self._endpoint()
        if endpoint is None or subprotocol is None:
            await self.close()
            return
        self._scope = open_scope(cast("UUID", endpoint.tenant_id))
        # A whole fleet may come at once, and the server gives a handshake five seconds: first accept, then write.
        await self.accept(subprotocol)
        try:
            await self._take_over(endpoint, subprotocol)
        except DatabaseError:
            log.exception("a station could not be received, it is sent away to come again")
            await self.close(INTERNAL_ERROR)

    async def _endpoint(self) -> Endpoint | None:
        route = self.scope["url_route"]["kwargs"]
        if len(route["identity"]) > stations.MAX_IDENTITY or UNPRINTABLE.search(route["key"] + route["identity"]):
            return None
        return await switchboard().endpoint_of(route["key"])

    async def _take_over(self, endpoint: Endpoint, subprotocol: str) -> None:
        """Holds the station from now on: an older socket of the same identity is told to close."""
        identity = self.scope["url_route"]["kwargs"]["identity"]
        row, earlier = await in_database(stations.arrive, endpoint, identity, subprotocol, self.channel_name)
        if earlier:
            with suppress(ChannelFull):
                await self.channel_layer.send(earlier, {"type": "station.replaced"})
        line = CallLine(row.pk, subprotocol, self.send)
        board = switchboard()
        self.desk = DESKS[subprotocol](endpoint, board.journal.picture_of(row), board.journal, line)
        board.join(line)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.desk is None:
            return
        if text_data is None:
            await self.close(UNSUPPORTED_DATA)
            return
        answer = await self.desk.receive(text_data)
        if answer is not None:
            await self.send(answer)
        self.desk.line.open()

    async def calls_waiting(self, message: dict[str, Any]) -> None:
        if self.desk is not None:
            self.desk.line.wake()

    async def station_replaced(self, message: dict[str, Any]) -> None:
        await self.close(NORMAL_CLOSURE)

    async def disconnect(self, code: int) -> None:
        if self.desk is not None:
            await self._let_go(self.desk)
            self.desk = None
        if self._scope is not None:
            close_scope(self._scope)
            self._scope = None

    async def _let_go(self, desk: Desk) -> None:
        station_id = desk.picture.station_id
        switchboard().leave(desk.line)
        await desk.line.close()
        await desk.journal.flush_station(desk.picture)
        await in_database(stations.leave, station_id, self.channel_name)
