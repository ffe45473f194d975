"""What the scripted CSMS answers by default, and the other ways in which a test may have it react."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

Payload = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer at all."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A CALLERROR."""

    code: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """Any text, with {id} for the message id; it need not be OCPP."""

    text: str


Reaction = Payload | Silence | Refusal | Raw
# Called with the station's identity and the payload of its call.
Rule = Reaction | Callable[[str, Payload], Reaction | Awaitable[Reaction]]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Script:
    """The answers of one CSMS. `rules` (by action) come before the defaults."""

    boot_status: str = "Accepted"
    interval: int = 300
    authorize_status: str = "Accepted"
    rules: dict[str, Rule] = field(default_factory=dict)
    transaction_ids: "count[int]" = field(default_factory=lambda: count(1001))

    def default(self, action: str, payload: Payload) -> Reaction:
        """The same for both versions where they agree; an action without content is answered by {}."""
        verdict = {"status": self.authorize_status}
        match action:
            case "BootNotification":
                return {"status": self.boot_status, "currentTime": now(), "interval": self.interval}
            case "Heartbeat":
                return {"currentTime": now()}
            case "Authorize":
                return {"idTokenInfo" if "idToken" in payload else "idTagInfo": verdict}
            case "StartTransaction":
                return {"transactionId": next(self.transaction_ids), "idTagInfo": verdict}
            case "TransactionEvent":
                return {"idTokenInfo": verdict} if "idToken" in payload else {}
            case "DataTransfer" | "SignCertificate" | "NotifyEVChargingNeeds" | "NotifyEVChargingSchedule":
                return {"status": "Accepted"}
            case _:
                return {}
