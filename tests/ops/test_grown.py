"""The same lab on PostgreSQL and Redis: two URLs are all it takes."""

import os
import signal
from pathlib import Path

import pytest

from tests.ops.lab import up

pytestmark = pytest.mark.slow


def test_two_simulators_share_the_chargers_on_postgresql_and_redis(tmp_path: Path, servers: dict[str, str]):
    with up(tmp_path, SIMULATORS="2", **servers) as lab:
        lab.await_ready()
        assert sorted(lab.processes()) == ["beat", "simulator-1", "simulator-2", "web", "worker"]
        lab.await_chargers()
        os.kill(lab.processes()["simulator-1"], signal.SIGKILL)
        lab.await_whole()
        assert not list(tmp_path.glob("*.sqlite3"))
        lab.running.send(signal.SIGTERM)
        assert lab.running.ended() == 0
