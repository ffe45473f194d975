"""Monitors look at their variables and are told of by NotifyEvent (behaviour contract, 5.8; OCPP 2.0.1, N07 and N08).

A monitor of which nothing may be told does not look: the CSMS is offline and its severity not worth a queue, or the
level shuts it out. Once it may speak, it sees the values as they are then (N07, remark): no end of an alert is told
whose beginning was not.
"""

import math
from typing import Any, ClassVar

from simulator.core.machine import Block, Machine
from simulator.core.v201.device_model import DeviceModel
from simulator.core.v201.event_notifications import EventNotifications
from simulator.core.v201.monitoring import LEVEL, Monitoring
from simulator.core.v201.monitors import ALIGNED, CUSTOM, PERIODS, Monitor
from simulator.core.v201.variables import Variable

QUEUED = "MonitoringCtrlr.OfflineQueuingSeverity"
LOOK_S = 5.0
# Variables that move by themselves while energy flows; all others move by an input, which is looked at anyway.
MOVING = frozenset({"EnergyImportRegister", "Power", "Temperature"})


class MonitoringEvents(Block):
    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self._looked_at = station.now.mono

    @property
    def _watched(self) -> list[tuple[Monitor, Variable]]:
        """A machine that is down watches nothing."""
        monitoring = self.station.block(Monitoring)
        return monitoring.active if monitoring.is_enabled and not self.station.rebooting else []

    def settle(self) -> None:
        self._looked_at, severity = self.station.now.mono, self._least_severity()
        seen = [(one, variable, self._look(one, variable, severity)) for one, variable in self._watched]
        events = [self._event(one, variable, what) for one, variable, what in seen if what is not None]
        if events:
            self.station.block(EventNotifications).tell(events)

    def _look(self, monitor: Monitor, variable: Variable, severity: int) -> dict[str, Any] | None:
        """The part of an EventDataType that says what the monitor has noticed, if anything."""
        speaks = monitor.severity <= severity and self._is_active(monitor, variable)
        if monitor.type in PERIODS:
            return {"trigger": "Periodic"} if self._is_over(monitor) and speaks else None
        if not speaks:
            return None
        what = monitor.look(variable, self.station.block(DeviceModel).value(variable))
        self.station.block(Monitoring).changed |= what is not None
        return what

    def _event(self, monitor: Monitor, variable: Variable, what: dict[str, Any]) -> dict[str, Any]:
        event = {
            **what,
            "actualValue": self.station.block(DeviceModel).value(variable)[:2500],
            "variableMonitoringId": monitor.id,
            "eventNotificationType": monitor.origin,
            **variable.names,
        }
        running = self._transactions(variable)
        return event | ({"transactionId": running[0]} if len(running) == 1 else {})

    def _transactions(self, variable: Variable) -> list[str]:
        within = self.station.block(DeviceModel).within(variable)
        return [one.running.key for one in within if one.running is not None]

    # --- which may speak --------------------------------------------------------------------------------------------

    def _least_severity(self) -> int:
        """The highest number that may be told of now (N05.FR.03, N07.FR.04 and 15, N08.FR.03)."""
        number = self.station.configuration.number
        return number(LEVEL) if self.station.online else min(number(LEVEL), number(QUEUED))

    def _is_active(self, monitor: Monitor, variable: Variable) -> bool:
        """An alert outlives its transaction until it is cleared."""
        return not monitor.transaction or monitor.exceeded or bool(self._transactions(variable))

    # --- when to look -----------------------------------------------------------------------------------------------

    def _is_over(self, monitor: Monitor) -> bool:
        """A period has ended, and the next one begins; or the first one does."""
        now = self.station.now.mono
        ended = monitor.due is not None and monitor.due <= now
        if ended or monitor.due is None:
            monitor.due = now + self._seconds_left(monitor, ended=ended)
        return ended

    def _seconds_left(self, monitor: Monitor, *, ended: bool) -> float:
        if monitor.type != ALIGNED:
            return monitor.value
        marks = self.station.clock / monitor.value
        # The end of a period is the mark that is nearest: a clock set back a little makes no second one of it.
        last = round(marks) if ended else math.floor(marks)
        return (last + 1) * monitor.value - self.station.clock

    def next_event(self) -> float | None:
        """The factory's monitors are content with the looks that others cause: a fleet must not wake up for them."""
        custom = [pair for pair in self._watched if pair[0].origin == CUSTOM]
        times = [one.due for one, _ in custom if one.due is not None]
        moving = any(one.type not in PERIODS and variable.name in MOVING for one, variable in custom)
        if moving and any(one.energy_flows for one in self.station.connectors):
            times.append(self._looked_at + LOOK_S)
        return min(times, default=None)
