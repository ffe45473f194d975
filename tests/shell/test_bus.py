"""Wake-ups arrive after the commit, over every transport; losing the other side hurts nobody."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from chargers import bus
from tests.shell.conftest import query

pytestmark = pytest.mark.django_db(transaction=True)


class Ear:
    def __init__(self) -> None:
        self.heard = asyncio.Event()

    async def hears(self, within: float = 30.0) -> bool:
        try:
            await asyncio.wait_for(self.heard.wait(), within)
        except TimeoutError:
            return False
        self.heard.clear()
        return True


@pytest.fixture
async def ear(data_dir: Path) -> AsyncIterator[Ear]:
    one = Ear()
    task = asyncio.create_task(bus.listen(one.heard.set))
    while not await ring_until_heard(one):
        pass
    yield one
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def ring_until_heard(ear: Ear) -> bool:
    await query(bus.wake)
    return await ear.hears(0.1)


async def test_a_wake_up_is_heard(ear: Ear):
    await query(bus.wake)
    assert await ear.hears()


async def test_it_comes_after_the_commit_and_never_after_a_rollback(ear: Ear):
    while await ear.hears(0.3):  # what the fixture rang and is late
        pass

    def roll_back() -> None:
        with transaction.atomic():
            bus.wake_on_commit()
            transaction.set_rollback(True)

    def commit() -> bool:
        with transaction.atomic():
            bus.wake_on_commit()
            return ear.heard.is_set()

    await query(roll_back)
    assert not await ear.hears(0.2)
    assert not await query(commit)
    assert await ear.hears()


class TestDatagrams:
    @pytest.fixture(autouse=True)
    def datagrams(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bus, "transport", bus.LocalDatagram)

    async def test_every_listener_hears_and_a_dead_one_is_tidied_away(self, ear: Ear):
        second = Ear()
        task = asyncio.create_task(bus.listen(second.heard.set))
        while not await ring_until_heard(second):
            pass
        dead = bus.datagram_folder() / "1-dead.wake"
        await query(leave_a_dead_socket, dead)
        await query(bus.wake)
        assert await ear.hears()
        assert await second.hears()
        assert not dead.exists()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def test_the_folder_is_private_and_its_paths_short(self, data_dir: Path):
        folder = bus.datagram_folder()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.stat().st_uid == os.getuid()
        assert len(str(folder / "4194304-01234567.wake")) < 108

    async def test_a_folder_open_to_others_is_not_used(self, data_dir: Path):
        folder = bus.datagram_folder()
        folder.chmod(0o777)
        with pytest.raises(PermissionError):
            bus.datagram_folder()
        await query(bus.wake)  # says so in the log, and raises nothing
        folder.chmod(0o700)


def leave_a_dead_socket(path: Path) -> Any:
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(path))
