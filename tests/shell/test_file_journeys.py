"""Firmware, diagnostics and logs from the CSMS's call to the last notification, with real file servers."""

import asyncio
import base64
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chargers.models import Charger, StationState
from tests.factories import ChargerModelFactory
from tests.peers.scripted_csms import ScriptedCsms
from tests.pki import Authority
from tests.shell.conftest import NodeFactory, query
from tests.shell.file_server import FileServer, Reply
from tests.shell.process import NodeProcess

ME = "CP-0"
NOW = "2020-01-01T00:00:00Z"
FILE = b"\x7fELF" + bytes(200_000)
PROGRESS = ("FirmwareStatusNotification", "SignedFirmwareStatusNotification")
Fleet = Callable[..., list[Charger]]


@pytest.fixture
def files() -> Iterator[FileServer]:
    with FileServer() as running:
        yield running


def told(csms: ScriptedCsms, *actions: str) -> list[str]:
    return [seen.payload["status"] for seen in csms.frames(ME) if seen.is_call() and seen.action in actions]


async def hears(csms: ScriptedCsms, action: str, status: str) -> None:
    await csms.wait_for(ME, lambda seen: seen.is_call(action) and seen.payload["status"] == status, deadline=40)


async def started(csms: ScriptedCsms, fleet_of: Fleet, version: str = "OCPP1.6", **settings: str) -> Charger:
    """A charger that is about to connect; `settings` are its configuration."""

    def make() -> Charger:
        ChargerModelFactory(ocpp_versions=["OCPP1.6", "OCPP2.0.1"])
        [charger] = fleet_of(1, csms.url, ocpp_version=version)
        StationState.objects.filter(charger=charger).update(memory={"configuration": settings})
        return charger

    return await query(make)


async def test_a_16_charger_updates_its_firmware(fleet_of: Fleet, start_node: NodeFactory, files: FileServer) -> None:
    files.rules["/fw-7.1.bin"] = Reply(200, FILE)
    async with ScriptedCsms() as csms:
        await started(csms, fleet_of)
        await start_node()
        await csms.connected(ME)
        await csms.wait_for(ME, lambda seen: seen.is_call("StatusNotification"))
        assert await csms.call(ME, "UpdateFirmware", {"location": files.url + "/fw-7.1.bin", "retrieveDate": NOW}) == {}
        await hears(csms, PROGRESS[0], "Installed")
        assert told(csms, PROGRESS[0]) == ["Downloading", "Downloaded", "Installing", "Installed"]
        boots = [seen.payload["firmwareVersion"] for seen in csms.frames(ME) if seen.is_call("BootNotification")]
        assert boots == ["6.4.2", "7.1"]
        assert csms.violations == []


async def test_diagnostics_hold_the_last_frames_without_secrets(
    fleet_of: Fleet, start_node: NodeFactory, files: FileServer
) -> None:
    files.rules["/upload"] = Reply(200)
    async with ScriptedCsms() as csms:
        await started(csms, fleet_of)
        await start_node()
        await csms.connected(ME)
        await csms.wait_for(ME, lambda seen: seen.is_call("StatusNotification"))
        secret = {"key": "AuthorizationKey", "value": "correct-horse-battery"}
        assert (await csms.call(ME, "ChangeConfiguration", secret))["status"] == "Accepted"
        await csms.call(ME, "GetDiagnostics", {"location": files.url.replace("://", "://me:hunter2@") + "/upload"})
        await hears(csms, "DiagnosticsStatusNotification", "Uploaded")
        [asked] = files.asked
        text = asked.body.decode()
        assert asked.headers["Authorization"] == "Basic " + base64.b64encode(b"me:hunter2").decode()
        assert '"BootNotification"' in text
        assert '"ChangeConfiguration"' in text
        assert "correct-horse-battery" not in text + repr(await query(lambda: StationState.objects.get().memory))
        assert "hunter2" not in text
        assert csms.violations == []


