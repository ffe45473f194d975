"""A running lab for the published clients; the tests of one worker share it."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.e2e.client", "tests.e2e.lab", "tests.e2e.story")

from tests.e2e.conftest import csms, grown, lab  # noqa: E402

__all__ = ["csms", "grown", "lab"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("clients"))
            item.add_marker(pytest.mark.slow)
