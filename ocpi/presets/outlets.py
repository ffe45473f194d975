"""One OCPI EVSE per physical outlet, each with the connector "1" (OCPI contract 5, topology)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from catalog.vocabulary import ConnectorType, CurrentType, current_of
from simulator.core.setup import Outlet

STANDARDS = {
    ConnectorType.TYPE1: "IEC_62196_T1",
    ConnectorType.TYPE2: "IEC_62196_T2",
    ConnectorType.CCS1: "IEC_62196_T1_COMBO",
    ConnectorType.CCS2: "IEC_62196_T2_COMBO",
    ConnectorType.CHADEMO: "CHADEMO",
    ConnectorType.NACS: "TESLA_S",
    ConnectorType.GBT_AC: "GBT_AC",
    ConnectorType.GBT_DC: "GBT_DC",
    ConnectorType.SCHUKO: "DOMESTIC_F",
}
AC_POWER_TYPES = {1: "AC_1_PHASE", 2: "AC_2_PHASE", 3: "AC_3_PHASE"}


def connector_of(outlet: Outlet) -> dict[str, Any]:
    """In 2.2.1's words. Three-phase AC: volt from line to neutral, ampere per phase."""
    # An outlet of three phases is AC whatever its voltage; the others are told apart by it.
    is_dc = outlet.phases == 1 and current_of(outlet.type, outlet.voltage_v) is CurrentType.DC
    return {
        "standard": STANDARDS[ConnectorType(outlet.type)],
        "format": outlet.format.upper(),
        "power_type": "DC" if is_dc else AC_POWER_TYPES[outlet.phases],
        "max_voltage": round(outlet.voltage_v),
        "max_amperage": round(outlet.max_current_a),
        "max_electric_power": outlet.max_power_w,
    }


def evse_rows(
    outlets: Sequence[Outlet], *, country: str, party: str, number: int, bay: int, attributes: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The columns of `ocpi.Evse` for a charger's outlets; `number` is the charger's in its CPO, `bay` its first bay."""
    uid, evse_id = f"{country}-{party}-{number:04d}", f"{country}*{party}*E{number:04d}"
    several = len(outlets) > 1
    for position, outlet in enumerate(outlets, start=1):
        yield {
            "uid": f"{uid}_C{position}" if several else uid,
            "evse_id": f"{evse_id}*{position}" if several else evse_id,
            "outlet_evse": outlet.evse_id,
            "outlet_connector": outlet.connector_id,
            "attributes": {**attributes, "physical_reference": f"P{bay + position - 1}"},
            "connector": connector_of(outlet),
        }
