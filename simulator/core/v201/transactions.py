"""Transactions: when they start, what they go through, when they end (behaviour contract, 4.1 to 4.5)."""

from typing import Any, ClassVar

from simulator.core import causes
from simulator.core.authorization import Rules, TokenInfo
from simulator.core.calls import Call
from simulator.core.charging import Charging
from simulator.core.errors import CommandRefused
from simulator.core.facts import TransactionEnded, TransactionIdentified, TransactionStarted
from simulator.core.network_faults import NetworkFaults
from simulator.core.physical.connector import Connector, Fault, Grant, Running
from simulator.core.reservation import Reservations
from simulator.core.v201.authorization import NO_AUTHORIZATION, id_token
from simulator.core.v201.availability import Availability
from simulator.core.v201.diagnostics import Diagnostics
from simulator.core.v201.metering import Metering
from simulator.core.v201.smart_charging import SmartCharging
from simulator.core.v201.transaction_events import TransactionEvents
from simulator.core.v201.transaction_words import (
    AUTHORIZATION_ENDS,
    CHARGING,
    EV_CONNECTED,
    IDLE,
    SUSPENDED_EV,
    charging_state,
    words_for,
)

TIMERS = ("session_end", "plug_timeout")
BAY = "ParkingBayOccupancy"  # no sensor: a car comes with its cable and leaves with it
BAY_TAKEN, CABLE_IN = "EVDetected", "CablePluggedIn"


