"""Faults that a user injects at an outlet, and clears (behaviour contract, section 8)."""

from abc import abstractmethod
from typing import Any

import msgspec

from simulator.core import causes, faults
from simulator.core.errors import CommandRefused
from simulator.core.faults import FaultKind
from simulator.core.machine import Block
from simulator.core.network_faults import NetworkFaults
from simulator.core.physical.connector import Connector, Fault

LATCHED = "The fault is latched: unplug the cable and reset the charger."
EV_SILENCE_S = 120.0  # a transaction whose car is not heard of any more lasts so long


class FaultInjection(Block):
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
        connectors = self._places(params)
        if kind.layer == faults.NETWORK:
            self.station.block(NetworkFaults).inject(kind, given, params.get("seed"), params.get("duration_seconds"))
        elif kind.code == "CableCut":
            self._cut_cable(connectors[0])
        else:
            for connector in connectors:
                self._inject(connector, kind, params)
        self._answer_fault(params, message, asked)

    def _places(self, params: dict[str, Any]) -> list[Connector]:
        """The outlets a fault command means: one, or all where it names connector 0, the station."""
        return list(self.station.connectors) if _means_station(params) else [self.asked(params)]

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
        self._tell(connector, fault, cleared=False)

    def _tell(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        """A fault of the station is told once, not for each outlet."""
        if not fault.station or connector is self.station.connectors[0]:
            self.report_fault(connector, fault, cleared=cleared)

    def _fault(self, connector: Connector, kind: FaultKind, params: dict[str, Any]) -> Fault:
        seconds, severity = params.get("duration_seconds"), params.get("severity")
        parameters = faults.filled(kind, params.get("parameters") or {})
        step, latched = parameters.get("offset_wh", 0.0), parameters.get("latched", False)
        return Fault(
            kind.code,
            params["fault_type"],
            kind.code not in faults.ANOMALIES and (kind.blocking if severity is None else severity == "blocking"),
            self.station.now.wall + seconds if seconds and not latched else None,
            connector.metered_wh,
            -step if kind.code == "MeterNegativeStep" else step,
            _means_station(params),
            latched,
            connector.plugged,
        )

    def ev_silent_due(self, number: str) -> None:
        """The car has not been heard of for too long: its transaction ends (contract 8.1)."""
        connector = self.station.connector(int(number))
        if connector is not None and connector.has_fault("EVCommunicationError"):
            self.end(connector, f"{causes.FAULT}:EVCommunicationError")

    def do_clear_fault(self, params: dict[str, Any]) -> None:
        """All faults, those of a place, or the one that `fault_type` names."""
        anywhere = params.get("connector_id") is None and params.get("evse_id") is None
        asked = params.get("fault_type")
        code = faults.kind_of(asked)[0].code if asked else None
        places = self.station.connectors if anywhere else self._places(params)
        meant = {one.number: self._meant(one, params, asked, code, anywhere=anywhere) for one in places}
        latched = any(fault.latched for chosen in meant.values() for fault in chosen)
        found = anywhere and self.station.block(NetworkFaults).clear_all(code)
        for connector in places:
            chosen = [fault for fault in meant[connector.number] if not fault.latched]
            found = found or bool(chosen)
            self._clear(connector, chosen)
        message = LATCHED if latched else "Cleared." if found else "No fault was active."
        self._answer_fault(params, message, None)

    @staticmethod
    def _meant(
        connector: Connector, params: dict[str, Any], asked: str | None, code: str | None, *, anywhere: bool
    ) -> list[Fault]:
        """The outlet's faults that a clear command means."""
        station = _means_station(params)
        return [
            one
            for one in connector.faults
            if (asked is None or asked == one.asked or (code == one.code and code != "OtherError"))
            and (anywhere or one.station == station)
        ]

    def _clear(self, connector: Connector, cleared: list[Fault]) -> None:
        if not cleared:
            return
        connector.faults = [fault for fault in connector.faults if fault not in cleared]
        self.report_status(connector)
        for fault in cleared:
            if fault.code not in faults.ANOMALIES:
                self._tell(connector, fault, cleared=True)
        if not connector.has_fault("EVCommunicationError"):
            self.station.cancel_timer(f"ev_silent:{connector.number}")

    def clear_everywhere(self, code: str) -> None:
        """What caused this fault is gone, at every outlet that has it."""
        for connector in self.station.connectors:
            self._clear(connector, [one for one in connector.faults if one.code == code])

    def went_down(self) -> None:
        for connector in self.station.connectors:
            self.restarted(connector)

    def restarted(self, connector: Connector) -> None:
        """The outlet starts anew, with its station or by itself: faults that this mends are gone."""
        self._clear(connector, [one for one in connector.faults if _ends_with_reboot(one, connector)])

    def clear_on_replug(self, connector: Connector) -> None:
        """A cable goes in: a fault that it could mend and that has met a cable before is gone."""
        self._clear(
            connector, [one for one in connector.faults if one.met_cable and faults.CATALOG[one.code].on_replug]
        )
        connector.faults = [msgspec.structs.replace(one, met_cable=True) for one in connector.faults]

    def clear_expired_faults(self, connector: Connector) -> None:
        now = self.station.now.wall
        expired = [fault for fault in connector.faults if fault.until is not None and fault.until <= now]
        if expired:
            self._clear(connector, expired)

    def _answer_fault(self, params: dict[str, Any], message: str, asked: str | None) -> None:
        connector = self._places(params)[0]
        number = 0 if _means_station(params) else connector.outlet.connector_id
        result: dict[str, Any] = {
            "msg": message,
            "evse_id": 0 if number == 0 else connector.outlet.evse_id,
            "connector_id": number,
            "status": self.status_of(connector),
        }
        if asked is not None:
            result["fault_type"] = asked
        self.station.commands.answer(self.station.commands.cause, result)


def _means_station(params: dict[str, Any]) -> bool:
    return 0 in (params.get("connector_id"), params.get("evse_id"))


def _ends_with_reboot(fault: Fault, connector: Connector) -> bool:
    return faults.CATALOG[fault.code].on_reboot or (fault.latched and not connector.plugged)
