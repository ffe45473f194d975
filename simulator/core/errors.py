"""What can be wrong with a message, whatever a version calls it on the wire."""

from enum import Enum, auto


class Kind(Enum):
    """The rows of the behaviour contract, section 1.5; a version's table gives each its spelling."""

    FRAMEWORK = auto()  # not usable as a frame at all
    MESSAGE_TYPE = auto()
    NOT_IMPLEMENTED = auto()
    NOT_SUPPORTED = auto()
    FORMAT = auto()  # not an object, or a property the schema does not know
    MISSING = auto()
    COUNT = auto()
    TYPE = auto()
    PROPERTY = auto()
    PROTOCOL = auto()
    SECURITY = auto()
    INTERNAL = auto()


class Refusal(Exception):
    """Raised by a handler: the call is answered with a CALLERROR of this kind."""

    def __init__(self, kind: Kind, description: str = "") -> None:
        super().__init__(description)
        self.kind = kind
        self.description = description[:255]


class CommandRefused(Exception):
    """A user's command makes no sense for this station now; the message says why and what to do."""
