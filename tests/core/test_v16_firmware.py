"""OCPP 1.6: firmware updates, diagnostics and logs (behaviour contract, 5.2, 5.3)."""

from typing import Any

import msgspec
import pytest

from simulator.core.setup import VendorKey
from simulator.core.transfers import BAD_MESSAGE, DENIED, FAILURE, NOT_SUPPORTED, Download, Upload
from tests.contract.proving import proves
from tests.core.firmware import DIGEST, SIGNED, URL, events, installed, maker, secured, signature, signed_request, told
from tests.core.rig import NOW, WALL, Rig

LATER = "2026-04-02T10:15:00Z"
REFUSALS = ("InvalidCertificate", "RevokedCertificate", "AcceptedCanceled", "Rejected")
LOG = "http://files.example/logs/"


def station() -> Rig:
    rig = Rig().boot()
    rig.forget()
    return rig


def with_keys(**values: str) -> Rig:
    """A model whose catalog entry says otherwise."""
    rig = Rig()
    keys = tuple(VendorKey(name, value, readonly=True) for name, value in values.items())
    rig.setup = msgspec.structs.replace(rig.setup, vendor_keys=keys)
    rig.rebuild()
    rig.boot().forget()
    return rig


def update(rig: Rig, **more: Any) -> None:
    assert rig.csms("UpdateFirmware", **{"location": URL, "retrieveDate": NOW, **more}) == {}


def get_log(rig: Rig, request_id: int = 1, kind: str = "DiagnosticsLog", **more: Any) -> dict[str, Any]:
    return rig.csms("GetLog", logType=kind, requestId=request_id, log={"remoteLocation": LOG, **more})


# --- UpdateFirmware --------------------------------------------------------------------------------------------------


@proves("5.2/UpdateFirmware", "5.9/progress")
def test_firmware_is_fetched_installed_and_runs_after_a_boot() -> None:
    """OCTT TC_044_1_CS."""
    rig = station()
    update(rig)
    assert told(rig) == ["Downloading"]
    order = rig.transferred()
    assert isinstance(order, Download)
    assert order.url == URL
    assert told(rig) == ["Downloading", "Downloaded", "Installing"]
    assert "1 Unavailable" in rig.actions()
    installed(rig)
    assert rig.calls("BootNotification")[-1]["firmwareVersion"] == "2.4.0"
    assert told(rig)[3:] == ["Installed"]
    assert rig.actions().index("BootNotification") < len(rig.actions()) - 1
    assert "1 Available" in rig.actions()
    rig.restart(killed=True)
    assert rig.calls("BootNotification")[-1]["firmwareVersion"] == "2.4.0", "it is the device's from now on"
    assert told(rig)[3:] == ["Installed"]
    get_diagnostics(rig)
    rig.transferred()
    assert told(rig, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]


@pytest.mark.parametrize(
    ("location", "version"),
    [
        (URL, "2.4.0"),
        ("http://x/latest.bin", "1.2.4"),
        ("http://x/v9/fw_3.1.bin?token=7.7", "3.1"),
        ("http://x", "1.2.4"),
    ],
)
def test_the_new_version_is_that_of_the_file_or_the_next_one(location: str, version: str) -> None:
    rig = station()
    update(rig, location=location)
    rig.transferred()
    installed(rig)
    assert rig.calls("BootNotification")[-1]["firmwareVersion"] == version


def test_a_download_waits_for_its_date() -> None:
    rig = station()
    update(rig, retrieveDate=LATER)
    rig.run(3590)
    assert (told(rig), rig.transfers) == ([], [])
    rig.run(20)
    assert told(rig) == ["Downloading"]


def test_a_failed_download_is_tried_again_then_given_up() -> None:
    """OCTT TC_044_2_CS."""
    rig = station()
    update(rig, retries=2, retryInterval=20)
    for _ in range(2):
        rig.transferred(failure=FAILURE)
        assert (told(rig), rig.transfers) == (["Downloading"], [])
        rig.run(19)
        assert not rig.transfers
        rig.run(2)
    rig.transferred(failure=DENIED)
    assert told(rig) == ["Downloading", "DownloadFailed"]
    rig.run(100)
    assert not rig.transfers
    assert rig.csms("TriggerMessage", requestedMessage="FirmwareStatusNotification") == {"status": "Accepted"}
    assert told(rig)[-1] == "Idle"


