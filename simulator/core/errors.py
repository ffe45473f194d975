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


# OCPP-J 1.6, 4.2.3. Two spellings are wrong and must stay so (errata).
OCPP16_ERROR_CODES = {
    Kind.FRAMEWORK: "FormationViolation",
    Kind.MESSAGE_TYPE: "FormationViolation",
    Kind.NOT_IMPLEMENTED: "NotImplemented",
    Kind.NOT_SUPPORTED: "NotSupported",
    Kind.FORMAT: "FormationViolation",
    Kind.MISSING: "ProtocolError",
    Kind.COUNT: "OccurenceConstraintViolation",
    Kind.TYPE: "TypeConstraintViolation",
    Kind.PROPERTY: "PropertyConstraintViolation",
    Kind.PROTOCOL: "ProtocolError",
    Kind.SECURITY: "SecurityError",
    Kind.INTERNAL: "InternalError",
}

# OCPP-J 2.0.1, table 8.
OCPP201_ERROR_CODES = {
    Kind.FRAMEWORK: "RpcFrameworkError",
    Kind.MESSAGE_TYPE: "MessageTypeNotSupported",
    Kind.NOT_IMPLEMENTED: "NotImplemented",
    Kind.NOT_SUPPORTED: "NotSupported",
    Kind.FORMAT: "FormatViolation",
    Kind.MISSING: "OccurrenceConstraintViolation",
    Kind.COUNT: "OccurrenceConstraintViolation",
    Kind.TYPE: "TypeConstraintViolation",
    Kind.PROPERTY: "PropertyConstraintViolation",
    Kind.PROTOCOL: "ProtocolError",
    Kind.SECURITY: "SecurityError",
    Kind.INTERNAL: "InternalError",
}


class Refusal(Exception):
    """Raised by a handler: the call is answered with a CALLERROR of this kind."""

    def __init__(self, kind: Kind, description: str = "") -> None:
        super().__init__(description)
        self.kind = kind
        self.description = description[:255]


class CommandRefused(Exception):
    """A user's command makes no sense for this station now; the message says why and what to do."""
