"""Lab verbs: what a driver, a car or the mains do to a station (gateway contract, section 19)."""

import base64
import binascii
from abc import abstractmethod
from typing import Any, TypeVar

import msgspec

from simulator.core import causes, rpc
from simulator.core.calls import NOTIFY
from simulator.core.errors import CommandRefused
from simulator.core.facts import Frame, Send, SendBytes
from simulator.core.fault_injection import FaultInjection
from simulator.core.physical.connector import Connector
from simulator.core.physical.vehicle import PROFILES
from simulator.core.station import Station

S = TypeVar("S", bound=Station)
OFF_SECONDS = 5.0
FULL, READY, PAUSED, FAULT = "full", "ready", "paused", "fault"


class Lab(FaultInjection[S]):
    @abstractmethod
    def may_grant(self, connector: Connector) -> bool:
        """Whether a token may be accepted at this outlet now."""

    @abstractmethod
    def present(
        self,
        connector: Connector,
        token: str,
        purpose: str,
        *,
        priority: int = NOTIFY,
        extra: dict[str, Any] | None = None,
    ) -> None: ...

    @abstractmethod
    def stop_by_group(self, connector: Connector, token: str) -> None:
        """Another token than the one that charges is shown: it stops the transaction if it is of the same group."""

    @abstractmethod
    def plug_in(self, connector: Connector) -> bool: ...

    @abstractmethod
    def flow_begins(self, connector: Connector) -> None:
        """The command at hand lasts until the outlet's start has happened or cannot."""

    @abstractmethod
    def ev_disconnected(self, connector: Connector) -> None: ...

    def note(self, text: str) -> None:
        self.station.commands.note(self.station.commands.cause, text)

    # --- the driver -------------------------------------------------------------------------------------------------

    def do_present_tag(self, params: dict[str, Any]) -> None:
        """The station decides: the same token stops what it started, another is refused, a free outlet starts."""
        connector, token = self.asked(params), params["id_tag"]
        if connector.has_fault("ReaderFailure"):
            self.note("The card reader is faulty: the token is not read.")
            return
        running = connector.running
        if running is not None and running.authorized:
            if running.id_tag.casefold() == token.casefold():
                self.end(connector, causes.LOCAL, token)
            else:
                self.stop_by_group(connector, token)
            return
        if connector.cable_held_for.casefold() == token.casefold():
            connector.cable_held_for = ""
            self.note("The cable is released.")
            return
        if connector.grant is not None:
            raise CommandRefused("The connector waits for a cable for a token that was accepted before.")
        if not self.may_grant(connector):
            self.note("The connector is faulted, inoperative or taken: the token is ignored.")
            return
        self.flow_begins(connector)
        extra = {"token_type": params["type"]} if params.get("type") else None
        self.present(connector, token, "local", extra=extra)

    def do_unplug_ev(self, params: dict[str, Any]) -> None:
        connector = self.asked(params)
        if not connector.ev_connected:
            self.note("No car is connected.")
            return
        connector.ev_side_open = True
        connector.open_contactor()
        if connector.running is not None:
            self.ev_disconnected(connector)
        self.report_status(connector)

    def do_replug_ev(self, params: dict[str, Any]) -> None:
        if not self.plug_in(self.asked(params)):
            self.note("The car is connected already.")

    # --- the car ----------------------------------------------------------------------------------------------------

    def do_ev_state(self, params: dict[str, Any]) -> None:
        """`target_soc_percent` and `profile` change the car itself, `soc_percent` its charge, `state` its wish."""
        connector = self.asked(params)
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
            self.do_inject_fault({**params, "fault_type": "EVCommunicationError"})
        elif connector.running is None:
            self.note("No transaction runs: the vehicle behaves so once one does.")

    # --- the mains and the wire -------------------------------------------------------------------------------------

    def do_power_cycle(self, params: dict[str, Any]) -> None:
        seconds = params.get("off_seconds")
        self.station.wire.lose_power(OFF_SECONDS if seconds is None else float(seconds))

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
