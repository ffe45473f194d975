"""Charging at an outlet, in the words both OCPP versions share: tokens, cables, energy and faults.

A version subclasses `Charging` and words it: which messages go out, when a transaction starts and ends.
"""

from abc import abstractmethod
from typing import Any

from simulator.core import causes
from simulator.core.authorization import Rules, TokenInfo, TokenStore
from simulator.core.calls import AUTHORIZE, NOTIFY
from simulator.core.errors import CommandRefused
from simulator.core.fault_injection import FaultInjection
from simulator.core.machine import Machine
from simulator.core.network_faults import NetworkFaults
from simulator.core.physical.connector import Connector, Grant
from simulator.core.pictures import connector_picture

OTHER_TOKEN = "Another token's transaction runs here, and this one is not of its group: it is ignored."  # noqa: S105


class Charging(FaultInjection):
    def __init__(self, station: Machine) -> None:
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
    def anybody(self) -> dict[str, Any] | None:
        """As whom a driver counts where authorization is disabled (contract 4.1); None where it is not."""

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
        context = {"connector": connector.number, "token": token, "purpose": purpose} | (extra or {})
        anybody = self.anybody()
        if anybody is not None:
            self.granted(context | anybody)
            return
        decision = self.tokens.decide(token, self.rules(), online=self.station.online, wall=self.station.clock)
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
            self.station.note(OTHER_TOKEN)
        elif context["purpose"] == "check":
            commands.finish(commands.cause, "failed", "The CSMS did not answer Authorize.", self.station.now)
        elif offline and self.tokens.decide(token, self.rules(), online=False, wall=self.station.clock) == "accept":
            self.granted(context)
        else:
            self.refused(context, f"The CSMS gave no usable answer to Authorize for {token}.")

    def stop_by_group(self, connector: Connector, token: str) -> None:
        """Another token than the one that charges is shown: it stops the transaction if it is of the same group."""
        running, rules = connector.running, self.rules()
        assert running is not None
        known = self.tokens.known(token, rules)
        if known is not None and known.is_good(self.station.clock):
            self._group_told({"connector": connector.number, "token": token}, known)
        elif self.station.online:
            self.send_authorize(token, {"connector": connector.number, "token": token, "purpose": "stop"}, AUTHORIZE)
        else:
            self.station.note(OTHER_TOKEN)

    def _group_told(self, context: dict[str, Any], info: TokenInfo) -> None:
        """The group of a token that was shown while another's transaction runs (contract 4.3)."""
        connector = self.station.connector(context["connector"])
        running = connector.running if connector is not None else None
        group = self._parent_of(running.id_tag) if running is not None else ""
        if connector is None or info.status != "Accepted" or not group or info.parent.casefold() != group.casefold():
            self.station.note(OTHER_TOKEN)
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
        if reason := self.kept_from(connector, context["token"], self._group_of(context, info)):
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

    def _group_of(self, context: dict[str, Any], info: TokenInfo | None) -> str:
        """What is known of the token, or else what a remote start said of it."""
        return self._parent_of(context["token"], info) or context.get("group", "")

    def turned_away(self, connector: Connector, token: str, *, may_ask: bool) -> str:
        """Why a stranger is turned away before anything happens; one whose group only the CSMS knows may ask it."""
        return self.kept_from(connector, token, self._parent_of(token) or (None if may_ask else ""))

    def grant(self, connector: Connector, context: dict[str, Any], info: TokenInfo | None = None) -> None:
        """The outlet may be used by this token; without a cable it waits for one, for a time."""
        connector.grant = Grant(
            token=context["token"],
            source=context["purpose"],
            token_type=context.get("token_type", ""),
            parent=self._group_of(context, info),
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
        running.allowed_wh = self.energy_on_invalid_id()
        if connector.session_wh() >= running.allowed_wh - 0.01:
            running.energy_offered = False
            connector.open_contactor()

    # --- flows of a user's command ----------------------------------------------------------------------------------

    def flow_begins(self, connector: Connector) -> None:
        """The command at hand lasts until the outlet's start has happened or cannot."""
        command_id = self.station.commands.cause
        self.flow_commands[connector.number] = command_id
        self.station.commands.hold(command_id)

    def is_starting(self, connector: Connector) -> bool:
        return self.station.commands.is_pending(self.flow_commands.get(connector.number, ""))

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

    def flow_awaits_energy(self, connector: Connector) -> None:
        """The command at hand lasts until the outlet's energy flows."""
        self.flow_awaited[connector.number] = self.station.commands.cause
        self.station.commands.hold(self.station.commands.cause)

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
            self.close_session(connector, causes.TIME_LIMIT)

    def close_session(self, connector: Connector, cause: str, token: str = "") -> None:
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
            self.close_session(connector, causes.ENERGY_LIMIT)
        elif (
            connector.ev_connected
            and connector.offers
            and running.authorized
            and not self.station.block(NetworkFaults).dark
        ):
            connector.close_contactor_soon(self.station.now)

    def save(self) -> None:
        if self._saved_list is not self.tokens.entries:
            self._saved_list = self.tokens.entries
            self.station.store.put("local_list", self.tokens.list_record())
        if self._saved_cache != self.tokens.cache_edition:
            self._saved_cache = self.tokens.cache_edition
            self.station.store.put("token_cache", dict(self.tokens.cache))

    # --- outlets and their cables -----------------------------------------------------------------------------------

    def asked(self, params: dict[str, Any]) -> Connector:
        """The outlet that a user's command means. Raises CommandRefused where there is none."""
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

    # --- for readers ------------------------------------------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        return {"connectors": [connector_picture(one, self.status_of(one)) for one in self.station.connectors]}
