"""OCPP 1.6: security profiles, and the messages of the security extension (behaviour contract, 1.2, 5.3)."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ssl import SSLContext
from typing import Any

import pytest
from cryptography import x509

from simulator.core.credentials import Security
from simulator.shell.vault import VAULT
from tests.contract.proving import proves
from tests.core.rig import WALL, Rig
from tests.pki import Authority

DECADE = timedelta(days=3650)
PASSWORD = "correct-horse-battery"
ROOT, MANUFACTURER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"


def authority(name: str = "Test Root") -> Authority:
    return Authority(name, datetime.fromtimestamp(WALL, UTC))


def station(profile: int = 1, tls: SSLContext | None = None, **settings: Any) -> Rig:
    security = Security(revision=1, profile=profile, password=VAULT.seal(PASSWORD), **settings)
    rig = Rig(security=security, tls=tls).boot()
    rig.forget()
    return rig


def change(rig: Rig, key: str, value: str) -> str:
    status: str = rig.csms("ChangeConfiguration", key=key, value=value)["status"]
    return status


def value_of(rig: Rig, key: str) -> str | None:
    [entry] = rig.csms("GetConfiguration", key=[key])["configurationKey"]
    return entry.get("value")


def events(rig: Rig) -> list[str]:
    return [one["type"] for one in rig.calls("SecurityEventNotification")]


def logged(rig: Rig) -> list[str]:
    return [one["type"] for one in rig.station.memory["security_events"]["log"]]


# --- credentials -----------------------------------------------------------------------------------------------------


@proves("1.2/S1", "1.2/S3", "6.1/AuthorizationKey")
def test_an_authorization_key_is_used_from_the_next_connection_on_and_never_shown() -> None:
    rig = station()
    assert change(rig, "AuthorizationKey", "0123456789abcdef0123456789ABCDEF") == "Accepted"
    assert not rig.closed, "the answer goes out first"
    rig.run(1)
    assert rig.closed[-1].reason == "new password"
    rig.drop()
    rig.reconnect()
    secret = bytes.fromhex("0123456789abcdef0123456789ABCDEF")
    assert rig.station.credentials().authorization == "Basic " + base64.b64encode(b"CP-1:" + secret).decode()
    assert value_of(rig, "AuthorizationKey") is None


@pytest.mark.parametrize("key", ["short", "x" * 41, "with-umlaut-äöü-äöü", "with\ttabulator-inside"])
def test_an_unfit_authorization_key_is_rejected_and_the_old_one_kept(key: str) -> None:
    rig = station()
    before = rig.station.credentials()
    assert change(rig, "AuthorizationKey", key) == "Rejected"
    rig.run(2)
    assert rig.station.credentials() == before
    assert not rig.closed


def test_hexadecimal_of_odd_length_is_text() -> None:
    rig = station()
    assert change(rig, "AuthorizationKey", "a" * 33) == "Accepted"
    assert rig.station.credentials().authorization.endswith(base64.b64encode(b"CP-1:" + b"a" * 33).decode())


@proves("1.2/S4", "6.1/SecurityProfile")
def test_a_profile_can_only_be_raised_and_needs_what_it_proves_itself_by() -> None:
    rig = Rig().boot()
    assert change(rig, "SecurityProfile", "1") == "Rejected", "no password"
    assert change(rig, "AuthorizationKey", PASSWORD) == "Accepted"
    assert change(rig, "SecurityProfile", "0") == "Rejected"
    assert change(rig, "SecurityProfile", "2") == "Rejected", "no root"
    assert change(rig, "SecurityProfile", "4") == "Rejected"
    assert change(rig, "SecurityProfile", "1") == "Accepted"
    assert value_of(rig, "SecurityProfile") == "1"
    rig.run(1)
    assert rig.closed[-1].reason == "new security profile"
    rig.drop()
    rig.reconnect()
    assert rig.csms("InstallCertificate", certificateType=ROOT, certificate=authority().pem)["status"] == "Accepted"
    assert change(rig, "SecurityProfile", "3") == "Rejected", "no client certificate"
    assert change(rig, "SecurityProfile", "2") == "Accepted"
    assert rig.station.credentials().profile == 2


def test_a_raised_profile_is_taken_back_after_three_failures() -> None:
    rig = station(insecure=True)
    assert change(rig, "SecurityProfile", "2") == "Accepted"
    rig.run(1)
    rig.drop()
    for _ in range(3):
        rig.run_until(lambda: rig.station.wants_connection(rig.now))
        rig.station.connecting(rig.now)
        assert rig.station.credentials().profile == 2
        rig.station.refused(rig.now, None, "nobody speaks TLS here")
    rig.reconnect()
    assert rig.station.credentials().profile == 1
    assert value_of(rig, "SecurityProfile") == "1"


def test_what_the_csms_has_set_outlives_a_restart_until_the_installer_comes_again() -> None:
    rig = station()
    change(rig, "AuthorizationKey", "by-the-csms-12345")
    rig.drop()
    rig.restart(killed=True)
    assert rig.station.credentials().authorization.endswith(base64.b64encode(b"CP-1:by-the-csms-12345").decode())
    rig.security = Security(revision=2, profile=1, password=VAULT.seal("by-the-installer-1"))
    rig.restart(killed=True)
    assert rig.station.credentials().authorization.endswith(base64.b64encode(b"CP-1:by-the-installer-1").decode())


def test_no_secret_stands_in_the_memory() -> None:
    rig = station()
    change(rig, "AuthorizationKey", "a-new-secret-12345")
    memory = json.dumps(rig.station.memory)
    assert "a-new-secret-12345" not in memory
    assert PASSWORD not in memory


def test_a_password_that_stood_in_clear_is_sealed_at_the_first_start() -> None:
    rig = Rig(memory={"configuration": {"AuthorizationKey": PASSWORD, "HeartbeatInterval": "60"}}).boot()
    assert PASSWORD not in json.dumps(rig.station.memory)
    assert change(rig, "SecurityProfile", "1") == "Accepted"


@pytest.mark.parametrize(
    "text",
    [
        '[2,"m1","ChangeConfiguration",{"key":"AuthorizationKey","value":"a-secret-of-the-csms"',
        '[2,"m1","changeconfiguration",{"key":"AuthorizationKey","value":"a-secret-of-the-csms"}]',
        '[2,"m1","ChangeConfiguration",{"Key":"AuthorizationKey","Value":"a-secret-of-the-csms"}]',
        '[2,"m1","ChangeConfiguration",["AuthorizationKey","a-secret-of-the-csms"]]',
        '[2,"m1","ChangeConfiguration",{"key":"AuthorizationKey","value":"' + "a-secret-of-the-csms" * 40 + '"}]',
        '[2,"m1","ChangeConfiguration",{"key":"AuthorizationKey","value":"x","more":"a-secret-of-the-csms"}]',
    ],
)
def test_a_malformed_change_of_the_key_keeps_the_secret_out_of_the_log(text: str) -> None:
    rig = station()
    rig.receive(text)
    rig.settle()
    assert rig.frames[0].masked
    assert "a-secret-of-the-csms" not in "".join(f"{frame.text} {frame.violation}" for frame in rig.frames)


@proves("6.1/{key}")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("AdditionalRootCertificateCheck", "false"),
        ("CertificateSignedMaxChainSize", "10000"),
        ("CertificateStoreMaxLength", "20"),
    ],
)
def test_limits_of_the_certificate_store_are_read_only(key: str, value: str) -> None:
    rig = Rig().boot()
    assert value_of(rig, key) == value
    assert change(rig, key, value) == "Rejected"


# --- security events -------------------------------------------------------------------------------------------------


def test_without_a_profile_no_event_is_pushed() -> None:
    rig = Rig().boot()
    rig.run(5)
    assert events(rig) == []
    assert logged(rig) == ["StartupOfTheDevice"]


@proves("2.2/security events")
def test_a_boot_is_an_event_that_is_told_after_the_statuses() -> None:
    rig = Rig(security=Security(revision=1, profile=1, password=VAULT.seal(PASSWORD))).boot()
    assert rig.actions()[-1] == "SecurityEventNotification"
    assert events(rig) == ["StartupOfTheDevice"]
    rig.csms("Reset", type="Soft")
    rig.drop()
    rig.reconnect()
    assert events(rig) == ["StartupOfTheDevice", "ResetOrReboot"]


def test_events_can_be_switched_off() -> None:
    rig = station()
    change(rig, "DisableSecurityEventNotifications", "true")
    rig.station.refused(rig.now, 1015, "expired")
    rig.run(5)
    assert events(rig) == []


def test_a_bad_server_certificate_is_told_at_the_next_connection() -> None:
    rig = station(profile=2)
    rig.drop()
    rig.run_until(lambda: rig.station.wants_connection(rig.now))
    rig.station.connecting(rig.now)
    rig.station.refused(rig.now, 1015, "The CSMS's certificate was refused: certificate has expired.")
    rig.reconnect()
    [event] = rig.calls("SecurityEventNotification")
    assert event["type"] == "InvalidCentralSystemCertificate"
    assert "expired" in event["techInfo"]


@proves("1.4/security event")
def test_an_event_without_an_answer_is_sent_until_there_is_one() -> None:
    rig = Rig(security=Security(revision=1, profile=1, password=VAULT.seal(PASSWORD)))
    rig.answers["SecurityEventNotification"] = None
    rig.boot()
    rig.run(31)
    rig.restart(killed=True)
    rig.answers["SecurityEventNotification"] = {}
    rig.run(100)
    told = rig.calls("SecurityEventNotification")
    assert [one["type"] for one in told][:2] == ["StartupOfTheDevice"] * 2
    assert told[0] == told[1]
    assert rig.station.memory["security_events"]["pending"] == []


def test_an_event_that_the_csms_refuses_three_times_is_given_up() -> None:
    rig = Rig(security=Security(revision=1, profile=1, password=VAULT.seal(PASSWORD)))
    rig.answers["SecurityEventNotification"] = None
    rig.boot()
    for _ in range(3):
        assert rig.open_call is not None
        rig.reply_error()
        rig.run(31)
    assert len(events(rig)) == 3
    assert rig.station.memory["security_events"]["pending"] == []


def test_bad_frames_replays_and_refusals_stand_in_the_security_log_only() -> None:
    rig = station()
    rig.receive("no json")
    rig.csms("ChangeConfiguration", key="HeartbeatInterval")
    rig.receive('[2,"twice","ClearCache",{}]')
    rig.receive('[2,"twice","ClearCache",{}]')
    rig.station.refused(rig.now, 401, "HTTP 401")
    assert logged(rig)[-3:] == ["InvalidMessages", "AttemptedReplayAttacks", "FailedToAuthenticateAtCentralSystem"]
    rig.run(5)
    assert events(rig) == []


def test_a_clock_set_by_more_than_twenty_seconds_is_an_event() -> None:
    rig = station()
    rig.answers["Heartbeat"] = {"currentTime": "2026-04-02T10:15:00Z"}
    rig.csms("TriggerMessage", requestedMessage="Heartbeat")
    rig.run(1)
    assert events(rig) == ["SettingSystemTime"]


# --- the extension's messages ----------------------------------------------------------------------------------------


def test_the_extension_is_off_without_a_profile() -> None:
    rig = Rig().boot()
    assert rig.csms("GetInstalledCertificateIds", certificateType=ROOT) == {"error": "NotSupported"}
    change(rig, "SecurityExtensionEnabled", "true")
    assert rig.csms("GetInstalledCertificateIds", certificateType=ROOT) == {"status": "NotFound"}


@proves(
    "5.3/InstallCertificate Accepted",
    "5.3/DeleteCertificate Accepted",
    "5.3/DeleteCertificate NotFound",
    "5.3/GetInstalledCertificateIds Accepted",
    "5.3/GetInstalledCertificateIds NotFound",
)
def test_certificates_are_installed_listed_and_deleted() -> None:
    rig = station()
    root, other = authority(), authority("Maker")
    assert rig.csms("InstallCertificate", certificateType=ROOT, certificate=root.pem)["status"] == "Accepted"
    assert rig.csms("InstallCertificate", certificateType=MANUFACTURER, certificate=other.pem)["status"] == "Accepted"
    [hashes] = rig.csms("GetInstalledCertificateIds", certificateType=ROOT)["certificateHashData"]
    serial = x509.load_pem_x509_certificate(root.pem.encode()).serial_number
    assert hashes["serialNumber"] == f"{serial:x}"
    assert len(hashes["issuerNameHash"]) == len(hashes["issuerKeyHash"]) == 64
    rig.restart(killed=True)
    loud = {name: text.upper() for name, text in hashes.items()}
    assert rig.csms("DeleteCertificate", certificateHashData=loud)["status"] == "Accepted"
    assert rig.csms("DeleteCertificate", certificateHashData=hashes)["status"] == "NotFound"
    assert rig.csms("GetInstalledCertificateIds", certificateType=ROOT)["status"] == "NotFound"
    assert rig.csms("GetInstalledCertificateIds", certificateType=MANUFACTURER)["status"] == "Accepted"


@proves("5.3/InstallCertificate Rejected")
@pytest.mark.parametrize("pem", ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ""])
def test_an_unreadable_certificate_is_rejected(pem: str) -> None:
    rig = station()
    assert rig.csms("InstallCertificate", certificateType=ROOT, certificate=pem)["status"] == "Rejected"


def test_an_expired_certificate_is_rejected_and_so_is_one_too_many() -> None:
    rig = station()
    expired = authority().server("old", lifetime=timedelta(days=-1)).certificate
    assert rig.csms("InstallCertificate", certificateType=ROOT, certificate=expired)["status"] == "Rejected"
    for number in range(20):
        pem = authority(f"Root {number}").pem
        assert rig.csms("InstallCertificate", certificateType=ROOT, certificate=pem)["status"] == "Accepted"
    assert rig.csms("InstallCertificate", certificateType=ROOT, certificate=authority().pem)["status"] == "Rejected"


@proves("5.3/DeleteCertificate Failed")
def test_the_last_root_of_a_tls_profile_and_the_own_certificate_stay(tmp_path: Path) -> None:
    stations, root = authority("Stations"), authority()
    client, tls = stations.client("CP-1"), root.server_context(tmp_path, "127.0.0.1", lifetime=DECADE)
    rig = station(3, tls, ca_certificate=root.pem, certificate=client.certificate, key=VAULT.seal(client.key))
    [hashes] = rig.csms("GetInstalledCertificateIds", certificateType=ROOT)["certificateHashData"]
    assert rig.csms("DeleteCertificate", certificateHashData=hashes)["status"] == "Failed"
    own = x509.load_pem_x509_certificate(client.certificate.encode())
    rig.csms("InstallCertificate", certificateType=MANUFACTURER, certificate=stations.pem)
    [maker] = rig.csms("GetInstalledCertificateIds", certificateType=MANUFACTURER)["certificateHashData"]
    assert (
        rig.csms("DeleteCertificate", certificateHashData={**maker, "serialNumber": f"{own.serial_number:x}"})["status"]
        == "Failed"
    )
    rig.csms("InstallCertificate", certificateType=ROOT, certificate=authority("Next").pem)
    assert rig.csms("DeleteCertificate", certificateHashData=hashes)["status"] == "Accepted"
    assert root.pem not in rig.station.credentials().roots


@proves("5.3/CertificateSigned Accepted", "5.3/SignCertificate", "6.1/CpoName")
def test_a_certificate_is_asked_for_signed_and_used(tmp_path: Path) -> None:
    issuer = authority("Stations")
    root = authority()
    tls = root.server_context(tmp_path, "127.0.0.1", lifetime=DECADE)
    rig = station(2, tls, ca_certificate=root.pem)
    change(rig, "CpoName", "Volt and Sons")
    rig.answers["SignCertificate"] = {"status": "Accepted"}
    answer = rig.csms("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    assert answer == {"status": "Accepted"}
    [asked] = rig.calls("SignCertificate")
    request = x509.load_pem_x509_csr(asked["csr"].encode())
    assert request.subject.rfc4514_string() == "O=Volt and Sons,CN=SN-0001"
    signed = issuer.sign(asked["csr"])
    assert rig.csms("CertificateSigned", certificateChain=signed + issuer.pem)["status"] == "Accepted"
    assert change(rig, "SecurityProfile", "3") == "Accepted"
    credentials = rig.station.credentials()
    assert credentials.certificate == signed + issuer.pem
    assert credentials.authorization == ""
    assert "PRIVATE KEY" in credentials.key
    assert credentials.key not in json.dumps(rig.station.memory)


@proves("5.3/CertificateSigned Rejected")
@pytest.mark.parametrize("wrong", ["another key", "expired", "another chain", "nonsense"])
def test_a_certificate_that_does_not_fit_is_rejected_and_told(wrong: str) -> None:
    issuer = authority("Stations")
    rig = station()
    rig.answers["SignCertificate"] = {"status": "Accepted"}
    rig.csms("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    csr = rig.calls("SignCertificate")[0]["csr"]
    chains = {
        "another key": issuer.client("CP-1").certificate,
        "expired": issuer.sign(csr, timedelta(days=-1)),
        "another chain": issuer.sign(csr) + authority("Nobody").pem,
        "nonsense": "nonsense",
    }
    assert rig.csms("CertificateSigned", certificateChain=chains[wrong])["status"] == "Rejected"
    rig.run(1)
    assert events(rig) == ["InvalidChargePointCertificate"]
    assert rig.station.credentials().certificate == ""


@proves("6.1/CertSigningWaitMinimum", "6.1/CertSigningRepeatTimes")
def test_a_request_without_a_certificate_is_repeated_with_doubled_waits() -> None:
    rig = station()
    change(rig, "CertSigningWaitMinimum", "10")
    change(rig, "CertSigningRepeatTimes", "2")
    rig.answers["SignCertificate"] = {"status": "Accepted"}
    rig.csms("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    counts = []
    for seconds in (9, 2, 18, 3, 300):
        rig.run(seconds)
        counts.append(len(rig.calls("SignCertificate")))
    assert counts == [1, 2, 2, 3, 3]
    assert len({one["csr"] for one in rig.calls("SignCertificate")}) == 1


@pytest.mark.parametrize(("days", "asks"), [(29, True), (31, False)])
def test_a_client_certificate_about_to_expire_is_renewed(days: int, asks: bool) -> None:
    client = authority("Stations").client("CP-1", timedelta(days=days))
    sealed = VAULT.seal(client.key)
    security = Security(1, 3, ca_certificate=authority().pem, certificate=client.certificate, key=sealed)
    rig = Rig(security=security)
    rig.answers["SignCertificate"] = {"status": "Accepted"}
    rig.boot()
    assert bool(rig.calls("SignCertificate")) == asks


@proves("5.3/ExtendedTriggerMessage Accepted")
@pytest.mark.parametrize(
    ("message", "action"),
    [
        ("Heartbeat", "Heartbeat"),
        ("MeterValues", "MeterValues"),
        ("StatusNotification", "0 Available"),
        ("LogStatusNotification", "LogStatusNotification"),
        ("FirmwareStatusNotification", "SignedFirmwareStatusNotification"),
    ],
)
def test_an_extended_trigger_does_what_it_names(message: str, action: str) -> None:
    rig = station()
    assert rig.csms("ExtendedTriggerMessage", requestedMessage=message) == {"status": "Accepted"}
    assert rig.actions()[0] == action


@proves("5.3/ExtendedTriggerMessage Rejected")
def test_an_extended_trigger_of_a_boot_is_rejected_while_accepted() -> None:
    rig = station()
    assert rig.csms("ExtendedTriggerMessage", requestedMessage="BootNotification") == {"status": "Rejected"}
    answer = rig.csms("ExtendedTriggerMessage", requestedMessage="StatusNotification", connectorId=9)
    assert answer == {"status": "Rejected"}
