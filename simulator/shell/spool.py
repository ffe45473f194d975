"""The append-only files that a frame stands in before it goes out or is acted upon.

`<data>/spool/<node>/` holds `lock`, kept locked by the writer for its whole life, numbered segments of JSON lines, and
`held.json` with the shards that it runs.
One write per step, no buffer of our own and no fsync: it survives the process's death, not the machine's. A lock that
can be taken proves the writer dead.
"""

import fcntl
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from chargers.services.ingest import Record

logger = logging.getLogger(__name__)
HELD = "held.json"
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


class SpoolFull(OSError):
    """The record could not be written whole (no space left); nothing of it remains."""


def encoded(record: Record) -> bytes:
    """The record's line. Text that is no valid Unicode (lone surrogates from a CSMS's escapes) is escaped."""
    try:
        return _encoder.encode(record) + b"\n"
    except UnicodeEncodeError:
        plain = printable(msgspec.to_builtins(record))
        return _encoder.encode(plain) + b"\n"


def printable(value: Any) -> Any:
    """The same JSON value with NULs and lone surrogates spelled out, as every database takes them."""
    if isinstance(value, str):
        return value.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    return value


def is_abandoned(folder: Path) -> bool:
    """Nobody holds the lock: the writer is dead, and nobody imports yet. Asking shuts importers out for a moment."""
    lock = _flock(folder, fcntl.LOCK_SH)
    if lock is None:
        return False
    os.close(lock)
    return True


def try_lock(folder: Path) -> int | None:
    """The descriptor of the folder's lock, or None while somebody else holds it or the folder has gone."""
    return _flock(folder, fcntl.LOCK_EX)


def _flock(folder: Path, kind: int) -> int | None:
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    if os.fstat(lock).st_nlink == 0:  # its former owner removed the folder before letting go
        os.close(lock)
        return None
    return lock


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def read(segment: Path) -> list[Record]:
    """The records of a segment in order. A torn line is what a dying process was writing: nobody saw its frame."""
    records: list[Record] = []
    for line in segment.read_bytes().splitlines():
        try:
            records.append(_decoder.decode(line))
        except msgspec.MsgspecError:
            logger.warning("unreadable line in a spool", extra={"segment": str(segment), "bytes": len(line)})
    return records


def held(folder: Path) -> dict[int, int]:
    """The epoch of each shard that the spool's writer held last."""
    try:
        return msgspec.json.decode((folder / HELD).read_bytes(), type=dict[int, int])
    except (OSError, msgspec.MsgspecError):
        return {}


def remove(folder: Path) -> None:
    """Takes away a spool whose lock the caller holds."""
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    folder.rmdir()


class Spool:
    """The writer's side. Records are counted; `committed(n)` removes the segments that hold only the first n."""

    def __init__(self, root: Path, node_id: str) -> None:
        self.folder = root / node_id
        self.appended = 0
        self.size = 0
        self._lock = self._create(root, node_id)
        self._number = 0
        self._closed: list[tuple[Path, int, int]] = []  # path, ordinal of its last record, bytes
        self._segment, self._descriptor = self._open()
        self._segment_size = 0

    def _create(self, root: Path, node_id: str) -> int:
        """The folder appears under its name already locked, else an importer could take it for a dead one's."""
        hidden = root / f".{node_id}"
        hidden.mkdir(parents=True, mode=0o700)
        lock = os.open(hidden / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        hidden.rename(self.folder)
        return lock

    def _open(self) -> tuple[Path, int]:
        path = self.folder / f"{self._number:08d}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._number += 1
        return path, descriptor

    def append(self, line: bytes) -> None:
        """Raises SpoolFull, with nothing written, when the disk does not take the line."""
        try:
            written = os.write(self._descriptor, line)
        except OSError as error:
            raise SpoolFull(str(error)) from error
        if written < len(line):
            os.ftruncate(self._descriptor, self._segment_size)
            raise SpoolFull("No space left for the spool.")
        self._segment_size += written
        self.size += written
        self.appended += 1

    def note_held(self, epochs: Mapping[int, int]) -> None:
        """What the node holds (epoch by shard), for whoever finds the spool after its death. Best effort."""
        fresh = self.folder / f".{HELD}"
        try:
            fresh.write_bytes(msgspec.json.encode(dict(epochs)))
            fresh.replace(self.folder / HELD)
        except OSError:
            logger.warning("the spool does not say what the node holds", exc_info=True)

    def rotate(self) -> None:
        """Later records go to a new segment. Where none can be created the current one goes on."""
        if not self._segment_size:
            return
        path, descriptor, size = self._segment, self._descriptor, self._segment_size
        try:
            self._segment, self._descriptor = self._open()
        except OSError:
            logger.warning("no new spool segment", exc_info=True)
            return
        os.close(descriptor)
        self._closed.append((path, self.appended, size))
        self._segment_size = 0

    def committed(self, ordinal: int) -> None:
        while self._closed and self._closed[0][1] <= ordinal:
            path, _, size = self._closed.pop(0)
            path.unlink(missing_ok=True)
            self.size -= size

    def close(self, *, empty: bool) -> None:
        """`empty`: everything is in the database, the folder goes. Else whoever finds it imports it."""
        os.close(self._descriptor)
        if empty:
            remove(self.folder)
        os.close(self._lock)
