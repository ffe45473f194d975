"""Meter values: within TransactionEvents, clock-aligned, and triggered (behaviour contract, 4.6)."""

from itertools import chain
from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import Call
from simulator.core.machine import Block, Machine
from simulator.core.measurands import Sample, Series, main_meter, samples
from simulator.core.physical.connector import Connector
from simulator.core.physical.meter import Reading
from simulator.core.v201.transaction_events import TransactionEvents

SAMPLED, ALIGNED = "SampledDataCtrlr", "AlignedDataCtrlr"
MOST_ENDED_VALUES = 500


def sampled_value(sample: Sample, measurand: str, context: str) -> dict[str, Any]:
    """Values are numbers (contract M8); the unit Wh is the default and told all the same."""
    value: dict[str, Any] = {
        "value": round(sample.value, sample.decimals),
        "context": context,
        "measurand": measurand,
        "location": sample.location,
    }
    if sample.unit:
        value["unitOfMeasure"] = {"unit": sample.unit}
    if sample.phase:
        value["phase"] = sample.phase
    return value


def sampled_values(connector: Connector, reading: Reading, wanted: list[str], context: str) -> list[dict[str, Any]]:
    """The SampledValues of one instant."""
    return [
        sampled_value(sample, measurand, context)
        for measurand in wanted
        for sample in samples(connector, reading, measurand)
    ]


