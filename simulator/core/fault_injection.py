"""Faults that a user injects at an outlet, and clears (behaviour contract, section 8)."""

from abc import abstractmethod
from typing import Any, TypeVar

from simulator.core import causes, faults
from simulator.core.block import Block
from simulator.core.physical.connector import Connector, Fault
from simulator.core.station import Station

S = TypeVar("S", bound=Station)


class FaultInjection(Block[S]):
    @abstractmethod
    def asked(self, params: dict[str, Any]) -> Connector:
        """The outlet that a user's command means; raises CommandRefused."""

    @abstractmethod
    def end(self, connector: Connector, cause: str, token: str = "") -> None:
        """Ends the running transaction for a cause of `causes`; `token` is that of the driver who stopped it."""

    @abstractmethod
    def forget_grant(self, connector: Connector, reason: str) -> None:
        """Nobody may start at this outlet any more, whoever was allowed to."""

    @abstractmethod
    def status_of(self, connector: Connector) -> str:
        """The status as this version words it."""

    @abstractmethod
    def report_status(self, connector: Connector) -> None:
        """Tells the CSMS the outlet's status if it differs from the last one told."""

    @abstractmethod
    def report_fault(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        """Tells the CSMS of a fault beside the status."""

    def do_inject_fault(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        asked = params["fault_type"]
        kind, message = faults.kind_of(asked)
        blocking = kind.blocking if params.get("severity") is None else params["severity"] == "blocking"
        seconds = params.get("duration_seconds")
        until = self.station.now.wall + seconds if seconds else None
        fault = Fault(kind.code, asked, blocking, until)
        connector.faults = [one for one in connector.faults if one.code != kind.code] + [fault]
        if connector.running is not None and blocking and kind.stops:
            self.end(
                connector, causes.EMERGENCY_STOP if kind.code == "EmergencyStop" else f"{causes.FAULT}:{kind.code}"
            )
        if blocking:
            self.forget_grant(connector, f"The connector is faulted: {asked}.")
        self.report_status(connector)
        self.report_fault(connector, fault, cleared=False)
        self._answer_fault(connector, message, asked)

    def do_clear_fault(self, params: dict[str, Any]) -> None:
        named = params.get("connector_id") or params.get("evse_id")
        chosen = [self.asked(params)] if named else [one for one in self.station.connectors if one.faults]
        if not any(one.faults for one in chosen):
            self._answer_fault(chosen[0] if chosen else self.station.connectors[0], "No fault was active.", None)
            return
        for connector in chosen:
            self._clear(connector, list(connector.faults))
        self._answer_fault(chosen[0], "Cleared.", None)

    def _clear(self, connector: Connector, cleared: list[Fault]) -> None:
        connector.faults = [fault for fault in connector.faults if fault not in cleared]
        self.report_status(connector)
        for fault in cleared:
            self.report_fault(connector, fault, cleared=True)

    def clear_expired_faults(self, connector: Connector) -> None:
        now = self.station.now.wall
        expired = [fault for fault in connector.faults if fault.until is not None and fault.until <= now]
        if expired:
            self._clear(connector, expired)

    def _answer_fault(self, connector: Connector, message: str, asked: str | None) -> None:
        result: dict[str, Any] = {
            "msg": message,
            "evse_id": connector.outlet.evse_id,
            "connector_id": connector.outlet.connector_id,
            "status": self.status_of(connector),
        }
        if asked is not None:
            result["fault_type"] = asked
        self.station.commands.answer(self.station.commands.cause, result)
