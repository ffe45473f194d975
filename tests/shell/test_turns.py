"""Who may write when: a lease never queues behind frames, and no process waits longer than the others for SQLite."""

import asyncio
import threading

import pytest
from django.db import OperationalError, connection, transaction

from simulator.models import Shard
from simulator.shell.database import DatabaseThread
from tests.shell.conftest import query

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]


def write(number: int) -> None:
    with transaction.atomic():
        Shard.objects.create(pk=number)


async def test_a_lease_goes_before_all_who_wait() -> None:
    """One thread writes, two wait; the lease comes last and is served as soon as the writer is done."""
    recorder, desk, recovery = DatabaseThread("recorder"), DatabaseThread("desk"), DatabaseThread("recovery")
    leases = DatabaseThread("leases", first=True)
    order: list[str] = []
    begun, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            begun.set()
            over.wait(30)
            order.append("recorder")

    def note(name: str) -> None:
        write(len(order))
        order.append(name)

    tasks = [asyncio.create_task(recorder.run(hold))]
    await asyncio.to_thread(begun.wait, 30)
    tasks += [asyncio.create_task(one.run(note, name)) for one, name in ((desk, "desk"), (recovery, "recovery"))]
    tasks.append(asyncio.create_task(leases.run(note, "leases")))
    while not leases_wait():  # noqa: ASYNC110 - a thread has no event to say so
        await asyncio.sleep(0.01)
    over.set()
    await asyncio.gather(*tasks)
    assert order[:2] == ["recorder", "leases"]
    assert sorted(order[2:]) == ["desk", "recovery"]
    for thread in (recorder, desk, recovery, leases):
        await asyncio.to_thread(thread.close)


def leases_wait() -> bool:
    from simulator.shell.database import _line

    return _line._first == 1


async def test_a_transaction_that_never_gets_the_lock_fails_after_its_timeout() -> None:
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            locked.set()
            over.wait(30)

    def attempt() -> None:
        connection.settings_dict["OPTIONS"]["timeout"], before = 0.2, connection.settings_dict["OPTIONS"]["timeout"]
        try:
            with pytest.raises(OperationalError, match="locked"):
                write(1)
        finally:
            connection.settings_dict["OPTIONS"]["timeout"] = before
            over.set()
        write(1)

    holding = asyncio.create_task(query(hold))
    await asyncio.to_thread(locked.wait, 30)
    await query(attempt)
    await holding
    assert await query(Shard.objects.count) == 1


async def test_writers_on_connections_of_their_own_all_get_their_turns() -> None:
    """Eight threads, each with many short transactions: none fails, none is lost."""

    def many(first: int) -> None:
        for number in range(first, first + 40):
            write(number)

    await asyncio.gather(*(query(many, first) for first in range(0, 320, 40)))
    assert await query(Shard.objects.count) == 320
