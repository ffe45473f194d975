"""The catalog of faults as readers see it; the faults themselves live in the simulated station."""

from collections.abc import Mapping
from typing import Any

import msgspec

from simulator.core import faults
from simulator.core.stations import STATIONS


def catalog() -> list[dict[str, Any]]:
    """Every fault with its parameters, what it shows in each OCPP version, and what clears it."""
    return [
        {
            "slug": slug,
            "layer": kind.layer,
            "severity": "blocking" if kind.blocking else "warning",
            "parameters": [msgspec.to_builtins(parameter) for parameter in kind.parameters],
            "shows": {version: faults.shown_in(kind, version) for version in STATIONS},
            "cleared_by": faults.cleared_by(kind),
        }
        for slug, kind in faults.CATALOG.items()
    ]


def problems(fault_type: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a fault's parameters, by name."""
    return faults.problems(fault_type, parameters)
