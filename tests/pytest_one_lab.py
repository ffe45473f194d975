"""Under pytest-xdist all of tests/e2e goes to one worker: a second lab would fight the first for the same two cores."""

from typing import Any

import pytest

FOLDER = "tests/e2e/"


@pytest.hookimpl(optionalhook=True)  # xdist may be absent
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class OneLab(LoadScopeScheduling):
        """Every test is a group of its own, but those of the real processes are one; the largest group goes first."""

        def _split_scope(self, nodeid: str) -> str:
            return FOLDER if nodeid.startswith(FOLDER) else nodeid

    return OneLab(config, log)
