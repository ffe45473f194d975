"""The spool on its own: whole lines, torn lines, full disks, locks."""

import resource
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from chargers.services.ingest import Record
from simulator.core.facts import CommandAdvanced, ConnectionChanged, Frame
from simulator.shell.spool import Spool, SpoolFull, encoded, is_abandoned, read, remove, segments, try_lock

TENANT, CHARGER = UUID(int=1), UUID(int=2)


def record(sequence: int, text: str = "[]") -> Record:
    facts = [
        Frame(sequence, "cp_to_csms", text, 1.5, "CALL", "id", "Heartbeat"),
        ConnectionChanged(sequence + 1, "closed", 1.5, 1006, "gone"),
        CommandAdvanced("abc", "accepted", 2.0, frames=[1], result={"a": None}),
    ]
    return Record(TENANT, CHARGER, 63, 7, facts, {"registration": {"status": "Accepted"}, "gone": None})


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    one = Spool(tmp_path / "spool", "node-1")
    yield one
    if one.folder.exists():
        one.close(empty=True)


def everything(folder: Path) -> list[Record]:
    return [one for segment in segments(folder) for one in read(segment)]


def test_records_come_back_as_they_went_in(spool: Spool):
    for number in range(3):
        spool.append(encoded(record(number, "ä\n\u2028\x00")))
    assert everything(spool.folder) == [record(number, "ä\n\u2028\x00") for number in range(3)]


def test_a_lone_surrogate_is_spelled_out(spool: Spool):
    spool.append(encoded(record(1, "\ud800")))
    [one] = everything(spool.folder)
    assert one.facts[0].text == "\\ud800"


def test_a_torn_last_line_is_ignored(spool: Spool):
    line = encoded(record(1))
    spool.append(line)
    spool.append(line[: len(line) // 2])
    assert everything(spool.folder) == [record(1)]


def test_segments_go_when_their_last_record_is_committed(spool: Spool):
    for number in range(4):
        spool.append(encoded(record(number)))
        if number % 2:
            spool.rotate()
    assert [one.facts[0].sequence for one in everything(spool.folder)] == [0, 1, 2, 3]
    spool.committed(1)
    assert len(everything(spool.folder)) == 4
    spool.committed(2)
    assert [one.facts[0].sequence for one in everything(spool.folder)] == [2, 3]
    spool.committed(4)
    assert everything(spool.folder) == []
    assert spool.size == 0


def test_no_room_leaves_no_half_line(spool: Spool):
    line = encoded(record(1, "x" * 1000))
    spool.append(line)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(line) + 100, before[1]))
    try:
        for _ in range(2):
            with pytest.raises(SpoolFull):
                spool.append(line)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    spool.append(encoded(record(2)))
    assert [one.facts[0].sequence for one in everything(spool.folder)] == [1, 2]
    assert spool.appended == 2


def test_a_lock_that_can_be_taken_proves_the_writer_dead(tmp_path: Path):
    root = tmp_path / "spool"
    spool = Spool(root, "node-1")
    assert not is_abandoned(spool.folder)
    assert try_lock(spool.folder) is None
    spool.append(encoded(record(1)))
    spool.close(empty=False)
    assert is_abandoned(spool.folder)
    lock = try_lock(spool.folder)
    assert lock is not None
    assert not is_abandoned(spool.folder), "somebody is importing it"
    assert try_lock(spool.folder) is None
    remove(spool.folder)
    assert try_lock(spool.folder) is None
    assert not is_abandoned(spool.folder)


def test_an_emptied_spool_leaves_nothing_behind(tmp_path: Path):
    root = tmp_path / "spool"
    spool = Spool(root, f"node-{uuid4()}")
    spool.append(encoded(record(1)))
    spool.close(empty=True)
    assert list(root.iterdir()) == []
