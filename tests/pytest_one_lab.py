"""How the tests are shared out under pytest-xdist, which is told `--dist loadgroup`.

Two workers a core, since the tests wait for sockets and processes half of their time. What shares a lab of real
processes is one group, for one worker: a second such lab would take longer to start than its tests to run.
"""

import os

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
    "tests/openapi/",
    "tests/ops/",
)


@pytest.hookimpl(optionalhook=True)  # xdist may be absent
def pytest_xdist_auto_num_workers() -> int:
    """What `-n auto` means."""
    return WORKERS_PER_CORE * (os.cpu_count() or 1)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        lab = next((lab for lab in LABS if item.nodeid.startswith(lab)), None)
        if lab is not None:
            item.add_marker(pytest.mark.xdist_group(lab))
