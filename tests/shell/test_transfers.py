"""Files that stations fetch and send, with real servers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from simulator.core.transfers import DENIED, FAILURE, NOT_SUPPORTED, Download, Transferred, Upload
from simulator.shell.file_servers import Limits
from simulator.shell.transfers import Transfers
from tests.pki import Authority
from tests.shell.conftest import until
from tests.shell.file_server import Asked, FileServer, FtpServer, Reply

FILE = bytes(range(256)) * 4000
ME = uuid4()
SMALL = Limits(seconds=20, idle_seconds=15, most_bytes=2_000_000)


async def frames(charger_id: UUID, oldest: float, latest: float) -> str:
    assert charger_id == ME
    return f"frames {oldest:g} to {latest:g}\n"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


@pytest.fixture
async def transfers() -> AsyncIterator[Transfers]:
    running = Transfers(frames, SMALL)
    yield running
    running.close()


async def done(transfers: Transfers, order: Download | Upload) -> Transferred:
    told: asyncio.Future[Transferred] = asyncio.get_running_loop().create_future()
    transfers.begin(ME, order, told.set_result)
    return await asyncio.wait_for(told, 30)


async def test_a_file_is_counted_and_hashed(transfers: Transfers, server: FileServer) -> None:
    server.rules["/fw.bin"] = Reply(200, FILE)
    found = await done(transfers, Download("k", server.url + "/fw.bin?token=1"))
    assert found == Transferred("k", size=len(FILE), digest=hashlib.sha256(FILE).hexdigest())
    assert server.asked[0].path == "/fw.bin?token=1"
    assert server.asked[0].headers["Host"] == server.url.removeprefix("http://")


@pytest.mark.parametrize(("status", "failure"), [(404, FAILURE), (500, FAILURE), (401, DENIED), (403, DENIED)])
async def test_an_answer_that_is_no_success(
    transfers: Transfers, server: FileServer, status: int, failure: str
) -> None:
    server.rules["/fw.bin"] = Reply(status)
    found = await done(transfers, Download("k", server.url + "/fw.bin"))
    assert (found.failure, found.reason) == (failure, f"the server answers HTTP {status}")


async def test_a_file_that_is_too_large_is_not_read_to_its_end(transfers: Transfers, server: FileServer) -> None:
    server.rules["/fw.bin"] = Reply(200, b"x" * (SMALL.most_bytes + 1))
    found = await done(transfers, Download("k", server.url + "/fw.bin"))
    assert (found.failure, found.reason) == (FAILURE, "the file is larger than 2000000 bytes")


@pytest.mark.parametrize("limits", [Limits(idle_seconds=0.2), Limits(seconds=0.2)])
async def test_a_slow_server_is_given_up(server: FileServer, limits: Limits) -> None:
    server.rules["/fw.bin"] = server.held
    transfers = Transfers(frames, limits)
    found = await done(transfers, Download("k", server.url + "/fw.bin"))
    transfers.close()
    assert found.failure == FAILURE
    assert "0.2 s" in found.reason


async def test_a_dead_server(transfers: Transfers) -> None:
    assert (await done(transfers, Download("k", "http://127.0.0.1:9/fw.bin"))).failure == FAILURE


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "http://metadata.google.internal/", "file:///etc/passwd"]
)
async def test_a_redirect_to_a_forbidden_place_is_not_followed(
    transfers: Transfers, server: FileServer, target: str
) -> None:
    server.rules["/fw.bin"] = Reply(302, b"", {"Location": target})
    assert (await done(transfers, Download("k", server.url + "/fw.bin"))).failure == DENIED
    assert (await done(transfers, Download("k", target))).failure == DENIED


async def test_private_addresses_are_closed_where_the_installation_says_so(
    transfers: Transfers, server: FileServer, settings: Any
) -> None:
    settings.ALLOW_PRIVATE_CSMS = False
    server.rules["/fw.bin"] = Reply(200, FILE)
    for host in ("127.0.0.1", "localhost", "2130706433"):
        found = await done(transfers, Download("k", server.url.replace("127.0.0.1", host) + "/fw.bin"))
        assert found.failure == DENIED
    assert server.asked == []


async def test_redirects_are_followed_and_credentials_stay_at_home(transfers: Transfers, server: FileServer) -> None:
    server.rules["/a"] = Reply(301, b"", {"Location": "/b"})
    server.rules["/b"] = Reply(307, b"", {"Location": server.url.replace("127.0.0.1", "localhost") + "/fw.bin"})
    server.rules["/fw.bin"] = Reply(200, FILE)
    found = await done(transfers, Download("k", server.url.replace("://", "://me:pw@") + "/a"))
    assert found.size == len(FILE)
    assert ["Authorization" in one.headers for one in server.asked] == [True, True, False]
    server.rules["/a"] = Reply(302, b"", {"Location": "/a"})
    assert (await done(transfers, Download("k", server.url + "/a"))).reason == "more than 5 redirects"


async def test_a_log_is_put_into_a_folder(transfers: Transfers, server: FileServer) -> None:
    server.rules["/logs/log.txt"] = Reply(201)
    found = await done(transfers, Upload("k", server.url + "/logs/?sig=1", "log.txt", "facts\n", frames=(1.0, 2.0)))
    [asked] = server.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", "/logs/log.txt?sig=1", b"facts\nframes 1 to 2\n")
    assert found == Transferred("k", size=len(asked.body))
    assert asked.headers["Content-Disposition"] == 'attachment; filename="log.txt"'


async def test_a_server_that_wants_a_post_gets_one(transfers: Transfers, server: FileServer) -> None:
    def only_post(asked: Asked) -> Reply:
        return Reply(200 if asked.method == "POST" else 405)

    server.rules["/upload"] = only_post
    assert not (await done(transfers, Upload("k", server.url + "/upload", "log.txt", "x"))).failure
    assert server.methods() == ["PUT", "POST"]
    server.rules["/upload"] = Reply(405)
    assert (await done(transfers, Upload("k", server.url + "/upload", "log.txt", "x"))).failure == NOT_SUPPORTED


async def test_tls_is_checked_against_the_roots_of_the_station(transfers: Transfers, tmp_path: Path) -> None:
    authority = Authority()
    with FileServer(authority.server_context(tmp_path, "localhost"), "localhost") as server:
        server.rules["/fw.bin"] = Reply(200, FILE)
        url = server.url + "/fw.bin"
        assert (await done(transfers, Download("k", url, (authority.pem,)))).size == len(FILE)
        assert (await done(transfers, Download("k", url, insecure=True))).size == len(FILE)
        assert "CERTIFICATE_VERIFY_FAILED" in (await done(transfers, Download("k", url))).reason
        wrong_name = url.replace("localhost", "127.0.0.1")
        assert (await done(transfers, Download("k", wrong_name, (authority.pem,)))).failure == FAILURE


async def test_ftp_fetches_and_stores(transfers: Transfers) -> None:
    with FtpServer() as server:
        server.files["fw/one.bin"] = FILE
        url = f"ftp://me:secret@127.0.0.1:{server.port}/"
        assert (await done(transfers, Download("k", url + "fw/one.bin"))).size == len(FILE)
        assert (await done(transfers, Download("k", url + "fw/two.bin"))).failure == DENIED
        assert (await done(transfers, Download("k", url.replace("secret", "guess") + "fw/one.bin"))).failure == DENIED
        assert (await done(transfers, Download("k", url + "fw%0d%0aDELE"))).failure == FAILURE
        assert not (await done(transfers, Upload("k", url + "logs/", "log.txt", "facts"))).failure
        assert server.files["logs/log.txt"] == b"facts"


async def test_what_is_cancelled_is_never_told(transfers: Transfers, server: FileServer) -> None:
    server.rules["/fw.bin"] = server.held
    told: list[Transferred] = []
    transfers.begin(ME, Download("one", server.url + "/fw.bin"), told.append)
    await asyncio.to_thread(server.opened.wait, 15)
    transfers.cancel_all(ME)
    server.left.set()
    server.rules["/fw.bin"] = Reply(200, FILE)
    assert (await done(transfers, Download("two", server.url + "/fw.bin"))).size == len(FILE)
    assert (told, transfers.running) == ([], {})


async def test_only_so_many_run_at_once(server: FileServer) -> None:
    server.rules["/fw.bin"] = server.held
    transfers, told = Transfers(frames, SMALL, at_once=2), list[Transferred]()
    for number in range(5):
        transfers.begin(ME, Download(str(number), server.url + "/fw.bin"), told.append)
    await until(lambda: len(server.asked) == 2)
    server.left.set()
    await until(lambda: len(told) == 5)
    transfers.close()
    assert not any(one.failure for one in told)
