"""Whether a driver's token may charge: first others are asked where the endpoint says so, then its card list."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from uuid import UUID
from weakref import WeakKeyDictionary

from chargers.back_office import TokenPresented, judge
from simulator.csms import services
from simulator.csms.database import in_database, in_thread
from simulator.csms.models import Endpoint
from simulator.csms.services import Authorization

# Others may ask somebody over the internet and take seconds; the database's one thread must not wait for them.
THREADS = ThreadPoolExecutor(32, thread_name_prefix="csms-judging")
QUESTIONS_PER_ENDPOINT = 8  # at once: one endpoint whose judges are slow leaves threads to the others

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, asyncio.Semaphore]] = WeakKeyDictionary()


async def authorize(
    endpoint: Endpoint,
    identity: str,
    id_token: str,
    token_type: str = "",
    place: tuple[int, int] | None = None,
    *,
    ends: bool = False,
) -> Authorization:
    """The first verdict of others, else what the card list says. Holds no database transaction while others think."""
    if endpoint.asks_others and token_type != services.ANONYMOUS:
        tenant = cast("UUID", endpoint.tenant_id)
        presented = TokenPresented(endpoint.pk, tenant, identity, id_token, token_type, place, ends)
        async with _turn(endpoint.pk):
            verdict = await in_thread(THREADS, lambda: judge(presented))
        if verdict is not None:
            return Authorization(verdict.status, known=True, group=verdict.group, expires_at=verdict.expires_at)
    return await in_database(services.authorize, endpoint, id_token, token_type)


def _turn(endpoint: int) -> asyncio.Semaphore:
    turns = _turns.setdefault(asyncio.get_running_loop(), {})
    return turns.setdefault(endpoint, asyncio.Semaphore(QUESTIONS_PER_ENDPOINT))
