"""Faults that a user injects at an outlet, and clears (behaviour contract, section 8)."""

from abc import abstractmethod
from typing import Any, TypeVar

from simulator.core import causes, faults
from simulator.core.block import Block
from simulator.core.errors import CommandRefused
from simulator.core.faults import FaultKind
from simulator.core.physical.connector import Connector, Fault
from simulator.core.station import Station

EV_SILENCE_S = 120.0  # a transaction whose car is not heard of any more lasts so long
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

    @abstractmethod
    def pull_cable(self, connector: Connector) -> bool:
        """The car's end comes out, then the station's; False if the station keeps its end locked."""

    def do_inject_fault(self, params: dict[str, Any]) -> None:
        asked, given = params["fault_type"], params.get("parameters") or {}
        if problems := faults.problems(asked, given):
            raise CommandRefused(" ".join(f"{name}: {problem}" for name, problem in problems.items()))
        kind, message = faults.kind_of(asked)
        connector = self.asked(params)
        if kind.layer == faults.NETWORK:
            self.station.wire.inject(kind, given, params.get("seed"), params.get("duration_seconds"))
        elif kind.code == "CableCut":
            self._cut_cable(connector)
        else:
            self._inject(connector, kind, params)
        self._answer_fault(connector, message, asked)

    def _cut_cable(self, connector: Connector) -> None:
        if not connector.plugged:
            raise CommandRefused("No cable is plugged in.")
        connector.ev_side_open = True
        connector.open_contactor()
        self.end(connector, causes.EV_DISCONNECTED)
        self.report_status(connector)
        connector.unplug()
        self.report_status(connector)

    def _inject(self, connector: Connector, kind: FaultKind, params: dict[str, Any]) -> None:
        fault = self._fault(connector, kind, params)
        connector.faults = [one for one in connector.faults if one.code != kind.code] + [fault]
        if kind.code in faults.ANOMALIES:
            return
        if connector.running is not None and fault.blocking and kind.stops:
            self.end(
                connector, causes.EMERGENCY_STOP if kind.code == "EmergencyStop" else f"{causes.FAULT}:{kind.code}"
            )
        if fault.blocking and connector.blocking_fault is not None:
            self.forget_grant(connector, f"The connector is faulted: {fault.asked}.")
        if kind.code == "EVCommunicationError":
            self.station.set_timer(f"ev_silent:{connector.number}", EV_SILENCE_S)
        self.report_status(connector)
        self.report_fault(connector, fault, cleared=False)

    def _fault(self, connector: Connector, kind: FaultKind, params: dict[str, Any]) -> Fault:
        seconds, severity = params.get("duration_seconds"), params.get("severity")
        step = faults.filled(kind, params.get("parameters") or {}).get("offset_wh", 0.0)
        return Fault(
            kind.code,
            params["fault_type"],
            kind.code not in faults.ANOMALIES and (kind.blocking if severity is None else severity == "blocking"),
            self.station.now.wall + seconds if seconds else None,
            connector.metered_wh,
            -step if kind.code == "MeterNegativeStep" else step,
        )

    def ev_silent_due(self, number: str) -> None:
        """The car has not been heard of for too long: its transaction ends (contract 8.1)."""
        connector = self.station.connector(int(number))
        if connector is not None and connector.has_fault("EVCommunicationError"):
            self.end(connector, f"{causes.FAULT}:EVCommunicationError")

    def do_clear_fault(self, params: dict[str, Any]) -> None:
        named = params.get("connector_id") or params.get("evse_id")
        chosen = [self.asked(params)] if named else [one for one in self.station.connectors if one.faults]
        cleared = not named and self.station.wire.clear_all()
        if not cleared and not any(one.faults for one in chosen):
            self._answer_fault(chosen[0] if chosen else self.station.connectors[0], "No fault was active.", None)
            return
        for connector in chosen:
            self._clear(connector, list(connector.faults))
        self._answer_fault(chosen[0] if chosen else self.station.connectors[0], "Cleared.", None)

    def _clear(self, connector: Connector, cleared: list[Fault]) -> None:
        connector.faults = [fault for fault in connector.faults if fault not in cleared]
        self.report_status(connector)
        for fault in cleared:
            if fault.code not in faults.ANOMALIES:
                self.report_fault(connector, fault, cleared=True)
        if not connector.has_fault("EVCommunicationError"):
            self.station.cancel_timer(f"ev_silent:{connector.number}")

    def went_down(self) -> None:
        for connector in self.station.connectors:
            self._clear(connector, [one for one in connector.faults if faults.CATALOG[one.code].on_reboot])

    def clear_on_replug(self, connector: Connector) -> None:
        self._clear(connector, [one for one in connector.faults if faults.CATALOG[one.code].on_replug])

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