class Metering(Block):
    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self._series = Series()
        for connector in station.connectors:
            if connector.running is not None:
                self.start(connector)
        self.align()

    def _seconds(self, variable: str) -> float:
        return float(self.station.configuration.number(variable))

    def values(
        self, connector: Connector, controller: str, setting: str, context: str, at: float
    ) -> list[dict[str, Any]]:
        """One MeterValue taken now with the measurands of `controller`.`setting`, or none where they give nothing."""
        configuration = self.station.configuration
        wanted = configuration.members(f"{controller}.{setting}")
        if not wanted or not configuration.flag(f"{controller}.Enabled"):
            return []
        series = f"{controller}.{setting}" if context in ("Sample.Periodic", "Sample.Clock") else ""
        reading = self._series.read(connector, self.station.random, series)
        sampled = sampled_values(connector, reading, wanted, context)
        return [{"timestamp": timestamps.written(at), "sampledValue": sampled}] if sampled else []

    def tx_values(self, connector: Connector, setting: str, context: str) -> list[dict[str, Any]]:
        return self.values(connector, SAMPLED, setting, context, self.station.clock)

    def end_values(self, connector: Connector) -> list[dict[str, Any]]:
        return self.tx_values(connector, "TxEndedMeasurands", "Transaction.End")

    def power_survived(self) -> None:
        """The register on either side of the gap is told once the station is back (contract Q7)."""
        for connector in self.station.connectors:
            if connector.running is not None:
                gap = {"Begin": connector.running.seen_at, "End": self.station.clock}
                ends = [self._at_interruption(connector, end, at) for end, at in gap.items()]
                events = self.station.block(TransactionEvents)
                events.send(connector, "Updated", "AbnormalCondition", values=[*chain(*ends)])

    def _at_interruption(self, connector: Connector, end: str, at: float) -> list[dict[str, Any]]:
        return self.values(connector, SAMPLED, "TxEndedMeasurands", f"Interruption.{end}", at)

    # --- periodic samples (contract M2, M3, M6) -----------------------------------------------------------------------

    def start(self, connector: Connector) -> None:
        """Samples are counted from the start of the transaction."""
        self._series.begin(connector)
        self._arm(f"sample:{connector.number}", f"{SAMPLED}.TxUpdatedInterval")
        self._arm(f"ended_sample:{connector.number}", f"{SAMPLED}.TxEndedInterval")

    def _arm(self, timer: str, interval_setting: str) -> None:
        interval = self._seconds(interval_setting)
        self.station.cancel_timer(timer)
        if interval > 0:
            self.station.set_timer(timer, interval)

    def stop(self, connector: Connector) -> None:
        self.station.cancel_timer(f"sample:{connector.number}")
        self.station.cancel_timer(f"ended_sample:{connector.number}")

    def interval_changed(self) -> None:
        for connector in self.station.connectors:
            if connector.running is not None:
                self.start(connector)

    def sample_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is None or connector.running is None:
            return
        values = self.tx_values(connector, "TxUpdatedMeasurands", "Sample.Periodic")
        if values:
            self.station.block(TransactionEvents).send(connector, "Updated", "MeterValuePeriodic", values=values)
        self._arm(f"sample:{number}", f"{SAMPLED}.TxUpdatedInterval")

    def ended_sample_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is None or connector.running is None:
            return
        self.keep(connector, self.tx_values(connector, "TxEndedMeasurands", "Sample.Periodic"))
        self._arm(f"ended_sample:{number}", f"{SAMPLED}.TxEndedInterval")

    @staticmethod
    def keep(connector: Connector, values: list[dict[str, Any]]) -> None:
        """Remembers a sample for the Ended event; over the bound every second one goes (M7)."""
        running = connector.running
        if running is None:
            return
        running.values.extend(values)
        if len(running.values) > MOST_ENDED_VALUES:
            running.values[1:-1] = running.values[1:-1:2]

    # --- clock-aligned (contract M4) --------------------------------------------------------------------------------

    def came_online(self, *, after_boot: bool) -> None:
        if "aligned" not in self.station.timers and "aligned_ended" not in self.station.timers:
            self.align()  # a reboot stops all clocks

    def align(self) -> None:
        self._align("aligned", f"{ALIGNED}.Interval")
        self._align("aligned_ended", f"{ALIGNED}.TxEndedInterval")

    def _align(self, timer: str, setting: str) -> None:
        interval = self._seconds(setting)
        self.station.cancel_timer(timer)
        if interval > 0:
            self.station.set_timer(timer, interval - self.station.clock % interval)

    def _grid(self, setting: str) -> float:
        interval = self._seconds(setting)
        return round(self.station.clock / interval) * interval

    def aligned_due(self, _: str) -> None:
        setting = f"{ALIGNED}.Interval"
        if self._seconds(setting) > 0 and self.station.registration == "Accepted":
            self._send_aligned(self._grid(setting))
        self._align("aligned", setting)

    def _send_aligned(self, grid: float) -> None:
        charging = any(connector.running is not None for connector in self.station.connectors)
        if charging and self.station.configuration.flag(f"{ALIGNED}.SendDuringIdle"):
            return
        for connector in self.station.connectors:
            values = self.values(connector, ALIGNED, "Measurands", "Sample.Clock", grid)
            if not values:
                continue
            if connector.running is None:
                self.send(connector.outlet.evse_id, values)
            else:
                self.station.block(TransactionEvents).send(connector, "Updated", "MeterValueClock", values=values)
        if main := self.main_meter("Sample.Clock", grid):
            self.send(0, main)

    def aligned_ended_due(self, _: str) -> None:
        setting = f"{ALIGNED}.TxEndedInterval"
        if self._seconds(setting) > 0:
            for connector in self.station.connectors:
                grid = self._grid(setting)
                self.keep(connector, self.values(connector, ALIGNED, "TxEndedMeasurands", "Sample.Clock", grid))
        self._align("aligned_ended", setting)

    def main_meter(self, context: str, at: float) -> list[dict[str, Any]]:
        """What the station's own meter, at its inlet, shows of the aligned measurands: energy and power."""
        configuration, sums = self.station.configuration, main_meter(self.station.connectors)
        wanted = configuration.members(f"{ALIGNED}.Measurands") if configuration.flag(f"{ALIGNED}.Enabled") else []
        sampled = [sampled_value(sums[one], one, context) for one in wanted if one in sums]
        return [{"timestamp": timestamps.written(at), "sampledValue": sampled}] if sampled else []

    # --- MeterValues outside a transaction --------------------------------------------------------------------------

    def send(self, evse: int, values: list[dict[str, Any]], *, unasked: bool = True) -> None:
        self.station.call(Call("MeterValues", {"evseId": evse, "meterValue": values}, unasked=unasked))

    def trigger(self, evse: int | None) -> None:
        """TriggerMessage: the aligned measurands of one EVSE, or of each."""
        for connector in self.station.connectors:
            if evse in (None, 0, connector.outlet.evse_id):
                values = self.values(connector, ALIGNED, "Measurands", "Trigger", self.station.clock)
                if values:
                    self.send(connector.outlet.evse_id, values, unasked=False)
