"""The gateway's settings, with a data folder of its own for every test process.

Two runs at once, or two workers of one run, share no database file, broker folder or Redis database.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def own_data_dir() -> str:
    """A subfolder of the given DATA_DIR per worker; without one, a folder that goes away with the process."""
    given = os.environ.get("DATA_DIR")
    if given is None:
        scratch = tempfile.mkdtemp(prefix="ocpplab-test-")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        return scratch
    return str(Path(given) / WORKER) if WORKER and Path(given).name != WORKER else given


def own_redis(url: str) -> str:
    """Redis has 16 databases: the workers count up from the one given."""
    parts = urlsplit(url)
    number = int(parts.path.strip("/") or 0) + int(WORKER.removeprefix("gw") or 0)
    return parts._replace(path=f"/{number}").geturl()


os.environ["DATA_DIR"] = own_data_dir()
if os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = own_redis(os.environ["REDIS_URL"])

from ocpplab.settings import *  # noqa: E402, F403
