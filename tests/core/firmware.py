"""What tests of firmware updates need over and over: signed files, and a station that may get them."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from simulator.core.credentials import Security
from simulator.shell.vault import VAULT
from tests.core.rig import NOW, WALL, Rig
from tests.pki import Authority, Pair

URL = "http://files.example/firmware-2.4.0.bin"
FILE = b"\x7fELF firmware"
DIGEST = hashlib.sha256(FILE).hexdigest()
SIGNED = "SignedFirmwareStatusNotification"


def maker() -> Authority:
    return Authority("Maker", datetime.fromtimestamp(WALL, UTC))


def signature(pair: Pair, file: bytes = FILE) -> str:
    key = load_pem_private_key(pair.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return base64.b64encode(key.sign(file, ec.ECDSA(SHA256()))).decode()


def signed_request(pair: Pair, request_id: int = 1, **more: Any) -> dict[str, Any]:
    firmware = {
        "location": URL,
        "retrieveDateTime": NOW,
        "signingCertificate": pair.certificate,
        "signature": signature(pair),
        **more,
    }
    return {"requestId": request_id, "firmware": firmware}


def secured(subprotocol: str, authority: Authority | None = None) -> Rig:
    """A booted station under security profile 1; `authority` is installed as its manufacturer's root."""
    security = Security(revision=1, profile=1, password=VAULT.seal("correct-horse-battery"))
    rig = Rig(subprotocol, security=security).boot()
    if authority is not None:
        root = {"certificateType": "ManufacturerRootCertificate", "certificate": authority.pem}
        assert rig.csms("InstallCertificate", **root)["status"] == "Accepted"
    rig.forget()
    return rig


def told(rig: Rig, action: str = "FirmwareStatusNotification") -> list[str]:
    return [one["status"] for one in rig.calls(action)]


def events(rig: Rig) -> list[str]:
    return [one["type"] for one in rig.calls("SecurityEventNotification")]


def installed(rig: Rig) -> None:
    """The installation runs and the station comes back from its reboot."""
    rig.run_until(lambda: bool(rig.closed))
    rig.reconnect()
