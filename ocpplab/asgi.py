"""HTTP and WebSockets in one process."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ocpplab.settings")
django.setup(set_prefix=False)  # what needs models is imported after this line

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from ocpplab.api.streams import Handler  # noqa: E402
from simulator.csms.routing import websocket_urlpatterns  # noqa: E402


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels ships no types
    """Refuses the handshake on every path that nobody serves."""

    async def connect(self) -> None:
        await self.close()


websockets = URLRouter([*websocket_urlpatterns, re_path("", NoSuchSocket.as_asgi())])
application = ProtocolTypeRouter({"http": Handler(), "websocket": websockets})
