"""The Celery worker around a node: it ends with its node, so that the supervisor starts another."""

from pathlib import Path

import pytest

from tests.shell.process import NodeProcess


@pytest.mark.slow
def test_a_worker_whose_node_has_died_ends_with_an_error(tmp_path: Path) -> None:
    """The database has no tables, so the node cannot even say that it is there."""
    worker = NodeProcess(tmp_path, database=f"sqlite:///{tmp_path}/empty.sqlite3")
    try:
        assert worker.wait(60) > 0
        assert "the simulator node died" in worker.log.read_text()
    finally:
        worker.end()
