"""TLS contexts made of a station's credentials, shared by all that have the same (behaviour contract, 1.2)."""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from simulator.core.credentials import Credentials

MOST_CONTEXTS = 512  # of fleets where each charger has a certificate of its own; else a handful


def context_for(credentials: Credentials) -> ssl.SSLContext:
    """Raises ValueError, with a sentence for people, for material that OpenSSL does not take."""
    return _context(
        credentials.roots,
        credentials.certificate,
        credentials.key,
        insecure=credentials.insecure,
        is_expired=credentials.expired,
    )


@lru_cache(maxsize=MOST_CONTEXTS)
def _context(roots: tuple[str, ...], certificate: str, key: str, *, insecure: bool, is_expired: bool) -> ssl.SSLContext:
    """Host names checked, TLS 1.2 or later; without roots the system's trust."""
    try:
        context = ssl.create_default_context(cadata="\n".join(roots) or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate:
            shown = _expired(certificate, key) if is_expired else certificate
            with _file_of(shown + "\n" + key) as path:
                context.load_cert_chain(path)
    except (ssl.SSLError, OSError) as error:
        raise ValueError(f"The charger's certificates cannot be used: {error}.") from None
    return context


@contextmanager
def _file_of(text: str) -> Iterator[str]:
    """A path that OpenSSL can read key material from. On Linux it lives in memory only and has no name on any disk."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("credentials", os.MFD_CLOEXEC)
        path = f"/proc/self/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp()  # mode 0600
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(text.encode())
        yield path
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/"):
            os.unlink(path)


def _expired(certificate: str, key: str) -> str:
    """The same certificate as if its time were over. Only the issuer could sign it, so the station's key does."""
    original = x509.load_pem_x509_certificate(certificate.encode())
    private = load_pem_private_key(key.encode(), password=None)
    past = datetime.now(UTC) - timedelta(days=2)
    builder = (
        x509.CertificateBuilder()
        .subject_name(original.subject)
        .issuer_name(original.issuer)
        .serial_number(original.serial_number)
        .public_key(original.public_key())
        .not_valid_before(past - timedelta(days=365))
        .not_valid_after(past)
    )
    algorithm = None if isinstance(private, Ed25519PrivateKey | Ed448PrivateKey) else SHA256()
    return builder.sign(private, algorithm).public_bytes(Encoding.PEM).decode()  # type: ignore[arg-type]