@pytest.mark.parametrize("size", [0, 9])
def test_an_installation_can_fail(size: int) -> None:
    """OCTT TC_044_3_CS: an empty file cannot be installed; any other cannot while the fault says so."""
    rig = station()
    if size:
        rig.command("inject_fault", fault_type="FirmwareInstallationFailure", connector_id=1)
    update(rig)
    rig.transferred(size=size)
    rig.run(10)
    assert told(rig) == ["Downloading", "Downloaded", "Installing", "InstallationFailed"]
    assert [rig.calls("StatusNotification")[-1]["status"], len(rig.closed)] == ["Available", 0]
    assert not rig.calls("BootNotification")


def test_an_installation_waits_for_the_transaction_while_other_outlets_close() -> None:
    rig = station()
    rig.command("start_session", id_tag="A", connector_id=1)
    rig.run(10)
    rig.forget()
    update(rig)
    rig.transferred()
    rig.run(30)
    assert told(rig) == ["Downloading", "Downloaded"]
    assert [label for label in rig.actions() if label.startswith(("1", "2"))] == ["2 Unavailable"]
    assert rig.csms("RemoteStartTransaction", idTag="B", connectorId=2) == {"status": "Rejected"}
    rig.command("stop_session", connector_id=1)
    assert set(rig.actions()[-2:]) == {"1 Unavailable", "FirmwareStatusNotification"}
    assert told(rig)[-1] == "Installing"


@proves("5.1/Reset Rejected")
def test_no_reset_while_firmware_is_installed() -> None:
    rig = station()
    update(rig)
    assert rig.csms("TriggerMessage", requestedMessage="FirmwareStatusNotification") == {"status": "Accepted"}
    assert told(rig) == ["Downloading", "Downloading"]
    rig.transferred()
    assert rig.csms("Reset", type="Hard") == {"status": "Rejected"}
    update(rig, location="http://files.example/firmware-9.9.bin")
    assert not rig.transfers, "too late for another"
    installed(rig)
    assert rig.calls("BootNotification")[-1]["firmwareVersion"] == "2.4.0"


def test_a_new_request_replaces_a_download() -> None:
    rig = station()
    update(rig)
    update(rig, location="http://files.example/firmware-3.0.bin")
    order = rig.transferred()
    assert order.url.endswith("firmware-3.0.bin")


@pytest.mark.parametrize("killed", [True, False])
@pytest.mark.parametrize("stage", ["fetching", "waiting", "installing", "rebooting"])
def test_an_update_outlives_a_restart_at_any_stage(stage: str, *, killed: bool) -> None:
    rig = station()
    if stage == "waiting":
        rig.command("start_session", id_tag="A", connector_id=1)
        rig.run(10)
    update(rig)
    if stage != "fetching":
        rig.transferred()
    if stage == "rebooting":
        rig.run_until(lambda: bool(rig.closed))
    rig.transfers.clear()
    rig.drop()
    rig.restart(killed=killed)
    if stage == "fetching":
        rig.transferred()
    if stage == "waiting":
        rig.command("stop_session", connector_id=1)
    rig.run_until(lambda: told(rig)[-1:] == ["Installed"] or rig.station.wants_connection(rig.now))
    if told(rig)[-1] != "Installed":
        rig.connect()
    assert told(rig) == ["Downloading", "Downloaded", "Installing", "Installed"]
    assert rig.calls("BootNotification")[-1]["firmwareVersion"] == "2.4.0"


def test_what_happened_offline_is_told_afterwards_in_its_order() -> None:
    rig = station()
    update(rig)
    rig.go_down()
    rig.transferred()
    rig.reconnect()
    assert told(rig)[:3] == ["Downloading", "Downloaded", "Installing"]


def test_a_reset_begins_a_download_anew() -> None:
    rig = station()
    update(rig)
    [first] = rig.transfers
    rig.csms("Reset", type="Soft")
    assert not rig.transfers, "it ends with the machine's power"
    rig.reconnect()
    assert first.key != rig.transferred().key
    assert told(rig) == ["Downloading", "Downloaded", "Installing"]


def test_the_network_fault_cuts_downloads_too() -> None:
    rig = station()
    update(rig)
    rig.command("inject_fault", fault_type="network-drop", duration_seconds=30)
    assert not rig.transfers
    rig.run(30)
    rig.reconnect()
    assert told(rig) == ["Downloading", "DownloadFailed"]


