"""Transactions: when they start, what they go through, when they end (behaviour contract, 4.1 to 4.5)."""

from typing import TYPE_CHECKING, Any, ClassVar

from simulator.core import causes
from simulator.core.authorization import Rules, TokenInfo
from simulator.core.calls import NOTIFY, Call
from simulator.core.charging import Charging
from simulator.core.errors import CommandRefused
from simulator.core.facts import TransactionEnded, TransactionIdentified, TransactionStarted
from simulator.core.physical.connector import Connector, Fault, Grant, Running
from simulator.core.v201.authorization import NO_AUTHORIZATION, id_token
from simulator.core.v201.transaction_words import (
    AUTHORIZATION_ENDS,
    CHARGING,
    EV_CONNECTED,
    IDLE,
    SUSPENDED_EV,
    charging_state,
    words_for,
)

if TYPE_CHECKING:
    from simulator.core.v201.charging_station import ChargingStation

TIMERS = ("session_end", "plug_timeout")


class Transactions(Charging["ChargingStation"]):
    actions: ClassVar = ()

    def _rearm(self, connector: Connector) -> None:
        super()._rearm(connector)
        if connector.running is not None and not connector.ev_connected:
            self.station.set_timer(f"plug_timeout:{connector.number}", self.connection_timeout())

    # --- settings ---------------------------------------------------------------------------------------------------

    def rules(self) -> Rules:
        flag = self.station.configuration.flag
        return Rules(
            local_list=flag("LocalAuthListCtrlr.Enabled"),
            cache=flag("AuthCacheCtrlr.Enabled"),
            pre_authorize=flag("AuthCtrlr.LocalPreAuthorize"),
            offline_authorize=flag("AuthCtrlr.LocalAuthorizeOffline"),
            offline_unknown=flag("AuthCtrlr.OfflineTxForUnknownIdEnabled"),
            ask_after_list=not flag("LocalAuthListCtrlr.DisablePostAuthorize"),
            ask_after_cache=not flag("AuthCacheCtrlr.DisablePostAuthorize"),
            cache_seconds=self.station.configuration.number("AuthCacheCtrlr.LifeTime"),
        )

    def connection_timeout(self) -> float:
        return float(self.station.configuration.number("TxCtrlr.EVConnectionTimeOut"))

    def stops_on_invalid_id(self) -> bool:
        return self.station.configuration.flag("TxCtrlr.StopTxOnInvalidId")

    def energy_on_invalid_id(self) -> int:
        return self.station.configuration.number("TxCtrlr.MaxEnergyOnInvalidId")

    def _start_points(self) -> set[str]:
        return set(self.station.configuration.members("TxCtrlr.TxStartPoint"))

    def _stop_points(self) -> set[str]:
        return set(self.station.configuration.members("TxCtrlr.TxStopPoint"))

    # --- outlets ----------------------------------------------------------------------------------------------------

    def number_of(self, params: dict[str, Any]) -> int:
        """`evse_id` decides; a lone `connector_id` is taken as the EVSE's (gateway contract, 11.2)."""
        evse = params.get("evse_id") or params.get("connector_id") or 1
        wanted = params.get("connector_id") if params.get("evse_id") else None
        outlets = [one for one in self.station.connectors if one.outlet.evse_id == evse]
        exact = [one for one in outlets if one.outlet.connector_id == wanted]
        if not outlets:
            raise CommandRefused(f"This charger has no EVSE {evse}.")
        return (exact or outlets)[0].number

    def _evse_is_taken(self, connector: Connector) -> bool:
        """Another connector of the same EVSE is in use: only one can be at a time."""
        return any(
            one is not connector
            and one.outlet.evse_id == connector.outlet.evse_id
            and (one.running is not None or one.grant is not None)
            for one in self.station.connectors
        )

    def may_grant(self, connector: Connector) -> bool:
        running = connector.running
        if not connector.operative or connector.blocking_fault is not None or self.station.rebooting:
            return False
        if self._evse_is_taken(connector):
            return False
        return running is None or (not running.authorized and not running.stop_reason)

    def status_of(self, connector: Connector) -> str:
        return self.station.availability.status_of(connector)

    def report_status(self, connector: Connector) -> None:
        self.station.availability.report(connector)

    def report_fault(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        self.station.diagnostics.report_fault(connector, fault, cleared=cleared)

    # --- tokens -----------------------------------------------------------------------------------------------------

    def present(
        self,
        connector: Connector,
        token: str,
        purpose: str,
        *,
        priority: int = NOTIFY,
        extra: dict[str, Any] | None = None,
    ) -> None:
        if self.station.configuration.flag("AuthCtrlr.Enabled"):
            super().present(connector, token, purpose, priority=priority, extra=extra)
            return
        self.granted(
            {"connector": connector.number, "purpose": purpose, **(extra or {})}
            | {"token": "", "token_type": NO_AUTHORIZATION}
        )

    def send_authorize(self, token: str, context: dict[str, Any], priority: int) -> None:
        if self.station.configuration.flag("AuthCtrlr.DisableRemoteAuthorization") and context["purpose"] != "check":
            self.refused(context, f"The token {token} is not known here, and the CSMS may not be asked.")
            return
        payload = {"idToken": id_token(token, context.get("token_type", ""))}
        self.station.call(Call("Authorize", payload, priority, context))

    def granted(self, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        known = info or self.tokens.known(context["token"], self.rules())
        master = self.station.configuration.text("AuthCtrlr.MasterPassGroupId").casefold()
        if master and known is not None and known.parent.casefold() == master:
            for connector in self.station.connectors:
                self.end(connector, causes.MASTER_PASS, context["token"])
            self.refused(context, "A master pass stops transactions; it starts none.")
            return
        super().granted(context, info)

    def plug_timeout_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is not None and connector.running is not None and not connector.ev_connected:
            self.end(connector, causes.CONNECT_TIMEOUT)
            self.flow_over(connector.number, "rejected", "No cable was plugged in before the connection time-out.")
            return
        super().plug_timeout_due(number)

    # --- progress ---------------------------------------------------------------------------------------------------

    def plug_in(self, connector: Connector) -> bool:
        plugged = super().plug_in(connector)
        self.progress(connector)  # the transaction's start goes before an Authorize that follows
        return plugged

    def progress(self, connector: Connector) -> None:
        self._vend_freely(connector)
        if connector.running is None:
            self._start_if_due(connector)
        if connector.running is not None:
            self._bind_grant(connector)
            self._follow_cable(connector)
            self._follow_state(connector)

    def _vend_freely(self, connector: Connector) -> None:
        """With authorization disabled a cable is all it takes (contract 4.1)."""
        if self.station.configuration.flag("AuthCtrlr.Enabled") or not connector.ev_connected or connector.finishing:
            return
        if connector.grant is None and self.may_grant(connector):
            context = {"token": "", "token_type": NO_AUTHORIZATION, "purpose": "local", "connector": connector.number}
            self.grant(connector, context)

    def _may_start(self, connector: Connector) -> bool:
        early = self.station.configuration.flag("TxCtrlr.TxBeforeAcceptedEnabled")
        accepted = self.station.accepted_ever or early  # contract 2.2
        return accepted and connector.usable and not self.station.rebooting and not self._evse_is_taken(connector)

    def _start_if_due(self, connector: Connector) -> None:
        grant, plugged, points = connector.grant, connector.ev_connected, self._start_points()
        if grant is None and connector.closed_at is not None:
            connector.open_contactor()
        if not self._may_start(connector):
            return
        if grant is not None and ("Authorized" in points or (plugged and "PowerPathClosed" in points)):
            self._start(connector, _trigger_of(grant))
        elif plugged and "EVConnected" in points and not connector.finishing:
            self._start(connector, "CablePluggedIn")
        elif grant is not None and plugged and "EnergyTransfer" in points:
            connector.close_contactor_soon(self.station.now)
            if connector.closed_at is not None and connector.vehicle.wants_energy():
                self._start(connector, "RemoteStart" if grant.source == "remote" else "ChargingStateChanged")

    def _start(self, connector: Connector, trigger: str) -> None:
        station, grant, key = self.station, connector.grant, self.station.ids()
        running = Running(
            key=key,
            id_tag="",
            at=station.clock,
            meter_start=connector.meter_wh(),
            transaction_id=key,
            source="none",
            authorized=False,
            cable="in" if connector.ev_connected else "",
        )
        connector.running, connector.tag_too_late = running, False
        outlet = connector.outlet
        station.fact(
            TransactionStarted(
                key,
                outlet.evse_id,
                outlet.connector_id,
                grant.token if grant else "",
                running.meter_start,
                running.at,
                transaction_id=key,
            )
        )
        station.metering.start(connector)
        values = station.metering.tx_values(connector, "TxStartedMeasurands", "Transaction.Begin")
        if grant is not None and trigger != "CablePluggedIn":
            self._authorized(connector, grant, "Started", trigger, values)
        else:
            self.station.events.send(connector, "Started", trigger, values=values)

    def _bind_grant(self, connector: Connector) -> None:
        """A token granted to a transaction that runs already."""
        grant, running = connector.grant, connector.running
        if grant is None or running is None or running.authorized:
            return
        self._authorized(connector, grant, "Updated", _trigger_of(grant), [])
        self.station.fact(TransactionIdentified(running.key, running.key, running.id_tag))

    def _authorized(
        self, connector: Connector, grant: Grant, event_type: str, trigger: str, values: list[dict[str, Any]]
    ) -> None:
        """The one event that names the transaction's token; the command that asked for the start waits for it."""
        running = connector.running
        assert running is not None
        connector.grant = None
        running.id_tag, running.token_type, running.source = grant.token, grant.token_type, grant.source
        running.authorized = running.token_sent = True
        running.remote_start_id = grant.remote_start_id
        info = {} if grant.remote_start_id is None else {"remoteStartId": grant.remote_start_id}
        self.station.events.send(
            connector,
            event_type,
            trigger,
            token=id_token(grant.token, grant.token_type),
            values=values,
            info=info,
            context={"grants": True},
            command_id=self.flow_commands.get(connector.number, ""),
        )
        self.apply_plan(connector)
        if not self.station.online:
            self.flow_over(connector.number, "accepted", "Offline: its events are queued.")

    def _follow_cable(self, connector: Connector) -> None:
        running = connector.running
        assert running is not None
        if connector.ev_connected and running.cable != "in":
            running.cable = "in"
            self.station.cancel_timer(f"plug_timeout:{connector.number}")
            self.station.events.send(connector, "Updated", "CablePluggedIn")

    def _follow_state(self, connector: Connector) -> None:
        """Every new charging state is told; with the stop point EnergyTransfer the end of energy is the end."""
        running = connector.running
        assert running is not None
        state = charging_state(connector)
        if state == running.last_state:
            return
        if running.last_state == CHARGING and "EnergyTransfer" in self._stop_points():
            self._finish(connector, causes.EV_STOPPED if state == SUSPENDED_EV else causes.OTHER)
        else:
            self.station.events.send(connector, "Updated", "ChargingStateChanged")

    # --- end --------------------------------------------------------------------------------------------------------

    def end(self, connector: Connector, cause: str, token: str = "") -> None:
        if connector.running is None:
            return
        ends_with_authorization = self._stop_points() & {"Authorized", "PowerPathClosed", "EnergyTransfer"}
        if cause not in AUTHORIZATION_ENDS or ends_with_authorization or not connector.ev_connected:
            self._finish(connector, cause, token)
        else:
            self._deauthorize(connector, cause, token)

    def _deauthorize(self, connector: Connector, cause: str, token: str) -> None:
        """The driver is done but the transaction lasts until the car has gone; the first cause stays its reason."""
        running = connector.running
        assert running is not None
        trigger, reason = words_for(cause)
        self.station.events.send(connector, "Updated", trigger, token=self._stop_token(running, token))
        running.stop_reason = running.stop_reason or reason
        running.authorized = False
        connector.open_contactor()
        self.station.cancel_timer(f"session_end:{connector.number}")
        running.ends_at = running.target_wh = None
        self._follow_state(connector)

    def _finish(self, connector: Connector, cause: str, token: str = "") -> None:
        running, station = connector.running, self.station
        assert running is not None
        trigger, reason = words_for(cause)
        reason = running.stop_reason or reason
        values = running.values + station.metering.end_values(connector)
        self.station.events.send(
            connector,
            "Ended",
            trigger,
            token=self._stop_token(running, token),
            values=values,
            info={"stoppedReason": reason},
            state=EV_CONNECTED if connector.ev_connected else IDLE,
        )
        meter_stop = max(connector.meter_wh(), running.meter_start)
        station.fact(TransactionEnded(running.key, meter_stop, reason, station.clock))
        connector.running = None
        connector.open_contactor()
        connector.finishing = connector.plugged
        station.metering.stop(connector)
        for timer in TIMERS:
            station.cancel_timer(f"{timer}:{connector.number}")

    @staticmethod
    def _stop_token(running: Running, token: str) -> dict[str, Any] | None:
        """The token a driver stopped with; where authorization is off there is none to show."""
        if not token:
            return None
        return id_token(token, running.token_type if token == running.id_tag else "")

    def ev_disconnected(self, connector: Connector) -> None:
        running = connector.running
        assert running is not None
        gone_ends = self._stop_points() & {"EVConnected", "PowerPathClosed", "EnergyTransfer"}
        stops = self.station.configuration.flag("TxCtrlr.StopTxOnEVSideDisconnect")
        if gone_ends or stops or not running.authorized:
            self._finish(connector, causes.EV_DISCONNECTED)
            return
        running.cable = "out"
        fixed = connector.outlet.format != "socket"  # the whole cable is back at the station, not its far end only
        self.station.events.send(connector, "Updated", "EVCommunicationLost", state=IDLE if fixed else "")
        if fixed:
            self.station.set_timer(f"plug_timeout:{connector.number}", self.connection_timeout())

    def _close_session(self, connector: Connector, cause: str, token: str = "") -> None:
        if connector.running is not None and not connector.running.authorized:
            self.pull_cable(connector)  # nobody's authorization is left to end
        else:
            super()._close_session(connector, cause, token)

    def do_reset(self, params: dict[str, Any]) -> None:
        for connector in self.station.connectors:
            self.end(connector, causes.LOCAL_RESET)
        self.station.reboot("LocalReset")


def _trigger_of(grant: Grant) -> str:
    return "RemoteStart" if grant.source == "remote" else "Authorized"
