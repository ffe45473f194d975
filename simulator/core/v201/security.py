"""Security in 2.0.1: the profiles' variables, security events and certificates (contract 1.2, 5.8)."""

from typing import Any, ClassVar

from simulator.core.certificate_store import CSMS_ROOT, MANUFACTURER_ROOT, Certificates
from simulator.core.security import SecurityProfiles
from simulator.core.security_events import SecurityEvents
from simulator.core.v201.network_profiles import NetworkProfiles

ROOTS = {"V2GRootCertificate", "MORootCertificate", CSMS_ROOT, MANUFACTURER_ROOT}
OURS = "ChargingStationCertificate"


class Events(SecurityEvents):
    @property
    def pushes(self) -> bool:
        return not self.station.configuration.flag("SecurityCtrlr.DisableSecurityEventNotifications")

    def clock_threshold(self) -> float:
        return float(self.station.configuration.number("ClockCtrlr.TimeAdjustmentReportingThreshold"))


class Profiles(SecurityProfiles):
    password_setting: ClassVar = "SecurityCtrlr.BasicAuthPassword"  # noqa: S105 - a variable's name
    profile_setting: ClassVar = "SecurityCtrlr.SecurityProfile"
    server_certificate_event: ClassVar = "InvalidCsmsCertificate"
    authentication_event: ClassVar = "FailedToAuthenticateAtCsms"

    def password_bytes(self, password: str) -> bytes:
        return password.encode()

    def trusted(self) -> tuple[str, ...]:
        return self.station.block(Certificates).csms_roots()

    def endpoint(self) -> tuple[str, int]:
        return self.station.block(NetworkProfiles).endpoint(self.set.profile)


class CertificateManagement(Certificates):
    own_certificate_event: ClassVar = "InvalidChargingStationCertificate"

    def request_payload(self, csr: str) -> dict[str, Any]:
        return {"csr": csr, "certificateType": OURS}

    def organization(self) -> str:
        return self.station.configuration.text("SecurityCtrlr.OrganizationName")

    def signing_wait(self) -> tuple[int, int]:
        number = self.station.configuration.number
        return number("SecurityCtrlr.CertSigningWaitMinimum"), number("SecurityCtrlr.CertSigningRepeatTimes")

    def longest_chain(self) -> int:
        return self.station.configuration.number("SecurityCtrlr.MaxCertificateChainSize")

    def on_CertificateSigned(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("certificateType", OURS) != OURS:
            return _refused("UnsupportedParam", "there is no V2G certificate here")
        problem = self.signed(request["certificateChain"])
        return _refused("InvalidCertificate", problem) if problem else {"status": "Accepted"}

    def on_InstallCertificate(self, request: dict[str, Any]) -> dict[str, Any]:
        status, why = self.install(request["certificateType"], request["certificate"])
        return _refused("InvalidCertificate", why) if why else {"status": status}

    def on_DeleteCertificate(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"status": self.delete(request["certificateHashData"])}

    def on_GetInstalledCertificateIds(self, request: dict[str, Any]) -> dict[str, Any]:
        """A station without Plug and Charge has no V2G chain: asked for one, it has found nothing."""
        found = self.hashes(request.get("certificateType", ROOTS))
        if not found:
            return {"status": "NotFound"}
        chains = [{"certificateType": use, "certificateHashData": hashes} for use, hashes in found]
        return {"status": "Accepted", "certificateHashDataChain": chains}


def _refused(reason: str, info: str) -> dict[str, Any]:
    return {"status": "Rejected", "statusInfo": {"reasonCode": reason, "additionalInfo": info[:512]}}
