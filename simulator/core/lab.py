"""Lab verbs: what a driver, a car or the mains do to a station (gateway contract, sections 11 and 19)."""

import base64
import binascii
from typing import Any

import msgspec

from simulator.core import causes, rpc
from simulator.core.charging import Charging
from simulator.core.errors import CommandRefused
from simulator.core.facts import Frame, Send, SendBytes
from simulator.core.machine import Block
from simulator.core.network_faults import NetworkFaults
from simulator.core.physical.connector import Connector, Grant
from simulator.core.physical.vehicle import PROFILES

OFF_SECONDS = 5.0
FULL, READY, PAUSED, FAULT = "full", "ready", "paused", "fault"


class Lab(Block):
    @property
    def charging(self) -> Charging:
        return self.station.block(Charging)

    # --- the driver -------------------------------------------------------------------------------------------------

    def do_present_tag(self, params: dict[str, Any]) -> None:
        """The station decides: the same token stops what it started, another is refused, a free outlet starts."""
        connector, token = self.charging.asked(params), params["id_tag"]
        if connector.has_fault("ReaderFailure"):
            self.station.note("The card reader is faulty: the token is not read.")
            return
        running = connector.running
        if running is not None and running.authorized:
            if running.id_tag.casefold() == token.casefold():
                self.charging.end(connector, causes.LOCAL, token)
            else:
                self.charging.stop_by_group(connector, token)
            return
        if connector.cable_held_for.casefold() == token.casefold():
            connector.cable_held_for = ""
            self.station.note("The cable is released.")
            return
        if connector.grant is not None:
            self._present_again(connector, connector.grant, token)
            return
        if not self.charging.may_grant(connector):
            self.station.note("The connector is faulted, inoperative or taken: the token is ignored.")
            return
        self.charging.flow_begins(connector)
        extra = {"token_type": params["type"]} if params.get("type") else None
        self.charging.present(connector, token, "local", extra=extra)

    def _present_again(self, connector: Connector, grant: Grant, token: str) -> None:
        """A driver who shows the token a second time before there is a cable has changed her mind (contract 3.3)."""
        is_hers = grant.source == "local" and grant.token.casefold() == token.casefold()
        if not is_hers or connector.ev_connected:
            raise CommandRefused("The connector waits for a cable for a token that was accepted before.")
        self.charging.forget_grant(connector, "The token was shown again before a cable was plugged in.")

    def do_plug_connector(self, params: dict[str, Any]) -> None:
        if not self.charging.plug_in(self.charging.asked(params)):
            self.station.note("A cable was plugged in already.")

    def do_unplug_connector(self, params: dict[str, Any]) -> None:
        connector = self.charging.asked(params)
        if not connector.plugged:
            self.station.note("No cable was plugged in.")
            return
        if not self.charging.pull_cable(connector):
            goes_on = "The transaction goes on; t" if connector.running is not None else "T"
            self.station.note(f"{goes_on}he station keeps its end of the cable locked.")

    def do_unlock_connector(self, params: dict[str, Any]) -> None:
        connector = self.charging.asked(params)
        if connector.outlet.format != "socket":
            raise CommandRefused("A fixed cable has no lock to release.")
        if connector.has_fault("ConnectorLockFailure"):
            raise CommandRefused("The lock is faulty: clear ConnectorLockFailure first.")
        if connector.running is not None:
            self.charging.end(connector, causes.UNLOCK)
        connector.cable_held_for = ""
        self.station.note("The lock is released.")

    def do_unplug_ev(self, params: dict[str, Any]) -> None:
        connector = self.charging.asked(params)
        if not connector.ev_connected:
            self.station.note("No car is connected.")
            return
        connector.ev_side_open = True
        connector.open_contactor()
        if connector.running is not None:
            self.charging.ev_disconnected(connector)
        self.charging.report_status(connector)

    def do_replug_ev(self, params: dict[str, Any]) -> None:
        if not self.charging.plug_in(self.charging.asked(params)):
            self.station.note("The car is connected already.")

    # --- the car ----------------------------------------------------------------------------------------------------

    def do_ev_state(self, params: dict[str, Any]) -> None:
        """`target_soc_percent` and `profile` change the car itself, `soc_percent` its charge, `state` its wish."""
        connector = self.charging.asked(params)
        vehicle, state = connector.vehicle, params["state"]
        if params.get("profile"):
            profile = next((one for one in PROFILES if one.name == params["profile"]), None)
            if profile is None:
                raise CommandRefused(f"The known profiles are {', '.join(one.name for one in PROFILES)}.")
            vehicle.profile = profile
        if params.get("target_soc_percent") is not None:
            target = params["target_soc_percent"] / 100
            vehicle.profile = msgspec.structs.replace(vehicle.profile, target_soc=target)
        if params.get("soc_percent") is not None:
            vehicle.soc = params["soc_percent"] / 100
        if state == FULL:
            vehicle.soc = max(vehicle.soc, vehicle.profile.target_soc)
        vehicle.ready = state in (READY, FULL)
        if state == READY and vehicle.demand_w == 0:
            vehicle.demand_w = None
        if state == FAULT:
            self.charging.do_inject_fault({**params, "fault_type": "EVCommunicationError"})
        elif connector.running is None:
            self.station.note("No transaction runs: the vehicle behaves so once one does.")

    def do_ev_requests_energy(self, params: dict[str, Any]) -> None:
        connector = self.charging.asked(params)
        connector.vehicle.ready = True
        if connector.vehicle.demand_w == 0:
            connector.vehicle.demand_w = None
        if connector.running is None:
            self.station.note("No transaction runs: the vehicle takes energy once one does.")
        elif connector.ev_connected and connector.offers and not connector.energy_flows:
            self.charging.flow_awaits_energy(connector)

    def do_ev_stops_energy(self, params: dict[str, Any]) -> None:
        connector = self.charging.asked(params)
        connector.vehicle.ready = False
        if connector.running is None:
            self.station.note("No transaction runs: the vehicle will not take energy when one does.")

    def do_power_update(self, params: dict[str, Any]) -> None:
        connector = self.charging.asked(params)
        asked = params["power_w"]
        connector.vehicle.demand_w = float(asked)
        self.station.note(f"The vehicle asks for {asked} W; the station offers {connector.offered_w:.0f} W.")

    # --- the mains and the wire -------------------------------------------------------------------------------------

    def do_power_cycle(self, params: dict[str, Any]) -> None:
        seconds = params.get("off_seconds")
        self.station.block(NetworkFaults).lose_power(OFF_SECONDS if seconds is None else float(seconds))

    def do_raw_frame(self, params: dict[str, Any]) -> None:
        """Sent as it is: text as a text frame, base64 as a binary one, marked in the log."""
        text, encoded = params.get("text"), params.get("base64")
        if (text is None) == (encoded is None):
            raise CommandRefused("Give either text or base64.")
        if not self.station.link.connected:
            raise CommandRefused("The charger is offline: the frame cannot be sent.")
        at = self.station.now.wall
        if text is not None:
            incoming = rpc.read(text)
            name = rpc.NAMES.get(incoming.message_type, "")
            action = incoming.action[:50]
            frame = Frame(0, "cp_to_csms", text, at, name, incoming.message_id[:64], action, injected=True)
            self.station.put_out(frame, Send(text))
            return
        try:
            data = base64.b64decode(encoded or "", validate=True)
        except binascii.Error:
            raise CommandRefused("base64 cannot be decoded.") from None
        frame = Frame(0, "cp_to_csms", encoded or "", at, encoding="base64", injected=True)
        self.station.put_out(frame, SendBytes("", data, as_text=False))
