"""The vault that the stations of this installation share: sealing by its keys, and key pairs made on the spot."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from ocpplab import sealing
from simulator.core.credentials import SigningRequest

LONGEST_NAME = 64  # X.520: of a common name or an organization name


class InstallationVault:
    def seal(self, text: str) -> str:
        return sealing.seal(text)

    def unseal(self, sealed: str) -> str:
        return sealing.unseal(sealed)

    def request(self, common_name: str, organization: str) -> SigningRequest:
        """ECDSA on P-256: about 0.2 ms, so no thread is needed."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [(NameOID.COMMON_NAME, common_name), (NameOID.ORGANIZATION_NAME, organization)]
        subject = x509.Name([x509.NameAttribute(oid, text[:LONGEST_NAME]) for oid, text in names if text])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
        return SigningRequest(
            key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            public_key=key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            csr=csr.public_bytes(Encoding.PEM).decode(),
        )


VAULT = InstallationVault()
