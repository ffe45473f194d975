"""How a charger connects, and how a connection ends: section 1.1 of the contract on real sockets."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection

from chargers.models import Charger, ConnectionEvent
from chargers.services import runtime
from simulator.shell.node import Node
from tenants.scoping import scope
from tests.contract.proving import proves
from tests.factories import ChargerModelFactory, LocationFactory, OrganizationFactory, new_charger
from tests.shell.conftest import NodeFactory, eventually, query
from tests.shell.csms import Csms

pytestmark = pytest.mark.django_db(transaction=True)
Fleet = Callable[..., list[Charger]]
ME = "CP-0"
FAST = {"RetryBackOffWaitMinimum": "0", "RetryBackOffRandomRange": "1", "RetryBackOffRepeatTimes": "0"}


def one_charger(ws_url: str, identity: str = ME) -> Charger:
    with scope(OrganizationFactory()):
        return new_charger(LocationFactory(), identity, ChargerModelFactory(), ws_url=ws_url, configuration=FAST)


async def booted(csms: Csms, identity: str = ME) -> None:
    await csms.until(lambda: len(csms.received(identity, "StatusNotification")) >= 2, within=30)


def reasons(charger: Charger) -> list[str]:
    rows = ConnectionEvent.objects.unscoped().filter(charger=charger, kind="refused").order_by("sequence")
    return list(rows.values_list("reason", flat=True))


@proves("1.1/T2", "1.1/T3")
async def test_the_identity_is_the_last_segment_of_the_path(csms: Csms, node: Node, transactional_db: None) -> None:
    await query(lambda: one_charger(f"{csms.url}/?key=1", "RDAM 123"))
    await booted(csms, "RDAM 123")
    request = csms.sockets["RDAM 123"].request
    assert request is not None
    assert request.path == "/ocpp/RDAM%20123?key=1"


@proves("1.1/T5")
async def test_a_csms_without_the_subprotocol_is_left_with_1002(csms: Csms, node: Node, transactional_db: None) -> None:
    await csms.stop()
    await csms.start(select_subprotocol=lambda *_: None)
    charger = await query(lambda: one_charger(csms.url))
    await csms.until(lambda: bool(csms.closes), within=30)
    assert csms.closes[0][1] == 1002
    assert csms.frames[ME] == [], "not a word of OCPP on it"
    assert "subprotocol" in (await eventually(lambda: reasons(charger)))[0]


@proves("1.1/T7")
@pytest.mark.parametrize("status", [401, 403, 404, 302])
async def test_a_refused_handshake_is_recorded_and_tried_again(
    csms: Csms, node: Node, transactional_db: None, status: int
) -> None:
    asked: list[Any] = []

    def refuse_once(connection: ServerConnection, request: Request) -> Response | None:
        asked.append((request.path, request.headers.get("Authorization")))
        return connection.respond(HTTPStatus(status), "no\n") if len(asked) == 1 else None

    await csms.stop()
    await csms.start(process_request=csms.witnessing(refuse_once))
    charger = await query(lambda: one_charger(csms.url))
    await booted(csms)
    assert len(set(asked)) == 1, "the same URL, the same credentials, no redirect followed"
    assert str(status) in (await eventually(lambda: reasons(charger)))[0]


@proves("1.1/T9")
async def test_binary_and_giant_messages_end_the_connection(csms: Csms, node: Node, transactional_db: None) -> None:
    await query(lambda: one_charger(csms.url))
    await booted(csms)
    await csms.sockets[ME].send(b"[2]")
    await csms.until(lambda: len(csms.closes) == 1 and csms.connects[ME] == 2, within=30)
    await booted(csms)
    await csms.sockets[ME].send(["[2,", '"a","Clear', 'Cache",{}]'])
    await csms.until(lambda: csms.answered(ME, "a"))
    await csms.sockets[ME].send("x" * (256 * 1024 + 1))
    await csms.until(lambda: len(csms.closes) == 2, within=30)
    assert [code for _, code, _ in csms.closes] == [1003, 1009]


@proves("1.1/T10")
async def test_a_stop_is_1000_and_a_shutdown_is_1001(
    csms: Csms, start_node: NodeFactory, transactional_db: None
) -> None:
    node = await start_node()
    charger = await query(lambda: one_charger(csms.url))
    await booted(csms)

    def switch(event_type: str) -> None:
        charger.refresh_from_db()
        with scope(charger.tenant_id):
            runtime.switch_one(charger, event_type)

    await query(lambda: switch("stop_charger"))
    await csms.until(lambda: len(csms.closes) == 1)
    await query(lambda: switch("start_charger"))
    await csms.until(lambda: ME in csms.sockets, within=30)
    node.stop()
    await csms.until(lambda: len(csms.closes) == 2)
    assert [code for _, code, _ in csms.closes] == [1000, 1001]
