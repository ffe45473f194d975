"""Connector status and ChangeAvailability (behaviour contract, 3.2, 3.4 and 5.5)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.charging import Charging
from simulator.core.facts import ConnectorStatusChanged
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector
from simulator.core.v201.reset import Reset

STATION = "station"


def _targets(connector: Connector) -> set[str]:
    """The three levels that must all be operative for this connector to be usable."""
    outlet = connector.outlet
    return {STATION, f"evse/{outlet.evse_id}", f"connector/{outlet.evse_id}/{outlet.connector_id}"}


class Availability(Block):
    actions: ClassVar = ("ChangeAvailability",)

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get("availability", {})
        self.inoperative: set[str] = set(saved.get("inoperative", []))
        self.scheduled: set[str] = set(saved.get("scheduled", []))
        # As last told, and as last delivered: what was told but not answered is told again.
        self.told: dict[int, str] = {}
        self.delivered: dict[int, str] = {int(number): one for number, one in saved.get("delivered", {}).items()}
        self.offline_since: float | None = None

    def save(self) -> None:
        record = {
            "inoperative": sorted(self.inoperative),
            "scheduled": sorted(self.scheduled),
            "delivered": {str(number): status for number, status in self.delivered.items()},
        }
        self.station.store.put("availability", record)

    # --- status -----------------------------------------------------------------------------------------------------

    def is_operative(self, connector: Connector) -> bool:
        """A reset that waits for transactions to end lets no new one start meanwhile."""
        kept_out = connector.running is None and self.station.block(Reset).keeps_out(connector)
        return self.is_in_service(connector) and not kept_out

    def is_in_service(self, connector: Connector) -> bool:
        """A change that waits for transactions to end holds for the outlets without one already."""
        levels = _targets(connector)
        if levels & self.inoperative or connector.withheld:
            return False
        return not (levels & self.scheduled and connector.running is None)

    def status_of(self, connector: Connector) -> str:
        if connector.blocking_fault is not None:
            return "Faulted"
        if connector.running is None and not self.is_operative(connector):
            return "Unavailable"
        if connector.reserved and connector.grant is None and connector.running is None:
            return "Reserved"
        return "Occupied" if connector.plugged or _cable_is_out(connector) else "Available"

    def state_of(self, connectors: list[Connector]) -> str:
        """AvailabilityState of an EVSE or the station from that of its connectors."""
        statuses = {self.status_of(connector) for connector in connectors}
        if len(statuses) == 1:
            return statuses.pop()
        return next((one for one in ("Occupied", "Reserved", "Available", "Unavailable") if one in statuses), "Faulted")

    def report(self, connector: Connector) -> None:
        """Sends a StatusNotification if the status differs from what the CSMS was told."""
        status, outlet = self.status_of(connector), connector.outlet
        if self.told.get(connector.number) == status:
            return
        self.told[connector.number] = status
        fault = connector.shown_fault
        error = "NoError" if fault is None else fault.code
        now = self.station.now.wall
        self.station.fact(ConnectorStatusChanged(outlet.evse_id, outlet.connector_id, status, error, now))
        if self.station.online:
            self.notify(connector)

    def notify(self, connector: Connector, *, unasked: bool = True) -> None:
        status = self.status_of(connector)
        payload = {
            "timestamp": timestamps.written(self.station.clock),
            "connectorStatus": status,
            "evseId": connector.outlet.evse_id,
            "connectorId": connector.outlet.connector_id,
        }
        context = {"connector": connector.number, "status": status}
        self.station.call(Call("StatusNotification", payload, context=context, unasked=unasked))

    def StatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.delivered[call.context["connector"]] = call.context["status"]

    def came_online(self, *, after_boot: bool) -> None:
        """All connectors after a boot or a long time offline, else those whose status differs (contract R2)."""
        everything = after_boot or self._was_long_offline()
        self.offline_since = None
        for connector in self.station.connectors:
            status = self.status_of(connector)
            if everything or self.delivered.get(connector.number) != status:
                self.told[connector.number] = status
                self.notify(connector)

    def _was_long_offline(self) -> bool:
        threshold = self.station.configuration.number("OCPPCommCtrlr.OfflineThreshold")
        return self.offline_since is not None and self.station.now.wall - self.offline_since > threshold

    def went_offline(self) -> None:
        if self.offline_since is None:
            self.offline_since = self.station.now.wall

    # --- ChangeAvailability -----------------------------------------------------------------------------------------

    def on_ChangeAvailability(self, request: dict[str, Any]) -> dict[str, Any]:
        target = self._target(request.get("evse"))
        covered = [one for one in self.station.connectors if target in _targets(one)]
        if not covered:
            return {"status": "Rejected"}
        self.scheduled.discard(target)
        status = "Accepted"
        if request["operationalStatus"] == "Operative":
            self.inoperative.discard(target)
        elif target not in self.inoperative and any(one.running is not None for one in covered):
            self.scheduled.add(target)
            status = "Scheduled"
        else:
            self.inoperative.add(target)
        self._apply()
        return {"status": status}

    @staticmethod
    def _target(evse: dict[str, Any] | None) -> str:
        if evse is None:
            return STATION
        connector = evse.get("connectorId")
        return f"evse/{evse['id']}" if connector is None else f"connector/{evse['id']}/{connector}"

    def _apply(self) -> None:
        for connector in self.station.connectors:
            connector.operative = self.is_operative(connector)
            if not connector.operative and connector.running is None:
                self.station.block(Charging).forget_grant(connector, "The EVSE was set inoperative.")

    def settle(self) -> None:
        for target in list(self.scheduled):
            if not any(target in _targets(one) and one.running is not None for one in self.station.connectors):
                self.scheduled.discard(target)
                self.inoperative.add(target)
        self._apply()
        for connector in self.station.connectors:
            self.report(connector)


def _cable_is_out(connector: Connector) -> bool:
    """A fixed cable was put back while its transaction goes on (contract 3.2)."""
    return connector.running is not None and connector.running.cable == "out"
