"""Station options from REST to the wire (gateway contract, section 19)."""

import json

import pytest
from asgiref.sync import sync_to_async

from chargers.models import Charger
from simulator.shell.node import Node
from tests.conftest import ApiClient
from tests.contract.proving import proves
from tests.shell.csms import Csms

pytestmark = pytest.mark.django_db(transaction=True)
ME = "CP-1"
HANDLER = {"vendor_id": "com.example", "message_id": "GetMode", "data": "eco"}


async def extensions(csms: Csms, connects: int) -> str | None:
    """What the charger's connection of that number asked for, once it is up."""
    await csms.until(lambda: csms.connects[ME] == connects and ME in csms.sockets, within=30)
    request = csms.sockets[ME].request
    assert request is not None
    return request.headers.get("Sec-WebSocket-Extensions")


@proves("1.1/T8")
async def test_what_is_changed_over_rest_is_seen_by_the_csms(
    user_client: ApiClient, charger: Charger, csms: Csms, node: Node
) -> None:
    def put(body: dict[str, object], path: str) -> int:
        method = user_client.patch if path else user_client.put
        return int(method(f"/chargers/{charger.pk}{path}", body).status_code)

    send = sync_to_async(put, thread_sensitive=False)
    assert await send({"ws_url": csms.url}, "") == 200
    assert await extensions(csms, 1) is None
    await csms.until(lambda: len(csms.received(ME, "StatusNotification")) == 2)
    options = {"compression": True, "auto_plug": True, "vendor_data_handlers": [HANDLER]}
    assert await send(options, "/options") == 200
    assert "permessage-deflate" in (await extensions(csms, 2) or "")
    await csms.until(lambda: bool(csms.received(ME, "Heartbeat")))  # back, without a boot
    call = await csms.call(ME, "DataTransfer", {"vendorId": "com.example", "messageId": "GetMode"})
    await csms.until(lambda: csms.answered(ME, call))
    answer = json.loads(next(text for _, text in csms.frames[ME] if text.startswith(f'[3,"{call}"')))
    assert answer[2] == {"status": "Accepted", "data": "eco"}
    await csms.call(ME, "RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
    await csms.until(lambda: bool(csms.received(ME, "StartTransaction")), within=30)
