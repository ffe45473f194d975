"""A bare station for tests of the house CSMS: it speaks OCPP-J over an in-process WebSocket and checks every answer."""

import itertools
import json

from channels.testing import WebsocketCommunicator

from ocpplab.asgi import application
from simulator.core import schemas

WHEN = "2026-01-02T03:04:05Z"
BOOT = {
    "ocpp1.6": {"chargePointVendor": "Acme", "chargePointModel": "Wall 22"},
    "ocpp2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "Acme", "model": "Wall 22"}},
}


class Refused(Exception):
    """The handshake was refused."""


class Station:
    def __init__(self, endpoint, identity="CP-1", subprotocol="ocpp1.6"):
        self.path = f"/csms/{endpoint.key}/{identity}"
        self.subprotocol = subprotocol
        self.ids = (f"m{number}" for number in itertools.count(1))

    async def __aenter__(self):
        await self.connect()
        return self

    async def __aexit__(self, *exc):
        await self.socket.disconnect()

    async def connect(self, subprotocols=None):
        offered = [self.subprotocol] if subprotocols is None else subprotocols
        self.socket = WebsocketCommunicator(application, self.path, subprotocols=offered)
        accepted, chosen = await self.socket.connect(timeout=30)
        if not accepted:
            await self.socket.disconnect()
            raise Refused
        return chosen

    async def send(self, frame):
        await self.socket.send_to(text_data=frame if isinstance(frame, str) else json.dumps(frame))

    async def receive(self):
        return json.loads(await self.socket.receive_from(timeout=30))

    async def ask(self, frame):
        """Sends anything and returns the next frame."""
        await self.send(frame)
        return await self.receive()

    async def call(self, action, payload):
        """The payload of the answer, after it was held against the official schema."""
        message_id = next(self.ids)
        message_type, answered, result = await self.ask([2, message_id, action, payload])
        assert (message_type, answered) == (3, message_id)
        assert schemas.validator(self.subprotocol, action, "response") is not None
        assert schemas.violation(self.subprotocol, action, "response", result) is None
        return result

    async def error(self, action, payload):
        """The error code that a call is answered with."""
        message_id = next(self.ids)
        message_type, answered, code, description, details = await self.ask([2, message_id, action, payload])
        assert (message_type, answered, details) == (4, message_id, {})
        assert isinstance(description, str)
        return code

    async def called(self):
        """The next call of the CSMS, held against the official schema: its id, action and payload."""
        message_type, message_id, action, payload = await self.receive()
        assert message_type == 2
        assert schemas.violation(self.subprotocol, action, "request", payload) is None
        return message_id, action, payload

    async def boot(self):
        return await self.call("BootNotification", BOOT[self.subprotocol])
