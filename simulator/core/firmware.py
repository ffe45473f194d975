"""A firmware update from its request to the new version that runs (behaviour contract, 5.2, 5.3, 5.8).

The file is really fetched, its signature really checked; what "runs" afterwards is the version that BootNotification
names. Versions word the requests and the notifications.
"""

import re
from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import msgspec

from simulator.core import signatures, timestamps
from simulator.core.certificate_store import MANUFACTURER_ROOT, Certificates
from simulator.core.charging import Charging
from simulator.core.facts import Order
from simulator.core.machine import Machine
from simulator.core.security_events import SecurityEvents
from simulator.core.transferring import Transferring, attempts_of
from simulator.core.transfers import Attempts, Download, Transferred

VERSION = "firmware_version"  # the section that names what runs, once it is no more what the device came with
INSTALL_S = 5.0
ACCEPTED, CANCELED, REJECTED = "Accepted", "AcceptedCanceled", "Rejected"
INVALID, REVOKED = "InvalidCertificate", "RevokedCertificate"
IDLE = "Idle"
SCHEDULED, FETCHING, WAITING, INSTALLING, REBOOTING = "scheduled", "fetching", "waiting", "installing", "rebooting"
# Of an update that has no request id (1.6, unsigned): OCPP 1.6's FirmwareStatus.
PLAIN_STATUSES = {"Downloading", "Downloaded", "DownloadFailed", "Installing", "Installed", "InstallationFailed"}
NUMBERED = re.compile(r"\d+(?:\.\d+)+")
LAST_NUMBER = re.compile(r"\d+(?=\D*$)")
LONGEST_VERSION = 50


class Update(msgspec.Struct):
    """An update that was asked for. `location` is sealed. `retrieve_at` and `install_at` are times of the station's
    clock, `installed_at` is wall time; `status` is the last one told."""

    location: str
    retrieve_at: float
    attempts: Attempts
    request_id: int | None = None
    certificate: str = ""
    signature: str = ""
    install_at: float = 0.0
    installed_at: float = 0.0
    phase: str = SCHEDULED
    status: str = ""
    size: int = 0
    version: str = ""


