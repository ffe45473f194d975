"""Section 2: boot, registration, heartbeat, clock."""

from tests.contract.sights import call, in_order, result, row, status, times

SECTIONS = {"2.1": "BootNotification", "2.2": "Its answer", "2.3": "Heartbeat and clock"}
ROWS = (
    row("2.1/vendor and model", "A", "From the catalog, cut to 20 characters",
        call("BootNotification", chargePointVendor="Acme", chargePointModel="Post 22")),
    row("2.1/serial", "A", "chargePointSerialNumber", call("BootNotification", chargePointSerialNumber="SN-0001")),
    row("2.1/firmware", "A", "firmwareVersion", call("BootNotification", firmwareVersion="1.2.3")),
    row("2.1/modem", "B", "iccid and imsi where the model has a modem",
        call("BootNotification", iccid="8931", imsi="20408")),
    row("2.1/meter", "B", "meterType", call("BootNotification", meterType="MID-3P")),
    row("2.2/Accepted", "A", "Interval and clock are taken, connector 0 and all others told, heartbeats begin",
        status(0, "Available"), status(1, "Available"), status(2, "Available"), call("Heartbeat")),
    row("2.2/Accepted interval 0", "A", "The own heartbeat interval is kept",
        result("GetConfiguration", configurationKey__0__value="300")),
    row("2.2/Pending", "A", "CALLs are answered, nothing is sent unasked, remote starts are Rejected, boot again",
        result("GetConfiguration"), result("RemoteStartTransaction", status="Rejected"), call("BootNotification"),
        result("TriggerMessage", status="Accepted")),
    row("2.2/Rejected", "A", "Silence until the interval is over, towards CALLs too",
        times(2, call("BootNotification"))),
    row("2.2/own wait", "A", "Interval 0: an own wait of 60 s, doubling to 900", times(3, call("BootNotification"))),
    row("2.2/nothing before", "B", "Before Accepted nothing queued is sent; a first local start is refused",
        in_order(call("BootNotification"), call("BootNotification"), call("StartTransaction"))),
    row("2.2/rebooted", "B", "A restored transaction goes on while a later boot is Pending",
        in_order(call("BootNotification"), call("BootNotification"), call("MeterValues", transactionId=501))),
    row("2.2/security events", "B", "StartupOfTheDevice and ResetOrReboot",
        call("SecurityEventNotification", type="StartupOfTheDevice"),
        call("SecurityEventNotification", type="ResetOrReboot")),
    row("2.3/H1", "A", "A Heartbeat after so much silence; every other CALL starts it anew", call("Heartbeat")),
    row("2.3/H2", "A", "The clock follows currentTime of boot and heartbeat",
        status(1, "Preparing", timestamp="2026-04-02T10:15:00.000Z")),
    row("2.3/H3", "A", "Durations do not follow the clock's jumps",
        call("MeterValues", meterValue__0__sampledValue__0__context="Sample.Periodic")),
    row("2.3/H4", "B", "Drift and offset can be injected", call("StatusNotification")),
)  # fmt: skip
