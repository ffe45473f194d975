"""Files that a station fetches or sends: what it orders of its shell, and what became of it. Data only."""

import msgspec

from simulator.core.facts import Order

# Why a transfer failed, in the words of OCPP's UploadLogStatusEnumType.
FAILURE, DENIED, BAD_MESSAGE, NOT_SUPPORTED = "UploadFailure", "PermissionDenied", "BadMessage", "NotSupportedOperation"


class Download(Order, frozen=True):
    """Fetch the file at `url`; its bytes are counted and hashed, not kept.

    `roots` (PEM) are trusted beside the system's; `insecure` takes any certificate.
    """

    key: str
    url: str
    roots: tuple[str, ...] = ()
    insecure: bool = False


class Upload(Order, frozen=True):
    """Send a text file of that name to `url`.

    `frames`: the log's frames between these Unix times are written below `text`; None for none of them.
    """

    key: str
    url: str
    name: str
    text: str
    frames: tuple[float, float] | None = None
    roots: tuple[str, ...] = ()
    insecure: bool = False


class CancelTransfer(Order, frozen=True):
    """Whatever has this key ends now, without a word."""

    key: str


class Transferred(msgspec.Struct, frozen=True):
    """What became of a transfer. `failure` is one of the words above, "" for success; `reason` is for people.

    `size` in bytes; `digest` is the SHA-256 of a downloaded file in hexadecimal digits.
    """

    key: str
    failure: str = ""
    reason: str = ""
    size: int = 0
    digest: str = ""


class Attempts(msgspec.Struct):
    """How often a transfer is tried: once, then `retries` times, each `interval_s` later; `again_at` is wall time."""

    retries: int = 0
    interval_s: float = 0.0
    made: int = 0
    again_at: float = 0.0

    def failed(self, wall: float) -> bool:
        """Counts an attempt that has failed; False once it was the last."""
        self.made += 1
        self.again_at = wall + self.interval_s
        return self.made <= self.retries
