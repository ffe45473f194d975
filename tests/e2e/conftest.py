"""One lab for all tests that leave it as they found it; a scripted CSMS and a client for each test."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.e2e.client", "tests.e2e.lab", "tests.e2e.story")

from tests.e2e.client import Client, Json  # noqa: E402
from tests.e2e.lab import Lab, own_database  # noqa: E402
from tests.peers import strict_csms  # noqa: E402
from tests.peers.scripted_csms import ScriptedCsms  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` they share one lab, and its processes do not fight another worker's for two cores."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("e2e"))
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def grown() -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL of a lab: none in the embedded form."""
    redis = os.environ.get("REDIS_URL", "")
    with own_database(os.environ.get("DATABASE_URL", "")) as database:
        yield {"DATABASE_URL": database, "REDIS_URL": redis} if database else {}


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, grown: dict[str, str]) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"), grown)
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
