"""Authorize, StartTransaction, StopTransaction: the 1.6 transaction ladder (behaviour contract, 4.3 and 4.4)."""

from typing import Any, ClassVar

from simulator.core import causes, timestamps
from simulator.core.authorization import Rules, TokenInfo
from simulator.core.calls import TRANSACTION, Call
from simulator.core.charging import Charging as SharedCharging
from simulator.core.facts import TransactionEnded, TransactionIdentified, TransactionStarted
from simulator.core.machine import Machine
from simulator.core.physical.connector import Connector, Fault, Running
from simulator.core.reservation import Reservations
from simulator.core.v16 import availability
from simulator.core.v16.availability import Availability
from simulator.core.v16.metering import Metering
from simulator.core.v16.smart_charging import SmartCharging

REASONS = {
    causes.LOCAL: "Local",
    causes.REMOTE: "Remote",
    causes.EV_DISCONNECTED: "EVDisconnected",
    causes.EMERGENCY_STOP: "EmergencyStop",
    causes.DEAUTHORIZED: "DeAuthorized",
    causes.SOFT_RESET: "SoftReset",
    causes.HARD_RESET: "HardReset",
    causes.LOCAL_RESET: "SoftReset",
    causes.WATCHDOG: "Reboot",
    causes.UNLOCK: "UnlockCommand",
    causes.POWER_LOSS: "PowerLoss",
}
UNKNOWN_TRANSACTION = -1  # for messages of a transaction whose StartTransaction was given up


def token_info(answer: dict[str, Any]) -> TokenInfo:
    info = answer.get("idTagInfo", {})
    return TokenInfo(
        status=info.get("status", "Accepted"),
        parent=info.get("parentIdTag", ""),
        expires_at=timestamps.read(info["expiryDate"]) if "expiryDate" in info else None,
    )