class Transactions(Charging):
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

    def anybody(self) -> dict[str, Any] | None:
        enabled = self.station.configuration.flag("AuthCtrlr.Enabled")
        return None if enabled else {"token": "", "token_type": NO_AUTHORIZATION}

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

    def evse_is_taken(self, connector: Connector) -> bool:
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
        if self.evse_is_taken(connector):
            return False
        return running is None or (not running.authorized and not running.stop_reason)

    def status_of(self, connector: Connector) -> str:
        return self.station.block(Availability).status_of(connector)

    def report_status(self, connector: Connector) -> None:
        self.station.block(Availability).report(connector)

    def report_fault(self, connector: Connector, fault: Fault, *, cleared: bool) -> None:
        self.station.block(Diagnostics).report_fault(connector, fault, cleared=cleared)

    # --- tokens -----------------------------------------------------------------------------------------------------

    def send_authorize(self, token: str, context: dict[str, Any], priority: int) -> None:
        if self.station.configuration.flag("AuthCtrlr.DisableRemoteAuthorization") and context["purpose"] != "check":
            self.refused(context, f"The token {token} is not known here, and the CSMS may not be asked.")
            return
        payload = {"idToken": id_token(token, context.get("token_type", ""))}
        self.station.call(Call("Authorize", payload, priority, context))

    def granted(self, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        if self._is_master(info or self.tokens.known(context["token"], self.rules())):
            self._stop_all(context["token"])
            self.refused(context, "A master pass stops transactions; it starts none.")
            return
        super().granted(context, info)

    def _group_told(self, context: dict[str, Any], info: TokenInfo) -> None:
        if self._is_master(info):
            self._stop_all(context["token"])
        else:
            super()._group_told(context, info)

    def _is_master(self, info: TokenInfo | None) -> bool:
        """A token of the group whose tokens stop every transaction of the station (contract 4.1)."""
        master = self.station.configuration.text("AuthCtrlr.MasterPassGroupId").casefold()
        return bool(master) and info is not None and info.status == "Accepted" and info.parent.casefold() == master

    def _stop_all(self, token: str) -> None:
        for connector in self.station.connectors:
            self.end(connector, causes.MASTER_PASS, token)

    def plug_timeout_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is not None and connector.running is not None and not connector.ev_connected:
            self.end(connector, causes.CONNECT_TIMEOUT)
            self.flow_over(connector.number, "rejected", "No cable was plugged in before the connection time-out.")
            return
        super().plug_timeout_due(number)

    def kept_from(self, connector: Connector, token: str, parent: str | None) -> str:
        reservation = self.station.block(Reservations).keeps_out(connector, token, parent)
        if reservation is None:
            return ""
        return f"EVSE {connector.outlet.evse_id} is reserved (reservation {reservation.reservation_id})."

    def grant(self, connector: Connector, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        super().grant(connector, context, info)
        self.station.block(SmartCharging).await_start(connector, context.get("profile"))

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
            self._follow_cable(connector)
            self._bind_grant(connector)
            self._follow_offer(connector)
            self._follow_state(connector)
            self._follow_rate(connector)

    def _vend_freely(self, connector: Connector) -> None:
        """With authorization disabled a cable is all it takes (contract 4.1)."""
        if self.station.configuration.flag("AuthCtrlr.Enabled") or not connector.ev_connected or connector.finishing:
            return
        is_free = connector.grant is None and self.may_grant(connector)
        if is_free and not self.turned_away(connector, "", may_ask=False):
            context = {"token": "", "token_type": NO_AUTHORIZATION, "purpose": "local", "connector": connector.number}
            self.grant(connector, context)

    def _may_start(self, connector: Connector) -> bool:
        early = self.station.configuration.flag("TxCtrlr.TxBeforeAcceptedEnabled")
        accepted = self.station.accepted_ever or early  # contract 2.2
        return accepted and connector.usable and not self.station.rebooting and not self.evse_is_taken(connector)

    def _start_if_due(self, connector: Connector) -> None:
        grant, plugged, points = connector.grant, connector.ev_connected, self._start_points()
        if grant is None and connector.closed_at is not None:
            connector.open_contactor()
        if not self._may_start(connector):
            return
        if grant is not None and ("Authorized" in points or (plugged and "PowerPathClosed" in points)):
            self._start(connector, _trigger_of(grant))
        elif plugged and points & {BAY, "EVConnected"} and not connector.finishing and not connector.reserved:
            self._start(connector, BAY_TAKEN if BAY in points else CABLE_IN)
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
            cable="in" if connector.ev_connected and trigger != BAY_TAKEN else "",
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
        station.block(Metering).start(connector)
        values = station.block(Metering).tx_values(connector, "TxStartedMeasurands", "Transaction.Begin")
        if grant is not None and trigger not in (BAY_TAKEN, CABLE_IN):
            self._authorized(connector, grant, "Started", trigger, values)
        else:
            state = IDLE if trigger == BAY_TAKEN else ""
            self.station.block(TransactionEvents).send(connector, "Started", trigger, values=values, state=state)

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
        running.authorized = True
        running.remote_start_id = grant.remote_start_id
        info = {} if grant.remote_start_id is None else {"remoteStartId": grant.remote_start_id}
        reservation = self.station.block(Reservations).use(connector, grant.token, grant.parent)
        self.station.block(SmartCharging).transaction_started(connector)
        self.station.block(TransactionEvents).send(
            connector,
            event_type,
            trigger,
            token=id_token(grant.token, grant.token_type),
            values=values,
            info=info,
            reservation_id=None if reservation is None else reservation.reservation_id,
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
            self.station.block(TransactionEvents).send(connector, "Updated", CABLE_IN)

    def _follow_offer(self, connector: Connector) -> None:
        """Notes when energy could be taken for the first time: relative charging profiles begin there."""
        running = connector.running
        assert running is not None
        if running.authorized and connector.ev_connected and not running.offered_since:
            running.offered_since = self.station.clock

    def _follow_state(self, connector: Connector) -> None:
        """Every new charging state is told; with the stop point EnergyTransfer the end of energy is the end."""
        running = connector.running
        assert running is not None
        state = charging_state(connector)
        if state == running.last_state or self.station.block(NetworkFaults).dark:
            return  # without power nobody watches it
        if running.last_state == CHARGING and "EnergyTransfer" in self._stop_points():
            self._finish(connector, causes.EV_STOPPED if state == SUSPENDED_EV else causes.OTHER)
        else:
            self.station.block(TransactionEvents).send(connector, "Updated", "ChargingStateChanged")

    def _follow_rate(self, connector: Connector) -> None:
        """While energy flows, a limit that moves by more than is insignificant is told (contract C8)."""
        running = connector.running
        if running is None:
            return
        offered = connector.offered_w if running.last_state == CHARGING else 0.0
        told, running.told_w = running.told_w, offered
        if not told or not offered:
            return
        significant = self.station.configuration.number("SmartChargingCtrlr.LimitChangeSignificance") / 100
        if abs(offered - told) > significant * told:
            self.station.block(TransactionEvents).send(connector, "Updated", "ChargingRateChanged")
        else:
            running.told_w = told

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
        self.station.block(TransactionEvents).send(
            connector, "Updated", trigger, token=self._stop_token(running, token)
        )
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
        values = running.values + station.block(Metering).end_values(connector)
        self.station.block(TransactionEvents).send(
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
        station.block(Metering).stop(connector)
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
            self._end_without_car(connector)
            if not self.station.configuration.flag("OCPPCommCtrlr.UnlockOnEVSideDisconnect"):
                connector.hold_cable(running.id_tag)
            return
        running.cable = "out"
        fixed = connector.outlet.format != "socket"  # the whole cable is back at the station, not its far end only
        self.station.block(TransactionEvents).send(
            connector, "Updated", "EVCommunicationLost", state=IDLE if fixed else ""
        )
        if fixed:
            self.station.set_timer(f"plug_timeout:{connector.number}", self.connection_timeout())

    def _end_without_car(self, connector: Connector) -> None:
        """The car is gone from its cable, and if only that of the bay counts, from its bay."""
        if self._stop_points() == {BAY}:
            self.station.block(TransactionEvents).send(connector, "Updated", "EVCommunicationLost", state=IDLE)
            self._finish(connector, causes.EV_DEPARTED)
        else:
            self._finish(connector, causes.EV_DISCONNECTED)

    def close_session(self, connector: Connector, cause: str, token: str = "") -> None:
        if connector.running is not None and not connector.running.authorized:
            self.pull_cable(connector)  # nobody's authorization is left to end
        else:
            super().close_session(connector, cause, token)


def _trigger_of(grant: Grant) -> str:
    return "RemoteStart" if grant.source == "remote" else "Authorized"
