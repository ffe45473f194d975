"""OCPP 2.0.1: UpdateFirmware and GetLog (behaviour contract, 5.8)."""

from typing import Any

from tests.core.firmware import DIGEST, URL, events, installed, maker, secured, signature, signed_request, told
from tests.core.rig import NOW, Rig
from tests.core.v201 import configure, entry, got, station

LOG = "http://files.example/logs/"


def update(rig: Rig, request_id: int = 1, **more: Any) -> dict[str, Any]:
    firmware = {"location": URL, "retrieveDateTime": NOW, **more}
    return rig.csms("UpdateFirmware", requestId=request_id, firmware=firmware)


def statuses(rig: Rig, action: str) -> list[tuple[int | None, str]]:
    return [(one.get("requestId"), one["status"]) for one in rig.calls(action)]


def test_unsigned_firmware_is_installed_and_runs_after_a_boot() -> None:
    rig = station()
    assert update(rig) == {"status": "Accepted"}
    rig.transferred()
    assert rig.csms("Reset", type="Immediate")["status"] == "Rejected"
    assert update(rig, 2)["status"] == "Rejected"
    installed(rig)
    rig.run(1)
    assert told(rig) == ["Downloading", "Downloaded", "Installing", "InstallRebooting", "Installed"]
    boot = rig.calls("BootNotification")[-1]
    assert (boot["reason"], boot["chargingStation"]["firmwareVersion"]) == ("FirmwareUpdate", "2.4.0")
    assert got(rig, entry("ChargingStation.FirmwareVersion")) == [("Accepted", "2.4.0")]
    assert "FirmwareUpdated" in events(rig)
    rig.csms("TriggerMessage", requestedMessage="FirmwareStatusNotification")
    assert statuses(rig, "FirmwareStatusNotification")[-1] == (None, "Idle")


def test_signed_firmware_is_verified() -> None:
    authority = maker()
    rig, pair = secured("ocpp2.0.1", authority), authority.client("Signer")
    assert update(rig, location="sftp://files.example/x")["statusInfo"]["reasonCode"] == "InvalidURL"
    stranger = signed_request(maker().client("Signer"))
    assert rig.csms("UpdateFirmware", **stranger)["status"] == "InvalidCertificate"
    half = update(rig, signature="AAAA")
    assert (half["status"], half["statusInfo"]["reasonCode"]) == ("InvalidCertificate", "InvalidCertificate")
    assert rig.csms("UpdateFirmware", **signed_request(pair))["status"] == "Accepted"
    again = signed_request(pair, 2, signature=signature(pair, b"x"))
    assert rig.csms("UpdateFirmware", **again)["status"] == "AcceptedCanceled"
    rig.transferred(digest=DIGEST)
    assert statuses(rig, "FirmwareStatusNotification")[1:] == [
        (2, "Downloading"), (2, "Downloaded"), (2, "InvalidSignature"),
    ]  # fmt: skip
    rig.csms("TriggerMessage", requestedMessage="FirmwareStatusNotification")
    assert statuses(rig, "FirmwareStatusNotification")[-1] == (2, "InvalidSignature")


def test_an_empty_file_fails_its_verification() -> None:
    rig = station()
    update(rig)
    rig.transferred(size=0)
    rig.run(6)
    assert told(rig) == ["Downloading", "Downloaded", "Installing", "InstallVerificationFailed"]
    rig.csms("TriggerMessage", requestedMessage="FirmwareStatusNotification")
    assert statuses(rig, "FirmwareStatusNotification")[-1] == (1, "InstallVerificationFailed")


def test_sessions_may_go_on_until_the_last_has_ended() -> None:
    for allowed, expected in (("false", "Unavailable"), ("true", "Available")):
        rig = station()
        configure(rig, {"ChargingStation.AllowNewSessionsPendingFirmwareUpdate": allowed})
        rig.command("start_session", id_tag="A", evse_id=1)
        rig.run(10)
        update(rig)
        rig.transferred()
        assert told(rig)[-1] == "InstallScheduled"
        rig.forget()
        rig.csms("TriggerMessage", requestedMessage="StatusNotification", evse={"id": 2, "connectorId": 1})
        assert rig.calls("StatusNotification")[-1]["connectorStatus"] == expected
        rig.command("stop_session", evse_id=1)
        rig.command("unplug_connector", evse_id=1)
        rig.run(1)
        assert told(rig)[:1] == ["Installing"]


def test_logs_are_uploaded() -> None:
    rig = station()
    ask = {"logType": "SecurityLog", "log": {"remoteLocation": LOG}}
    assert rig.csms("GetLog", requestId=1, **ask)["status"] == "Accepted"
    assert rig.csms("GetLog", requestId=2, **ask)["status"] == "AcceptedCanceled"
    rig.csms("TriggerMessage", requestedMessage="LogStatusNotification")
    rig.transferred()
    assert statuses(rig, "LogStatusNotification") == [
        (1, "Uploading"), (1, "AcceptedCanceled"), (2, "Uploading"), (2, "Uploading"), (2, "Uploaded"),
    ]  # fmt: skip


def test_no_firmware_is_published() -> None:
    rig = station()
    publish = {"location": URL, "checksum": "0" * 32, "requestId": 1}
    assert rig.csms("PublishFirmware", **publish)["status"] == "Rejected"
    assert rig.csms("UnpublishFirmware", checksum="0" * 32) == {"status": "NoFirmware"}
