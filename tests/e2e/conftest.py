"""One lab for all tests that leave it as they found it; a scripted CSMS and a client for each test."""

import logging
import os
from collections.abc import AsyncIterator, Iterator

import pytest

pytest.register_assert_rewrite("tests.e2e.client", "tests.e2e.lab", "tests.e2e.story")

from tests.e2e.client import Client, Json  # noqa: E402
from tests.e2e.lab import Lab, own_database, own_redis  # noqa: E402
from tests.peers import strict_csms  # noqa: E402
from tests.peers.scripted_csms import ScriptedCsms  # noqa: E402


@pytest.fixture(scope="package")
def services() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL for a lab of its own beside the other tests'; nothing in the embedded form."""
    with own_database(os.environ.get("DATABASE_URL", "")) as database:
        redis = own_redis(os.environ.get("REDIS_URL", ""))
        yield {"DATABASE_URL": database, "REDIS_URL": redis} if database else {}


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory, services: dict[str, str]) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"), services)
    with lab.up():
        yield lab


@pytest.fixture(autouse=True)
def lab_output(lab: Lab) -> Iterator[None]:
    """A test that fails shows what the lab printed meanwhile."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    yield
    print(lab.said())


@pytest.fixture
async def client(lab: Lab) -> AsyncIterator[Client]:
    client = Client(lab.facts)
    yield client
    await client.leave()


@pytest.fixture
async def csms() -> AsyncIterator[ScriptedCsms]:
    """Fails the test for whatever a station does wrong."""
    async with ScriptedCsms() as csms:
        yield csms
        assert csms.violations == []


@pytest.fixture
async def strict() -> AsyncIterator[strict_csms.StrictCsms]:
    if lacking := strict_csms.missing():
        pytest.skip(f"ocpp-rpc, the second independent CSMS, needs {lacking}")
    async with strict_csms.StrictCsms() as csms:
        yield csms
        assert csms.violations == []


@pytest.fixture
async def location(client: Client) -> str:
    return await client.create_location()


@pytest.fixture
async def wall_box(client: Client, location: str, csms: ScriptedCsms) -> Json:
    """An OCPP 1.6 charger at the scripted CSMS."""
    return await client.create_charger(location, "OCPP1.6", csms.url)


@pytest.fixture
async def fast_charger(client: Client, location: str, csms: ScriptedCsms) -> Json:
    """An OCPP 2.0.1 charging station at the scripted CSMS."""
    return await client.create_charger(location, "OCPP2.0.1", csms.url)
