"""MeterValues: sampled, clock-aligned and triggered (behaviour contract, 4.6)."""

from typing import Any, ClassVar

from simulator.core import timestamps
from simulator.core.calls import NOTIFY, TRANSACTION, Call
from simulator.core.machine import Block, Machine
from simulator.core.measurands import Sample, Series, main_meter, samples
from simulator.core.physical.connector import Connector
from simulator.core.physical.meter import Reading

METER_PHASES = "RST"  # L1, L2 and L3 of the meter, as ConnectorPhaseRotation names them


def sampled_values(
    connector: Connector, reading: Reading, wanted: list[str], context: str, rotation: str = METER_PHASES
) -> list[dict[str, str]]:
    """The SampledValues of one instant. `rotation` names the meter's phase behind each of the connector's."""
    values = [
        _sampled_value(sample, measurand, context)
        for measurand in wanted
        for sample in samples(connector, reading, measurand)
    ]
    if rotation != METER_PHASES:
        for value in values:
            if "phase" in value:
                number = METER_PHASES.index(rotation[int(value["phase"][1]) - 1]) + 1
                value["phase"] = f"L{number}{value['phase'][2:]}"
    return values


def _sampled_value(sample: Sample, measurand: str, context: str) -> dict[str, str]:
    """Values are strings with a decimal point (contract M8); 1.6 has no unit for Hz (M9)."""
    value = {
        "value": f"{sample.value:.{sample.decimals}f}",
        "context": context,
        "measurand": measurand,
        "location": sample.location,
    }
    if sample.unit not in ("", "Hz"):
        value["unit"] = sample.unit
    if sample.phase:
        value["phase"] = sample.phase
    return value


class Metering(Block):
    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self._series = Series()
        for connector in station.connectors:
            if connector.running is not None:
                self.start(connector)
        self.align()

    def values(self, connector: Connector, key: str, context: str) -> list[dict[str, str]]:
        series = key if context.startswith("Sample.") else ""
        reading = self._series.read(connector, self.station.random, series)
        wanted = self.station.configuration.members(key)
        return sampled_values(connector, reading, wanted, context, self._rotation(connector))

    def _rotation(self, connector: Connector) -> str:
        told = self.station.configuration.members("ConnectorPhaseRotation")
        found = next((one for one in told if one.startswith(f"{connector.number}.")), "")
        name = found.partition(".")[2]
        return name if sorted(name) == sorted(METER_PHASES) else METER_PHASES

    def start(self, connector: Connector) -> None:
        """Samples are counted from the start of the transaction (contract M3)."""
        self._series.begin(connector)
        self._arm(connector)

    def _arm(self, connector: Connector) -> None:
        interval = self.station.configuration.number("MeterValueSampleInterval")
        self.station.cancel_timer(f"sample:{connector.number}")
        if interval > 0:
            self.station.set_timer(f"sample:{connector.number}", float(interval))

    def interval_changed(self) -> None:
        for connector in self.station.connectors:
            if connector.running is not None:
                self._arm(connector)

    def sample_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is None or connector.running is None:
            return
        self.send(connector, self.values(connector, "MeterValuesSampledData", "Sample.Periodic"), self.station.clock)
        stop_values = self.values(connector, "StopTxnSampledData", "Sample.Periodic")
        self.keep(connector, stop_values, self.station.clock)
        self._arm(connector)

    def keep(self, connector: Connector, values: list[dict[str, str]], at: float) -> None:
        """Remembers a sample for StopTransaction.transactionData; over the bound every second one goes (M7)."""
        running = connector.running
        if running is None or not values:
            return
        running.values.append({"timestamp": timestamps.written(at), "sampledValue": values})
        if len(running.values) > self.station.configuration.number("StopTransactionMaxMeterValues"):
            running.values[1:-1] = running.values[1:-1:2]

    def send(self, connector: Connector, values: list[dict[str, str]], at: float, *, unasked: bool = True) -> None:
        if not values:
            return
        payload: dict[str, Any] = {
            "connectorId": connector.number,
            "meterValue": [{"timestamp": timestamps.written(at), "sampledValue": values}],
        }
        running = connector.running
        self.station.call(
            Call(
                "MeterValues",
                payload,
                TRANSACTION if running else NOTIFY,
                transaction=running.key if running else "",
                unasked=unasked,
                droppable=True,
            )
        )

    # --- clock-aligned (contract M4) --------------------------------------------------------------------------------

    def came_online(self, *, after_boot: bool) -> None:
        if "aligned" not in self.station.timers:  # a reboot stops all clocks
            self.align()

    def align(self) -> None:
        interval = self.station.configuration.number("ClockAlignedDataInterval")
        self.station.cancel_timer("aligned")
        if interval > 0:
            self.station.set_timer("aligned", interval - self.station.clock % interval)

    def aligned_due(self, _: str) -> None:
        interval = self.station.configuration.number("ClockAlignedDataInterval")
        if interval <= 0:
            return
        grid = round(self.station.clock / interval) * float(interval)
        if self.station.registration == "Accepted":
            for connector in self.station.connectors:
                self.send(connector, self.values(connector, "MeterValuesAlignedData", "Sample.Clock"), grid)
                self.keep(connector, self.values(connector, "StopTxnAlignedData", "Sample.Clock"), grid)
            self._send_main(grid)
        self.align()

    def _send_main(self, at: float) -> None:
        """Connector 0 is the main meter: of the aligned measurands it knows energy and power."""
        sums = main_meter(self.station.connectors)
        wanted = self.station.configuration.members("MeterValuesAlignedData")
        values = [_sampled_value(sums[one], one, "Sample.Clock") for one in wanted if one in sums]
        if values:
            told = [{"timestamp": timestamps.written(at), "sampledValue": values}]
            self.station.call(Call("MeterValues", {"connectorId": 0, "meterValue": told}))
