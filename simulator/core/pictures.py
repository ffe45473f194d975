"""What readers of a station's state see of an outlet."""

from typing import Any

from simulator.core.physical.connector import Connector


def connector_picture(connector: Connector, status: str) -> dict[str, Any]:
    """An outlet with its car, faults and transaction; `status` as the version words it."""
    running = connector.running
    return {
        "evse_id": connector.outlet.evse_id,
        "connector_id": connector.outlet.connector_id,
        "status": status,
        "cable": "plugged" if connector.ev_connected else "ev-side-open" if connector.plugged else "unplugged",
        "operative": connector.operative,
        "power_w": round(connector.power_w),
        "offered_w": round(connector.offered_w),
        "energy_wh": connector.meter_wh(),
        "vehicle": {
            "profile": connector.vehicle.profile.name,
            "soc_percent": round(connector.vehicle.soc * 100, 1),
            "demand_w": connector.vehicle.demand_w,
            "ready": connector.vehicle.ready,
        },
        "faults": [fault.asked for fault in connector.faults],
        "transaction": None
        if running is None
        else {
            "id": running.key,
            "transaction_id": running.transaction_id or None,
            "id_tag": running.id_tag,
            "energy_wh": round(connector.session_wh()),
        },
    }