class FirmwareManagement(Transferring):
    section: ClassVar = "firmware"

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(self.section, {})
        self.update: Update | None = msgspec.convert(saved["update"], Update) if saved.get("update") else None
        self.last: dict[str, Any] = dict(saved.get("last", {}))  # status and request id, as told last

    @abstractmethod
    def tell_status(self, status: str, request_id: int | None) -> None:
        """Queues the notification as this version words it."""

    def takes_sessions_while_waiting(self) -> bool:
        """Idle outlets stay in use until the last transaction has ended."""
        return False

    def runs(self, version: str) -> None:
        """Another version runs from now on."""
        self.station.store.put(VERSION, version)

    @property
    def version(self) -> str:
        found: str = self.station.store.get(VERSION, "") or self.station.setup.firmware_version
        return found[:LONGEST_VERSION]

    @property
    def is_installing(self) -> bool:
        """Too far to be stopped."""
        return self.update is not None and self.update.phase in (INSTALLING, REBOOTING)

    @property
    def attempts(self) -> Attempts | None:
        return None if self.update is None else self.update.attempts

    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = {"last": dict(self.last)} if self.last else {}
        if self.update is not None:
            record["update"] = msgspec.to_builtins(self.update)
        return record

    def picture(self) -> dict[str, Any]:
        return {"firmware": {"version": self.version, "status": self.update.status if self.update else ""}}

    # --- requests ---------------------------------------------------------------------------------------------------

    def take(self, update: Update) -> str:
        """Replaces what runs, unless it is too late for that."""
        if self.is_installing:
            return REJECTED
        replaced = self.update is not None
        self.drop_transfer()
        update.location = self.station.vault.seal(update.location)
        self.update = update
        return CANCELED if replaced else ACCEPTED

    def take_signed(self, update: Update) -> tuple[str, str]:
        """(status, why) of a request that may carry a signature."""
        if update.certificate or update.signature:
            if problem := self._signing_problem(update):
                self.station.block(SecurityEvents).happened("InvalidFirmwareSigningCertificate", problem)
                return INVALID, problem
            if any(connector.has_fault("FirmwareCertificateRevoked") for connector in self.station.connectors):
                return REVOKED, "the signing certificate was revoked"
        if not self.is_supported(update.location):
            return REJECTED, "the settings do not list the URL's protocol"
        status = self.take(update)
        return status, "an installation is under way" if status == REJECTED else ""

    def _signing_problem(self, update: Update) -> str:
        if not (update.certificate and update.signature):
            return "a signature needs its signing certificate, and the other way round"
        roots = [one.certificate for one in self.station.block(Certificates).roots() if one.use == MANUFACTURER_ROOT]
        return signatures.certificate_problem(update.certificate, roots, self.station.clock)

    # --- the steps --------------------------------------------------------------------------------------------------

    def tell(self, status: str) -> None:
        """Once per change; what an update without a request id has no word for is not told."""
        update = self.update
        if update is None or update.status == status:
            return
        if update.request_id is not None or status in PLAIN_STATUSES:
            update.status = status
            self.last = {"status": status, "request_id": update.request_id}
            self.tell_status(status, update.request_id)

    def _over(self, status: str) -> None:
        self.tell(status)
        self.update = None

    def move_on(self) -> None:
        update = self.update
        if update is not None:
            if update.phase == SCHEDULED:
                self._await_date(update)
            if update.phase == FETCHING:
                self.pursue(self.opened(update.location))
            if update.phase == WAITING:
                self._await_idle(update)
            if update.phase == INSTALLING and self.station.now.wall >= update.installed_at:
                self._install(update)
        self._withhold()

    def next_step(self) -> float | None:
        update = self.update
        if update is None:
            return None
        ahead = self.station.now.wall - self.station.clock
        match update.phase:
            case "scheduled":
                return update.retrieve_at + ahead
            case "fetching":
                return update.attempts.again_at
            case "waiting" if update.install_at > self.station.clock:
                return update.install_at + ahead
            case "installing":
                return update.installed_at
        return None

    def _await_date(self, update: Update) -> None:
        if update.retrieve_at > self.station.clock:
            self.tell("DownloadScheduled")
        else:
            update.phase = FETCHING

    def order(self, key: str) -> Order:
        assert self.update is not None
        roots, insecure = self.trusted()
        return Download(key, self.opened(self.update.location), roots, insecure)

    def began(self) -> None:
        self.tell("Downloading")

    def gave_up(self, result: Transferred) -> None:
        self._over("DownloadFailed")

    def succeeded(self, result: Transferred) -> None:
        update = self.update
        if update is None:
            return
        self.tell("Downloaded")
        if update.signature:
            if not signatures.is_signature_of(update.certificate, update.signature, result.digest):
                self.station.block(SecurityEvents).happened(
                    "InvalidFirmwareSignature", "the signature is not of this file"
                )
                self._over("InvalidSignature")
                return
            self.tell("SignatureVerified")
        update.size, update.phase = result.size, WAITING

    def _await_idle(self, update: Update) -> None:
        """An installation waits for its date, then for the last transaction (contract 5.2)."""
        in_use = any(connector.running is not None for connector in self.station.connectors)
        if update.install_at > self.station.clock or in_use:
            self.tell("InstallScheduled")
            return
        update.phase, update.installed_at = INSTALLING, self.station.now.wall + INSTALL_S
        self.tell("Installing")

    def _install(self, update: Update) -> None:
        if not update.size:
            self._over("InstallVerificationFailed" if update.request_id is not None else "InstallationFailed")
        elif any(connector.has_fault("FirmwareInstallationFailure") for connector in self.station.connectors):
            self._over("InstallationFailed")
        else:
            update.version = next_version(self.opened(update.location), self.version)
            update.phase = REBOOTING
            self.runs(update.version)
            self.tell("InstallRebooting")
            self.station.reboot("FirmwareUpdate")

    def came_online(self, *, after_boot: bool) -> None:
        update = self.update
        if update is None or update.phase != REBOOTING:
            return
        if after_boot:
            self._over("Installed")
            self.station.block(SecurityEvents).happened("FirmwareUpdated", update.version)
            self._withhold()
        elif not self.station.rebooting:
            self.station.reboot("FirmwareUpdate")  # the simulator moved in the middle of it, or the reset failed

    def _withhold(self) -> None:
        """Idle outlets are out of use from when an installation could begin until it is over."""
        update = self.update
        waits = update is not None and update.phase == WAITING and update.install_at <= self.station.clock
        holds = self.is_installing or (waits and not self.takes_sessions_while_waiting())
        for connector in self.station.connectors:
            withheld = holds and connector.running is None
            if withheld and not connector.withheld:
                self.station.block(Charging).forget_grant(connector, "Firmware is to be installed.")
            connector.withheld = withheld


def update_of(request: dict[str, Any]) -> Update:
    """From SignedUpdateFirmware (1.6) or UpdateFirmware (2.0.1)."""
    asked = request["firmware"]
    return Update(
        asked["location"],
        timestamps.read(asked["retrieveDateTime"]) or 0.0,
        attempts_of(request),
        request["requestId"],
        asked.get("signingCertificate", ""),
        asked.get("signature", ""),
        timestamps.read(asked.get("installDateTime", "")) or 0.0,
    )


def next_version(location: str, running: str) -> str:
    """The version that a file's name tells, else the running one with its last number raised."""
    name = unquote(urlsplit(location).path).rpartition("/")[2]
    if found := NUMBERED.findall(name):
        return str(found[-1])[:LONGEST_VERSION]
    if LAST_NUMBER.search(running):
        return LAST_NUMBER.sub(lambda number: str(int(number[0]) + 1), running, count=1)[:LONGEST_VERSION]
    return f"{running} 2".strip()[:LONGEST_VERSION]
