"""Which OCPI versions there are. Everything that differs between them stands behind `binding`."""

from ocpi.protocol.v211 import Version211
from ocpi.protocol.v221 import Version221
from ocpi.protocol.v230 import Version230

Binding = Version221
BINDINGS: dict[str, Binding] = {one.number: one for one in (Version211(), Version221(), Version230())}
SUPPORTED = tuple(BINDINGS)


def binding(version: str) -> Binding:
    """Raises KeyError for a version that is not supported."""
    return BINDINGS[version]
