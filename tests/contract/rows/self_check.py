"""Section 10: what holds whatever happens. The property tests of `tests/core` try the same without a wire."""

from tests.contract.sights import call, cut, in_order, result, row, times

SECTIONS = {"10": "Self-check"}

ROWS = (
    row("10/1", "A", "1000 random frames of the CSMS: each CALL with a readable id is answered once; the station lives",
        in_order(result("TriggerMessage", status="Accepted"), call("Heartbeat"))),
    row("10/2", "A", "Every frame is valid, one own CALL is out at a time, ids are never used twice",
        times(10, call("BootNotification")), call("StatusNotification"), call("MeterValues")),
    row("10/3", "A", "Registers never fall, not over drops, restarts and power losses either",
        call("StartTransaction", meterStart=...), call("StopTransaction", meterStop=...)),
    row("10/4", "A", "Each transaction has one start and one stop, over drops, restarts and power losses",
        cut(), times(10, call("StartTransaction")), times(10, call("StopTransaction"))),
    row("10/5", "A", "In the end the CSMS knows the status that holds", call("StatusNotification")),
)  # fmt: skip
