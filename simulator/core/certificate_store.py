"""The station's certificates: roots that it trusts, and its own with the request for a new one (contract 5.3, 5.8).

A version subclasses `Certificates` and words its messages; `use` is 2.0.1's name of what a root is for.
"""

from abc import abstractmethod
from collections.abc import Collection
from typing import Any, ClassVar, NamedTuple

from cryptography.x509 import Certificate

from simulator.core import certificates
from simulator.core.calls import Call
from simulator.core.credentials import TLS_BASIC, TLS_CERTIFICATE
from simulator.core.machine import Block, Machine
from simulator.core.security import SecurityProfiles
from simulator.core.security_events import SecurityEvents

SECTION = "certificates"
CSMS_ROOT, MANUFACTURER_ROOT = "CSMSRootCertificate", "ManufacturerRootCertificate"
MOST_KEPT = 20
RENEW_BEFORE_S = 30 * 24 * 3600.0
LOOK_AGAIN_S = 24 * 3600.0
ACCEPTED, REJECTED, FAILED, NOT_FOUND = "Accepted", "Rejected", "Failed", "NotFound"


class Root(NamedTuple):
    use: str
    certificate: Certificate
    installed_by_csms: bool


class Certificates(Block):
    """`requested` is the open signing request: {csr, key (sealed), public_key, sends}, empty when there is none."""

    actions: ClassVar = ("CertificateSigned", "InstallCertificate", "DeleteCertificate", "GetInstalledCertificateIds")
    own_certificate_event: ClassVar[str]

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(SECTION, {})
        self.installed: list[dict[str, str]] = list(saved.get("installed", []))
        self.requested: dict[str, Any] = dict(saved.get("requested", {}))
        self._kept: tuple[Any, ...] = ()

    def save(self) -> None:
        if self._kept == (self.installed, self.requested):
            return
        self._kept = self.installed, self.requested
        record = {"installed": list(self.installed), "requested": dict(self.requested)}
        if any(record.values()) or self.station.store.get(SECTION):
            self.station.store.put(SECTION, record)

    @property
    def security(self) -> SecurityProfiles:
        return self.station.block(SecurityProfiles)

    @abstractmethod
    def request_payload(self, csr: str) -> dict[str, Any]:
        """SignCertificate as this version words it."""

    @abstractmethod
    def organization(self) -> str:
        """Who operates the station, for the request's subject."""

    @abstractmethod
    def signing_wait(self) -> tuple[int, int]:
        """(CertSigningWaitMinimum in s, CertSigningRepeatTimes)."""

    @abstractmethod
    def longest_chain(self) -> int:
        """Characters that a chain of CertificateSigned may have."""

    # --- roots ------------------------------------------------------------------------------------------------------

    def roots(self) -> list[Root]:
        """The installer's first, then those that the CSMS has installed."""
        pem = self.security.set.ca_certificate
        own = [Root(CSMS_ROOT, one, False) for one in (certificates.read(pem) if pem else [])]
        return own + [Root(one["use"], certificates.read(one["pem"])[0], True) for one in self.installed]

    def csms_roots(self) -> tuple[str, ...]:
        return tuple(certificates.written([root.certificate]) for root in self.roots() if root.use == CSMS_ROOT)

    def install(self, use: str, pem: str) -> tuple[str, str]:
        """(status, why)."""
        try:
            found = certificates.read(pem)
        except ValueError as error:
            return REJECTED, str(error)
        if len(found) != 1 or not certificates.is_valid_at(found[0], self.station.clock):
            return REJECTED, "exactly one certificate that is valid now is needed"
        roots = self.roots()
        if any((root.use, root.certificate) == (use, found[0]) for root in roots):
            return ACCEPTED, ""
        if len(roots) >= MOST_KEPT:
            return REJECTED, "the certificate store is full"
        self.installed = [*self.installed, {"use": use, "pem": certificates.written(found)}]
        return ACCEPTED, ""

    def delete(self, asked: dict[str, Any]) -> str:
        roots, own = self.roots(), self.own_chain()
        known = [root.certificate for root in roots] + own
        if any(certificates.is_named_by(one, known, asked) for one in own):
            return FAILED
        named = [root for root in roots if certificates.is_named_by(root.certificate, known, asked)]
        if not named:
            return NOT_FOUND
        if any(self._is_in_use(root, roots) for root in named):
            return FAILED
        self._remove({root.certificate for root in named})
        return ACCEPTED

    def _is_in_use(self, root: Root, roots: list[Root]) -> bool:
        """The last CSMS root of a station that would trust the whole world without it."""
        alone = sum(one.use == CSMS_ROOT for one in roots) == 1
        return root.use == CSMS_ROOT and alone and self.security.set.profile >= TLS_BASIC

    def _remove(self, gone: Collection[Certificate]) -> None:
        self.installed = [one for one in self.installed if certificates.read(one["pem"])[0] not in gone]
        kept = [root.certificate for root in self.roots() if not root.installed_by_csms]
        if any(one in gone for one in kept):
            self.security.forget_ca(certificates.written([one for one in kept if one not in gone]))

    def hashes(self, uses: Collection[str]) -> list[tuple[str, dict[str, str]]]:
        """(use, CertificateHashData) of the roots of these kinds."""
        roots = self.roots()
        known = [root.certificate for root in roots]
        return [(root.use, certificates.hash_data(root.certificate, known)) for root in roots if root.use in uses]

    # --- the station's own ------------------------------------------------------------------------------------------

    def own_chain(self) -> list[Certificate]:
        pem = self.security.set.certificate
        return certificates.read(pem) if pem else []

    def sign(self, *, unasked: bool = True) -> None:
        """Asks the CSMS to have a fresh key certified."""
        self.station.cancel_timer("signing")
        name = self.station.setup.serial_number or self.station.setup.identity
        request = self.station.vault.request(name, self.organization())
        key = self.station.vault.seal(request.key)
        self.requested = {"csr": request.csr, "key": key, "public_key": request.public_key, "sends": 0}
        self._send_request(unasked=unasked)

    def _send_request(self, *, unasked: bool = True) -> None:
        self.requested = {**self.requested, "sends": self.requested["sends"] + 1}
        self.station.call(Call("SignCertificate", self.request_payload(self.requested["csr"]), unasked=unasked))

    def SignCertificate_answered(self, call: Call, answer: dict[str, Any]) -> None:
        if not self.requested:
            return
        if answer["status"] != ACCEPTED:
            self.requested = {}
            self.station.commands.note(call.command_id, "The CSMS does not have the certificate signed.")
            return
        wait, repeats = self.signing_wait()
        if self.requested["sends"] <= repeats:
            self.station.set_timer("signing", float(wait * 2 ** (self.requested["sends"] - 1)))

    def SignCertificate_failed(self, call: Call, problem: str) -> None:
        """Neither yes nor no: asked again as if no certificate had come."""
        if self.requested and problem != "lost":
            self.station.set_timer("signing", float(self.signing_wait()[0]))

    def signing_due(self, _: str) -> None:
        if self.requested and self.station.online:
            self._send_request()

    def signed(self, chain: str) -> str:
        """Takes the certificate that a CSMS has had signed; why not, or ""."""
        problem = self._problem_of(chain)
        if problem:
            self.station.block(SecurityEvents).happened(self.own_certificate_event, problem)
            return problem
        requested = self._is_for_request(certificates.read(chain)[0])
        key = self.requested["key"] if requested else self.security.set.key
        self.requested = {} if requested else self.requested
        self.station.cancel_timer("signing")
        self.security.take_certificate(certificates.written(certificates.read(chain)), key)
        return ""

    def _problem_of(self, chain: str) -> str:
        if len(chain) > self.longest_chain():
            return "the chain is longer than allowed"
        try:
            found = certificates.read(chain)
        except ValueError as error:
            return str(error)
        own = self.own_chain()
        renewed = bool(own) and certificates.public_key_of(found[0]) == certificates.public_key_of(own[0])
        if not renewed and not self._is_for_request(found[0]):
            return "the certificate is not for this station's key"
        return certificates.chain_problem(found, self.station.clock)

    def _is_for_request(self, certificate: Certificate) -> bool:
        return bool(self.requested) and certificates.public_key_of(certificate) == self.requested["public_key"]

    # --- before it expires ------------------------------------------------------------------------------------------

    def came_online(self, *, after_boot: bool) -> None:
        wait, repeats = self.signing_wait()
        if self.requested and self.requested["sends"] <= repeats:
            self.station.set_timer("signing", float(wait))
        self.certificate_expiry_due("")

    def certificate_expiry_due(self, _: str) -> None:
        own = self.own_chain() if self.security.set.profile == TLS_CERTIFICATE else []
        if not own:
            return
        self.station.set_timer("certificate_expiry", LOOK_AGAIN_S)
        soon = certificates.expires_at(own[0]) - self.station.clock < RENEW_BEFORE_S
        if soon and not self.requested and self.station.online:
            self.sign()

    def went_offline(self) -> None:
        self.station.cancel_timer("signing")
        self.station.cancel_timer("certificate_expiry")
