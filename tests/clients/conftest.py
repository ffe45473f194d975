"""A running lab for the published clients; the tests of one worker share it."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.e2e.client", "tests.e2e.lab", "tests.e2e.story")

from tests.e2e.lab import Lab, own_database, own_redis  # noqa: E402
from tests.peers.scripted_csms import ScriptedCsms  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_database(os.environ.get("DATABASE_URL", "")) as database:
        services = {"DATABASE_URL": database, "REDIS_URL": own_redis(os.environ.get("REDIS_URL", ""))}
        lab = Lab(tmp_path_factory.mktemp("lab"), services if database else {})
        with lab.up():
            yield lab


@pytest.fixture
async def csms(lab: Lab) -> AsyncIterator[ScriptedCsms]:
    """Fails the test for whatever a station does wrong; a failing test shows what the lab printed meanwhile."""
    async with ScriptedCsms() as csms:
        yield csms
        assert csms.violations == []
    print(lab.said())
