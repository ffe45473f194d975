"""A monitor of one variable: what it may be set to, and when it is triggered (OCPP 2.0.1, N04, N07 and N08)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from simulator.core.v201.variables import NO_LIMIT, Variable

UPPER, LOWER, DELTA = "UpperThreshold", "LowerThreshold", "Delta"
PERIODIC, ALIGNED = "Periodic", "PeriodicClockAligned"
HARD_WIRED, PRECONFIGURED, CUSTOM = "HardWiredMonitor", "PreconfiguredMonitor", "CustomMonitor"
THRESHOLDS, PERIODS = (UPPER, LOWER), (PERIODIC, ALIGNED)
SHORTEST_S = 1
LOWEST_SEVERITY = 9  # Debug; 0, Danger, is the highest
MEASURED = ("TemperatureSensor", "Temperature")
# Its thresholds by the factory: (origin, limit in Celsius, severity). No injected fault gets as far, as those have
# notifications of their own.
FACTORY = ((HARD_WIRED, 110.0, 2), (PRECONFIGURED, 100.0, 4))


class Monitor(msgspec.Struct, omit_defaults=True):
    """`key` is its variable's. `value` is a limit, a difference, or a period in s.

    `transaction`: it is active only while a transaction runs at its component.
    """

    id: int
    key: str
    type: str
    value: float
    severity: int
    transaction: bool = False
    origin: str = CUSTOM
    exceeded: bool = False  # a threshold's alert was told, and not yet that it is over
    told: str = ""  # Delta: the value that was told last, or that of the moment when it was set
    due: float | None = None  # a period's next end (mono); None: it is not counted yet

    @property
    def described(self) -> dict[str, Any]:
        """Its VariableMonitoringType."""
        return {name: getattr(self, name) for name in ("id", "transaction", "value", "type", "severity")}

    def look(self, variable: Variable, actual: str) -> dict[str, Any] | None:
        """A value is seen: the part of an EventDataType that says what it means, or None where that is nothing new."""
        if self.type == DELTA:
            return self._compare(variable, actual)
        distance = float(actual) - self.value
        exceeds = distance > 0 if self.type == UPPER else distance < 0  # N07.FR.16, 17: not on the threshold
        if exceeds == self.exceeded:
            return None
        self.exceeded = exceeds
        return {"trigger": "Alerting", "cleared": not exceeds}

    def _compare(self, variable: Variable, actual: str) -> dict[str, Any] | None:
        if actual == self.told:
            return None
        if variable.is_numeric and abs(float(actual) - float(self.told)) <= self.value:
            return None
        self.told = actual
        return {"trigger": "Delta"}


def factory(variables: Iterable[Variable]) -> list[Monitor]:
    """What the manufacturer has set, in the order of their ids from 1."""
    sensors = [one for one in variables if one.live and (one.component, one.name) == MEASURED]
    wanted = [(one.key, *row) for row in FACTORY for one in sensors]
    return [
        Monitor(number, key, UPPER, limit, severity, origin=origin)
        for number, (key, origin, limit, severity) in enumerate(wanted, start=1)
    ]


def is_supported(kind: str, variable: Variable) -> bool:
    """Whether the variable may have a monitor of this type."""
    return variable.is_monitorable and (kind not in THRESHOLDS or variable.is_numeric)


def problem(data: dict[str, Any], variable: Variable) -> str:
    """The reasonCode by which a SetMonitoringDataType is refused, or ""."""
    kind, value = data["type"], data["value"]
    if not 0 <= data["severity"] <= LOWEST_SEVERITY:
        return "ValueOutOfRange"
    if kind in THRESHOLDS:  # N04.FR.06
        return "" if variable.setting.least <= value <= variable.setting.most else "ValueOutOfRange"
    if value < 0:  # N04.FR.14
        return "ValuePositiveOnly"
    if kind in PERIODS and value < SHORTEST_S:
        return "ValueTooLow"
    return "ValueTooHigh" if value > NO_LIMIT else ""
