"""Logs that the CSMS asks for: which there are, and their upload (behaviour contract, 5.2, 5.3, 5.8)."""

import re
from abc import abstractmethod
from typing import Any, ClassVar

import msgspec

from simulator.core import log_text, timestamps
from simulator.core.facts import Order
from simulator.core.firmware import FirmwareManagement
from simulator.core.machine import Machine
from simulator.core.security_events import SecurityEvents
from simulator.core.transferring import Transferring, attempts_of
from simulator.core.transfers import FAILURE, Attempts, Transferred, Upload

DIAGNOSTICS, SECURITY = "DiagnosticsLog", "SecurityLog"
ACCEPTED, CANCELED, REJECTED = "Accepted", "AcceptedCanceled", "Rejected"
UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
FOR_EVER = 253_402_300_799.0  # the last second of the year 9999


class LogUpload(msgspec.Struct):
    """An upload that was asked for. `location` is sealed; times are the station's clock; `status` was told last."""

    location: str
    name: str
    kind: str
    attempts: Attempts
    oldest: float = 0.0
    latest: float = FOR_EVER
    request_id: int | None = None
    status: str = ""


class Logs(Transferring):
    """One upload at a time: a new request ends the one before it."""

    section: ClassVar = "logs"

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get(self.section, {})
        self.upload: LogUpload | None = msgspec.convert(saved["upload"], LogUpload) if saved.get("upload") else None

    @abstractmethod
    def tell_status(self, upload: LogUpload, status: str) -> None:
        """Queues the notification as this version words it; `status` is of OCPP's UploadLogStatusEnumType."""

    canceled_status: ClassVar[str] = FAILURE

    @property
    def attempts(self) -> Attempts | None:
        return None if self.upload is None else self.upload.attempts

    def record(self) -> dict[str, Any]:
        return {"upload": msgspec.to_builtins(self.upload)} if self.upload is not None else {}

    def picture(self) -> dict[str, Any]:
        return {"log_upload": self.upload.status} if self.upload is not None else {}

    # --- requests ---------------------------------------------------------------------------------------------------

    def get_log(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetLog, the same in 1.6's security extension and in 2.0.1."""
        asked = request["log"]
        status, name = self.take(
            asked["remoteLocation"],
            request["logType"],
            request,
            (asked.get("oldestTimestamp"), asked.get("latestTimestamp")),
            request["requestId"],
        )
        return {"status": status} | ({"filename": name} if name else {})

    def take(
        self,
        location: str,
        kind: str,
        request: dict[str, Any],
        span: tuple[str | None, str | None],
        request_id: int | None = None,
    ) -> tuple[str, str]:
        """(status, name of the file); Rejected and "" where nothing was logged in that time."""
        oldest, latest = _time(span[0], 0.0), _time(span[1], FOR_EVER)
        if not self._has_logged(kind, oldest, latest):
            return REJECTED, ""
        replaced = self.upload
        if replaced is not None:
            self.drop_transfer()
            self.tell(self.canceled_status)
        name = self._name(kind)
        sealed = self.station.vault.seal(location)
        self.upload = LogUpload(sealed, name, kind, attempts_of(request), oldest, latest, request_id)
        return (CANCELED if replaced else ACCEPTED), name

    def _has_logged(self, kind: str, oldest: float, latest: float) -> bool:
        if kind == SECURITY:
            return bool(log_text.within(self.station.block(SecurityEvents).log, oldest, latest))
        begun = min((one["at"] for one in self.station.block(SecurityEvents).log), default=self.station.clock)
        return oldest <= min(latest, self.station.clock) and latest >= begun

    def _name(self, kind: str) -> str:
        moment = timestamps.written(self.station.clock).partition(".")[0]
        parts = (self.station.setup.identity, kind.removesuffix("Log").lower(), moment)
        return "_".join(UNSAFE.sub("-", part) for part in parts) + ".txt"

    def current(self) -> dict[str, Any]:
        """LogStatusNotification for what goes on now."""
        upload = self.upload
        if upload is None or upload.request_id is None or not upload.status:
            return {"status": "Idle"}
        return {"status": upload.status, "requestId": upload.request_id}

    # --- the upload -------------------------------------------------------------------------------------------------

    def tell(self, status: str) -> None:
        if self.upload is not None and self.upload.status != status:
            self.upload.status = status
            self.tell_status(self.upload, status)

    def move_on(self) -> None:
        if self.upload is not None:
            self.pursue(self.opened(self.upload.location))

    def next_step(self) -> float | None:
        return None if self.upload is None else self.upload.attempts.again_at

    def order(self, key: str) -> Order:
        upload, station = self.upload, self.station
        assert upload is not None
        events = log_text.within(self.station.block(SecurityEvents).log, upload.oldest, upload.latest)
        text, frames = log_text.of_events(events), None
        if upload.kind == DIAGNOSTICS:
            text = log_text.of_station(station, self.station.block(FirmwareManagement).version) + text
            ahead = station.now.wall - station.clock
            frames = (upload.oldest + ahead, upload.latest + ahead)
        roots, insecure = self.trusted()
        return Upload(key, self.opened(upload.location), upload.name, text, frames, roots, insecure)

    def began(self) -> None:
        self.tell("Uploading")

    def succeeded(self, result: Transferred) -> None:
        self._over("Uploaded")

    def gave_up(self, result: Transferred) -> None:
        self._over(result.failure)

    def _over(self, status: str) -> None:
        self.tell(status)
        self.upload = None


def _time(text: str | None, otherwise: float) -> float:
    found = timestamps.read(text) if text else None
    return otherwise if found is None else found
