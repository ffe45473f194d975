"""One live lab, shared by all tests of this folder."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.openapi.gateway", "tests.e2e.lab")

from tests.e2e.lab import Lab, own_database, own_redis  # noqa: E402
from tests.openapi import generation  # noqa: E402
from tests.openapi.gateway import Gateway  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def openapi_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    with own_database(given["DATABASE_URL"]) as database:
        environment = {"DATABASE_URL": database, "REDIS_URL": own_redis(given["REDIS_URL"])}
        lab = Lab(tmp_path_factory.mktemp("openapi"), {name: url for name, url in environment.items() if url})
        with lab.up():
            yield lab


@pytest.fixture(scope="package")
def shared_gateway(openapi_lab: Lab) -> Iterator[Gateway]:
    logging.getLogger("httpx").setLevel(logging.WARNING)
    gateway = Gateway(openapi_lab.facts)
    yield gateway
    gateway.close()


@pytest.fixture
def gateway(request: pytest.FixtureRequest, shared_gateway: Gateway, openapi_lab: Lab) -> Iterator[Gateway]:
    """Stands before each test with a site, a charger and a CPO that nobody has changed."""
    shared_gateway.stand()
    generation.KNOWN.update(shared_gateway.ids)
    yield shared_gateway
    callspec = getattr(request.node, "callspec", None)
    asked = callspec.params if callspec else {}
    shared_gateway.used(asked.get("method", "POST"), asked.get("path", "/"))
    print(openapi_lab.said())
