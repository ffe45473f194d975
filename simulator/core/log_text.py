"""What stands in a station's log files: its facts, its settings without secrets, its security events."""

from typing import Any

from simulator.core import timestamps
from simulator.core.machine import Machine
from simulator.core.physical.connector import Connector


def within(events: list[dict[str, Any]], oldest: float, latest: float) -> list[dict[str, Any]]:
    return [one for one in events if oldest <= one["at"] <= latest]


def of_events(events: list[dict[str, Any]]) -> str:
    return _titled("security events", [_event(one) for one in events])


def _event(event: dict[str, Any]) -> str:
    times = f" ({event['count']} times)" if event.get("count", 1) > 1 else ""
    return f"{timestamps.written(event['at'])} {event['type']}{times} {event['info']}".rstrip()


def of_station(station: Machine, firmware_version: str) -> str:
    """The device, its outlets and its settings; write-only ones without a value."""
    setup = station.setup
    facts = {
        "identity": setup.identity,
        "vendor": setup.vendor,
        "model": setup.model,
        "serial number": setup.serial_number,
        "firmware": firmware_version,
        "protocol": setup.subprotocol,
        "clock": timestamps.written(station.clock),
        "registration": station.registration or "none",
        "connection": station.link.state,
        "queued messages": station.outbox.length,
    }
    settings = [f"{one['key']} = {one.get('value', '(not shown)')}" for one in station.configuration.listing()]
    return (
        _titled("station", [f"{name}: {value}" for name, value in facts.items()])
        + _titled("connectors", [_connector(one) for one in station.connectors])
        + _titled("settings", settings)
    )


def _connector(connector: Connector) -> str:
    outlet, running = connector.outlet, connector.running
    words = [
        f"EVSE {outlet.evse_id} connector {outlet.connector_id} ({outlet.type})",
        "plugged" if connector.plugged else "unplugged",
        f"{connector.power_w:.0f} W",
        f"register {connector.meter_wh()} Wh",
        f"transaction {running.transaction_id or running.key}" if running is not None else "no transaction",
    ]
    return ", ".join([*words, *(f"fault {fault.asked}" for fault in connector.faults)])


def _titled(title: str, lines: list[str]) -> str:
    return "\n".join([f"== {title} ==", *lines, "", ""])
