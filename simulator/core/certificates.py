"""Questions about X.509 certificates: what they say, whether they fit, and how OCPP names them. All pure."""

import hashlib
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEYS = (EllipticCurvePublicKey, RSAPublicKey, Ed25519PublicKey, Ed448PublicKey)
ALGORITHMS = {"SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}


def read(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, at least one. Raises ValueError with a sentence for people."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
        fit = all(isinstance(one.public_key(), KEYS) and one.subject and one.issuer is not None for one in found)
    except (ValueError, TypeError, UnicodeError, UnsupportedAlgorithm):
        raise ValueError("This is no certificate in PEM form (-----BEGIN CERTIFICATE-----).") from None
    if not fit:
        raise ValueError("A certificate needs a subject and an RSA, ECDSA or EdDSA key.")
    return found


def written(certificates: list[x509.Certificate]) -> str:
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in certificates)


def is_valid_at(certificate: x509.Certificate, clock: float) -> bool:
    """Within its validity at that Unix time."""
    moment = datetime.fromtimestamp(clock, UTC)
    return certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc


def expires_at(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()


def public_key_of(certificate: x509.Certificate) -> str:
    return certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def chain_problem(chain: list[x509.Certificate], clock: float) -> str:
    """Why this leaf with the certificates above it is not to be accepted, or ""."""
    for one in chain:
        if not is_valid_at(one, clock):
            return f"{one.subject.rfc4514_string()} is not valid now"
    for one, issuer in pairwise(chain):
        try:
            one.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            return f"{one.subject.rfc4514_string()} was not issued by {issuer.subject.rfc4514_string()}"
    return ""


def hash_data(
    certificate: x509.Certificate, known: list[x509.Certificate], algorithm: str = "SHA256"
) -> dict[str, str]:
    """OCPP's CertificateHashData, made as RFC 6960 makes a CertID. The issuer's key is looked for among `known`."""
    issuer = next((one for one in known if one.subject == certificate.issuer), certificate)
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": _hash(certificate.issuer.public_bytes(), algorithm),
        "issuerKeyHash": _hash(_key_bits(issuer.public_key()), algorithm),
        "serialNumber": f"{certificate.serial_number:x}",
    }


def is_named_by(certificate: x509.Certificate, known: list[x509.Certificate], asked: dict[str, Any]) -> bool:
    """Whether a CSMS's CertificateHashData means this one, in whatever case it writes hexadecimal digits."""
    own = hash_data(certificate, known, asked["hashAlgorithm"])
    serial = asked["serialNumber"].lower().lstrip("0") or "0"
    hashes = all(asked[name].lower() == own[name] for name in ("issuerNameHash", "issuerKeyHash"))
    return hashes and serial == own["serialNumber"]


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the whole certificate, as browsers and openssl show it."""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    return ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))


def _hash(data: bytes, algorithm: str) -> str:
    return hashlib.new(ALGORITHMS[algorithm], data).hexdigest()


def _key_bits(key: PublicKeyTypes) -> bytes:
    """The content of the BIT STRING subjectPublicKey, without tag and length."""
    if isinstance(key, EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