async def test_a_download_that_cannot_be_is_given_up_after_its_retries(
    fleet_of: Fleet, start_node: NodeFactory, files: FileServer
) -> None:
    files.rules["/inside"] = Reply(302, b"", {"Location": "http://169.254.169.254/latest"})
    async with ScriptedCsms() as csms:
        await started(csms, fleet_of)
        await start_node()
        await csms.connected(ME)
        await csms.wait_for(ME, lambda seen: seen.is_call("StatusNotification"))
        for path, asked in (("/missing", 3), ("/inside", 6)):
            request = {"location": files.url + path, "retrieveDate": NOW, "retries": 2, "retryInterval": 0}
            before = len(csms.frames(ME))
            await csms.call(ME, "UpdateFirmware", request)
            await csms.wait_for(
                ME, lambda seen: seen.is_call() and seen.payload.get("status") == "DownloadFailed", after=before
            )
            assert len(files.asked) == asked
        assert told(csms, PROGRESS[0]) == ["Downloading", "DownloadFailed"] * 2
        assert csms.violations == []


def signed(maker: Authority, url: str) -> dict[str, object]:
    pair = maker.client("Signer")
    key = load_pem_private_key(pair.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made = base64.b64encode(key.sign(FILE, ec.ECDSA(SHA256()))).decode()
    firmware = {
        "location": url, "retrieveDateTime": NOW, "signingCertificate": pair.certificate, "signature": made,
    }  # fmt: skip
    return {"requestId": 5, "firmware": firmware}


@pytest.mark.parametrize(
    ("version", "action", "progress"),
    [("OCPP1.6", "SignedUpdateFirmware", PROGRESS[1]), ("OCPP2.0.1", "UpdateFirmware", PROGRESS[0])],
)
async def test_signed_firmware_is_really_verified(
    fleet_of: Fleet, start_node: NodeFactory, files: FileServer, version: str, action: str, progress: str
) -> None:
    maker = Authority("Maker")
    async with ScriptedCsms() as csms:
        await started(csms, fleet_of, version, SecurityExtensionEnabled="true")
        await start_node()
        await csms.connected(ME)
        await csms.wait_for(ME, lambda seen: seen.is_call("StatusNotification"))
        root = {"certificateType": "ManufacturerRootCertificate", "certificate": maker.pem}
        assert (await csms.call(ME, "InstallCertificate", root))["status"] == "Accepted"
        files.rules["/fw-8.0.bin"] = Reply(200, FILE[:-1])
        assert (await csms.call(ME, action, signed(maker, files.url + "/fw-8.0.bin")))["status"] == "Accepted"
        await hears(csms, progress, "InvalidSignature")
        files.rules["/fw-8.0.bin"] = Reply(200, FILE)
        assert (await csms.call(ME, action, signed(maker, files.url + "/fw-8.0.bin")))["status"] == "Accepted"
        await hears(csms, progress, "Installed")
        assert told(csms, progress) == [
            "Downloading", "Downloaded", "InvalidSignature", "Downloading", "Downloaded", "SignatureVerified",
            "Installing", "InstallRebooting", "Installed",
        ]  # fmt: skip
        assert csms.violations == []


@pytest.mark.slow
async def test_an_update_survives_the_death_of_its_node(
    fleet_of: Fleet, data_dir: Path, transactional_db: None, files: FileServer
) -> None:
    files.rules["/fw-9.0.bin"] = files.held
    processes: list[NodeProcess] = []
    async with ScriptedCsms() as csms:
        await started(csms, fleet_of)
        try:
            processes.append(NodeProcess(data_dir, 1))
            await csms.connected(ME, deadline=40)
            await csms.wait_for(ME, lambda seen: seen.is_call("StatusNotification"))
            await csms.call(ME, "UpdateFirmware", {"location": files.url + "/fw-9.0.bin", "retrieveDate": NOW})
            await hears(csms, PROGRESS[0], "Downloading")
            assert await asyncio.to_thread(files.opened.wait, 20)
            processes[0].send(signal.SIGKILL)
            processes[0].wait()
            files.rules["/fw-9.0.bin"] = Reply(200, FILE)
            files.left.set()
            processes.append(NodeProcess(data_dir, 2))
            await hears(csms, PROGRESS[0], "Installed")
        finally:
            for process in processes:
                process.end()
        assert told(csms, PROGRESS[0]) == ["Downloading", "Downloaded", "Installing", "Installed"]
        boots = [seen.payload["firmwareVersion"] for seen in csms.frames(ME) if seen.is_call("BootNotification")]
        assert boots == ["6.4.2", "6.4.2", "9.0"]
        assert csms.violations == []
