"""A node on the test's own loop, a CSMS beside it, and the database through threads."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from django.db import connections

from catalog.models import ChargerModel
from chargers.models import Charger, ChargerCommand, Message
from chargers.services import commands
from locations.models import Location
from simulator.shell.node import Node
from tenants.scoping import scope
from tests.factories import ChargerModelFactory, LocationFactory, OrganizationFactory, new_charger
from tests.shell.csms import Csms

R = TypeVar("R")


async def query(job: Callable[..., R], *args: Any) -> R:
    """Runs ORM code in a thread with a connection that is closed afterwards."""

    def work() -> R:
        try:
            return job(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(work)


async def eventually(condition: Callable[[], R], within: float = 30.0) -> R:
    """The first true value of a database condition, asked twenty times a second."""
    async with asyncio.timeout(within):
        while not (value := await query(condition)):  # noqa: ASYNC110 - other processes write these rows
            await asyncio.sleep(0.05)
        return value


def log_of(charger_id: UUID) -> list[tuple[str, str]]:
    """The log as the API orders it: (direction, text)."""
    rows = Message.objects.unscoped().filter(charger_id=charger_id).order_by("epoch", "sequence")
    return list(rows.values_list("direction", "text"))


async def logged(charger: Charger, frames: list[tuple[str, str]]) -> None:
    """Returns once the charger's log is exactly these frames; for exchanges where nobody speaks out of turn."""
    try:
        await eventually(lambda: log_of(charger.pk) == frames)
    except TimeoutError:
        assert await query(lambda: log_of(charger.pk)) == frames


async def in_step(charger: Charger, csms: Csms) -> None:
    """Returns once the log holds what the CSMS received, in that order, and what it sent, in that order.

    Which of two frames that cross on the wire comes first depends on the end one looks from.
    """

    def split(frames: list[tuple[str, str]]) -> list[list[str]]:
        return [[text for one, text in frames if one == direction] for direction in ("cp_to_csms", "csms_to_cp")]

    try:
        await eventually(lambda: split(log_of(charger.pk)) == split(csms.frames[charger.identity]))
    except TimeoutError:
        assert split(await query(lambda: log_of(charger.pk))) == split(csms.frames[charger.identity])


async def until(condition: Callable[[], bool], within: float = 30.0) -> None:
    """Returns once something in this process holds that has no event to wait for."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - there is none
            await asyncio.sleep(0.01)


def command(charger: Charger, name: str, **payload: Any) -> str:
    """Queues a command as the API does; its id."""
    with scope(charger.tenant_id):
        charger.refresh_from_db()
        return commands.issue_one(charger, name, payload).pk


def outcome(command_id: str) -> ChargerCommand:
    return ChargerCommand.objects.unscoped().get(pk=command_id)


@pytest.fixture
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
async def csms() -> AsyncIterator[Csms]:
    server = Csms()
    await server.start()
    yield server
    await server.stop()
    assert server.violations == []


@pytest.fixture
def fleet_of(transactional_db: None) -> Callable[..., list[Charger]]:
    """Makes chargers of one location of one organization."""

    def make(count: int, ws_url: str, **fields: str) -> list[Charger]:
        tenant = OrganizationFactory()
        model: ChargerModel = ChargerModelFactory()
        with scope(tenant):
            location: Location = LocationFactory()
            return [new_charger(location, f"CP-{number}", model, ws_url=ws_url, **fields) for number in range(count)]

    return make


NodeFactory = Callable[[], Awaitable[Node]]


@pytest.fixture
async def start_node(data_dir: Path, transactional_db: None) -> AsyncIterator[NodeFactory]:
    """Starts nodes that stop, in order, with the test."""
    running: list[tuple[Node, asyncio.Task[None]]] = []

    async def start() -> Node:
        node = Node()
        running.append((node, asyncio.create_task(node.run())))
        return node

    yield start
    for node, task in running:
        node.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def node(start_node: NodeFactory) -> Node:
    return await start_node()
