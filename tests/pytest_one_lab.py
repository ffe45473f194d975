"""How the tests are shared out under pytest-xdist.

Two workers a core, since the tests wait for sockets and processes half of their time. What shares a lab of real
processes is one group, for one worker: a second such lab would take longer to start than its tests to run. (The groups
of pytest-xdist 3.8 itself, `--dist loadgroup`, have no effect under pytest 9.2.)
"""

import os
from typing import Any

import pytest

WORKERS_PER_CORE = 2
# Folders, or files, whose tests share a lab; the group with the most tests goes first.
LABS = (
    "tests/admin/test_ocpi.py",
    "tests/clients/",
    "tests/contract/test_rows.py",
    "tests/docs/test_examples.py",
    "tests/e2e/",
    "tests/ocpi/test_live_bundles.py",
    "tests/openapi/test_conformance.py",
    "tests/openapi/",
    "tests/ops/test_up.py",
    "tests/ops/",
)


@pytest.hookimpl(optionalhook=True)  # xdist may be absent
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class OneLab(LoadScopeScheduling):
        """Every test is a group of its own, but those that share a lab are one."""

        def _split_scope(self, nodeid: str) -> str:
            return next((lab for lab in LABS if nodeid.startswith(lab)), nodeid)

    return OneLab(config, log)
