"""Section 7: charging profiles and the composite schedule."""

from tests.contract.sights import Sight, call, result, row, status

SECTIONS = {"7": "Composite schedule"}
GIVEN = result("GetCompositeSchedule", status="Accepted")


def _limit(value: float) -> Sight:
    path = "chargingSchedule.chargingSchedulePeriod.*.limit"
    return Sight("result", "GetCompositeSchedule", {path: value})


def _limits(*values: float) -> Sight:
    """These periods and no more."""
    path = "chargingSchedule.chargingSchedulePeriod.{}.limit"
    having = {path.format(number): value for number, value in enumerate(values)} | {path.format(len(values)): None}
    return Sight("result", "GetCompositeSchedule", having)


ROWS = (
    row("7/worked check", "A", "0:12, 60:20, 200:10, 300:20", _limits(12.0, 20.0, 10.0, 20.0)),
    row("7/candidates", "A", "A profile of the connector wins over that of connector 0", _limit(11.0)),
    row("7/live", "A", "validFrom and validTo bound a profile", _limits(32.0, 13.0, 32.0)),
    row("7/kinds", "A", "Absolute, Recurring and Relative start where they say", GIVEN, _limit(9.0), _limit(14.0)),
    row("7/covered", "A", "A schedule ends with its duration", _limits(10.0, 32.0)),
    row("7/stack", "A", "The highest stackLevel counts, then the next", _limits(8.0, 16.0)),
    row("7/TxProfile", "A", "Replaces the default while it gives a value, and ends with its transaction",
        _limit(7.0), _limit(20.0)),
    row("7/combine", "A", "The least of all purposes and of the rated maximum", _limit(6.0)),
    row("7/C1", "A", "Amperes are per phase: W = A x V x phases", _limit(6900.0)),
    row("7/C2", "A", "Mixed units; the answer in the asked one",
        result("GetCompositeSchedule", chargingSchedule__chargingRateUnit="W")),
    row("7/C3", "A", "The station's limit is shared between active connectors", call("MeterValues", connectorId=1),
        call("MeterValues", connectorId=2)),
    row("7/C4", "A", "From now, first startPeriod 0, equal neighbours merged",
        result("GetCompositeSchedule", chargingSchedule__duration=500)),
    row("7/C5", "A", "Connector 0: the sum, capped", result("GetCompositeSchedule", connectorId=0), _limit(40.0)),
    row("7/C6", "A", "Without a transaction as if the default ran", _limit(10.0)),
    row("7/C7", "A", "What is past collapses into the first period; never empty", GIVEN, _limit(15.0)),
    row("7/C8", "A", "The car follows; 0 or under min current is SuspendedEVSE", status(1, "SuspendedEVSE"),
        status(1, "Charging")),
    row("7/C9", "B", "A share under minChargingRate becomes 0", status(1, "SuspendedEVSE")),
    row("7/C10", "A", "A default cleared in a transaction counts at once", status(1, "SuspendedEVSE"),
        status(1, "Charging")),
)  # fmt: skip
