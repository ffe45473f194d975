"""The web process as production runs it, on the tests' own database."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    of = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{of['NAME']}"
    return f"postgres://{quote(of['USER'])}:{quote(of['PASSWORD'])}@{of['HOST']}:{of['PORT']}/{of['NAME']}"


class Web:
    """`address` without a slash at the end; `said` is what the process has printed so far."""

    def __init__(self, address: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.address, self.process, self.log = address, process, log

    def said(self) -> str:
        return self.log.read_text()

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers={"Authorization": f"Bearer {token}"}, timeout=60)


@contextmanager
def web(log: Path, **settings: str) -> Iterator[Web]:
    """Answers once the block begins: the socket listens already, so early requests wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        env = os.environ | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "ocpplab.settings"} | settings
        arguments = ["--fd", str(listener.fileno()), "-v", "0", "--application-close-timeout", "3"]
        command = [sys.executable, "-m", "ocpplab.web", *arguments, "ocpplab.asgi:application"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command, cwd=PROJECT, env=env, pass_fds=[listener.fileno()], stdout=output, stderr=output
            )
        try:
            yield Web(f"http://127.0.0.1:{listener.getsockname()[1]}", process, log)
        finally:
            process.kill()
            process.wait()
