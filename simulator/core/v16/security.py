"""Security in 1.6: the profiles' keys, and the extension of the security whitepaper (contract 1.2, 5.3).

The extension is switched on by a security profile, or by the key SecurityExtensionEnabled; else its actions are
NotSupported. GetLog and SignedUpdateFirmware stand in `firmware_management`.
"""

import re
from typing import Any, ClassVar

from simulator.core.certificate_store import CSMS_ROOT, MANUFACTURER_ROOT, Certificates
from simulator.core.errors import Kind, Refusal
from simulator.core.security import SecurityProfiles
from simulator.core.security_events import SecurityEvents

HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}")
# 1.6's names of what a root is for, and 2.0.1's, which the store goes by.
USES = {"CentralSystemRootCertificate": CSMS_ROOT, "ManufacturerRootCertificate": MANUFACTURER_ROOT}
EXTENSION = "SecurityExtensionEnabled"


class Events(SecurityEvents):
    @property
    def pushes(self) -> bool:
        flag = self.station.configuration.flag
        return self.station.block(Profiles).offers_extension and not flag("DisableSecurityEventNotifications")


class Profiles(SecurityProfiles):
    password_setting: ClassVar = "AuthorizationKey"  # noqa: S105 - a key's name
    profile_setting: ClassVar = "SecurityProfile"
    server_certificate_event: ClassVar = "InvalidCentralSystemCertificate"
    authentication_event: ClassVar = "FailedToAuthenticateAtCentralSystem"

    @property
    def offers_extension(self) -> bool:
        """The actions of the security whitepaper are supported."""
        return self.set.profile > 0 or self.station.configuration.flag(EXTENSION)

    def require_extension(self) -> None:
        """Raises Refusal (NotSupported) where they are not."""
        if not self.offers_extension:
            raise Refusal(Kind.NOT_SUPPORTED, f"the security extension is off: set a security profile, or {EXTENSION}")

    def password_bytes(self, password: str) -> bytes:
        """Hexadecimal digits stand for bytes (contract S1)."""
        return bytes.fromhex(password) if HEXADECIMAL.fullmatch(password) else password.encode()

    def trusted(self) -> tuple[str, ...]:
        return self.station.block(Certificates).csms_roots()


class CertificateManagement(Certificates):
    own_certificate_event: ClassVar = "InvalidChargePointCertificate"

    def request_payload(self, csr: str) -> dict[str, Any]:
        return {"csr": csr}

    def organization(self) -> str:
        return self.station.configuration.text("CpoName")

    def signing_wait(self) -> tuple[int, int]:
        number = self.station.configuration.number
        return number("CertSigningWaitMinimum"), number("CertSigningRepeatTimes")

    def longest_chain(self) -> int:
        return self.station.configuration.number("CertificateSignedMaxChainSize")

    def on_CertificateSigned(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        problem = self.signed(request["certificateChain"])
        return {"status": "Rejected" if problem else "Accepted"}

    def on_InstallCertificate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        return {"status": self.install(USES[request["certificateType"]], request["certificate"])[0]}

    def on_DeleteCertificate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        return {"status": self.delete(request["certificateHashData"])}

    def on_GetInstalledCertificateIds(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.block(Profiles).require_extension()
        hashes = [found for _, found in self.hashes({USES[request["certificateType"]]})]
        return {"status": "Accepted", "certificateHashData": hashes} if hashes else {"status": "NotFound"}
