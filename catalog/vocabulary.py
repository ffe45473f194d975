"""The catalog's closed word lists: connector types, outlet formats, OCPP versions, currents.

The spelling is the one that the REST contract and its clients use (`Type2`, `OCPP2.0.1`, `ac`).
"""

from django.db.models import TextChoices


class ConnectorType(TextChoices):
    """A plug or socket by the name drivers know it by."""

    TYPE1 = "Type1", "Type 1 (SAE J1772)"
    TYPE2 = "Type2", "Type 2 (IEC 62196-2)"
    CCS1 = "CCS1", "CCS Combo 1"
    CCS2 = "CCS2", "CCS Combo 2"
    CHADEMO = "CHAdeMO", "CHAdeMO"
    NACS = "NACS", "NACS (SAE J3400)"
    GBT_AC = "GB/T AC", "GB/T 20234.2, AC"
    GBT_DC = "GB/T DC", "GB/T 20234.3, DC"
    SCHUKO = "Schuko", "Household socket CEE 7/3"


class CurrentType(TextChoices):
    AC = "ac", "AC"
    DC = "dc", "DC"


class OutletFormat(TextChoices):
    """Whether the driver brings the cable (`socket`) or the station has one (`cable`)."""

    SOCKET = "socket", "Socket"
    CABLE = "cable", "Fixed cable"


class OcppVersion(TextChoices):
    """As models, chargers, templates and bodies spell it; commands and proxy messages spell it as the subprotocol."""

    V16 = "OCPP1.6", "OCPP 1.6J"
    V201 = "OCPP2.0.1", "OCPP 2.0.1"

    @property
    def subprotocol(self) -> str:
        return self.value.lower()


class Mounting(TextChoices):
    WALL = "wall", "Wall"
    FLOOR = "floor", "Floor"


class SourceBasis(TextChoices):
    """How much of a model's facts its source was seen to state; the note beside it says which."""

    READ = "read", "Read on the given day"
    PARTLY = "partly", "Partly read on the given day"
    RECALLED = "recalled", "Known data sheet, not reopened"


ALWAYS_DC = frozenset({ConnectorType.CCS1, ConnectorType.CCS2, ConnectorType.CHADEMO, ConnectorType.GBT_DC})
# No AC outlet for vehicles between phase and neutral goes higher (277 V, North American commercial supply).
HIGHEST_SINGLE_PHASE_V = 277


def current_of(connector_type: str, max_voltage_v: float) -> CurrentType:
    """AC or DC; NACS carries either on the same two pins, so there the voltage decides."""
    nacs_dc = connector_type == ConnectorType.NACS and max_voltage_v > HIGHEST_SINGLE_PHASE_V
    return CurrentType.DC if nacs_dc or connector_type in ALWAYS_DC else CurrentType.AC
