"""How 2.0.1 words what happens in a transaction: charging states, triggers, stop reasons (contract 3.2, 4.4)."""

from simulator.core import causes
from simulator.core.physical.connector import Connector

CHARGING, EV_CONNECTED, IDLE = "Charging", "EVConnected", "Idle"
SUSPENDED_EV, SUSPENDED_EVSE = "SuspendedEV", "SuspendedEVSE"

# Cause -> (triggerReason, stoppedReason), contract 4.4.
WORDS = {
    causes.LOCAL: ("StopAuthorized", "Local"),
    causes.REMOTE: ("RemoteStop", "Remote"),
    causes.EV_DISCONNECTED: ("EVCommunicationLost", "EVDisconnected"),
    causes.EV_DEPARTED: ("EVDeparted", "EVDisconnected"),
    causes.EMERGENCY_STOP: ("AbnormalCondition", "EmergencyStop"),
    causes.DEAUTHORIZED: ("Deauthorized", "DeAuthorized"),
    causes.HARD_RESET: ("ResetCommand", "ImmediateReset"),
    causes.LOCAL_RESET: ("AbnormalCondition", "Reboot"),
    causes.WATCHDOG: ("AbnormalCondition", "Reboot"),
    causes.UNLOCK: ("UnlockCommand", "Other"),
    causes.POWER_LOSS: ("AbnormalCondition", "PowerLoss"),
    causes.ENERGY_LIMIT: ("EnergyLimitReached", "EnergyLimitReached"),
    causes.TIME_LIMIT: ("TimeLimitReached", "TimeLimitReached"),
    causes.CONNECT_TIMEOUT: ("EVConnectTimeout", "Timeout"),
    causes.EV_STOPPED: ("ChargingStateChanged", "StoppedByEV"),
    causes.MASTER_PASS: ("StopAuthorized", "MasterPass"),
    causes.OTHER: ("ChargingStateChanged", "Other"),
}
FAULT_REASONS = {
    "GroundFailure": "GroundFault",
    "OverCurrentFailure": "OvercurrentFault",
    "OverVoltage": "PowerQuality",
    "UnderVoltage": "PowerQuality",
}
# Causes that only end the authorization: whether the transaction ends with it is for TxStopPoint to say.
AUTHORIZATION_ENDS = {
    causes.LOCAL,
    causes.REMOTE,
    causes.DEAUTHORIZED,
    causes.ENERGY_LIMIT,
    causes.TIME_LIMIT,
    causes.MASTER_PASS,
}


def words_for(cause: str) -> tuple[str, str]:
    """(triggerReason, stoppedReason) of a cause."""
    kind, _, code = cause.partition(":")
    if kind == causes.FAULT:
        return "AbnormalCondition", FAULT_REASONS.get(code, "Other")
    return WORDS.get(cause, WORDS[causes.OTHER])


def charging_state(connector: Connector) -> str:
    """The chargingState of the transaction that runs at this outlet (contract 3.2)."""
    running = connector.running
    if running is None or not connector.plugged:
        return IDLE
    if not running.authorized:
        return EV_CONNECTED
    if connector.ev_side_open or not running.energy_offered or not connector.offers:
        return SUSPENDED_EVSE
    if connector.energy_flows:
        return CHARGING
    return EV_CONNECTED if connector.closed_at is None else SUSPENDED_EV
