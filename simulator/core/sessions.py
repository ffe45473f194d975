"""Sessions as a user orders them at the station: start, stop, authorize (gateway contract, section 11)."""

from typing import Any

from simulator.core import causes
from simulator.core.calls import NOTIFY
from simulator.core.charging import Charging
from simulator.core.errors import CommandRefused
from simulator.core.machine import Block
from simulator.core.physical.connector import Connector


class Sessions(Block):
    @property
    def charging(self) -> Charging:
        return self.station.block(Charging)

    def do_start_transaction(self, params: dict[str, Any]) -> None:
        charging, connector = self.charging, self._free(params)
        self._heed_reservation(connector, params["id_tag"], may_ask=False)
        charging.flow_begins(connector)
        charging.plug_in(connector)
        charging.grant(connector, {"token": params["id_tag"], "purpose": "local", "connector": connector.number})

    def do_start_session(self, params: dict[str, Any]) -> None:
        charging, connector = self.charging, self._free(params)
        if connector.has_fault("ReaderFailure"):
            raise CommandRefused("The card reader is faulty: clear ReaderFailure, or start remotely.")
        self._heed_reservation(connector, params["id_tag"], may_ask=self.station.online)
        charging.flow_begins(connector)
        charging.plans[connector.number] = _plan(params)
        charging.plug_in(connector)
        charging.present(connector, params["id_tag"], "local")

    def _free(self, params: dict[str, Any]) -> Connector:
        connector = self.charging.asked(params)
        if connector.running is not None and connector.running.authorized:
            raise CommandRefused(f"A transaction runs on connector {connector.number} already.")
        if self.charging.is_starting(connector):
            raise CommandRefused(f"Another start is under way on connector {connector.number}.")
        if not connector.operative or connector.blocking_fault is not None:
            raise CommandRefused(f"Connector {connector.number} is not available: it is faulted or inoperative.")
        if self.station.rebooting:
            raise CommandRefused("The station is rebooting.")
        if not self.charging.may_grant(connector):
            raise CommandRefused(f"Connector {connector.number} is still taken: unplug it first.")
        return connector

    def _heed_reservation(self, connector: Connector, token: str, *, may_ask: bool) -> None:
        if reason := self.charging.turned_away(connector, token, may_ask=may_ask):
            raise CommandRefused(reason)

    def do_stop_transaction(self, params: dict[str, Any]) -> None:
        connector = self._running(params.get("transaction_id"))
        assert connector.running is not None
        self.charging.end(connector, causes.LOCAL, connector.running.id_tag)

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
        named = params.get("connector_id") or params.get("evse_id")
        connector = self.charging.asked(params) if named else self._running(None)
        if connector.running is None:
            raise CommandRefused(f"No transaction runs on connector {connector.number}.")
        self.charging.close_session(connector, causes.LOCAL, connector.running.id_tag)

    def do_authorize_id_tag(self, params: dict[str, Any]) -> None:
        if not self.station.online:
            raise CommandRefused("The station is offline: an Authorize cannot be sent.")
        context = {"connector": 0, "token": params["id_tag"], "purpose": "check"}
        self.charging.send_authorize(params["id_tag"], context, NOTIFY)


def _plan(params: dict[str, Any]) -> dict[str, float]:
    plan: dict[str, float] = {}
    if params.get("duration_seconds"):
        plan["duration"] = float(params["duration_seconds"])
    if params.get("target_energy_kwh"):
        plan["target_wh"] = float(params["target_energy_kwh"]) * 1000
    return plan