class Charging(SharedCharging):
    actions: ClassVar = ()

    def __init__(self, station: Machine) -> None:
        super().__init__(station)
        self.transaction_ids: dict[str, int] = dict(station.store.get("transaction_ids", {}))

    def save(self) -> None:
        super().save()
        self.station.store.put("transaction_ids", dict(self.transaction_ids))

    def rules(self) -> Rules:
        configuration = self.station.configuration
        return Rules(
            local_list=configuration.flag("LocalAuthListEnabled"),
            cache=configuration.flag("AuthorizationCacheEnabled"),
            pre_authorize=configuration.flag("LocalPreAuthorize"),
            offline_authorize=configuration.flag("LocalAuthorizeOffline"),
            offline_unknown=configuration.flag("AllowOfflineTxForUnknownId"),
        )

    def anybody(self) -> dict[str, Any] | None:
        return {} if self.station.setup.options.free_vend_id_tag else None

    def connection_timeout(self) -> float:
        return float(self.station.configuration.number("ConnectionTimeOut"))

    def number_of(self, params: dict[str, Any]) -> int:
        return params.get("connector_id") or params.get("evse_id") or 1

    def status_of(self, connector: Connector) -> str:
        return availability.status_of(connector)

    def report_status(self, connector: Connector) -> None:
        self.station.block(Availability).report(connector.number)

    def report_fault(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        """1.6 tells faults within StatusNotification."""

    # --- Authorize --------------------------------------------------------------------------------------------------

    def send_authorize(self, token: str, context: dict[str, Any], priority: int) -> None:
        self.station.call(Call("Authorize", {"idTag": token}, priority, context))

    def Authorize_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.authorize_result(call.context, token_info(answer))

    def Authorize_failed(self, call: Call, problem: str) -> None:
        self.authorize_failed(call.context, offline=problem in ("timeout", "lost"))

    # --- start ------------------------------------------------------------------------------------------------------

    def kept_from(self, connector: Connector, token: str, parent: str | None) -> str:
        reservation = self.station.block(Reservations).keeps_out(connector, token, parent)
        if reservation is None:
            return ""
        return f"Connector {connector.number} is reserved (reservation {reservation.reservation_id})."

    def grant(self, connector: Connector, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        super().grant(connector, context, info)
        self.station.block(SmartCharging).await_start(connector, context.get("profile"))
        self.report_status(connector)  # Preparing comes before StartTransaction (contract 4.3)

    def _vend_freely(self, connector: Connector) -> None:
        """With authorization disabled a cable is all it takes (contract 4.1)."""
        token = self.station.setup.options.free_vend_id_tag
        if not token or not connector.ev_connected or connector.finishing or connector.grant is not None:
            return
        is_able = self.may_grant(connector) and not connector.has_fault("ConnectorLockFailure")
        if is_able and not self.station.rebooting and not self.turned_away(connector, token, may_ask=False):
            self.grant(connector, {"connector": connector.number, "token": token, "purpose": "local"})

    def progress(self, connector: Connector) -> None:
        self._vend_freely(connector)
        grant = connector.grant
        if grant is None or not connector.ev_connected or not connector.usable:
            return
        if any(fault.code == "ConnectorLockFailure" for fault in connector.faults):
            connector.grant = None
            self.flow_over(connector.number, "rejected", "The connector's lock is faulty.")
            return
        if not self.station.accepted_ever:
            return  # contract 2.2: no transaction before the first acceptance
        self._start(connector)

    def _start(self, connector: Connector) -> None:
        grant, station = connector.grant, self.station
        assert grant is not None
        running = Running(
            key=station.ids(),
            id_tag=grant.token,
            at=station.clock,
            meter_start=connector.meter_wh(),
            source=grant.source,
        )
        connector.running, connector.grant = running, None
        station.cancel_timer(f"plug_timeout:{connector.number}")
        station.cancel_timer(f"tag_timeout:{connector.number}")
        payload = {
            "connectorId": connector.number,
            "idTag": grant.token,
            "meterStart": running.meter_start,
            "timestamp": timestamps.written(running.at),
        }
        reservation = station.block(Reservations).use(connector, grant.token, grant.parent)
        if reservation is not None:
            payload["reservationId"] = reservation.reservation_id
        command_id = self.flow_commands.get(connector.number, "")
        context = {"connector": connector.number}
        station.call(
            Call("StartTransaction", payload, TRANSACTION, context, command_id=command_id, transaction=running.key)
        )
        station.fact(
            TransactionStarted(
                running.key, connector.number, connector.number, running.id_tag, running.meter_start, running.at
            )
        )
        self.apply_plan(connector)
        station.block(SmartCharging).transaction_started(connector)
        station.block(Metering).start(connector)
        station.block(Metering).keep(
            connector, station.block(Metering).values(connector, "StopTxnSampledData", "Transaction.Begin"), running.at
        )
        if not station.online:
            self.flow_over(connector.number, "accepted", "Offline: StartTransaction is queued.")

    def StartTransaction_answered(self, call: Call, answer: dict[str, Any]) -> None:
        key, transaction_id = call.transaction, answer["transactionId"]
        self.transaction_ids[key] = transaction_id
        self.station.fact(TransactionIdentified(key, str(transaction_id)))
        info = token_info(answer)
        self.tokens.remember(call.payload["idTag"], info, self.rules(), self.station.clock)
        number = call.context["connector"]
        connector = self.station.connector(number)
        running = connector.running if connector else None
        if connector is not None and running is not None and running.key == key:
            running.transaction_id = str(transaction_id)
            if info.status != "Accepted":
                self.token_invalid(connector)
        if info.status == "Accepted":
            self.flow_over(number, "accepted")
        else:
            self.flow_over(number, "rejected", f"The CSMS answered {info.status} to StartTransaction.")

    def StartTransaction_failed(self, call: Call, problem: str) -> None:
        self.transaction_ids[call.transaction] = UNKNOWN_TRANSACTION
        self.flow_over(call.context["connector"], "failed", "The CSMS did not take StartTransaction.")

    def stops_on_invalid_id(self) -> bool:
        return self.station.configuration.flag("StopTransactionOnInvalidId")

    def energy_on_invalid_id(self) -> int:
        return self.station.configuration.number("MaxEnergyOnInvalidId")

    # --- stop -------------------------------------------------------------------------------------------------------

    def end(self, connector: Connector, cause: str, token: str = "") -> None:
        running, station = connector.running, self.station
        if running is None:
            return
        reason = REASONS.get(cause, "Other")
        station.block(Metering).keep(
            connector, station.block(Metering).values(connector, "StopTxnSampledData", "Transaction.End"), station.clock
        )
        payload: dict[str, Any] = {
            "meterStop": max(connector.meter_wh(), running.meter_start),
            "timestamp": timestamps.written(station.clock),
            "transactionId": UNKNOWN_TRANSACTION,
            "reason": reason,
        }
        if token:
            payload["idTag"] = token
        if running.values:
            payload["transactionData"] = running.values
        station.call(Call("StopTransaction", payload, TRANSACTION, transaction=running.key))
        station.fact(TransactionEnded(running.key, payload["meterStop"], reason, station.clock))
        connector.running = None
        connector.open_contactor()
        connector.finishing = connector.plugged
        for timer in ("sample", "session_end"):
            station.cancel_timer(f"{timer}:{connector.number}")

    def StopTransaction_answered(self, call: Call, answer: dict[str, Any]) -> None:
        self.transaction_ids.pop(call.transaction, None)
        if "idTagInfo" in answer and "idTag" in call.payload:
            self.tokens.remember(call.payload["idTag"], token_info(answer), self.rules(), self.station.clock)

    def StopTransaction_failed(self, call: Call, problem: str) -> None:
        self.transaction_ids.pop(call.transaction, None)
        self.station.commands.note(call.command_id, "Stopped, but the CSMS did not take StopTransaction.")

    def ev_disconnected(self, connector: Connector) -> None:
        configuration, running = self.station.configuration, connector.running
        if configuration.flag("StopTransactionOnEVSideDisconnect"):
            self.end(connector, causes.EV_DISCONNECTED)
            if running is not None and not configuration.flag("UnlockConnectorOnEVSideDisconnect"):
                connector.hold_cable(running.id_tag)

    def prepared(self, call: Call) -> dict[str, Any]:
        """The payload with the transaction id that was unknown when the message was queued (contract Q5)."""
        if not call.transaction or call.action == "StartTransaction":
            return call.payload
        return {**call.payload, "transactionId": self.transaction_ids.get(call.transaction, UNKNOWN_TRANSACTION)}
