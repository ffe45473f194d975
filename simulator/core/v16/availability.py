"""Connector status and ChangeAvailability (behaviour contract, sections 3 and 5.1)."""

from collections.abc import Callable
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.facts import ConnectorStatusChanged
from simulator.core.faults import WIRE_CODES, kind_of
from simulator.core.machine import Block, Machine
from simulator.core.physical.connector import Connector, Fault

# The table of contract 3.2: the highest row that holds wins.
PROJECTION: tuple[tuple[Callable[[Connector], bool], str], ...] = (
    (lambda c: c.blocking_fault is not None, "Faulted"),
    (lambda c: not c.operative and c.running is None, "Unavailable"),
    (lambda c: c.running is not None and c.energy_flows, "Charging"),
    (
        lambda c: c.running is not None and c.ev_connected and not (c.offers and c.running.energy_offered),
        "SuspendedEVSE",
    ),
    (lambda c: c.running is not None and (c.closed_at is not None or not c.ev_connected), "SuspendedEV"),
    (lambda c: c.running is not None and not c.vehicle.wants_energy(), "SuspendedEV"),
    (lambda c: c.finishing, "Finishing"),
    (lambda c: c.reserved and c.grant is None and c.running is None, "Reserved"),
    (lambda c: c.tag_too_late, "Finishing"),
    (lambda c: c.plugged or c.grant is not None or c.running is not None, "Preparing"),
)


def status_of(connector: Connector) -> str:
    status = next((status for holds, status in PROJECTION if holds(connector)), "Available")
    running = connector.running
    if status == "Preparing" and running is not None and running.last_state not in ("", "Preparing"):
        return "SuspendedEV"  # the contactor closes anew: a transaction never goes back to Preparing (contract 3.3)
    return status


def error_of(connector: Connector) -> str:
    fault = connector.shown_fault
    return "NoError" if fault is None else _wire_code(fault)


def _wire_code(fault: Fault) -> str:
    return WIRE_CODES.get(fault.code, fault.code)


class Availability(Block):
    actions: ClassVar = ("ChangeAvailability",)

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        saved = station.store.get("availability", {})
        self.operative: bool = saved.get("operative", True)
        self.scheduled_inoperative: bool = saved.get("scheduled", False)
        # (status, error) as last told, and as last delivered: what was told but not answered is told again.
        self.told: dict[int, tuple[str, str]] = {}
        self._settling: dict[int, tuple[str, str]] = {}  # not stable for long enough yet to be told
        self.delivered: dict[int, tuple[str, str]] = {
            int(number): (pair[0], pair[1]) for number, pair in saved.get("delivered", {}).items()
        }

    def save(self) -> None:
        delivered = {str(number): list(pair) for number, pair in self.delivered.items()}
        scheduled = {"scheduled": True} if self.scheduled_inoperative else {}
        self.station.store.put("availability", {"operative": self.operative, "delivered": delivered} | scheduled)

    def facts_of(self, number: int) -> tuple[str, str]:
        """(status, errorCode) of a connector; 0 is the station: Available, Unavailable or Faulted (contract 3.2)."""
        if number == 0:
            fault = self._station_fault()
            if fault is not None and fault.blocking:
                return "Faulted", _wire_code(fault)
            return ("Available" if self.operative else "Unavailable"), "NoError" if fault is None else _wire_code(fault)
        connector = self.station.connector(number)
        assert connector is not None
        return status_of(connector), error_of(connector)

    def _station_fault(self) -> Fault | None:
        """What connector 0 tells: the most severe fault of the whole station, newest first."""
        shared = [fault for fault in self.station.connectors[0].faults if fault.station]
        return next((one for one in reversed(shared) if one.blocking), shared[-1] if shared else None)

    def report(self, number: int) -> None:
        """Sends a StatusNotification if the facts differ from what the CSMS was told."""
        facts = self.facts_of(number)
        if self.told.get(number) == facts:
            self._settling.pop(number, None)
        elif number not in self.told or not self._must_settle(number, facts):
            self._tell(number, facts)

    def _must_settle(self, number: int, facts: tuple[str, str]) -> bool:
        """MinimumStatusDuration: a status that is left before that time is never sent (contract 3.3)."""
        seconds = self.station.configuration.number("MinimumStatusDuration")
        if seconds > 0 and self._settling.get(number) != facts:
            self._settling[number] = facts
            self.station.set_timer(f"status:{number}", float(seconds))
        return seconds > 0

    def status_due(self, number: str) -> None:
        facts = self._settling.pop(int(number), None)
        if facts is not None and facts == self.facts_of(int(number)):
            self._tell(int(number), facts)

    def _tell(self, number: int, facts: tuple[str, str]) -> None:
        self.told[number] = facts
        connector = self.station.connector(number)
        if connector is not None and connector.running is not None:
            connector.running.last_state = facts[0]
        self.station.fact(ConnectorStatusChanged(number, number, facts[0], facts[1], self.station.now.wall))
        if self.station.online:
            self.notify(number)

    def notify(self, number: int, *, unasked: bool = True) -> None:
        status, error = self.facts_of(number)
        payload: dict[str, Any] = {
            "connectorId": number,
            "errorCode": error,
            "status": status,
            "timestamp": timestamps.written(self.station.clock),
        }
        connector = self.station.connector(number)
        fault = connector.shown_fault if connector else self._station_fault()
        if fault is not None:
            payload |= self._fault_words(fault)
        elif connector is not None and connector.ev_side_open:
            payload["info"] = "EV side disconnected"
        context = {"connector": number, "status": status, "error": error}
        self.station.call(Call("StatusNotification", payload, context=context, unasked=unasked))

    @staticmethod
    def _fault_words(fault: Fault) -> dict[str, str]:
        note = kind_of(fault.asked)[0].note
        words = {"info": note[:50]} if note else {}
        if fault.code == "OtherError":
            words["vendorErrorCode"] = fault.asked[:50]
        return words

    def StatusNotification_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.delivered[call.context["connector"]] = (call.context["status"], call.context["error"])

    def came_online(self, *, after_boot: bool) -> None:
        """After a boot all connectors are told, after a mere reconnect only what differs (contract R2)."""
        for number in range(len(self.station.connectors) + 1):
            if after_boot or self.delivered.get(number) != self.facts_of(number):
                self.told[number] = self.facts_of(number)
                self.notify(number)

    # --- ChangeAvailability -----------------------------------------------------------------------------------------

    def on_ChangeAvailability(self, request: dict[str, Any]) -> dict[str, Any]:
        number, operative = request["connectorId"], request["type"] == "Operative"
        if number != 0 and self.station.connector(number) is None:
            return {"status": "Rejected"}
        targets = [one for one in self.station.connectors if number in (0, one.number)]
        busy = [one for one in targets if one.running is not None and not operative]
        for connector in targets:
            connector.scheduled_inoperative = connector in busy
            if connector not in busy:
                connector.operative = operative
        if number == 0:
            self.scheduled_inoperative = bool(busy)
            self.operative = self.operative if busy else operative
        return {"status": "Scheduled" if busy else "Accepted"}

    def settle(self) -> None:
        for connector in self.station.connectors:
            if connector.scheduled_inoperative and connector.running is None:
                connector.scheduled_inoperative, connector.operative = False, False
        if self.scheduled_inoperative and all(connector.running is None for connector in self.station.connectors):
            self.scheduled_inoperative, self.operative = False, False
        self.report(0)
