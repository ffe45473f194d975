"""OCPP 2.0.1: passwords, network profiles, certificates and security events (behaviour contract, 1.2, 5.4, 5.8)."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509

from simulator.core.credentials import Security
from simulator.shell.vault import VAULT
from tests.core.rig import WALL, Rig
from tests.core.v201 import entry, got
from tests.pki import Authority

PASSWORD = "correct-horse-battery"
CSMS_ROOT = "CSMSRootCertificate"
URL = "wss://csms.example/ocpp"


def authority(name: str = "Test Root") -> Authority:
    return Authority(name, datetime.fromtimestamp(WALL, UTC))


def station(profile: int = 1, **settings: Any) -> Rig:
    security = Security(revision=1, profile=profile, password=VAULT.seal(PASSWORD), **settings)
    rig = Rig("ocpp2.0.1", security=security).boot()
    rig.forget()
    return rig


def put(rig: Rig, name: str, value: str) -> str:
    data = [entry(name, attributeValue=value)]
    status: str = rig.csms("SetVariables", setVariableData=data)["setVariableResult"][0]["attributeStatus"]
    return status


def network(slot: int = 2, profile: int = 2, **changes: Any) -> dict[str, Any]:
    data = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": URL,
        "messageTimeout": 30,
        "securityProfile": profile,
        "ocppInterface": "Wired0",
    }
    return {"configurationSlot": slot, "connectionData": {**data, **changes}}


def refuse(rig: Rig, times: int) -> None:
    for _ in range(times):
        rig.run_until(lambda: rig.station.wants_connection(rig.now))
        rig.station.connecting(rig.now)
        rig.station.refused(rig.now, None, "nobody there")
        rig.collect()


def reboot(rig: Rig) -> None:
    assert rig.csms("Reset", type="Immediate")["status"] == "Accepted"
    rig.drop()


# --- network profiles ------------------------------------------------------------------------------------------------


def test_a_network_profile_is_used_after_the_reset_and_raises_the_security_profile() -> None:
    rig = station(insecure=True)
    assert rig.csms("SetNetworkProfile", **network()) == {"status": "Accepted"}
    assert rig.station.credentials().url == ""
    assert put(rig, "OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "Accepted"
    reboot(rig)
    assert (rig.station.credentials().url, rig.station.credentials().profile) == (URL, 2)
    rig.reconnect()
    rig.run(1)
    security = [entry("SecurityCtrlr.SecurityProfile"), entry("OCPPCommCtrlr.ActiveNetworkProfile")]
    assert got(rig, *security) == [("Accepted", "2"), ("Accepted", "2")]
    assert got(rig, entry("OCPPCommCtrlr.NetworkConfigurationPriority")) == [("Accepted", "2")]
    rig.restart(killed=True)
    assert (rig.station.credentials().url, rig.station.credentials().profile) == (URL, 2)
    rig.security = Security(revision=2, profile=1, password=VAULT.seal(PASSWORD))
    rig.restart(killed=True)
    assert (rig.station.credentials().url, rig.station.credentials().profile) == ("", 1), "the installer was here"


def test_slots_that_do_not_answer_are_left_for_the_last_good_one() -> None:
    rig = station(insecure=True)
    rig.csms("SetNetworkProfile", **network())
    put(rig, "OCPPCommCtrlr.NetworkConfigurationPriority", "2")
    reboot(rig)
    refuse(rig, 2)
    assert rig.station.credentials().url == URL
    refuse(rig, 1)
    assert (rig.station.credentials().url, rig.station.credentials().profile) == ("", 1)
    rig.reconnect()
    assert got(rig, entry("SecurityCtrlr.SecurityProfile")) == [("Accepted", "1")]


def test_what_is_written_over_the_slot_in_use_counts_from_the_next_boot_and_only_if_it_connects() -> None:
    rig = station(insecure=True)
    assert rig.csms("SetNetworkProfile", **network(slot=1)) == {"status": "Accepted"}
    rig.drop()
    assert rig.station.credentials().url == "", "a reconnect is no boot"
    rig.reconnect()
    assert got(rig, entry("SecurityCtrlr.SecurityProfile")) == [("Accepted", "1")]
    reboot(rig)
    refuse(rig, 2)
    assert rig.station.credentials().url == URL
    refuse(rig, 1)
    assert (rig.station.credentials().url, rig.station.credentials().profile) == ("", 1)
    rig.restart(killed=True)
    assert (rig.station.credentials().url, rig.station.credentials().profile) == ("", 1)


def test_a_charger_that_is_pointed_elsewhere_forgets_the_slots_of_its_last_csms() -> None:
    rig = station(insecure=True)
    rig.csms("SetNetworkProfile", **network())
    put(rig, "OCPPCommCtrlr.NetworkConfigurationPriority", "2")
    reboot(rig)
    rig.reconnect()
    memory = json.loads(json.dumps(rig.station.memory))
    moved = type(rig.station)(rig.setup, memory, rig.now, security=rig.security, vault=VAULT)
    moved.power_up(rig.now, "resume", csms="wss://elsewhere.example/ocpp")
    assert moved.credentials().url == "", "the charger's own"
    shown = moved.configuration
    assert shown.text("OCPPCommCtrlr.ActiveNetworkProfile") == "1"
    assert shown.text("OCPPCommCtrlr.NetworkConfigurationPriority") == "1"


@pytest.mark.parametrize(
    "request_",
    [
        network(slot=9),
        network(profile=0),
        network(profile=4),
        network(ocppVersion="OCPP16"),
        network(ocppTransport="SOAP"),
        network(ocppInterface="Wireless0"),
        network(ocppCsmsUrl="ws://csms.example/ocpp"),
        network(ocppCsmsUrl="https://csms.example/"),
        network(ocppCsmsUrl="wss://user:secret@csms.example/"),
    ],
)
def test_a_network_profile_that_makes_no_sense_is_rejected(request_: dict[str, Any]) -> None:
    assert station().csms("SetNetworkProfile", **request_)["status"] == "Rejected"


def test_a_slot_that_is_not_configured_or_not_usable_gets_no_priority() -> None:
    rig = station()
    assert put(rig, "OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "Rejected"
    rig.csms("SetNetworkProfile", **network())
    assert put(rig, "OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "Rejected", "no root certificate"
    rig.csms("InstallCertificate", certificateType=CSMS_ROOT, certificate=authority().pem)
    assert put(rig, "OCPPCommCtrlr.NetworkConfigurationPriority", "2,1") == "Accepted"


def test_passwords_of_a_network_profile_stay_out_of_the_log() -> None:
    rig = station()
    vpn = {"server": "x", "user": "u", "password": "vpn-secret", "key": "vpn-key-secret", "type": "IPSec"}
    apn = {"apn": "a", "apnPassword": "apn-secret", "apnAuthentication": "PAP"}
    rig.csms("SetNetworkProfile", **network(vpn=vpn, apn=apn))
    asked = rig.frames[0]
    assert asked.masked
    assert "secret" not in asked.text
    assert URL in asked.text


# --- variables -------------------------------------------------------------------------------------------------------


def test_a_password_is_write_only_and_used_from_the_next_connection_on() -> None:
    rig = station()
    assert put(rig, "SecurityCtrlr.BasicAuthPassword", "another-horse-battery") == "Accepted"
    rig.run(1)
    assert rig.closed[-1].reason == "new password"
    assert got(rig, entry("SecurityCtrlr.BasicAuthPassword")) == [("Rejected", None)]
    assert "another-horse-battery" not in str(rig.station.memory)


def test_the_security_profile_is_read_only() -> None:
    rig = station()
    assert put(rig, "SecurityCtrlr.SecurityProfile", "2") == "Rejected"
    assert got(rig, entry("SecurityCtrlr.SecurityProfile")) == [("Accepted", "1")]


# --- certificates ----------------------------------------------------------------------------------------------------


def test_certificates_are_installed_listed_by_kind_and_deleted() -> None:
    rig = station()
    for kind in (CSMS_ROOT, "V2GRootCertificate"):
        assert rig.csms("InstallCertificate", certificateType=kind, certificate=authority(kind).pem) == {
            "status": "Accepted"
        }
    assert got(rig, entry("SecurityCtrlr.CertificateEntries")) == [("Accepted", "2")]
    listed = rig.csms("GetInstalledCertificateIds")["certificateHashDataChain"]
    assert [one["certificateType"] for one in listed] == [CSMS_ROOT, "V2GRootCertificate"]
    asked = rig.csms("GetInstalledCertificateIds", certificateType=["MORootCertificate", "V2GRootCertificate"])
    assert asked["certificateHashDataChain"] == listed[1:]
    hashes = listed[1]["certificateHashData"]
    assert rig.csms("DeleteCertificate", certificateHashData=hashes) == {"status": "Accepted"}
    assert rig.csms("GetInstalledCertificateIds", certificateType=["V2GRootCertificate"]) == {"status": "NotFound"}


def test_an_unreadable_certificate_is_rejected_with_a_reason() -> None:
    answer = station().csms("InstallCertificate", certificateType=CSMS_ROOT, certificate="nonsense")
    assert answer["status"] == "Rejected"
    assert answer["statusInfo"]["reasonCode"] == "InvalidCertificate"


def test_a_certificate_is_asked_for_signed_and_used() -> None:
    issuer, client = authority("Stations"), authority("Old").client("CP-1")
    rig = station(3, ca_certificate=authority().pem, certificate=client.certificate, key=VAULT.seal(client.key))
    rig.answers["SignCertificate"] = {"status": "Accepted"}
    put(rig, "SecurityCtrlr.OrganizationName", "Volt and Sons")
    asked = rig.csms("TriggerMessage", requestedMessage="SignChargingStationCertificate")
    assert asked == {"status": "Accepted"}
    [request] = rig.calls("SignCertificate")
    assert request["certificateType"] == "ChargingStationCertificate"
    csr = x509.load_pem_x509_csr(request["csr"].encode())
    assert csr.subject.rfc4514_string() == "O=Volt and Sons,CN=SN-0001"
    signed = issuer.sign(request["csr"])
    assert rig.csms("CertificateSigned", certificateChain=signed) == {"status": "Accepted"}
    rig.run(1)
    assert rig.closed[-1].reason == "new client certificate"
    assert rig.station.credentials().certificate == signed


def test_a_certificate_for_another_key_is_rejected_and_told() -> None:
    rig = station()
    pem = authority("Stations").client("CP-1").certificate
    assert rig.csms("CertificateSigned", certificateChain=pem)["status"] == "Rejected"
    rig.run(1)
    assert [one["type"] for one in rig.calls("SecurityEventNotification")] == ["InvalidChargingStationCertificate"]


# --- security events -------------------------------------------------------------------------------------------------


def test_a_boot_is_told_and_so_is_a_bad_certificate_of_the_csms() -> None:
    rig = Rig("ocpp2.0.1").boot()
    assert [one["type"] for one in rig.calls("SecurityEventNotification")] == ["StartupOfTheDevice"]
    rig.drop()
    rig.run_until(lambda: rig.station.wants_connection(rig.now))
    rig.station.connecting(rig.now)
    rig.station.refused(rig.now, 1015, "The CSMS's certificate was refused: self-signed certificate.")
    rig.forget()
    rig.reconnect()
    assert [one["type"] for one in rig.calls("SecurityEventNotification")] == ["InvalidCsmsCertificate"]


def test_events_can_be_switched_off() -> None:
    rig = Rig("ocpp2.0.1").boot()
    put(rig, "SecurityCtrlr.DisableSecurityEventNotifications", "true")
    rig.forget()
    reboot(rig)
    rig.reconnect()
    assert rig.calls("BootNotification")
    assert not rig.calls("SecurityEventNotification")
