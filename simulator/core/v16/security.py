"""Security in 1.6: the profiles' keys, and the extension of the security whitepaper (contract 1.2, 5.3).

The extension is switched on by a security profile, or by the key SecurityExtensionEnabled; else its actions are
NotSupported. GetLog and SignedUpdateFirmware stand in `firmware_management`.
"""

import re
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core.block import Block
from simulator.core.certificate_store import CSMS_ROOT, Certificates
from simulator.core.errors import Kind, Refusal
from simulator.core.security import SecurityProfiles
from simulator.core.security_events import SecurityEvents

if TYPE_CHECKING:
    from simulator.core.v16.charge_point import ChargePoint

HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}){16,20}")
# 1.6's names of what a root is for, and 2.0.1's, which the store goes by.
USES = {"CentralSystemRootCertificate": CSMS_ROOT, "ManufacturerRootCertificate": "ManufacturerRootCertificate"}
EXTENSION = "SecurityExtensionEnabled"


class Events(SecurityEvents["ChargePoint"]):
    @property
    def pushes(self) -> bool:
        flag = self.station.configuration.flag
        return self.station.security_extension and not flag("DisableSecurityEventNotifications")


class Profiles(SecurityProfiles["ChargePoint"]):
    password_setting: ClassVar = "AuthorizationKey"  # noqa: S105 - a key's name
    profile_setting: ClassVar = "SecurityProfile"
    server_certificate_event: ClassVar = "InvalidCentralSystemCertificate"
    authentication_event: ClassVar = "FailedToAuthenticateAtCentralSystem"

    def password_bytes(self, password: str) -> bytes:
        """Hexadecimal digits stand for bytes (contract S1)."""
        return bytes.fromhex(password) if HEXADECIMAL.fullmatch(password) else password.encode()

    def trusted(self) -> tuple[str, ...]:
        return self.station.certificates.csms_roots()

    def happened(self, kind: str, info: str = "") -> None:
        self.station.security_events.happened(kind, info)


class CertificateManagement(Certificates["ChargePoint"]):
    actions: ClassVar = (
        "CertificateSigned",
        "InstallCertificate",
        "DeleteCertificate",
        "GetInstalledCertificateIds",
    )
    own_certificate_event: ClassVar = "InvalidChargePointCertificate"

    @property
    def security(self) -> SecurityProfiles["ChargePoint"]:
        return self.station.security

    def happened(self, kind: str, info: str = "") -> None:
        self.station.security_events.happened(kind, info)

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
        self.station.require_extension()
        problem = self.signed(request["certificateChain"])
        return {"status": "Rejected" if problem else "Accepted"}

    def on_InstallCertificate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.require_extension()
        return {"status": self.install(USES[request["certificateType"]], request["certificate"])[0]}

    def on_DeleteCertificate(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.require_extension()
        return {"status": self.delete(request["certificateHashData"])}

    def on_GetInstalledCertificateIds(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.require_extension()
        hashes = [found for _, found in self.hashes({USES[request["certificateType"]]})]
        return {"status": "Accepted", "certificateHashData": hashes} if hashes else {"status": "NotFound"}


class ExtendedTrigger(Block["ChargePoint"]):
    """As TriggerMessage, and for what the extension adds."""

    actions: ClassVar = ("ExtendedTriggerMessage",)

    def on_ExtendedTriggerMessage(self, request: dict[str, Any]) -> dict[str, Any]:
        self.station.require_extension()
        match request["requestedMessage"]:
            case "SignChargePointCertificate":
                self.station.certificates.sign(unasked=False)
            case "LogStatusNotification":
                self.station.diagnostics.trigger_log()
            case "FirmwareStatusNotification":
                self.station.firmware.trigger_signed()
            case _:
                answer: dict[str, Any] = self.station.remote_trigger.on_TriggerMessage(request)
                return answer
        return {"status": "Accepted"}


def require(*, is_on: bool) -> None:
    if not is_on:
        raise Refusal(Kind.NOT_SUPPORTED, f"the security extension is off: set a security profile, or {EXTENSION}")
