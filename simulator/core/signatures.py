"""Signed firmware: whether a signing certificate counts, and whether a signature is of a file. All pure."""

import base64
import binascii
from collections.abc import Callable
from functools import partial

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from simulator.core import certificates


def certificate_problem(pem: str, roots: list[x509.Certificate], clock: float) -> str:
    """Why a signing certificate (with the chain above it) is not to be trusted, or ""."""
    try:
        chain = certificates.read(pem)
    except ValueError as error:
        return str(error)
    if problem := certificates.chain_problem(chain, clock):
        return problem
    if not roots:
        return "there is no manufacturer root certificate"
    top = chain[-1]
    if top in roots or any(not certificates.chain_problem([top, root], clock) for root in roots):
        return ""
    return "the certificate was not issued by a manufacturer root that is installed"


def is_signature_of(pem: str, signature: str, digest: str) -> bool:
    """Whether this Base64 signature by the certificate's key is of the file with this SHA-256 (hexadecimal).

    ECDSA; RSA with PSS padding, or with that of PKCS #1 v1.5 as many tools still make it.
    """
    try:
        made, hashed = base64.b64decode(signature, validate=True), bytes.fromhex(digest)
    except (binascii.Error, ValueError):
        return False
    key, algorithm = certificates.read(pem)[0].public_key(), Prehashed(SHA256())
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _holds(partial(key.verify, made, hashed, ec.ECDSA(algorithm)))
    if isinstance(key, rsa.RSAPublicKey):
        paddings = (padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO), padding.PKCS1v15())
        return any(_holds(partial(key.verify, made, hashed, one, algorithm)) for one in paddings)
    return False  # EdDSA signs the file itself, which is not kept


def _holds(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True