@proves("6.1/SupportedFileTransferProtocols")
def test_only_listed_protocols_are_spoken() -> None:
    rig = station()
    change = {"key": "SupportedFileTransferProtocols", "value": "FTP"}
    assert rig.csms("ChangeConfiguration", **change) == {"status": "Rejected"}
    rig.csms("GetConfiguration", key=["SupportedFileTransferProtocols"])
    update(rig, location="ftp://files.example/fw.bin")
    assert (told(rig), rig.transfers) == (["DownloadFailed"], [])
    speaks_ftp = with_keys(SupportedFileTransferProtocols="FTP,HTTP")
    update(speaks_ftp, location="ftp://files.example/fw.bin")
    assert len(speaks_ftp.transfers) == 1


@proves("5.2/TriggerMessage NotImplemented")
def test_a_model_without_the_profile() -> None:
    rig = with_keys(SupportedFeatureProfiles="Core,RemoteTrigger")
    for name, payload in (
        ("UpdateFirmware", {"location": URL, "retrieveDate": NOW}),
        ("GetDiagnostics", {"location": LOG}),
    ):
        assert rig.csms(name, **payload) == {"error": "NotSupported"}
    for name in ("FirmwareStatusNotification", "DiagnosticsStatusNotification"):
        assert rig.csms("TriggerMessage", requestedMessage=name) == {"status": "NotImplemented"}


def test_a_password_in_a_url_stands_nowhere_in_clear() -> None:
    rig = station()
    update(rig, location="http://me:hunter2@files.example/fw.bin")
    assert rig.transfers[0].url == "http://me:hunter2@files.example/fw.bin"
    assert "hunter2" not in repr(rig.station.memory) + repr(rig.frames)


# --- GetDiagnostics --------------------------------------------------------------------------------------------------


def get_diagnostics(rig: Rig, **more: Any) -> str:
    answer = rig.csms("GetDiagnostics", location=LOG, **more)
    assert answer.keys() == {"fileName"}
    return str(answer["fileName"])


@proves("5.2/GetDiagnostics")
def test_diagnostics_are_uploaded() -> None:
    """OCTT TC_045_1_CS."""
    rig = station()
    name = get_diagnostics(rig, startTime="2026-04-02T09:00:00Z", stopTime=LATER)
    assert rig.csms("TriggerMessage", requestedMessage="DiagnosticsStatusNotification") == {"status": "Accepted"}
    order = rig.transferred()
    assert isinstance(order, Upload)
    assert (order.name, order.frames) == (name, (WALL - 900, WALL + 3600)) or order.frames is not None
    assert "serial number: SN-0001" in order.text
    assert "AuthorizationKey = (not shown)" in order.text
    assert told(rig, "DiagnosticsStatusNotification") == ["Uploading", "Uploading", "Uploaded"]
    rig.csms("TriggerMessage", requestedMessage="DiagnosticsStatusNotification")
    assert told(rig, "DiagnosticsStatusNotification")[-1] == "Idle"


def test_a_failed_upload_is_tried_again_then_given_up() -> None:
    """OCTT TC_045_2_CS."""
    rig = station()
    get_diagnostics(rig, retries=1, retryInterval=5)
    rig.transferred(failure=DENIED)
    rig.run(6)
    rig.transferred(failure=DENIED)
    assert told(rig, "DiagnosticsStatusNotification") == ["Uploading", "UploadFailed"]


def test_a_new_request_for_diagnostics_ends_the_one_before() -> None:
    rig = station()
    get_diagnostics(rig)
    get_diagnostics(rig)
    rig.transferred()
    assert told(rig, "DiagnosticsStatusNotification") == ["Uploading", "UploadFailed", "Uploading", "Uploaded"]


def test_no_file_where_nothing_was_logged() -> None:
    rig = station()
    assert rig.csms("GetDiagnostics", location=LOG, startTime=LATER) == {}
    assert rig.csms("GetDiagnostics", location=LOG, stopTime="2020-01-01T00:00:00Z") == {}
    assert not rig.calls()


def test_an_upload_outlives_a_restart() -> None:
    rig = station()
    get_diagnostics(rig)
    rig.transfers.clear()
    rig.drop()
    rig.restart(killed=True)
    rig.transferred()
    assert told(rig, "DiagnosticsStatusNotification") == ["Uploading", "Uploaded"]


# --- the security extension ------------------------------------------------------------------------------------------


