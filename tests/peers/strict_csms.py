"""The npm package `ocpp-rpc` in strict mode as a peer: a Node process beside the test, spoken to in JSON lines."""

import asyncio
import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.peers.ledger import PATIENCE, TO_CSMS, TO_STATION, Ledger

SOURCE = Path(__file__).with_name("node")
TOOLS = ("node", "npm")


def missing() -> str:
    """What this machine lacks to run the peer; empty if nothing."""
    return " and ".join(tool for tool in TOOLS if shutil.which(tool) is None)


def installed() -> Path:
    """The folder with the server and its dependencies, outside the repository, installed once per lock file."""
    content = b"".join(path.read_bytes() for path in sorted(SOURCE.iterdir()) if path.is_file())
    folder = Path(tempfile.gettempdir()) / f"ocpplab-peer-{hashlib.sha256(content).hexdigest()[:16]}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come at once
        if not (folder / "complete").exists():
            for name in ("package.json", "package-lock.json", "server.js"):
                shutil.copy(SOURCE / name, folder / name)
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=folder, check=True, capture_output=True, timeout=120,
            )  # fmt: skip
            (folder / "complete").touch()
    return folder


class StrictCsms(Ledger):
    """Like ScriptedCsms, with fixed answers and another judge. `violations` are what ocpp-rpc objects to."""

    def __init__(self) -> None:
        super().__init__()
        self.violations: list[str] = []
        self.connections: Counter[str] = Counter()
        self.port: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port.result()}/ocpp"

    async def __aenter__(self) -> Self:
        folder = await asyncio.to_thread(installed)
        self.process = await asyncio.create_subprocess_exec(
            "node", str(folder / "server.js"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 20,
        )  # fmt: skip
        self.reader = asyncio.create_task(self.listen())
        await asyncio.wait_for(self.port, PATIENCE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()  # the server leaves when nobody speaks to it any more
        await asyncio.wait_for(self.process.wait(), PATIENCE)
        await self.reader

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.heard(json.loads(line))

    def heard(self, message: dict[str, Any]) -> None:
        match message:
            case {"event": "listening", "port": port}:
                self.port.set_result(port)
            case {"event": "connected", "identity": identity}:
                self.connections[identity] += 1
            case {"event": "frame", "identity": identity, "outbound": outbound, "text": text}:
                self.record(identity, TO_STATION if outbound else TO_CSMS, text, self.connections[identity])
            case {"event": "violation", "identity": identity, "what": what}:
                self.violations.append(f"{identity}: {what}")

    async def call(self, identity: str, action: str, payload: dict[str, Any]) -> Any:
        """The payload of the station's answer (the code of an ERROR)."""
        assert self.process.stdin is not None
        before = len(self.frames(identity))
        self.process.stdin.write(
            json.dumps({"identity": identity, "action": action, "payload": payload}).encode() + b"\n"
        )
        await self.process.stdin.drain()
        answer = await self.wait_for(
            identity, lambda seen: seen.is_answer(action), after=before, what=f"answer to {action}"
        )
        return answer.payload
