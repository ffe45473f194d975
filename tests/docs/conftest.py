"""One lab for all pages, in whose neighbourhood a script finds `data/first-run.json`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.e2e.lab")

from tests.e2e.lab import Lab, own_database, own_redis  # noqa: E402


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with own_database(os.environ.get("DATABASE_URL", "")) as database:
        services = {"DATABASE_URL": database, "REDIS_URL": own_redis(os.environ.get("REDIS_URL", ""))}
        lab = Lab(tmp_path_factory.mktemp("lab"), services if database else {})
        with lab.up():
            yield lab


@pytest.fixture
def clone(lab: Lab, tmp_path: Path) -> Path:
    """A folder with the lab's data folder where a clone has it."""
    (tmp_path / "data").symlink_to(lab.data_dir)
    return tmp_path
