"""OCTT for OCPP 1.6: passwords, certificates and security profiles, over TLS where a case wants it."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from simulator.core.credentials import Security
from simulator.core.facts import Close
from simulator.shell.vault import VAULT
from tests.contract import witness
from tests.contract.octt.cases import octt
from tests.contract.octt.driver import ACCEPTED, set_key
from tests.core.firmware import events
from tests.core.rig import Rig
from tests.core.test_v16_security import DECADE, authority
from tests.pki import Authority

PASSWORD, NEXT = "correct-horse-battery", "another-horse-battery"
ROOT, MANUFACTURER = "CentralSystemRootCertificate", "ManufacturerRootCertificate"


def station(profile: int = 1, tls: ssl.SSLContext | None = None, **settings: Any) -> Rig:
    security = Security(revision=1, profile=profile, password=VAULT.seal(PASSWORD), **settings)
    rig = Rig(security=security, tls=tls).boot()
    rig.run(1)
    rig.forget()
    return rig


def shown(folder: Path, root: Authority) -> ssl.SSLContext:
    """What the CSMS shows at its TLS port."""
    return root.server_context(folder, "127.0.0.1", lifetime=DECADE)


def logins() -> list[str]:
    """User and password of all connections, in their order."""
    return [one.payload.get("login", "") for one in witness.everything() if one.kind == "connect"]


def install(rig: Rig, kind: str, pem: str) -> str:
    return str(rig.csms("InstallCertificate", certificateType=kind, certificate=pem)["status"])


def hashes(rig: Rig, kind: str) -> list[dict[str, str]]:
    answer = rig.csms("GetInstalledCertificateIds", certificateType=kind)
    found: list[dict[str, str]] = answer.get("certificateHashData", [])
    return found


@octt("TC_073_CS", "TC_085_CS")
def test_a_new_password_is_shown_from_the_next_connection_on() -> None:
    rig = station()
    assert set_key(rig, "AuthorizationKey", NEXT) == "Accepted"
    rig.run(1)
    rig.reconnect()
    assert logins() == [f"CP-1:{PASSWORD}", f"CP-1:{NEXT}"]


@octt("TC_074_CS")
def test_a_certificate_is_asked_for_and_taken() -> None:
    rig, issuer = station(), authority("Stations")
    rig.answers["SignCertificate"] = ACCEPTED
    assert rig.csms("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate") == ACCEPTED
    [asked] = rig.calls("SignCertificate")
    assert rig.csms("CertificateSigned", certificateChain=issuer.sign(asked["csr"]) + issuer.pem) == ACCEPTED


@octt("TC_075_1_CS", "TC_075_2_CS")
@pytest.mark.parametrize("kind", [MANUFACTURER, ROOT])
def test_a_root_is_installed(kind: str) -> None:
    rig = station()
    assert hashes(rig, kind) == []
    assert install(rig, kind, authority().pem) == "Accepted"
    [found] = hashes(rig, kind)
    assert found["hashAlgorithm"] == "SHA256"


@octt("TC_076_CS")
def test_a_certificate_is_deleted() -> None:
    rig = station()
    install(rig, MANUFACTURER, authority().pem)
    [found] = hashes(rig, MANUFACTURER)
    assert rig.csms("DeleteCertificate", certificateHashData=found) == ACCEPTED
    assert hashes(rig, MANUFACTURER) == []


@octt("TC_077_CS")
def test_a_certificate_that_does_not_fit_is_an_event() -> None:
    rig = station()
    rig.answers["SignCertificate"] = ACCEPTED
    rig.csms("ExtendedTriggerMessage", requestedMessage="SignChargePointCertificate")
    wrong = authority("Stations").client("CP-1").certificate
    assert rig.csms("CertificateSigned", certificateChain=wrong) == {"status": "Rejected"}
    rig.run(1)
    assert events(rig) == ["InvalidChargePointCertificate"]


@octt("TC_078_CS", "TC_086_CS")
def test_a_csms_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path) -> None:
    root, stranger = authority(), authority("Stranger")
    rig = station(2, shown(tmp_path, root), ca_certificate=root.pem)
    assert rig.csms("ClearCache") == ACCEPTED
    rig.speak_tls(shown(tmp_path, stranger))
    rig.drop()
    rig.forget()
    rig.run_until(lambda: rig.station.wants_connection(rig.now))
    rig.refuse()
    rig.speak_tls(shown(tmp_path, root))
    rig.reconnect()
    rig.run(1)
    assert events(rig) == ["InvalidCentralSystemCertificate"]


@octt("TC_083_CS", "TC_086_CS")
def test_the_security_profile_is_raised_to_tls(tmp_path: Path) -> None:
    root = authority()
    rig = station()
    assert install(rig, ROOT, root.pem) == "Accepted"
    assert set_key(rig, "SecurityProfile", "2") == "Accepted"
    rig.run(1)
    assert rig.closed == [Close(1001, "new security profile")]
    rig.speak_tls(shown(tmp_path, root))
    rig.reconnect()
    [found] = rig.csms("GetConfiguration", key=["SecurityProfile"])["configurationKey"]
    assert found["value"] == "2"
    assert set(logins()) == {f"CP-1:{PASSWORD}"}


@octt("TC_084_CS")
def test_the_security_profile_is_not_lowered() -> None:
    rig = station()
    assert set_key(rig, "SecurityProfile", "0") == "Rejected"
    assert set_key(rig, "SecurityProfile", "1") == "Rejected"
    rig.run(5)
    assert not rig.closed


@octt("TC_087_CS")
def test_the_station_shows_its_certificate(tmp_path: Path) -> None:
    root, stations = authority(), authority("Stations")
    context = root.server_context(tmp_path, "127.0.0.1", lifetime=DECADE)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=stations.pem)
    client = stations.client("CP-1", lifetime=DECADE)
    rig = station(3, context, ca_certificate=root.pem, certificate=client.certificate, key=VAULT.seal(client.key))
    assert rig.csms("ClearCache") == ACCEPTED
    assert logins() == [""]
