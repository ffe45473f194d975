"""Section 4: authorization, transactions, meter values, the car, the offline queue."""

from tests.contract.sights import Row, Sight, call, connect, result, row, status

SECTIONS = {
    "4.1": "Who is authorized", "4.2": "Offline authorization", "4.3": "The transaction ladder", "4.4": "Stop reasons",
    "4.6": "Meter values", "4.7": "The car and its power", "4.8": "Offline queue and recovery",
}  # fmt: skip
STARTED = call("StartTransaction")


def _value(measurand: str, **having: object) -> Sight:
    wanted = {"meterValue.*.sampledValue.*.measurand": measurand}
    wanted |= {f"meterValue.*.sampledValue.*.{name}": value for name, value in having.items()}
    return Sight("call", "MeterValues", wanted)


def _stop(cause: str, reason: str) -> Row:
    return row(f"4.4/{cause}", "A", f"reason {reason}", call("StopTransaction", reason=reason))


ROWS = (
    row("4.1/free vend", "A", "Authorization may be off", call("StartTransaction", idTag="FREE")),
    row("4.1/list", "A", "On the list and Accepted: at once with LocalPreAuthorize; else the CSMS is asked",
        STARTED, call("Authorize", idTag="BLOCKED")),
    row("4.1/cache", "A", "In the cache and Accepted: at once with LocalPreAuthorize", STARTED),
    row("4.1/online", "A", "Only Accepted is a yes", call("Authorize"), status(1, "Preparing")),
    row("4.1/reserved", "A", "Only the reserved token or its group may use a reserved connector",
        call("Authorize", idTag="FRIEND"), call("StartTransaction", idTag="FRIEND", reservationId=3)),
    row("4.1/cache rules", "A", "Every answer feeds the cache, not for listed tokens; expiry and bounds hold",
        STARTED, result("ClearCache", status="Accepted")),
    row("4.2/known", "A", "Known and Accepted: starts offline", call("StartTransaction", idTag="GOOD")),
    row("4.2/known bad", "A", "Known but not Accepted: refused", result("SendLocalList", status="Accepted")),
    row("4.2/unknown", "A", "Unknown: only with AllowOfflineTxForUnknownId", call("StartTransaction", idTag="NEW")),
    row("4.3/cable first", "A", "Preparing, Authorize, StartTransaction, Charging", status(1, "Preparing"),
        call("Authorize"), STARTED, status(1, "Charging")),
    row("4.3/tag first", "A", "Authorize, Preparing, the cable, StartTransaction, Charging", call("Authorize"),
        status(1, "Preparing"), STARTED, status(1, "Charging")),
    row("4.3/remote", "A", "RESULT, Preparing, the cable, StartTransaction, Charging",
        result("RemoteStartTransaction", status="Accepted"), status(1, "Preparing"), STARTED, status(1, "Charging")),
    row("4.3/time-out", "A", "No tag: Finishing; no cable: Available", status(1, "Finishing"), status(1, "Available")),
    row("4.3/start", "A", "StartTransaction's content; exactly one",
        call("StartTransaction", connectorId=1, idTag="A", meterStart=..., timestamp=..., reservationId=None)),
    row("4.3/held back", "A", "Nothing of a transaction goes out before its id is known; given up: id -1",
        STARTED, call("StopTransaction", transactionId=-1)),
    row("4.3/any id", "A", "0 and negative ids are kept", call("MeterValues", transactionId=0),
        call("StopTransaction", transactionId=-7)),
    row("4.3/invalid", "A", "Not Accepted: DeAuthorized and the cable held, or SuspendedEVSE",
        call("StopTransaction", reason="DeAuthorized"), status(1, "Finishing"), status(1, "SuspendedEVSE")),
    row("4.3/local stop", "A", "The same tag stops at once, another of its group after asking, others not",
        call("Authorize", idTag="STRANGER"), call("StopTransaction", idTag="FRIEND", reason="Local")),
    row("4.3/stop", "A", "StopTransaction's content; no idTag when nobody showed one",
        call("StopTransaction", meterStop=..., timestamp=..., reason="Remote", idTag=None)),
    row("4.3/EV side", "A", "The car's end out: EVDisconnected and Finishing, or SuspendedEV until replugged",
        call("StopTransaction", reason="EVDisconnected"),
        status(1, "Finishing", info="EV side disconnected"), status(1, "SuspendedEV", info="EV side disconnected")),
    _stop("tag", "Local"), _stop("RemoteStop", "Remote"), _stop("unplugged", "EVDisconnected"),
    _stop("emergency", "EmergencyStop"), _stop("invalid id", "DeAuthorized"), _stop("soft reset", "SoftReset"),
    _stop("hard reset", "HardReset"), _stop("unlock", "UnlockCommand"), _stop("mains", "PowerLoss"),
    _stop("fault", "Other"), _stop("limit", "Other"), _stop("watchdog", "Reboot"),
    row("4.6/M1", "A", "The register only rises, over transactions and restarts",
        _value("Energy.Active.Import.Register"), call("StopTransaction", meterStop=...)),
    row("4.6/M2", "A", "Periodic samples of the transaction", call("MeterValues", connectorId=1, transactionId=501)),
    row("4.6/M3", "A", "Counted from the start; 0 is off", _value("Energy.Active.Import.Register")),
    row("4.6/M4", "A", "Clock-aligned, on the grid, main meter too", call("MeterValues", connectorId=0),
        _value("Energy.Active.Import.Register", context="Sample.Clock")),
    row("4.6/M5", "A", "meterStart, Transaction.Begin", call("StartTransaction", meterStart=...),
        Sight("call", "StopTransaction", {"transactionData.0.sampledValue.0.context": "Transaction.Begin"})),
    row("4.6/M6", "A", "transactionData with Begin, periodic, End; none when both keys are empty",
        call("StopTransaction", transactionData=None),
        Sight("call", "StopTransaction", {"transactionData.*.sampledValue.*.context": "Transaction.End"})),
    row("4.6/M7", "B", "Too many values: every second intermediate one goes", call("StopTransaction")),
    row("4.6/M8", "A", "Values are text with a decimal point", _value("Voltage")),
    row("4.6/M9", "A", "Units of the schema; none for Frequency", _value("Temperature", unit="Celsius"),
        _value("Frequency")),
    row("4.6/M10", "A", "Voltage per L1-N, current per L1, power without a phase",
        _value("Voltage", phase="L3-N"), _value("Current.Import", phase="L3")),
    row("4.6/M11", "A", "Outlet, the main meter Inlet, SoC at the EV", _value("Voltage", location="Outlet"),
        _value("Energy.Active.Import.Register", location="Inlet"), _value("SoC", location="EV")),
    row("4.6/M12", "A", "An unknown measurand or a phase suffix: Rejected, the old value kept",
        result("ChangeConfiguration", status="Rejected")),
    row("4.6/M13", "A", "All measurands of the list", *(_value(name) for name in (
        "Energy.Active.Import.Register", "Energy.Active.Import.Interval", "Power.Active.Import", "Current.Import",
        "Voltage", "SoC", "Current.Offered", "Power.Offered", "Frequency", "Temperature", "Power.Factor"))),
    row("4.6/M13 reactive", "B", "Reactive and exported energy", _value("Energy.Reactive.Import.Register", unit="varh"),
        _value("Power.Reactive.Import", unit="var"), _value("Energy.Active.Export.Register", unit="Wh")),
    row("4.6/M15", "A", "P = sum of V x I x pf; the energy is its integral within 1 %", _value("Power.Active.Import")),
    row("4.7/limit", "A", "The least of outlet, profiles and faults", _value("Power.Active.Import")),
    row("4.7/AC", "A", "Current by car and offer; under 6 A SuspendedEVSE", status(1, "SuspendedEVSE")),
    row("4.7/DC", "A", "A curve over the state of charge", _value("SoC")),
    row("4.7/ramp", "A", "Contactor and ramp take seconds", status(1, "Charging")),
    row("4.7/full", "A", "A full battery: SuspendedEV, the transaction stays open", status(1, "SuspendedEV")),
    row("4.7/noise", "A", "Seeded: the same seed gives the same frames", _value("Voltage")),
    row("4.7/cars", "B", "Kinds of cars to choose from", _value("Power.Active.Import")),
    row("4.8/Q1", "A", "Offline all goes on; transaction messages queue with their own timestamps",
        STARTED, call("MeterValues", transactionId=501), call("StopTransaction", transactionId=501)),
    row("4.8/Q2", "A", "New transaction messages wait behind the queue; others do not wait",
        STARTED, call("StopTransaction")),
    row("4.8/Q3", "B", "Over 10 000 messages every second intermediate sample goes, never a start or stop",
        STARTED, call("MeterValues"), call("StopTransaction", transactionId=502)),
    row("4.8/Q4", "A", "One chronological order over all connectors",
        call("StartTransaction", connectorId=1), call("StartTransaction", connectorId=2), call("StopTransaction")),
    row("4.8/Q5", "A", "StartTransaction, MeterValues, StopTransaction one by one, the id filled in when it is known",
        STARTED, call("MeterValues", transactionId=501), call("StopTransaction", transactionId=501)),
    row("4.8/Q6", "A", "A reset ends the transaction first; unanswered, the stop comes after the boot",
        call("StopTransaction", reason="SoftReset"), call("BootNotification")),
    row("4.8/Q7", "A", "Power loss: stopped before, stopped after, or resumed",
        call("BootNotification"), call("StopTransaction", reason="PowerLoss")),
    row("4.8/Q8", "A", "The death of the process is a power loss; nothing is lost, nothing comes twice",
        connect(), STARTED, call("StopTransaction", transactionId=99, reason="PowerLoss")),
    row("4.8/Q9", "A", "Samples missed without power are not invented", call("MeterValues")),
)  # fmt: skip
