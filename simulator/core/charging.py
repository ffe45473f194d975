"""Charging at an outlet, in the words both OCPP versions share: tokens, cables, faults and a user's commands.

A version subclasses `Charging` and words it: which messages go out, when a transaction starts and ends.
"""

from abc import abstractmethod
from typing import Any, TypeVar

from simulator.core import causes, timestamps
from simulator.core.authorization import Rules, TokenInfo, TokenStore
from simulator.core.calls import AUTHORIZE, NOTIFY
from simulator.core.errors import CommandRefused
from simulator.core.lab import Lab
from simulator.core.physical.connector import Connector, Grant
from simulator.core.pictures import connector_picture
from simulator.core.station import Station

S = TypeVar("S", bound=Station)
OTHER_TOKEN = "Another token's transaction runs here, and this one is not of its group: it is ignored."  # noqa: S105


class Charging(Lab[S]):
    def __init__(self, station: S) -> None:
        super().__init__(station)
        self.tokens = TokenStore(station.store.get("local_list", {}), station.store.get("token_cache", {}))
        self._saved_list, self._saved_cache = self.tokens.entries, self.tokens.cache_edition
        # The command each outlet's flow works for, and what the flow asked for beyond a start.
        self.flow_commands: dict[int, str] = {}
        self.plans: dict[int, dict[str, float]] = {}
        # Commands that are done when the outlet's energy flows; what is reported then proves them.
        self.flow_awaited: dict[int, str] = {}
        for connector in station.connectors:
            self._rearm(connector)

    def _rearm(self, connector: Connector) -> None:
        """After a restart of the product: what was running goes on, who waited waits anew."""
        running = connector.running
        if running is None:
            if connector.grant is not None:
                self.station.set_timer(f"plug_timeout:{connector.number}", self.connection_timeout())
            elif connector.plugged and not connector.finishing:
                self.station.set_timer(f"tag_timeout:{connector.number}", self.connection_timeout())
            return
        if connector.ev_connected and running.energy_offered and running.authorized:
            if connector.was_closed:
                connector.keep_contactor_closed(self.station.now)
            else:
                connector.close_contactor_soon(self.station.now)
        if running.ends_at is not None:
            self.station.set_timer(f"session_end:{connector.number}", max(0.0, running.ends_at - self.station.now.wall))

    # --- what a version words ---------------------------------------------------------------------------------------

    @abstractmethod
    def rules(self) -> Rules: ...

    @abstractmethod
    def connection_timeout(self) -> float: ...

    @abstractmethod
    def number_of(self, params: dict[str, Any]) -> int:
        """The outlet's number that a user's command means."""

    @abstractmethod
    def send_authorize(self, token: str, context: dict[str, Any], priority: int) -> None: ...

    @abstractmethod
    def progress(self, connector: Connector) -> None:
        """Starts what the facts now allow to start."""

    @abstractmethod
    def ev_disconnected(self, connector: Connector) -> None:
        """The car's end came out while a transaction runs: ends it, or lets it go on, as the settings say."""

    def cable_plugged(self, connector: Connector) -> None:
        """A cable with a car has just gone in."""

    def power_lost(self) -> None:
        """`stop-after` (contract Q7): the transaction ended at the moment of loss, and the CSMS hears of it later."""
        for connector in self.station.connectors:
            connector.grant = None
            running = connector.running
            if running is not None:
                with self.station.as_of(max(running.seen_at, running.at)):
                    self.end(connector, causes.POWER_LOSS)

    def retired(self) -> None:
        for connector in self.station.connectors:
            self.forget_grant(connector, "The charger's OCPP version changes.")
            if connector.running is not None:
                self.end(connector, causes.OTHER)

    def watchdog_bit(self) -> None:
        for connector in self.station.connectors:
            if connector.running is not None:
                self.end(connector, causes.WATCHDOG)

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
        """A token is shown at an outlet to start charging; the answer comes through `granted` or `refused`.

        `extra` goes into the context that `grant` reads: token_type, remote_start_id.
        """
        rules = self.rules()
        decision = self.tokens.decide(token, rules, online=self.station.online, wall=self.station.clock)
        context = {"connector": connector.number, "token": token, "purpose": purpose} | (extra or {})
        if decision == "ask":
            self.send_authorize(token, context, priority)
        elif decision == "accept":
            self.granted(context)
        else:
            offline = "" if self.station.online else " The station is offline."
            self.refused(context, f"The token {token} is not authorized here.{offline}")

    def authorize_result(self, context: dict[str, Any], info: TokenInfo) -> None:
        """What the CSMS said to an Authorize."""
        token = context["token"]
        self.tokens.remember(token, info, self.rules(), self.station.clock)
        if context["purpose"] == "check":
            self._checked(info)
        elif context["purpose"] == "stop":
            self._group_told(context, info)
        elif info.status == "Accepted":
            self.granted(context, info)
        else:
            self.refused(context, f"The CSMS answered {info.status} for the token {token}.")

    def authorize_failed(self, context: dict[str, Any], *, offline: bool) -> None:
        """No answer to an Authorize counts as offline, an error as a no (contract 1.4)."""
        token, commands = context["token"], self.station.commands
        if context["purpose"] == "stop":
            commands.note(commands.cause, OTHER_TOKEN)
        elif context["purpose"] == "check":
            commands.finish(commands.cause, "failed", "The CSMS did not answer Authorize.", self.station.now)
        elif offline and self.tokens.decide(token, self.rules(), online=False, wall=self.station.clock) == "accept":
            self.granted(context)
        else:
            self.refused(context, f"The CSMS gave no usable answer to Authorize for {token}.")

    def stop_by_group(self, connector: Connector, token: str) -> None:
        running, rules = connector.running, self.rules()
        assert running is not None
        known = self.tokens.known(token, rules)
        if known is not None and known.is_good(self.station.clock):
            self._group_told({"connector": connector.number, "token": token}, known)
        elif self.station.online:
            self.send_authorize(token, {"connector": connector.number, "token": token, "purpose": "stop"}, AUTHORIZE)
        else:
            self._note(OTHER_TOKEN)

    def _group_told(self, context: dict[str, Any], info: TokenInfo) -> None:
        """The group of a token that was shown while another's transaction runs (contract 4.3)."""
        connector = self.station.connector(context["connector"])
        running = connector.running if connector is not None else None
        group = self._parent_of(running.id_tag) if running is not None else ""
        if connector is None or info.status != "Accepted" or not group or info.parent.casefold() != group.casefold():
            self._note(OTHER_TOKEN)
        else:
            self.end(connector, causes.LOCAL, context["token"])
            self.report_status(connector)

    def _checked(self, info: TokenInfo) -> None:
        command_id = self.station.commands.cause
        if info.status != "Accepted":
            self.station.commands.finish(command_id, "rejected", f"The CSMS answered {info.status}.", self.station.now)

    def granted(self, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        connector = self.station.connector(context["connector"])
        if connector is None or not self.may_grant(connector):
            self.refused(context, "The connector is no longer free.")
            return
        if reason := self.kept_from(connector, context["token"], self._parent_of(context["token"], info)):
            self.refused(context, reason)
            return
        self.grant(connector, context, info)

    def may_grant(self, connector: Connector) -> bool:
        """Whether a token may be accepted at this outlet now."""
        return connector.usable

    def kept_from(self, connector: Connector, token: str, parent: str | None) -> str:
        """Why a reservation keeps the outlet from this token, or ""; `parent` None: its group is not known yet."""
        return ""

    def _parent_of(self, token: str, info: TokenInfo | None = None) -> str:
        known = info or self.tokens.known(token, self.rules())
        return known.parent if known else ""

    def turned_away(self, connector: Connector, token: str, *, may_ask: bool) -> str:
        """Why a stranger is turned away before anything happens; one whose group only the CSMS knows may ask it."""
        return self.kept_from(connector, token, self._parent_of(token) or (None if may_ask else ""))

    def _heed_reservation(self, connector: Connector, token: str, *, may_ask: bool) -> None:
        if reason := self.turned_away(connector, token, may_ask=may_ask):
            raise CommandRefused(reason)

    def grant(self, connector: Connector, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        """The outlet may be used by this token; without a cable it waits for one, for a time."""
        connector.grant = Grant(
            token=context["token"],
            source=context["purpose"],
            token_type=context.get("token_type", ""),
            parent=self._parent_of(context["token"], info),
            remote_start_id=context.get("remote_start_id"),
            at=self.station.clock,
        )
        connector.finishing = connector.tag_too_late = False
        if not connector.ev_connected:
            self.station.set_timer(f"plug_timeout:{connector.number}", self.connection_timeout())
        self.station.cancel_timer(f"tag_timeout:{connector.number}")
        self.report_status(connector)  # a new driver at a bay that was Finishing is told before the start

    def forget_grant(self, connector: Connector, reason: str) -> None:
        if connector.grant is not None:
            connector.grant = None
            self.station.cancel_timer(f"plug_timeout:{connector.number}")
            self.flow_over(connector.number, "rejected", reason)

    def refused(self, context: dict[str, Any], reason: str) -> None:
        self.flow_over(context["connector"], "rejected", reason)

    def plug_timeout_due(self, number: str) -> None:
        """No cable in time: the authorization is forgotten (contract 4.3)."""
        connector = self.station.connector(int(number))
        if connector is not None and connector.running is None:
            connector.grant = None
            self.flow_over(connector.number, "rejected", "No cable was plugged in before the connection time-out.")

    def tag_timeout_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is not None and connector.plugged and connector.grant is None and connector.running is None:
            connector.tag_too_late = True

    # --- a token that the CSMS refuses once its transaction runs ----------------------------------------------------

    @abstractmethod
    def stops_on_invalid_id(self) -> bool: ...

    @abstractmethod
    def energy_on_invalid_id(self) -> int:
        """Wh that a transaction with a refused token may take in all where it is not stopped."""

    def token_invalid(self, connector: Connector) -> None:
        """Stops the transaction, or its energy at once or later, as the settings say (contract 4.3, 4.5)."""
        running = connector.running
        assert running is not None
        running.invalid = True
        if self.stops_on_invalid_id():
            self.end(connector, causes.DEAUTHORIZED)
            if connector.running is None:
                connector.hold_cable(running.id_tag)
        else:
            self._limit_invalid(connector)

    def _limit_invalid(self, connector: Connector) -> None:
        running = connector.running
        if running is None or not running.invalid or not running.energy_offered:
            return
        if connector.session_wh() >= self.energy_on_invalid_id():
            running.energy_offered = False
            connector.open_contactor()

    # --- flows of a user's command ----------------------------------------------------------------------------------

    def flow_begins(self, connector: Connector) -> None:
        command_id = self.station.commands.cause
        self.flow_commands[connector.number] = command_id
        self.station.commands.hold(command_id)

    def flow_over(self, number: int, state: str, reason: str = "") -> None:
        """The start that a command asked for has happened (accepted) or cannot."""
        command_id = self.flow_commands.pop(number, "")
        if not command_id:
            return
        if state == "accepted":
            self.station.commands.note(command_id, reason)
            self.station.commands.release(command_id)
        else:
            self.plans.pop(number, None)
            self.station.commands.finish(command_id, state, reason, self.station.now)

    def apply_plan(self, connector: Connector) -> None:
        """Duration and energy that a start-session asked for, now that its transaction runs."""
        plan = self.plans.pop(connector.number, None)
        running = connector.running
        if plan is None or running is None:
            return
        running.target_wh = plan.get("target_wh")
        if "duration" in plan:
            running.ends_at = self.station.now.wall + plan["duration"]
            self.station.set_timer(f"session_end:{connector.number}", plan["duration"])

    def session_end_due(self, number: str) -> None:
        connector = self.station.connector(int(number))
        if connector is not None and connector.running is not None:
            self._close_session(connector, causes.TIME_LIMIT)

    def _close_session(self, connector: Connector, cause: str, token: str = "") -> None:
        self.end(connector, cause, token)
        self.report_status(connector)
        self.pull_cable(connector)

    # --- every input ------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        for connector in self.station.connectors:
            self.clear_expired_faults(connector)
            self._limit_invalid(connector)
            self._follow_energy(connector)
            if self.station.rebooting:
                self.forget_grant(connector, "The station is rebooting.")
            with self.station.commands.caused_by(self._cause_of(connector)):
                self.progress(connector)
                self.report_status(connector)

    def _cause_of(self, connector: Connector) -> str:
        """The command at hand, or the one that has waited for this outlet's energy to flow."""
        awaited = self.flow_awaited.get(connector.number)
        if awaited is None or not (connector.energy_flows or connector.running is None):
            return self.station.commands.cause
        del self.flow_awaited[connector.number]
        self.station.commands.release(awaited)
        return awaited

    def _follow_energy(self, connector: Connector) -> None:
        running = connector.running
        if running is None:
            return
        if running.target_wh is not None and connector.session_wh() >= running.target_wh - 0.01:
            self._close_session(connector, causes.ENERGY_LIMIT)
        elif connector.ev_connected and connector.offers and running.authorized and not self.station.wire.dark:
            connector.close_contactor_soon(self.station.now)

    def save(self) -> None:
        if self._saved_list is not self.tokens.entries:
            self._saved_list = self.tokens.entries
            self.station.store.put("local_list", self.tokens.list_record())
        if self._saved_cache != self.tokens.cache_edition:
            self._saved_cache = self.tokens.cache_edition
            self.station.store.put("token_cache", dict(self.tokens.cache))

    # --- a user's commands ------------------------------------------------------------------------------------------

    def asked(self, params: dict[str, Any]) -> Connector:
        number = self.number_of(params)
        connector = self.station.connector(number)
        if connector is None:
            raise CommandRefused(f"This charger has no connector {number}.")
        return connector

    def plug_in(self, connector: Connector) -> bool:
        if not connector.plug():
            return False
        connector.finishing = False
        self.clear_on_replug(connector)
        self.station.cancel_timer(f"plug_timeout:{connector.number}")
        if connector.grant is None and connector.running is None:
            self.station.set_timer(f"tag_timeout:{connector.number}", self.connection_timeout())
        self.cable_plugged(connector)
        self.report_status(connector)
        return True

    def do_plug_connector(self, params: dict[str, Any]) -> None:
        if not self.plug_in(self.asked(params)):
            self._note("A cable was plugged in already.")

    def do_unplug_connector(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        if not connector.plugged:
            self._note("No cable was plugged in.")
            return
        if not self.pull_cable(connector):
            goes_on = "The transaction goes on; t" if connector.running is not None else "T"
            self._note(f"{goes_on}he station keeps its end of the cable locked.")

    def pull_cable(self, connector: Connector) -> bool:
        """The car's end comes out, then the station's; False if the station keeps its end locked."""
        if connector.running is not None:
            connector.ev_side_open = True
            connector.open_contactor()
            self.ev_disconnected(connector)
            self.report_status(connector)
        if connector.outlet.format == "socket" and (connector.running is not None or connector.cable_held_for):
            return False
        connector.unplug()
        return True

    def do_unlock_connector(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        if connector.outlet.format != "socket":
            raise CommandRefused("A fixed cable has no lock to release.")
        if any(fault.code == "ConnectorLockFailure" for fault in connector.faults):
            raise CommandRefused("The lock is faulty: clear ConnectorLockFailure first.")
        if connector.running is not None:
            self.end(connector, causes.UNLOCK)
        connector.cable_held_for = ""
        self._note("The lock is released.")

    def do_start_transaction(self, params: dict[str, Any]) -> None:
        connector = self._free(params)
        self._heed_reservation(connector, params["id_tag"], may_ask=False)
        self.flow_begins(connector)
        self.plug_in(connector)
        self.grant(connector, {"token": params["id_tag"], "purpose": "local", "connector": connector.number})

    def do_start_session(self, params: dict[str, Any]) -> None:
        connector = self._free(params)
        if any(fault.code == "ReaderFailure" for fault in connector.faults):
            raise CommandRefused("The card reader is faulty: clear ReaderFailure, or start remotely.")
        self._heed_reservation(connector, params["id_tag"], may_ask=self.station.online)
        self.flow_begins(connector)
        self.plans[connector.number] = _plan(params)
        self.plug_in(connector)
        self.present(connector, params["id_tag"], "local")

    def _free(self, params: dict[str, Any]) -> Connector:
        connector = self.asked(params)
        if connector.running is not None and connector.running.authorized:
            raise CommandRefused(f"A transaction runs on connector {connector.number} already.")
        if self.station.commands.is_pending(self.flow_commands.get(connector.number, "")):
            raise CommandRefused(f"Another start is under way on connector {connector.number}.")
        if not connector.operative or connector.blocking_fault is not None:
            raise CommandRefused(f"Connector {connector.number} is not available: it is faulted or inoperative.")
        if self.station.rebooting:
            raise CommandRefused("The station is rebooting.")
        if not self.may_grant(connector):
            raise CommandRefused(f"Connector {connector.number} is still taken: unplug it first.")
        return connector

    def do_stop_transaction(self, params: dict[str, Any]) -> None:
        connector = self._running(params.get("transaction_id"))
        assert connector.running is not None
        self.end(connector, causes.LOCAL, connector.running.id_tag)

    def _running(self, transaction_id: Any) -> Connector:
        """The outlet of the named transaction; without a name, of the one started last."""
        running = [one for one in self.station.connectors if one.running is not None and one.running.authorized]
        if transaction_id is not None:
            running = [one for one in running if one.running and one.running.transaction_id == str(transaction_id)]
        if not running:
            raise CommandRefused(
                "No transaction runs." if transaction_id is None else f"No transaction {transaction_id} runs."
            )
        return max(running, key=lambda one: one.running.at if one.running else 0.0)

    def do_stop_session(self, params: dict[str, Any]) -> None:
        connector = self.asked(params) if params.get("connector_id") or params.get("evse_id") else self._running(None)
        if connector.running is None:
            raise CommandRefused(f"No transaction runs on connector {connector.number}.")
        self._close_session(connector, causes.LOCAL, connector.running.id_tag)

    def do_authorize_id_tag(self, params: dict[str, Any]) -> None:
        if not self.station.online:
            raise CommandRefused("The station is offline: an Authorize cannot be sent.")
        self.send_authorize(params["id_tag"], {"connector": 0, "token": params["id_tag"], "purpose": "check"}, NOTIFY)

    def do_ev_requests_energy(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        connector.vehicle.ready = True
        if connector.vehicle.demand_w == 0:
            connector.vehicle.demand_w = None
        if connector.running is None:
            self._note("No transaction runs: the vehicle takes energy once one does.")
        elif connector.ev_connected and connector.offers and not connector.energy_flows:
            self.flow_awaited[connector.number] = self.station.commands.cause
            self.station.commands.hold(self.station.commands.cause)

    def do_ev_stops_energy(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        connector.vehicle.ready = False
        if connector.running is None:
            self._note("No transaction runs: the vehicle will not take energy when one does.")

    def do_power_update(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        connector.vehicle.demand_w = float(params["power_w"])
        self._note(f"The vehicle asks for {params['power_w']} W; the station offers {connector.offered_w:.0f} W.")

    def do_reset(self, params: dict[str, Any]) -> None:
        hard = params.get("type") == "Hard"
        for connector in self.station.connectors:
            if connector.running is not None:
                self.end(connector, causes.HARD_RESET if hard else causes.LOCAL_RESET)
        self.station.reboot("LocalReset")

    def do_reset_cache(self, params: dict[str, Any]) -> None:
        cleared = self.tokens.clear_cache()
        self.station.installed({"cleared_entries": cleared, "msg": f"{cleared} cached decisions dropped."})

    def do_set_local_auth_list(self, params: dict[str, Any]) -> None:
        """An installer's push: replaces the list if its version is newer (gateway contract, section 10)."""
        version, entries = params["list_version"], params["entries"]
        status = "VersionMismatch"
        if version > self.tokens.version:
            status = "Accepted"
            self.tokens.version = version
            self.tokens.entries = {entry["id_tag"].casefold(): list_entry(entry) for entry in entries}
            self.clear_everywhere("LocalListConflict")
        result = {"status": status, "list_version": self.tokens.version, "entries_received": len(entries)}
        self.station.installed(result)

    def do_clear_local_auth_list(self, params: dict[str, Any]) -> None:
        deleted = self.tokens.clear_list()
        self.station.installed({"msg": f"{deleted} entries deleted.", "entries_deleted": deleted, "list_version": 0})

    def _note(self, text: str) -> None:
        self.station.commands.note(self.station.commands.cause, text)

    # --- for readers ------------------------------------------------------------------------------------------------

    def next_event(self) -> float | None:
        return None

    def picture(self) -> dict[str, Any]:
        return {"connectors": [connector_picture(one, self.status_of(one)) for one in self.station.connectors]}


def _plan(params: dict[str, Any]) -> dict[str, float]:
    plan: dict[str, float] = {}
    if params.get("duration_seconds"):
        plan["duration"] = float(params["duration_seconds"])
    if params.get("target_energy_kwh"):
        plan["target_wh"] = float(params["target_energy_kwh"]) * 1000
    return plan


def list_entry(entry: dict[str, Any]) -> dict[str, Any]:
    """A local-list entry of the REST shape as it is stored: the token as written, and what is known of it."""
    expiry = entry.get("expiry_date")
    info = {
        "status": "Accepted",
        "parent": entry.get("parent_id_tag") or "",
        "expires_at": timestamps.read(expiry) if expiry else None,
    }
    return {"token": entry["id_tag"], "info": info}
