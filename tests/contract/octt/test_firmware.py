"""OCTT for OCPP 1.6: firmware and diagnostics. The files themselves are moved in tests/shell."""

import pytest

from simulator.core.transfers import FAILURE, Download, Upload
from tests.contract.octt.cases import octt
from tests.contract.octt.driver import station, statuses
from tests.core.firmware import DIGEST, SIGNED, URL, events, installed, maker, secured, signature, signed_request, told
from tests.core.rig import NOW, Rig

DIAGNOSTICS = "DiagnosticsStatusNotification"


def updating() -> Rig:
    rig = station()
    assert rig.csms("UpdateFirmware", location=URL, retrieveDate=NOW, retries=1, retryInterval=5) == {}
    return rig


@octt("TC_044_1_CS")
def test_firmware_is_fetched_and_installed() -> None:
    rig = updating()
    assert isinstance(rig.transferred(), Download)
    assert told(rig) == ["Downloading", "Downloaded", "Installing"]
    assert statuses(rig) == ["Unavailable"]
    installed(rig)
    assert told(rig)[-1] == "Installed"
    assert rig.calls("BootNotification")[0]["firmwareVersion"] == "2.4.0"
    assert statuses(rig)[-1] == "Available"


@octt("TC_044_2_CS")
def test_firmware_that_cannot_be_fetched() -> None:
    rig = updating()
    for _ in range(2):
        rig.transferred(failure=FAILURE)
        rig.run(6)
    assert told(rig)[-1] == "DownloadFailed"
    assert "Installing" not in told(rig)


@octt("TC_044_3_CS")
def test_firmware_that_cannot_be_installed() -> None:
    rig = updating()
    rig.transferred(size=0)
    rig.run(600)
    assert told(rig) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]


@octt("TC_045_1_CS")
def test_diagnostics_are_uploaded() -> None:
    rig = station()
    name = rig.csms("GetDiagnostics", location="http://files.example/up/")["fileName"]
    order = rig.transferred()
    assert isinstance(order, Upload)
    assert order.name == name
    assert told(rig, DIAGNOSTICS) == ["Uploading", "Uploaded"]


@octt("TC_045_2_CS")
def test_diagnostics_that_cannot_be_uploaded() -> None:
    rig = station()
    rig.csms("GetDiagnostics", location="http://files.example/up/", retries=0)
    rig.transferred(failure=FAILURE)
    assert told(rig, DIAGNOSTICS) == ["Uploading", "UploadFailed"]


@octt("TC_079_CS")
def test_the_security_log_is_uploaded() -> None:
    rig = secured("ocpp1.6")
    log = {"remoteLocation": "http://files.example/up/"}
    answer = rig.csms("GetLog", logType="SecurityLog", requestId=3, log=log)
    assert answer["status"] == "Accepted"
    order = rig.transferred()
    assert isinstance(order, Upload)
    assert "StartupOfTheDevice" in order.text
    assert [(one["status"], one["requestId"]) for one in rig.calls("LogStatusNotification")] == [
        ("Uploading", 3), ("Uploaded", 3),
    ]  # fmt: skip


@octt("TC_080_CS")
def test_signed_firmware_is_installed() -> None:
    authority = maker()
    rig = secured("ocpp1.6", authority)
    assert rig.csms("SignedUpdateFirmware", **signed_request(authority.client("Signer"))) == {"status": "Accepted"}
    rig.transferred(digest=DIGEST)
    installed(rig)
    rig.run(1)
    assert told(rig, SIGNED) == [
        "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed",
    ]  # fmt: skip
    assert "FirmwareUpdated" in events(rig)


@octt("TC_081_CS")
@pytest.mark.parametrize("file", [b"another file", b""])
def test_firmware_whose_signature_is_wrong_is_not_installed(file: bytes) -> None:
    authority = maker()
    rig, pair = secured("ocpp1.6", authority), authority.client("Signer")
    rig.csms("SignedUpdateFirmware", **signed_request(pair, signature=signature(pair, file)))
    rig.transferred(digest=DIGEST)
    rig.run(600)
    assert told(rig, SIGNED) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert events(rig) == ["InvalidFirmwareSignature"]
