"""A certificate authority of the tests' own, and the TLS servers that show its certificates."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str

    def written(self, folder: Path, name: str) -> Path:
        path = folder / f"{name}.pem"
        path.write_text(self.certificate + self.key)
        return path


class Authority:
    """`now`: the time its lifetimes count from, for stations whose clock stands elsewhere."""

    def __init__(self, name: str = "Test Root", now: datetime | None = None) -> None:
        self._now = now or datetime.now(UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = named(name)
        builder = self._blank(self._name, 3650 * DAY).public_key(self._key.public_key())
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(
            self._key, SHA256()
        )
        self.pem = pem_of(self._certificate)

    def server(self, *hosts: str, lifetime: timedelta = 30 * DAY) -> Pair:
        """A negative lifetime: it has expired that long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Pair(self._signed(hosts[0], key.public_key(), hosts, lifetime), pem_of_key(key))

    def client(self, name: str, lifetime: timedelta = 365 * DAY) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        return Pair(self._signed(name, key.public_key(), (), lifetime), pem_of_key(key))

    def sign(self, csr: str, lifetime: timedelta = 365 * DAY) -> str:
        """The certificate for a request, after a look at its signature."""
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        builder = self._blank(request.subject, lifetime).public_key(key)
        return pem_of(builder.sign(self._key, SHA256()))

    def _signed(self, name: str, key: ec.EllipticCurvePublicKey, hosts: tuple[str, ...], lifetime: timedelta) -> str:
        builder = self._blank(named(name), lifetime).public_key(key)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([general(host) for host in hosts]), False)
        return pem_of(builder.sign(self._key, SHA256()))

    def _blank(self, subject: x509.Name, lifetime: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - 800 * DAY)
            .not_valid_after(self._now + lifetime)
        )

    def server_context(self, folder: Path, *hosts: str, lifetime: timedelta = 30 * DAY) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server(*(hosts or ("localhost",)), lifetime=lifetime).written(folder, "server"))
        return context

    def mutual_context(self, folder: Path, clients: "Authority") -> ssl.SSLContext:
        """As `server_context`, and only clients of that authority are let in."""
        context = self.server_context(folder)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients.pem)
        return context


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def general(host: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