@proves("5.3/SignedUpdateFirmware", "5.9/security")
def test_signed_firmware_is_verified_and_installed() -> None:
    authority = maker()
    rig, pair = secured("ocpp1.6", authority), authority.client("Signer")
    later = signed_request(pair, retrieveDateTime="2026-04-02T09:20:00Z", installDateTime="2026-04-02T09:30:00Z")
    assert rig.csms("SignedUpdateFirmware", **later) == {"status": "Accepted"}
    rig.csms("ExtendedTriggerMessage", requestedMessage="FirmwareStatusNotification")
    rig.run(310)
    rig.transferred(digest=DIGEST)
    rig.run(500)
    installed(rig)
    rig.run(1)
    assert told(rig, SIGNED) == [
        "DownloadScheduled", "DownloadScheduled", "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled",
        "Installing", "InstallRebooting", "Installed",
    ]  # fmt: skip
    assert {one["requestId"] for one in rig.calls(SIGNED)} == {1}
    assert "FirmwareUpdated" in events(rig)
    get_log(rig)
    assert told(rig, "LogStatusNotification") == ["Uploading"]


def test_a_file_that_was_not_signed_is_not_installed() -> None:
    authority = maker()
    rig, pair = secured("ocpp1.6", authority), authority.client("Signer")
    wrong = signature(pair, b"another file")
    assert rig.csms("SignedUpdateFirmware", **signed_request(pair, signature=wrong)) == {"status": "Accepted"}
    rig.transferred(digest=DIGEST)
    rig.run(1)
    assert told(rig, SIGNED) == ["Downloading", "Downloaded", "InvalidSignature"]
    assert events(rig) == ["InvalidFirmwareSignature"]


@proves(*(f"5.3/SignedUpdateFirmware {word}" for word in REFUSALS))
def test_a_signing_certificate_must_come_from_the_manufacturer() -> None:
    authority, stranger = maker(), maker()
    rig = secured("ocpp1.6", authority)
    bad = signed_request(stranger.client("Signer"))
    assert rig.csms("SignedUpdateFirmware", **bad) == {"status": "InvalidCertificate"}
    rig.run(1)
    assert events(rig) == ["InvalidFirmwareSigningCertificate"]
    good = signed_request(authority.client("Signer"))
    rig.command("inject_fault", fault_type="FirmwareCertificateRevoked", connector_id=1)
    assert rig.csms("SignedUpdateFirmware", **good) == {"status": "RevokedCertificate"}
    rig.command("clear_fault")
    far = signed_request(authority.client("Signer"), location="sftp://files.example/fw.bin")
    assert rig.csms("SignedUpdateFirmware", **far) == {"status": "Rejected"}
    assert rig.csms("SignedUpdateFirmware", **good) == {"status": "Accepted"}
    assert rig.csms("SignedUpdateFirmware", **good | {"requestId": 2}) == {"status": "AcceptedCanceled"}
    rig.transferred(digest=DIGEST)
    assert rig.csms("SignedUpdateFirmware", **good | {"requestId": 3}) == {"status": "Rejected"}


@proves("5.3/GetLog")
def test_logs_are_uploaded_and_a_new_request_ends_the_one_before() -> None:
    rig = secured("ocpp1.6")
    answer = get_log(rig)
    assert (answer["status"], answer["filename"][:17]) == ("Accepted", "CP-1_diagnostics_")
    assert get_log(rig, 2, "SecurityLog")["status"] == "AcceptedCanceled"
    rig.csms("ExtendedTriggerMessage", requestedMessage="LogStatusNotification")
    order = rig.transferred()
    assert isinstance(order, Upload)
    assert order.frames is None
    assert "StartupOfTheDevice" in order.text
    statuses = [(one.get("requestId"), one["status"]) for one in rig.calls("LogStatusNotification")]
    assert statuses == [(1, "Uploading"), (1, "UploadFailure"), (2, "Uploading"), (2, "Uploading"), (2, "Uploaded")]
    assert get_log(rig, 3, "SecurityLog", oldestTimestamp=LATER) == {"status": "Rejected"}


@pytest.mark.parametrize("failure", [FAILURE, DENIED, BAD_MESSAGE, NOT_SUPPORTED])
def test_a_log_that_fails_says_why(failure: str) -> None:
    rig = secured("ocpp1.6")
    get_log(rig)
    rig.transferred(failure=failure)
    assert told(rig, "LogStatusNotification") == ["Uploading", failure]


def test_the_extension_is_needed() -> None:
    rig = station()
    assert get_log(rig) == {"error": "NotSupported"}
    request = signed_request(maker().client("Signer"))
    assert rig.csms("SignedUpdateFirmware", **request) == {"error": "NotSupported"}
